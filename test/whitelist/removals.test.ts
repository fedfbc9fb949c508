/** Taking places off the list, whichever way: what the warning to whoever stands there counts, and in which order one is asked. */
import t from "tap";
import { FixedClock } from "../../src/core/clock.ts";
import type { TenantId } from "../../src/core/ids.ts";
import { type AdminFixture, START_MS, startAdminApi } from "../support/admin-api.ts";
import { onEveryStore } from "../support/admin-api-stores.ts";
import { hold } from "../support/held-changes.ts";
import { place, tokenOf } from "../support/places.ts";

const LIST = "/v1/tenants/a/allowlist";
const headers = { "sallyport-on-behalf-of-address": "203.0.113.7" };

const ASKED = { status: 409, body: { code: "confirmation_required" } };
const DAY_SECONDS = 86_400;

onEveryStore(t, "the warning counts what lasts another day, swept or not", async (t, start) => {
  const clock = new FixedClock(START_MS);
  const { call, tenant, store } = await start({ clock });
  await tenant("a");
  const add = async (cidr: string, ttlSeconds?: number) =>
    `${LIST}/${(await call("POST", LIST, { json: { cidr, ttlSeconds } })).body.id}`;
  await add("203.0.113.0/24", 60);
  const path = await add("203.0.113.7");
  clock.advance(60_000);
  t.match(await call("DELETE", path, { headers }), ASKED, "it has expired");
  t.equal(await store.sweep(100), 1, "it was still there to be swept");
  const soon = await add("203.0.113.0/24", DAY_SECONDS - 1);
  t.match(await call("DELETE", path, { headers }), ASKED, "it ends within the day");
  await add("203.0.113.0/24", DAY_SECONDS);
  t.equal((await call("DELETE", path, { headers })).status, 204);
  clock.advance(DAY_SECONDS * 1000 - 2000);
  await add("192.0.2.1");
  t.equal((await call("DELETE", soon, { headers })).status, 204, "the other one ends within the day, but later");
});

onEveryStore(t, "an end brought forward to within a day asks as well", async (t, start) => {
  const { call, tenant } = await start();
  await tenant("a");
  const { id } = (await call("POST", LIST, { json: { cidr: "203.0.113.0/24" } })).body;
  const patch = (json: object, query = "") => call("PATCH", `${LIST}/${id}${query}`, { json, headers });
  for (const ttlSeconds of [1, DAY_SECONDS - 1]) t.match(await patch({ ttlSeconds }), ASKED);
  t.equal((await patch({ label: "Reception" })).status, 200);
  t.equal((await patch({ ttlSeconds: DAY_SECONDS })).status, 200);
  t.equal((await patch({ ttlSeconds: 7200 }, "?confirm=true")).status, 200);
  t.equal((await patch({ label: "Front desk" })).status, 200, "it ends soon, but as it did");
  t.match(await patch({ ttlSeconds: 3600 }), ASKED);
  t.equal((await patch({ ttlSeconds: 10_000 })).status, 200, "later than it did");
  t.equal((await patch({ ttlSeconds: 60 }, "?confirm=no")).status, 422);
  const elsewhere = { "sallyport-on-behalf-of-address": "192.0.2.1" };
  t.equal((await call("PATCH", `${LIST}/${id}`, { json: { ttlSeconds: 60 }, headers: elsewhere })).status, 200);
});

onEveryStore(t, "a list that is replaced asks, and a dry run tells that it would", async (t, start) => {
  const { call, tenant } = await start();
  await tenant("a");
  await call("POST", LIST, { json: { cidr: "203.0.113.0/24" } });
  const put = (items: readonly object[], query = "", from: object = headers) =>
    call("PUT", LIST + query, { json: { items }, headers: { ...from } });
  const told = { status: 200, body: { dryRun: true, refusedBy: "confirmation_required" } };
  for (const [query, answer] of [
    ["", ASKED],
    ["?dryRun=true", told],
  ] as const) {
    t.match(await put([], query), answer);
    t.match(await put([{ cidr: "203.0.113.7", ttlSeconds: 60 }], query), answer);
    t.match(await put([{ cidr: "203.0.113.0/24", ttlSeconds: 60 }], query), answer);
    t.match(await put([], query, { "sallyport-on-behalf-of-address": "x" }), { status: 422 });
  }
  const confirmed = await put([], "?dryRun=true&confirm=true");
  t.equal(confirmed.status, 200);
  t.notOk("refusedBy" in confirmed.body);
  t.equal((await put([{ cidr: "203.0.113.7" }])).status, 200, "something else on the new list admits it");
  t.equal((await put([], "?confirm=true")).status, 200);
});

onEveryStore(t, "what takes a link's or a shortcut's place along asks", async (t, start) => {
  const { call, tenant, whitelist } = await start();
  await tenant("a");
  for (const kind of ["links", "shortcuts"] as const) {
    const made = (await call("POST", `/v1/tenants/a/${kind}`, { json: {} })).body;
    await whitelist.door.use("a" as TenantId, tokenOf(made.url), place("203.0.113.7"));
    const path = `/v1/tenants/a/${kind}/${made.id}`;
    t.match(await call("DELETE", path, { headers }), ASKED, kind);
    if (kind === "links") {
      const use = `${path}/uses/${(await call("GET", path)).body.uses[0].id}`;
      t.match(await call("DELETE", use, { headers }), ASKED, "a use");
      t.equal((await call("DELETE", `${use}?confirm=true`, { headers })).status, 204);
    }
    t.equal((await call("DELETE", `${path}?confirm=true`, { headers })).status, 204);
    t.strictSame((await call("GET", LIST)).body.items, []);
  }
});

