/** Names that move, against a real DNS server: entries follow the answers, and a failure takes nobody out at once. */
import t, { type Test } from "tap";
import { directoryOf } from "../../src/control/user-directory.ts";
import { FixedClock } from "../../src/core/clock.ts";
import { EntryRules } from "../../src/core/entries.ts";
import type { TenantId } from "../../src/core/ids.ts";
import { dnsLookup } from "../../src/whitelist/dns-lookup.ts";
import { NameResolver } from "../../src/whitelist/name-resolver.ts";
import { START_MS, silent } from "../support/admin-api.ts";
import { onEveryStore, type Start } from "../support/admin-api-stores.ts";
import { startDns } from "../support/dns.ts";

const A = "a" as TenantId;
const LIST = "/v1/tenants/a/allowlist";
const NAMES = "/v1/tenants/a/names";

async function begin(t: Test, start: Start, entriesPerTenant = 100) {
  const clock = new FixedClock(START_MS);
  const gate = await start({ clock, entriesPerTenant });
  await gate.tenant("a");
  const dns = await startDns(t);
  const { store, ledger, keyring, outbox, whitelist, person } = gate;
  const failing: number[] = [];
  const entries = new EntryRules({ store, clock, entriesPerTenant });
  const node = () =>
    new NameResolver({
      ...{ store, ledger, keyring, outbox, clock, users: directoryOf(person.users, store), siteOrigin: () => "" },
      entries,
      names: whitelist.names,
      dns: dnsLookup([dns.server]),
      log: silent,
      onFailing: (count) => failing.push(count),
    });
  const cidrs = async () => (await gate.call("GET", LIST)).body.items.map(({ cidr }: { cidr: string }) => cidr).sort();
  const name = async () => (await gate.call("GET", NAMES)).body.items[0];
  const create = (json: object = {}) =>
    gate.call("POST", LIST, { json: { hostname: "Home.Example.", label: "Anna, at home", ...json } });
  const author = { actor: { kind: "user", id: "usr_owner" } } as const;
  const restore = (id: string) => whitelist.manage(() => whitelist.planRestore(A, id, author));
  return { ...gate, clock, dns, restore, node, failing, cidrs, name, create };
}

onEveryStore(t, "entries follow all addresses of the name, at its TTL within bounds", async (t, start) => {
  const { call, clock, dns, node, cidrs, name, create } = await begin(t, start);
  const resolver = node();
  const made = await create();
  t.match(made, { status: 201, body: { hostname: "home.example", kind: "dns", state: "pending", entries: [] } });
  dns.zones.set("home.example", { ttl: 300, a: ["203.0.113.1", "203.0.113.2"], aaaa: ["2001:db8::1"] });
  await resolver.runDue();
  t.strictSame(await cidrs(), ["2001:db8::/64", "203.0.113.1/32", "203.0.113.2/32"]);
  t.match((await call("GET", LIST)).body.items[0], {
    kind: "dns",
    label: "Anna, at home",
    createdBy: "key:bootstrap",
    sourceId: made.body.id,
    expiresAt: "2030-01-02T00:00:00.000Z",
  });
  t.match(await name(), { state: "good", nextAt: "2030-01-01T00:05:00.000Z" });
  dns.zones.set("home.example", { ttl: 5, a: ["203.0.113.2", "203.0.113.3"] });
  clock.advance(299_000);
  await resolver.runDue();
  t.equal((await cidrs()).length, 3, "not before the TTL is over");
  clock.advance(1_000);
  await resolver.runDue();
  t.strictSame(await cidrs(), ["203.0.113.2/32", "203.0.113.3/32"]);
  t.match(await name(), { nextAt: "2030-01-01T00:06:00.000Z" }, "a minute at least");
  dns.zones.set("home.example", { ttl: 1_000_000, a: ["203.0.113.2", "203.0.113.3"] });
  clock.advance(60_000);
  await resolver.runDue();
  t.match(await name(), { nextAt: "2030-01-01T01:06:00.000Z" }, "an hour at most");
  t.match((await call("GET", `${LIST}/${made.body.id}`)).body, { hostname: "home.example", state: "good" });
  t.equal((await call("DELETE", `${LIST}/${made.body.id}`)).status, 204);
  t.strictSame(await cidrs(), []);
});

