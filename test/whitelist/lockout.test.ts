/** The lock-out guard: a change that takes the owners' last way in is refused, unless it is forced. */
import t from "tap";
import { FixedClock } from "../../src/core/clock.ts";
import type { TenantId } from "../../src/core/ids.ts";
import { type AdminFixture, type Reply, START_MS, startAdminApi } from "../support/admin-api.ts";
import { onEveryStore } from "../support/admin-api-stores.ts";
import { hold } from "../support/held-changes.ts";
import { place, tokenOf } from "../support/places.ts";

const DAY_SECONDS = 86_400;
const refused = { status: 409, body: { code: "lockout_refused" } };

async function owner(gate: AdminFixture, email: string): Promise<string> {
  const json = { email, role: "owner", password: "correct pony battery staple" };
  return (await gate.call("POST", "/v1/tenants/a/users", { json })).body.id;
}

t.test("the last owner", async (t) => {
  const gate = await startAdminApi(t);
  await gate.tenant("a");
  const first = `/v1/tenants/a/users/${await owner(gate, "one@a.example")}`;
  t.match(await gate.call("PATCH", first, { json: { state: "disabled" } }), refused);
  t.match(await gate.call("PATCH", first, { json: { role: "user" } }), refused);
  t.match(await gate.call("DELETE", first), refused);
  t.match(await gate.call("GET", first), { body: { state: "active", role: "owner" } });
  const second = `/v1/tenants/a/users/${await owner(gate, "two@a.example")}`;
  t.equal((await gate.call("PATCH", first, { json: { state: "disabled" } })).status, 200);
  t.match(await gate.call("DELETE", second), refused, "the other one is disabled");
  t.equal((await gate.call("DELETE", `${second}?force=true`)).status, 204);
  t.equal((await gate.call("DELETE", first)).status, 204, "nobody is left who had a way in");
});

t.test("the last entry, where nobody may add their own place", async (t) => {
  const gate = await startAdminApi(t);
  await gate.tenant("a");
  const policy = (json: object) => gate.call("PATCH", "/v1/tenants/a", { json: { policy: json } });
  const list = "/v1/tenants/a/allowlist";
  await owner(gate, "one@a.example");
  t.match(await policy({ selfAllow: "nobody" }), refused, "the list is empty");
  const one = (await gate.call("POST", list, { json: { cidr: "192.0.2.1" } })).body.id;
  t.equal((await policy({ selfAllow: "nobody" })).status, 200);
  t.match(await gate.call("DELETE", `${list}/${one}`), refused);
  t.match(await gate.call("PUT", list, { json: { items: [] } }), refused);
  const two = (await gate.call("POST", list, { json: { cidr: "192.0.2.2" } })).body.id;
  t.equal((await gate.call("DELETE", `${list}/${one}`)).status, 204);
  t.equal((await gate.call("DELETE", `${list}/${two}?force=true`)).status, 204);
});

t.test("what is left must last a day, or as long as what there was", async (t) => {
  const clock = new FixedClock(START_MS);
  const gate = await startAdminApi(t, { clock });
  await gate.tenant("a");
  await owner(gate, "one@a.example");
  const list = "/v1/tenants/a/allowlist";
  const one = await entry(gate, "192.0.2.1");
  await gate.call("PATCH", "/v1/tenants/a", { json: { policy: { selfAllow: "nobody" } } });
  const patch = (ttlSeconds: number, query = "") => gate.call("PATCH", one + query, { json: { ttlSeconds } });
  const put = (items: readonly object[], query = "") => gate.call("PUT", list + query, { json: { items } });
  for (const items of [[], [{ cidr: "192.0.2.1", ttlSeconds: 1 }], [{ cidr: "192.0.2.9", ttlSeconds: 1 }]]) {
    t.match(await put(items), refused);
    const removed = items[0]?.cidr === "192.0.2.1" ? [] : [{ cidr: "192.0.2.1/32" }];
    t.match(await put(items, "?dryRun=true"), { status: 200, body: { refusedBy: "lockout_refused", removed } });
  }
  const forced = await put([], "?dryRun=true&force=true");
  t.equal(forced.status, 200);
  t.notOk("refusedBy" in forced.body);
  t.match(await patch(DAY_SECONDS - 1), refused);
  await gate.call("POST", list, { json: { cidr: "192.0.2.2", ttlSeconds: DAY_SECONDS - 1 } });
  t.match(await patch(1), refused, "the other one ends soon as well");
  t.match(await gate.call("DELETE", one), refused);
  t.equal((await patch(DAY_SECONDS)).status, 200);
  clock.advance(1000);
  t.equal((await gate.call("PATCH", "/v1/tenants/a", { json: { name: "B" } })).status, 200, "all ends soon, as it did");
  t.equal((await gate.call("PATCH", one, { json: { label: "x" } })).status, 200);
  t.match(await patch(1), refused);
  t.match(await put([{ cidr: "192.0.2.3", ttlSeconds: 3600 }]), refused);
  t.equal((await put([{ cidr: "192.0.2.3", ttlSeconds: DAY_SECONDS }])).status, 200);
  t.equal((await put([], "?force=true")).status, 200);
});