const USERS = "/v1/tenants/a/users";
const LEAVING = {
  disabled: ({ call }: AdminFixture, user: string, query: string) =>
    call("PATCH", `${USERS}/${user}${query}`, { json: { state: "disabled" }, headers }),
  deleted: ({ call }: AdminFixture, user: string, query: string) =>
    call("DELETE", `${USERS}/${user}${query}`, { headers }),
};

for (const [name, leave] of Object.entries(LEAVING)) {
  onEveryStore(t, `a user who is ${name} takes a shortcut's place along, which asks`, async (t, start) => {
    const gate = await start();
    await gate.tenant("a");
    const user = (await gate.call("POST", USERS, { json: { email: "anna@a.example" } })).body.id;
    const made = (await gate.call("POST", "/v1/tenants/a/shortcuts", { json: { user } })).body;
    await gate.whitelist.door.use("a" as TenantId, tokenOf(made.url), place("203.0.113.7"));
    for (const query of ["", "?confirm=false", "?force=true"]) t.match(await leave(gate, user, query), ASKED, query);
    t.match((await gate.call("GET", `${USERS}/${user}`)).body, { state: "invited" });
    const added = (await gate.call("POST", LIST, { json: { cidr: "203.0.113.0/24", ttlSeconds: 60 } })).body;
    t.match(await leave(gate, user, ""), ASKED, "what else admits it ends within the day");
    await gate.call("DELETE", `${LIST}/${added.id}`);
    t.match(await gate.call("GET", LIST), { body: { items: [{ kind: "shortcut" }] } });
    t.ok((await leave(gate, user, "?confirm=true")).status < 300);
    t.strictSame((await gate.call("GET", LIST)).body.items, []);
  });
}

onEveryStore(t, "a user who takes nothing of the asker's along is no question", async (t, start) => {
  const gate = await start();
  await gate.tenant("a");
  const add = async (email: string) => (await gate.call("POST", USERS, { json: { email } })).body.id as string;
  await gate.call("POST", LIST, { json: { cidr: "203.0.113.0/24" } });
  t.equal((await LEAVING.disabled(gate, await add("anna@a.example"), "")).status, 200);
  t.equal((await LEAVING.deleted(gate, await add("ben@a.example"), "")).status, 204);
  const other = { "sallyport-on-behalf-of-address": "nowhere" };
  const path = `${USERS}/${await add("cleo@a.example")}`;
  t.match(await gate.call("DELETE", path, { headers: other }), { status: 422, body: { code: "address_invalid" } });
});

onEveryStore(t, "what a name brought counts as long as the name is followed", async (t, start) => {
  const clock = new FixedClock(START_MS);
  const { call, tenant, store } = await start({ clock });
  await tenant("a");
  const { body: name } = await call("POST", LIST, { json: { hostname: "home.example", ttlSeconds: 3 * DAY_SECONDS } });
  const made = (await call("POST", LIST, { json: { cidr: "203.0.113.7", ttlSeconds: 3600 } })).body;
  const brought = { ...made, kind: "dns", sourceId: name.id };
  await store.commit({
    writes: [{ kind: "entry", id: `a/${made.id}`, value: brought, expiresAtMs: START_MS + 3_600_000 }],
  });
  const path = `${LIST}/${(await call("POST", LIST, { json: { cidr: "203.0.113.7" } })).body.id}`;
  const followed = (await store.get("dnsname", `a/${name.id}`))?.value as object;
  const failing = { ...followed, failingSince: "2030-01-01T00:00:00.000Z" };
  await store.commit({ writes: [{ kind: "dnsname", id: `a/${name.id}`, value: failing }] });
  t.match(await call("DELETE", path, { headers }), ASKED, "it gives no answers");
  await store.commit({ writes: [{ kind: "dnsname", id: `a/${name.id}`, value: followed }] });
  t.equal((await call("DELETE", path, { headers })).status, 204);
});

onEveryStore(t, "two changes at once do not each rely on what the other takes away", async (t, start) => {
  const gate = await start();
  await gate.tenant("a");
  const paths: string[] = [];
  for (const cidr of ["203.0.113.7", "203.0.113.0/24"])
    paths.push(`${LIST}/${(await gate.call("POST", LIST, { json: { cidr } })).body.id}`);
  const other = await startAdminApi(t, { store: gate.store, clock: gate.clock, chain: "node-2" });
  hold(gate, other);
  const [one = "", two = ""] = paths;
  const answers = await Promise.all([gate.call("DELETE", one, { headers }), other.call("DELETE", two, { headers })]);
  t.match(
    answers.toSorted((first, second) => first.status - second.status),
    [{ status: 204 }, ASKED],
  );
});

onEveryStore(t, "nobody is asked to confirm what would be refused", async (t, start) => {
  const { call, tenant } = await start();
  await tenant("a");
  const json = { email: "one@a.example", role: "owner", password: "correct pony battery staple" };
  await call("POST", "/v1/tenants/a/users", { json });
  const path = `${LIST}/${(await call("POST", LIST, { json: { cidr: "203.0.113.7" } })).body.id}`;
  await call("PATCH", "/v1/tenants/a", { json: { policy: { selfAllow: "nobody" } } });
  const remove = async (query: string) => (await call("DELETE", path + query, { headers })).body?.code;
  t.equal(await remove(""), "lockout_refused");
  t.equal(await remove("?confirm=true"), "lockout_refused");
  t.equal(await remove("?force=true"), "confirmation_required");
  t.equal(await remove("?force=true&confirm=true"), undefined);
});