onEveryStore(t, "the last good answer counts for a day", async (t, start) => {
  const { call, clock, dns, node, cidrs, name, create, failing } = await begin(t, start);
  const resolver = node();
  await create();
  dns.zones.set("home.example", { ttl: 60, a: ["203.0.113.1"] });
  await resolver.runDue();
  dns.zones.set("home.example", "broken");
  for (let minutes = 0; minutes < 3; minutes++) {
    clock.advance(60_000);
    await resolver.runDue();
  }
  t.match(await name(), { state: "failing", error: "DNS gave no answer", failingSince: "2030-01-01T00:01:00.000Z" });
  t.strictSame(await cidrs(), ["203.0.113.1/32"]);
  t.equal(failing.at(-1), 1);
  const audit = async (action: string) => (await call("GET", `/v1/audit?tenant=a&action=${action}`)).body.items.length;
  t.equal(await audit("name.failing"), 1, "said once");
  dns.zones.set("home.example", { ttl: 60, a: ["203.0.113.1"] });
  clock.advance(60_000);
  await resolver.runDue();
  t.equal(await audit("name.recovered"), 1);
  t.match(await name(), { state: "good" });
  dns.zones.delete("home.example");
  clock.advance(25 * 3_600_000);
  t.strictSame(await cidrs(), []);
  await resolver.runDue();
  t.match(await name(), { state: "failing", error: "the name has no address" });
});

onEveryStore(t, "removing a name asks whoever would shut themselves out", async (t, start) => {
  const { call, dns, node, cidrs, create } = await begin(t, start);
  const { body } = await create();
  dns.zones.set("home.example", { ttl: 300, a: ["203.0.113.1"] });
  await node().runDue();
  const remove = (address: string, query = "") =>
    call("DELETE", `${LIST}/${body.id}${query}`, { headers: { "sallyport-on-behalf-of-address": address } });
  t.match(await remove("203.0.113.1"), { status: 409, body: { code: "confirmation_required" } });
  t.strictSame(await cidrs(), ["203.0.113.1/32"]);
  t.equal((await remove("203.0.113.1", "?confirm=true")).status, 204);
  t.strictSame(await cidrs(), []);
});

onEveryStore(t, "entries of a name that does not move outlive a day", async (t, start) => {
  const { clock, dns, node, cidrs, create } = await begin(t, start);
  const resolver = node();
  await create();
  dns.zones.set("home.example", { ttl: 3_600, a: ["203.0.113.1"], aaaa: ["2001:db8::1"] });
  for (let hours = 0; hours < 50; hours++) {
    await resolver.runDue();
    clock.advance(3_600_000);
  }
  t.equal((await cidrs()).length, 2);
});

onEveryStore(t, "one family without an answer keeps what it had", async (t, start) => {
  const { clock, node, cidrs, create, dns } = await begin(t, start);
  await create();
  dns.zones.set("home.example", { ttl: 60, a: ["203.0.113.1"], aaaa: ["2001:db8::1"] });
  await node().runDue();
  dns.zones.set("home.example", { ttl: 60, aaaa: ["2001:db8:7::1"] });
  clock.advance(60_000);
  await node().runDue();
  t.strictSame(await cidrs(), ["2001:db8:7::/64"], "it has none now, says DNS");
});

onEveryStore(t, "never an answer that is nobody's place", async (t, start) => {
  const { clock, dns, node, cidrs, name, create, call } = await begin(t, start);
  await create();
  dns.zones.set("home.example", {
    ttl: 60,
    a: ["10.0.0.1", "0.0.0.0", "127.0.0.1"],
    aaaa: ["fe80::1", "::1", "fd00::1"],
  });
  await node().runDue();
  t.strictSame(await cidrs(), []);
  t.match(await name(), { state: "failing", error: "the name has only addresses that may not be admitted" });
  await call("DELETE", `${LIST}/${(await name()).id}`);
  await create({ allowPrivate: true });
  clock.advance(60_000);
  await node().runDue();
  t.strictSame(await cidrs(), ["10.0.0.1/32", "127.0.0.1/32", "::/64", "fd00::/64"]);
});

