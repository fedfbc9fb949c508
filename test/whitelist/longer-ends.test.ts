/** What brought a place answers for it however long the place is given, and takes it along when it goes. */
import t from "tap";
import { FixedClock } from "../../src/core/clock.ts";
import type { TenantId } from "../../src/core/ids.ts";
import { type AdminFixture, START_MS } from "../support/admin-api.ts";
import { onEveryStore } from "../support/admin-api-stores.ts";
import { place, tokenOf } from "../support/places.ts";

const A = "a" as TenantId;
const LIST = "/v1/tenants/a/allowlist";
const HERE = place("198.51.100.1");
const HOUR_SECONDS = 3600;
const DAY_SECONDS = 24 * HOUR_SECONDS;
const DAY_MS = DAY_SECONDS * 1000;
const LONG = { ttlSeconds: 300 * DAY_SECONDS };

async function make(gate: AdminFixture, kind: "links" | "shortcuts", json: object) {
  const { body } = await gate.call("POST", `/v1/tenants/a/${kind}`, { json });
  const token = tokenOf(body.url);
  const used = await gate.whitelist.door.use(A, token, HERE);
  const companion = "companion" in used ? tokenOf(used.companion?.url ?? "") : "";
  return { path: `/v1/tenants/a/${kind}/${body.id}`, token, companion };
}

async function listed({ call }: AdminFixture): Promise<{ id: string; cidr: string }[]> {
  return (await call("GET", LIST)).body.items;
}

async function twoFamilies({ call }: AdminFixture) {
  await call("PATCH", "/v1/tenants/a", { json: { hosts: ["a.example", "v6.a.example"] } });
  await call("PATCH", "/v1/tenants/a", { json: { altHosts: { ipv6: "v6.a.example" } } });
}

/** Whichever way the place gets its longer end. */
const LENGTHENINGS: Readonly<Record<string, (gate: AdminFixture, entry: string) => Promise<{ status: number }>>> = {
  changed: ({ call }, entry) => call("PATCH", `${LIST}/${entry}`, { json: LONG }),
  replaced: ({ call }) => call("PUT", LIST, { json: { items: [{ cidr: HERE.address.text, ...LONG }] } }),
};

/** What takes back what a link admitted. */
const ENDS: Readonly<Record<string, (gate: AdminFixture, path: string) => Promise<{ status: number }>>> = {
  "the link deleted": ({ call }, path) => call("DELETE", path),
  "not us": async ({ call }, path) => await call("DELETE", `${path}/uses/${(await call("GET", path)).body.uses[0].id}`),
};

for (const [name, lengthen] of Object.entries(LENGTHENINGS)) {
  for (const [way, end] of Object.entries(ENDS)) {
    onEveryStore(t, `a link's place, ${name}, then ${way}`, async (t, start) => {
      const clock = new FixedClock(START_MS);
      const gate = await start({ clock });
      await gate.tenant("a");
      const link = await make(gate, "links", { maxUses: 5, entryTtlSeconds: DAY_SECONDS, ttlSeconds: 7 * DAY_SECONDS });
      const [before] = await listed(gate);
      t.equal((await lengthen(gate, before?.id ?? "")).status, 200);
      clock.advance(2 * DAY_MS);
      t.match(await gate.whitelist.door.open(A, link.token, HERE), { kind: "open" });
      t.match(await gate.whitelist.door.use(A, link.token, HERE), { kind: "admitted", entry: { id: before?.id } });
      t.equal((await listed(gate)).length, 1, "the same place");
      t.match((await gate.call("GET", link.path)).body, { useCount: 1, uses: [{ clicks: 2, entry: before?.id }] });
      clock.advance(100 * DAY_MS);
      await gate.store.sweep(1000);
      t.equal((await end(gate, link.path)).status, 204);
      t.strictSame(await listed(gate), []);
    });
  }

  onEveryStore(t, `a shortcut's place, ${name}, goes with its person`, async (t, start) => {
    const clock = new FixedClock(START_MS);
    const gate = await start({ clock });
    await gate.tenant("a");
    const user = (await gate.call("POST", "/v1/tenants/a/users", { json: { email: "anna@a.example" } })).body.id;
    const { path } = await make(gate, "shortcuts", { user, idleSeconds: 7 * DAY_SECONDS });
    const [before] = await listed(gate);
    t.equal((await lengthen(gate, before?.id ?? "")).status, 200);
    clock.advance(8 * DAY_MS);
    await gate.store.sweep(1000);
    t.equal((await gate.call("GET", path)).status, 200);
    t.equal((await gate.call("DELETE", `/v1/tenants/a/users/${user}`)).status, 204);
    t.strictSame(await listed(gate), []);
  });
}

onEveryStore(t, "a shortcut that runs on where its place lasts longer ends no sooner", async (t, start) => {
  const clock = new FixedClock(START_MS);
  const gate = await start({ clock });
  await gate.tenant("a");
  const { path, token } = await make(gate, "shortcuts", { idleSeconds: 7 * DAY_SECONDS });
  const [before] = await listed(gate);
  await gate.call("PATCH", `${LIST}/${before?.id}`, { json: LONG });
  await gate.whitelist.door.use(A, token, HERE);
  clock.advance(8 * DAY_MS);
  t.equal((await gate.call("DELETE", path)).status, 204);
  t.strictSame(await listed(gate), []);
});

onEveryStore(t, "a link's place that was given less time is admitted anew when that is over", async (t, start) => {
  const clock = new FixedClock(START_MS);
  const gate = await start({ clock });
  await gate.tenant("a");
  const link = await make(gate, "links", { maxUses: 2, entryTtlSeconds: DAY_SECONDS });
  const [before] = await listed(gate);
  await gate.call("PATCH", `${LIST}/${before?.id}`, { json: { ttlSeconds: HOUR_SECONDS } });
  clock.advance(HOUR_SECONDS * 1000);
  t.strictSame(await listed(gate), []);
  t.match(await gate.whitelist.door.open(A, link.token, HERE), { kind: "open" });
  t.match(await gate.whitelist.door.use(A, link.token, HERE), { kind: "admitted" });
});

onEveryStore(t, "the address of the other family that lasts longer goes with its use", async (t, start) => {
  const clock = new FixedClock(START_MS);
  const gate = await start({ clock });
  await gate.tenant("a");
  await twoFamilies(gate);
  const link = await make(gate, "links", { maxUses: 5, entryTtlSeconds: DAY_SECONDS, ttlSeconds: 7 * DAY_SECONDS });
  await gate.whitelist.door.use(A, link.companion, place("2001:db8::1"));
  const other = (await listed(gate)).find(({ cidr }) => cidr.includes(":"));
  await gate.call("PATCH", `${LIST}/${other?.id}`, { json: LONG });
  clock.advance(2 * DAY_MS);
  t.match(await listed(gate), [{ id: other?.id }]);
  t.match(await gate.whitelist.door.use(A, link.token, HERE), { kind: "admitted" }, "its own has run out");
  t.equal((await listed(gate)).length, 2);
  t.match((await gate.call("GET", link.path)).body, { useCount: 1, uses: [{ companion: { entry: other?.id } }] });
  t.equal((await gate.call("DELETE", link.path)).status, 204);
  t.strictSame(await listed(gate), []);
});