t.test("the last entry, brought by a link or a shortcut", async (t) => {
  const gate = await startAdminApi(t);
  await gate.tenant("a");
  await owner(gate, "one@a.example");
  for (const kind of ["links", "shortcuts"]) {
    const { id, url } = (await gate.call("POST", `/v1/tenants/a/${kind}`, { json: {} })).body;
    await gate.whitelist.door.use("a" as TenantId, tokenOf(url), place("198.51.100.1"));
    const policy = (selfAllow: string) => gate.call("PATCH", "/v1/tenants/a", { json: { policy: { selfAllow } } });
    t.equal((await policy("nobody")).status, 200);
    t.match(await gate.call("DELETE", `/v1/tenants/a/${kind}/${id}`), refused, kind);
    t.equal((await gate.call("DELETE", `/v1/tenants/a/${kind}/${id}?force=true`)).status, 204);
    await policy("owner");
  }
});

onEveryStore(t, "the last entry, brought by the shortcut of a user who goes", async (t, start) => {
  const gate = await start();
  await gate.tenant("a");
  await owner(gate, "one@a.example");
  const list = "/v1/tenants/a/allowlist";
  const policy = (selfAllow: string) => gate.call("PATCH", "/v1/tenants/a", { json: { policy: { selfAllow } } });
  for (const change of [{ method: "PATCH", json: { state: "disabled" } }, { method: "DELETE" }]) {
    const json = { email: `${change.method}@a.example`, password: "correct pony battery staple" };
    const user = (await gate.call("POST", "/v1/tenants/a/users", { json })).body.id;
    const { id, url } = (await gate.call("POST", "/v1/tenants/a/shortcuts", { json: { user } })).body;
    await gate.whitelist.door.use("a" as TenantId, tokenOf(url), place("198.51.100.1"));
    await policy("nobody");
    const { method, ...request } = change;
    const path = `/v1/tenants/a/users/${user}`;
    t.match(await gate.call(method, path, request), refused, method);
    t.match(await gate.call("GET", path), { body: { state: "active" } });
    t.equal((await gate.call("GET", list)).body.items.length, 1);
    const before = (await gate.store.head()).revision;
    t.ok((await gate.call(method, `${path}?force=true`, request)).status < 300);
    const { commits = [] } = (await gate.store.changesSince(before, 10)) as { commits?: unknown[] };
    t.equal(commits.length, 1, "the shortcut goes in the same commit");
    t.strictSame((await gate.call("GET", list)).body.items, []);
    const [record] = (await gate.call("GET", "/v1/audit?action=shortcut.deleted")).body.items;
    t.match(record, { target: id, actor: { kind: "key", id: "bootstrap" }, requestId: String });
    await policy("owner");
  }
});

onEveryStore(t, "a use that was not us is taken back although it is the last way in", async (t, start) => {
  const gate = await start();
  await gate.tenant("a");
  await owner(gate, "one@a.example");
  const { id, url } = (await gate.call("POST", "/v1/tenants/a/links", { json: {} })).body;
  await gate.whitelist.door.use("a" as TenantId, tokenOf(url), place("198.51.100.1"));
  await gate.call("PATCH", "/v1/tenants/a", { json: { policy: { selfAllow: "nobody" } } });
  const path = `/v1/tenants/a/links/${id}`;
  const use = `${path}/uses/${(await gate.call("GET", path)).body.uses[0].id}`;
  t.equal((await gate.call("DELETE", use)).status, 204);
  t.strictSame((await gate.call("GET", "/v1/tenants/a/allowlist")).body.items, []);
});

t.test("a tenant without people has nobody to lock out", async (t) => {
  const gate = await startAdminApi(t);
  await gate.tenant("a");
  const list = "/v1/tenants/a/allowlist";
  const { id } = (await gate.call("POST", list, { json: { cidr: "192.0.2.1" } })).body;
  t.equal((await gate.call("PATCH", "/v1/tenants/a", { json: { policy: { selfAllow: "nobody" } } })).status, 200);
  t.equal((await gate.call("DELETE", `${list}/${id}`)).status, 204);
  t.equal((await gate.call("PUT", list, { json: { items: [] } })).status, 200);
});