onEveryStore(t, "only one node asks", async (t, start) => {
  const { dns, node, cidrs, create } = await begin(t, start);
  await create();
  dns.zones.set("home.example", { ttl: 60, a: ["203.0.113.1"] });
  await Promise.all([node().runDue(), node().runDue(), node().runDue()]);
  t.equal(dns.asked(), 2, "one question for each family");
  t.strictSame(await cidrs(), ["203.0.113.1/32"]);
});

onEveryStore(
  t,
  "whoever removes one of its entries removes the name, and all of its places at once",
  async (t, start) => {
    const { dns, node, cidrs, name, create, call } = await begin(t, start);
    await create();
    await call("POST", LIST, { json: { cidr: "192.0.2.7", label: "Not of the name" } });
    dns.zones.set("home.example", { ttl: 60, a: ["203.0.113.1", "203.0.113.2"], aaaa: ["2001:db8::1"] });
    await node().runDue();
    const entry = (await call("GET", LIST)).body.items.find(({ cidr }: { cidr: string }) => cidr === "203.0.113.1/32");
    const remove = (headers: Record<string, string>) => call("DELETE", `${LIST}/${entry.id}`, { headers });
    t.equal((await remove({ "if-match": '"1"' })).status, 412, "the entity tag is the entry's");
    t.match(
      await remove({ "sallyport-on-behalf-of-address": "203.0.113.2" }),
      { status: 409, body: { code: "confirmation_required" } },
      "asked by somebody at another place of the name",
    );
    t.equal((await cidrs()).length, 4);
    const tag = (await call("GET", `${LIST}/${entry.id}`)).headers.get("etag") ?? "";
    t.equal((await remove({ "if-match": tag })).status, 204);
    t.strictSame(await cidrs(), ["192.0.2.7/32"]);
    t.equal(await name(), undefined);
    const { items } = (await call("GET", "/v1/audit?tenant=a&action=name.deleted")).body;
    t.match(items, [{ before: { hostname: "home.example" } }]);
  },
);

onEveryStore(t, "the places of one name count as one to the guard against lock-outs", async (t, start) => {
  const { dns, node, cidrs, create, call } = await begin(t, start);
  await create();
  dns.zones.set("home.example", { ttl: 60, a: ["203.0.113.1", "203.0.113.2"] });
  await node().runDue();
  const json = { email: "one@a.example", role: "owner", password: "correct pony battery staple" };
  await call("POST", "/v1/tenants/a/users", { json });
  await call("PATCH", "/v1/tenants/a", { json: { policy: { selfAllow: "nobody" } } });
  const [entry] = (await call("GET", LIST)).body.items;
  t.match(await call("DELETE", `${LIST}/${entry.id}`), { status: 409, body: { code: "lockout_refused" } });
  t.equal((await cidrs()).length, 2);
  t.equal((await call("DELETE", `${LIST}/${entry.id}?force=true`)).status, 204);
  t.strictSame(await cidrs(), []);
});

