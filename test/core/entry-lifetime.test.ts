/** What came by itself always ends: no change of an entry makes it stay, and a list that is replaced leaves it as it is. */
import t from "tap";
import { FixedClock } from "../../src/core/clock.ts";
import type { TenantId } from "../../src/core/ids.ts";
import { type AdminFixture, START_MS } from "../support/admin-api.ts";
import { onEveryStore } from "../support/admin-api-stores.ts";
import { place, tokenOf } from "../support/places.ts";

const A = "a" as TenantId;
const LIST = "/v1/tenants/a/allowlist";
const HERE = place("198.51.100.1");
const DAY_SECONDS = 86_400;
const CAP_SECONDS = { link: 10 * DAY_SECONDS, self: 20 * DAY_SECONDS, shortcut: 30 * DAY_SECONDS };
type Kind = keyof typeof CAP_SECONDS;

const MAKINGS: Readonly<Record<Kind, (gate: AdminFixture) => Promise<unknown>>> = {
  link: (gate) => use(gate, "links"),
  shortcut: (gate) => use(gate, "shortcuts"),
  self: async ({ call, whitelist }) => {
    const user = (await call("POST", "/v1/tenants/a/users", { json: { email: "anna@a.example" } })).body.id;
    await whitelist.selfAllow.admit(A, HERE, { user, role: "owner" });
  },
};

async function use({ call, whitelist }: AdminFixture, what: string): Promise<void> {
  const { url } = (await call("POST", `/v1/tenants/a/${what}`, { json: {} })).body;
  await whitelist.door.use(A, tokenOf(url), HERE);
}

async function make(gate: AdminFixture, kind: Kind) {
  await gate.tenant("a");
  const limits = {
    linkEntryTtl: { default: DAY_SECONDS, max: CAP_SECONDS.link },
    selfEntryTtl: { default: DAY_SECONDS, max: CAP_SECONDS.self },
    shortcutIdle: { default: DAY_SECONDS, max: CAP_SECONDS.shortcut },
  };
  await gate.call("PATCH", "/v1/tenants/a", { json: { limits } });
  await MAKINGS[kind](gate);
  const [entry] = (await gate.call("GET", LIST)).body.items;
  return entry as { readonly id: string; readonly cidr: string; readonly expiresAt: string };
}

for (const kind of Object.keys(CAP_SECONDS) as Kind[]) {
  const capSeconds = CAP_SECONDS[kind];
  const latest = new Date(START_MS + capSeconds * 1000).toISOString();

  onEveryStore(t, `changing an entry of kind ${kind}`, async (t, start) => {
    const gate = await start({ clock: new FixedClock(START_MS) });
    const { id, expiresAt } = await make(gate, kind);
    const patch = (json: object) => gate.call("PATCH", `${LIST}/${id}`, { json });
    const bad: readonly [object, string][] = [
      [{ expiresAt: null }, "/expiresAt"],
      [{ expiresAt: "2090-01-01T00:00:00Z" }, "/expiresAt"],
      [{ ttlSeconds: capSeconds + 1 }, "/ttlSeconds"],
    ];
    for (const [json, pointer] of bad) {
      const message = `must be within ${capSeconds} seconds: an entry of kind ${kind} always ends`;
      t.match(await patch(json), { status: 422, body: { code: "body_invalid", issues: [{ pointer, message }] } });
    }
    t.match(await patch({ label: "Night shift" }), { status: 200, body: { label: "Night shift", expiresAt } });
    t.match(await patch({ expiresAt: latest }), { status: 200, body: { expiresAt: latest } });
    await gate.call("PATCH", "/v1/tenants/a", { json: { limits: null } });
    t.equal((await patch({ ttlSeconds: capSeconds + 1 })).status, 200, "the tenant's cap as it is now");
  });

  onEveryStore(t, `a list with an entry of kind ${kind}, replaced`, async (t, start) => {
    const gate = await start({ clock: new FixedClock(START_MS) });
    const { id, cidr, expiresAt } = await make(gate, kind);
    const put = async (json: object) => {
      t.equal((await gate.call("PUT", LIST, { json: { items: [{ cidr, ...json }] } })).status, 200);
      return (await gate.call("GET", LIST)).body.items;
    };
    t.match(await put({ label: "as it is", expiresAt }), [{ id, kind, label: "as it is", expiresAt }]);
    t.match(await put({ expiresAt: latest }), [{ id, kind, expiresAt: latest }]);
    t.match(await put({}), [{ id, kind, label: "", expiresAt: latest }], "no end asked: its own");
    const beyond = new Date(START_MS + capSeconds * 1000 + 1000).toISOString();
    const [stays] = await put({ expiresAt: beyond });
    t.match(stays, { cidr, kind: "static", createdBy: "key:bootstrap", expiresAt: beyond }, "somebody's decision");
    t.not(stays.id, id);
  });
}

onEveryStore(t, "what a name brought ends with the name", async (t, start) => {
  const { call, tenant, store } = await start({ clock: new FixedClock(START_MS) });
  await tenant("a");
  const made = (await call("POST", LIST, { json: { cidr: "192.0.2.1", ttlSeconds: DAY_SECONDS } })).body;
  await store.commit({ writes: [{ kind: "entry", id: `a/${made.id}`, value: { ...made, kind: "dns" } }] });
  const patch = (json: object) => call("PATCH", `${LIST}/${made.id}`, { json });
  for (const json of [{ expiresAt: null }, { ttlSeconds: 60 }, { ttlSeconds: 2 * DAY_SECONDS }])
    t.match(await patch(json), { status: 422, body: { issues: [{ message: /lasts as long as its name/ }] } });
  t.equal((await patch({ expiresAt: made.expiresAt, label: "Home" })).status, 200);
});