const RACES: Readonly<Record<string, (gate: AdminFixture) => Promise<readonly [Removal, Removal]>>> = {
  "two owners deleted": async (gate) => {
    const [one, two] = await twoOwners(gate);
    return [({ call }) => call("DELETE", one), ({ call }) => call("DELETE", two)];
  },
  "one owner disabled, one made a user, both as they were read": async (gate) => {
    const [one, two] = await twoOwners(gate);
    const read = { headers: { "if-match": (await gate.call("GET", one)).headers.get("etag") ?? "" } };
    const readToo = { headers: { "if-match": (await gate.call("GET", two)).headers.get("etag") ?? "" } };
    return [
      ({ call }) => call("PATCH", one, { json: { state: "disabled" }, ...read }),
      ({ call }) => call("PATCH", two, { json: { role: "user" }, ...readToo }),
    ];
  },
  "the last two entries": async (gate) => {
    await owner(gate, "one@a.example");
    const [one, two] = [await entry(gate, "192.0.2.1"), await entry(gate, "192.0.2.2")];
    await gate.call("PATCH", "/v1/tenants/a", { json: { policy: { selfAllow: "nobody" } } });
    return [({ call }) => call("DELETE", one), ({ call }) => call("DELETE", two)];
  },
  "the last entry, and the right to add one's own place": async (gate) => {
    await owner(gate, "one@a.example");
    const one = await entry(gate, "192.0.2.1");
    return [
      ({ call }) => call("DELETE", one),
      ({ call }) => call("PATCH", "/v1/tenants/a", { json: { policy: { selfAllow: "nobody" } } }),
    ];
  },
  "the end of one entry brought forward, and the other one deleted": async (gate) => {
    await owner(gate, "one@a.example");
    const [one, two] = [await entry(gate, "192.0.2.1"), await entry(gate, "192.0.2.2")];
    await gate.call("PATCH", "/v1/tenants/a", { json: { policy: { selfAllow: "nobody" } } });
    return [({ call }) => call("PATCH", one, { json: { ttlSeconds: 60 } }), ({ call }) => call("DELETE", two)];
  },
  "a list emptied, and the right to add one's own place": async (gate) => {
    await owner(gate, "one@a.example");
    await entry(gate, "192.0.2.1");
    return [
      ({ call }) => call("PUT", "/v1/tenants/a/allowlist", { json: { items: [] } }),
      ({ call }) => call("PATCH", "/v1/tenants/a", { json: { policy: { selfAllow: "nobody" } } }),
    ];
  },
};

type Removal = (node: AdminFixture) => Promise<Reply>;

async function twoOwners(gate: AdminFixture): Promise<readonly [string, string]> {
  const users = "/v1/tenants/a/users";
  return [`${users}/${await owner(gate, "one@a.example")}`, `${users}/${await owner(gate, "two@a.example")}`];
}

async function entry(gate: AdminFixture, cidr: string): Promise<string> {
  const { body } = await gate.call("POST", "/v1/tenants/a/allowlist", { json: { cidr } });
  return `/v1/tenants/a/allowlist/${body.id}`;
}

for (const [name, prepare] of Object.entries(RACES)) {
  onEveryStore(t, `at once: ${name}`, async (t, start) => {
    const gate = await start();
    await gate.tenant("a");
    const changes = await prepare(gate);
    // Two nodes, each with a ledger of its own: what one has committed, the other learns from the store alone.
    const other = await startAdminApi(t, { store: gate.store, clock: gate.clock, chain: "node-2" });
    hold(gate, other);
    const answers = await Promise.all([changes[0](gate), changes[1](other)]);
    const [done, undone] = answers.toSorted((one, another) => one.status - another.status);
    t.ok(done !== undefined && done.status < 300, `one is carried out (${done?.status})`);
    t.match(undone, refused, "the other, judged anew, is refused");
  });
}

onEveryStore(t, "at once on one node: two owners deleted", async (t, start) => {
  const gate = await start();
  await gate.tenant("a");
  const [one, two] = await twoOwners(gate);
  hold(gate);
  const answers = await Promise.all([gate.call("DELETE", one), gate.call("DELETE", two)]);
  t.strictSame(answers.map(({ status }) => status).sort(), [204, 409]);
});

t.test("an owner who signs in at that moment is relied on all the same", async (t) => {
  const gate = await startAdminApi(t);
  await gate.tenant("a");
  const [one, two] = await twoOwners(gate);
  const credential = `a/${two.split("/").at(-1)}`;
  const commit = gate.ledger.commit.bind(gate.ledger);
  let signIns = 0;
  gate.ledger.commit = async (change) => {
    const known = await gate.store.get("credential", credential);
    // Every proof rewrites the credential.
    if (signIns++ === 0)
      await gate.store.commit({ writes: [{ kind: "credential", id: credential, value: known?.value }] });
    return await commit(change);
  };
  t.equal((await gate.call("DELETE", one)).status, 204);
  t.equal(signIns, 2, "it lost once, and was judged anew");
});