onEveryStore(t, "a list replaced with all of its entries leaves the name as it is", async (t, start) => {
  const { clock, dns, node, cidrs, name, create, call } = await begin(t, start);
  const { body } = await create();
  dns.zones.set("home.example", { ttl: 60, a: ["203.0.113.1"] });
  await node().runDue();
  const [{ id, expiresAt }] = (await call("GET", LIST)).body.items;
  clock.advance(13 * 3_600_000);
  await node().runDue();
  const put = async (item: object) => {
    const { body: done } = await call("PUT", LIST, { json: { items: [{ cidr: "203.0.113.1/32", ...item }] } });
    t.match(done, { counts: { added: 0, removed: 0 } });
    const { items } = (await call("GET", LIST)).body;
    t.match(items, [{ id, kind: "dns", sourceId: body.id, expiresAt: "2030-01-02T13:00:00.000Z", ...item }]);
  };
  await put({ label: "Home" });
  const { body: again } = await call("PUT", LIST, { json: { items: [{ cidr: "203.0.113.1", label: "Home" }] } });
  t.equal(again.unchanged, 1);
  const [{ before, after }] = (await call("GET", "/v1/audit?action=allowlist.replaced&limit=1")).body.items;
  t.equal(after.digest, before.digest, "the digest is of the list as it is");
  // As it was read before a renewal.
  await call("PUT", LIST, { json: { items: [{ cidr: "203.0.113.1", label: "Home", expiresAt }] } });
  dns.zones.set("home.example", { ttl: 60, a: ["203.0.113.2"] });
  clock.advance(3_600_000);
  await node().runDue();
  t.strictSame(await cidrs(), ["203.0.113.2/32"], "it is followed still");
  t.match(await name(), { id: body.id, state: "good" });
});

onEveryStore(t, "a list replaced without one of its entries ends the name, in one commit", async (t, start) => {
  const { clock, dns, node, cidrs, name, create, call, store } = await begin(t, start);
  const { body } = await create();
  dns.zones.set("home.example", { ttl: 60, a: ["203.0.113.1"], aaaa: ["2001:db8::1"] });
  await node().runDue();
  const before = (await store.head()).revision;
  const replaced = await call("PUT", LIST, { json: { items: [{ cidr: "2001:db8::/64" }] } });
  t.match(replaced.body, { counts: { added: 1, removed: 2, changed: 0 }, added: [{ kind: "static" }] });
  const { commits = [] } = (await store.changesSince(before, 10)) as { commits?: unknown[] };
  t.equal(commits.length, 1);
  t.equal(await name(), undefined);
  const [record] = (await call("GET", "/v1/audit?action=name.deleted")).body.items;
  t.match(record, { target: body.id, actor: { kind: "key", id: "bootstrap" }, requestId: String });
  clock.advance(60_000);
  await node().runDue();
  t.strictSame(await cidrs(), ["2001:db8::/64"]);
});

onEveryStore(t, "what takes the place of a name's entry keeps its end, unless one is asked", async (t, start) => {
  const { dns, node, name, create, call } = await begin(t, start);
  await create();
  dns.zones.set("home.example", { ttl: 60, a: ["203.0.113.1", "203.0.113.2", "203.0.113.3"] });
  await node().runDue();
  const [{ expiresAt }] = (await call("GET", LIST)).body.items;
  const asked = "2031-01-01T00:00:00.000Z";
  const items = [
    { cidr: "203.0.113.1" },
    { cidr: "203.0.113.1", label: "once more" },
    { cidr: "203.0.113.2", expiresAt: asked },
    { cidr: "203.0.113.9" },
  ];
  const { body } = await call("PUT", LIST, { json: { items } });
  t.match(body, { counts: { added: 4, removed: 3 } });
  t.equal(await name(), undefined);
  t.strictSame(
    body.added.map((entry: { kind: string; expiresAt?: string }) => [entry.kind, entry.expiresAt]),
    [
      ["static", expiresAt],
      ["static", expiresAt],
      ["static", asked],
      ["static", undefined],
    ],
  );
});

onEveryStore(t, "a list replaced without one entry of its only name is guarded like its removal", async (t, start) => {
  const { clock, dns, node, cidrs, name, create, call } = await begin(t, start);
  await create();
  dns.zones.set("home.example", { ttl: 60, a: ["203.0.113.1"], aaaa: ["2001:db8::1"] });
  await node().runDue();
  clock.advance(1000);
  const json = { email: "one@a.example", role: "owner", password: "correct pony battery staple" };
  await call("POST", "/v1/tenants/a/users", { json });
  await call("PATCH", "/v1/tenants/a", { json: { policy: { selfAllow: "nobody" } } });
  const { items } = (await call("GET", LIST)).body;
  const [{ cidr, label, expiresAt }] = items.filter((each: { cidr: string }) => each.cidr.includes(":"));
  const put = (query: string) => call("PUT", LIST + query, { json: { items: [{ cidr, label, expiresAt }] } });
  t.match(await put(""), { status: 409, body: { code: "lockout_refused" } });
  t.match(await put("?dryRun=true"), { status: 200, body: { refusedBy: "lockout_refused" } });
  t.equal((await cidrs()).length, 2);
  t.match(await put("?force=true"), { status: 200, body: { added: [{ kind: "static", expiresAt }] } });
  t.equal(await name(), undefined);
});

onEveryStore(
  t,
  "a name that was removed is followed again within the hour, and no place of it without it",
  async (t, start) => {
    const { clock, dns, node, cidrs, name, create, call, restore } = await begin(t, start);
    const { body } = await create({ expiresAt: "2030-01-01T02:00:00.000Z" });
    dns.zones.set("home.example", { ttl: 60, a: ["203.0.113.1", "203.0.113.2"] });
    await node().runDue();
    const [entry] = (await call("GET", LIST)).body.items;
    const gone = { code: "not_found" };
    await t.rejects(restore(body.id), gone, "it is there");
    await call("DELETE", `${LIST}/${entry.id}`);
    await t.rejects(restore(entry.id), gone, "it would stay when the name goes");
    dns.zones.set("home.example", { ttl: 60, a: ["203.0.113.3"] });
    await restore(body.id);
    await t.rejects(restore(body.id), gone, "once");
    t.match(await name(), {
      id: body.id,
      label: "Anna, at home",
      state: "pending",
      entries: [],
      expiresAt: "2030-01-01T02:00:00.000Z",
    });
    await node().runDue();
    t.strictSame(await cidrs(), ["203.0.113.3/32"], "where it points now");
    await call("DELETE", `${LIST}/${body.id}`);
    clock.advance(3_600_001);
    await t.rejects(restore(body.id), gone, "the hour is over");
  },
);

onEveryStore(t, "a place that a name has left does not return", async (t, start) => {
  const { clock, dns, node, cidrs, create, call, restore } = await begin(t, start);
  await create();
  dns.zones.set("home.example", { ttl: 60, a: ["203.0.113.1"] });
  await node().runDue();
  const [entry] = (await call("GET", LIST)).body.items;
  dns.zones.set("home.example", { ttl: 60, a: ["203.0.113.2"] });
  clock.advance(60_000);
  await node().runDue();
  await t.rejects(restore(entry.id), { code: "not_found" });
  t.strictSame(await cidrs(), ["203.0.113.2/32"]);
});

onEveryStore(t, "a full list is said, and what is no name is refused", async (t, start) => {
  const { dns, node, name, create } = await begin(t, start, 1);
  await create();
  dns.zones.set("home.example", { ttl: 60, a: ["203.0.113.1", "203.0.113.2"] });
  await node().runDue();
  t.match(await name(), { state: "failing", error: "the allowlist is full" });
  for (const hostname of [
    "localhost",
    "192.0.2.1",
    "1.2",
    "a b.example",
    "http://x.example",
    "x.example:80",
    "[::1]",
    "é.example",
    "",
  ])
    t.match(await create({ hostname }), { status: 422, body: { issues: [{ pointer: "/hostname" }] } }, hostname);
  t.match(await create({ allowBroad: true }), { status: 422, body: { issues: [{ pointer: "/allowBroad" }] } });
});

onEveryStore(t, "a replaced list leaves a name alone that has no places yet", async (t, start) => {
  const { call, dns, node, cidrs, name, create } = await begin(t, start);
  const { id } = (await create()).body;
  const replaced = await call("PUT", LIST, { json: { items: [] } });
  t.match(replaced, { status: 200, body: { removed: [] } });
  t.match(await name(), { id, state: "pending" });
  dns.zones.set("home.example", { ttl: 60, a: ["203.0.113.1"] });
  await node().runDue();
  t.strictSame(await cidrs(), ["203.0.113.1/32"], "as the description says");
  t.equal((await call("PUT", LIST, { json: { items: [] } })).status, 200);
  t.notOk(await name(), "it goes with its places");
});
