/** Tenants, entries, lists and keys as the API has them: shapes, rules and refusals. */
import t from "tap";
import { writeSeen } from "../../src/control/seen.ts";
import { FixedClock } from "../../src/core/clock.ts";
import { syncDeclaredTenants } from "../../src/core/declared-tenants.ts";
import type { TenantId } from "../../src/core/ids.ts";
import { TENANT_KIND, type Tenant } from "../../src/core/tenant.ts";
import { storedEvidence } from "../../src/observe/audit-evidence.ts";
import { verifyAudit } from "../../src/observe/audit-verify.ts";
import { parseTenantInput } from "../../src/schema/tenant.ts";
import { START_MS, silent, startAdminApi } from "../support/admin-api.ts";

interface Entries {
  readonly entries: readonly object[];
}

const TENANT = { id: "a", name: "Happy Feet", hosts: ["a.example"], upstreams: ["http://127.0.0.1:9000"] };
const LIST = "/v1/tenants/a/allowlist";

t.test("a tenant: created, read, listed, changed by merge patch, deleted", async (t) => {
  const { call, store, keyring } = await startAdminApi(t);
  const made = await call("POST", "/v1/tenants", {
    json: {
      ...TENANT,
      hosts: ["A.Example"],
      upstreams: ["http://127.0.0.1:9000/"],
      policy: { session: { idle: 1800 } },
    },
  });
  t.match(made, { status: 201, body: TENANT });
  t.notOk("declared" in made.body, "the API's own is not");
  t.match(made.body.policy, {
    network: "enforce",
    secondFactor: "required",
    session: { idle: "30m", max: "12h", rememberDevice: 0 },
  });
  t.equal(made.headers.get("location"), "/v1/tenants/a");
  t.same((await call("GET", "/v1/tenants/a")).body, made.body);
  t.same((await call("GET", "/v1/tenants")).body, { items: [made.body] });
  const changed = await call("PATCH", "/v1/tenants/a", {
    raw: JSON.stringify({
      hosts: ["b.example"],
      policy: { network: "observe", session: { idle: null, max: "8h" } },
      branding: { accent: "#0b6e4f" },
    }),
    headers: { "content-type": "application/merge-patch+json" },
  });
  t.match(changed.body, {
    hosts: ["b.example"],
    policy: { network: "observe", secondFactor: "required", session: { idle: "60m", max: "8h" } },
    branding: { accent: "#0b6e4f" },
  });
  t.same((await call("PATCH", "/v1/tenants/a", { json: { branding: { accent: null } } })).body.branding, {});
  const clash = await call("POST", "/v1/tenants", { json: { ...TENANT, id: "c", hosts: ["c.example", "b.example"] } });
  t.match(clash, { status: 409, body: { code: "host_taken", issues: [{ pointer: "/hosts/1" }] } });
  t.equal((await call("POST", "/v1/tenants", { json: { ...TENANT, id: "c" } })).status, 201, "a released host is free");
  await call("POST", LIST, { json: { cidr: "192.0.2.1" } });
  const { token } = (await call("POST", "/v1/keys", { json: { label: "a", access: "write", tenant: "a" } })).body;
  t.equal((await call("DELETE", "/v1/tenants/a")).status, 204);
  t.equal((await call("GET", "/v1/tenants", { key: token })).status, 401, "its keys are gone");
  t.equal(
    (await call("POST", "/v1/tenants", { json: { ...TENANT, hosts: ["b.example"] } })).status,
    201,
    "id and host are free again",
  );
  t.same((await call("GET", LIST)).body.items, [], "and nothing of the old one is left");
  t.match(await verifyAudit(storedEvidence(store, keyring)), { ok: true });
});

t.test("what is read of a tenant creates the same tenant elsewhere", async (t) => {
  const [one, other] = [await startAdminApi(t), await startAdminApi(t)];
  const policy = { network: "observe", session: { idle: 1800 }, exempt: [{ path: "/hook", methods: ["POST"] }] };
  const json = { ...TENANT, policy, branding: { accent: "#0b6e4f" }, limits: { entries: 5 }, mail: "own" };
  await one.call("POST", "/v1/tenants", { json });
  const { revision: _, ...read } = (await one.call("GET", "/v1/tenants/a")).body;
  t.equal((await other.call("POST", "/v1/tenants", { json: read })).status, 201);
  const { revision: __, ...again } = (await other.call("GET", "/v1/tenants/a")).body;
  t.strictSame(again, read);
  t.equal((await one.call("PATCH", "/v1/tenants/a", { json: read })).status, 200);
});

t.test("what today's rules would refuse of a tenant that is there stands in nobody's way", async (t) => {
  const { call, store } = await startAdminApi(t);
  await call("POST", "/v1/tenants", { json: TENANT });
  const made = (await store.get(TENANT_KIND, "a")) as { value: Tenant };
  const exempt = [{ path: "/hooks/*", methods: ["POST"] }];
  const older = {
    ...made.value,
    hosts: ["127.0.0.1", "c.example"],
    upstreams: ["http://10.0.0.5:0", "http://10.0.0.5:9000"],
    policy: { ...made.value.policy, exempt },
  };
  await store.commit({ writes: [{ kind: TENANT_KIND, id: "a", value: older }] });
  const patch = (json: object) => call("PATCH", "/v1/tenants/a", { json });
  t.match(await patch({ name: "B" }), { status: 200, body: { name: "B", hosts: older.hosts } });
  t.match(await patch({ policy: { network: "observe" } }), { status: 200, body: { policy: { exempt } } });
  t.equal((await patch({ hosts: ["d.example", "127.0.0.1"], upstreams: older.upstreams.toReversed() })).status, 200);
  t.match(await patch({ hosts: ["d.example", "127.0.0.1", "127.0.0.2"] }), {
    status: 422,
    body: { issues: [{ pointer: "/hosts/2" }] },
  });
  const more = [...exempt, { path: "/more/*", methods: ["POST"] }];
  t.match(await patch({ policy: { exempt: more } }), {
    status: 422,
    body: { issues: [{ pointer: "/policy/exempt/1/path" }] },
  });
  t.equal((await patch({ hosts: ["d.example"], policy: { exempt: [] } })).status, 200);
  t.equal((await patch({ hosts: ["127.0.0.1"] })).status, 422, "what is gone does not come back");
});

const BAD_TENANTS: readonly [object, string][] = [
  [{ id: "A" }, "/id"],
  [{ id: "-a" }, "/id"],
  [{ id: "a".repeat(64) }, "/id"],
  [{ name: "" }, "/name"],
  [{ name: "x\u202Ey" }, "/name"],
  [{ name: "x\ny" }, "/name"],
  [{ name: 5 }, "/name"],
  [{ hosts: [] }, "/hosts"],
  [{ hosts: ["a.example:8080"] }, "/hosts/0"],
  [{ hosts: ["https://a.example"] }, "/hosts/0"],
  [{ hosts: ["a example"] }, "/hosts/0"],
  [{ hosts: ["b\u00fccher.example"] }, "/hosts/0"],
  [{ hosts: ["*.example"] }, "/hosts/0"],
  [{ hosts: ["a.example", "A.example"] }, "/hosts/1"],
  [{ upstreams: ["127.0.0.1:9000"] }, "/upstreams/0"],
  [{ upstreams: ["http://127.0.0.1:9000/app"] }, "/upstreams/0"],
  [{ upstreams: ["http://127.0.0.1:9000//"] }, "/upstreams/0"],
  [{ upstreams: ["http://user:pw@127.0.0.1"] }, "/upstreams/0"],
  [{ upstreams: ["ftp://127.0.0.1"] }, "/upstreams/0"],
  [{ upstreams: ["http://169.254.169.254"] }, "/upstreams/0"],
  [{ upstreams: ["http://[::ffff:169.254.169.254]"] }, "/upstreams/0"],
  [{ upstreams: ["http://[fe80::1]"] }, "/upstreams/0"],
  [{ upstreams: ["http://0xa9fea9fe"] }, "/upstreams/0"],
  [{ upstreams: ["http://0.0.0.0:80"] }, "/upstreams/0"],
  [{ upstreams: ["http://metadata.google.internal"] }, "/upstreams/0"],
  [{ policy: { network: "open" } }, "/policy/network"],
  [{ policy: { factors: ["sms"] } }, "/policy/factors"],
  [{ policy: { session: { idle: "1h", max: "30m" } } }, "/policy/session/max"],
  [{ policy: { session: { idle: "soon" } } }, "/policy/session/idle"],
  [{ policy: { exempt: [{ path: "/.sallyport/x", methods: ["GET"] }] } }, "/policy/exempt/0/path"],
  [{ policy: { exempt: [{ path: "hook", methods: ["GET"] }] } }, "/policy/exempt/0/path"],
  [{ policy: { webSocketOrigins: ["app.example"] } }, "/policy/webSocketOrigins/0"],
  [{ policy: { "": 1 } }, "/policy/"],
  [{ branding: { logo: "https://evil.example/x.png" } }, "/branding/logo"],
  [{ branding: { accent: "red" } }, "/branding/accent"],
  [{ revision: 1 }, "/revision"],
  [{ constructor: {} }, "/constructor"],
];

t.test("what is not a tenant is refused, and says where", async (t) => {
  const { call } = await startAdminApi(t);
  for (const [wrong, pointer] of BAD_TENANTS) {
    const answer = await call("POST", "/v1/tenants", { json: { ...TENANT, ...wrong } });
    t.equal(answer.status, 422, JSON.stringify(wrong).slice(0, 60));
    t.same(
      answer.body?.issues?.map((issue: { pointer: string }) => issue.pointer),
      [pointer],
    );
  }
  const poisoned = `{"__proto__": {"id": "x"}, ${JSON.stringify(TENANT).slice(1)}`;
  t.equal(
    (await call("POST", "/v1/tenants", { raw: poisoned, headers: { "content-type": "application/json" } })).status,
    422,
  );
  t.same((await call("GET", "/v1/tenants")).body.items, []);
  await call("POST", "/v1/tenants", { json: TENANT });
  t.match(await call("PATCH", "/v1/tenants/a", { json: { id: "b" } }), {
    status: 422,
    body: { issues: [{ pointer: "/id" }] },
  });
  t.equal((await call("PATCH", "/v1/tenants/a", { json: { colour: 1 } })).status, 422);
});

t.test("declared tenants: read-only but for their allowlist, and kept in line with the file", async (t) => {
  const { call, store, ledger } = await startAdminApi(t);
  const declare = (...tenants: object[]) =>
    syncDeclaredTenants(
      store,
      ledger,
      tenants.map((each) => parseTenantInput({ ...TENANT, ...each })),
    );
  await declare({}, { id: "b", hosts: ["b.example"] });
  t.match((await call("GET", "/v1/tenants/a")).body, { declared: true });
  t.match(await call("PATCH", "/v1/tenants/a", { json: { name: "x" } }), { status: 409, body: { code: "read_only" } });
  t.match(await call("DELETE", "/v1/tenants/a"), { status: 409, body: { code: "read_only" } });
  t.equal((await call("POST", LIST, { json: { cidr: "192.0.2.1" } })).status, 201);
  const { revision } = (await call("GET", "/v1/tenants/a")).body;
  await declare({}, { id: "b", hosts: ["b.example"] });
  t.equal((await call("GET", "/v1/tenants/a")).body.revision, revision, "nothing new, nothing written");
  await declare({ hosts: ["b.example"] }, { id: "b", hosts: ["a.example"] });
  t.match((await call("GET", "/v1/tenants/a")).body, { hosts: ["b.example"] }, "hosts can be swapped");
  await declare({ id: "b", hosts: ["a.example"] });
  t.equal((await call("GET", "/v1/tenants/a")).status, 404, "no longer declared: gone at once");
  await declare({ hosts: ["b.example"] }, { id: "b", hosts: ["a.example"] });
  t.match((await call("GET", LIST)).body.items, [{ cidr: "192.0.2.1/32" }], "declared again: its list is still there");
  await declare({ id: "b", hosts: ["a.example"] });
  await call("POST", "/v1/tenants", { json: { ...TENANT, hosts: ["other.example"] } });
  t.same((await call("GET", LIST)).body.items, [], "given to another: it is not");
  await t.rejects(declare({ id: "c", hosts: ["other.example"] }), { code: "host_taken" });
  t.equal((await call("GET", "/v1/tenants/b")).status, 200, "and then nothing is changed");
});

t.test("an entry: every field, and what is refused", async (t) => {
  const clock = new FixedClock(START_MS);
  const { call, tenant, store } = await startAdminApi(t, { clock });
  await tenant("a");
  const made = await call("POST", LIST, { json: { cidr: "203.0.113.7", label: "Réception 1", ttlSeconds: 60 } });
  const { id, revision, ...rest } = made.body;
  t.match(id, /^e[0-9a-z]{13}$/);
  t.type(revision, "number");
  t.same(rest, {
    cidr: "203.0.113.7/32",
    label: "Réception 1",
    kind: "static",
    createdBy: "key:bootstrap",
    createdAt: "2030-01-01T00:00:00.000Z",
    expiresAt: "2030-01-01T00:01:00.000Z",
  });
  await store.commit({ writes: [{ kind: "seen", id: `a/${id}`, value: { at: START_MS / 1000 + 5 }, quiet: true }] });
  t.match((await call("GET", `${LIST}/${id}`)).body, { lastSeenAt: "2030-01-01T00:00:05.000Z" });
  const bad: readonly [object, string][] = [
    [{ expiresAt: "2029-12-31T23:59:59Z" }, "/expiresAt"],
    [{ expiresAt: "2030-02-30T00:00:00Z" }, "/expiresAt"],
    [{ expiresAt: "tomorrow" }, "/expiresAt"],
    [{ expiresAt: "2031-01-01T00:00:00" }, "/expiresAt"],
    [{ expiresAt: "2106-01-02T00:00:00Z" }, "/expiresAt"],
    [{ ttlSeconds: 315_360_001 }, "/ttlSeconds"],
    [{ expiresAt: "2031-01-01T00:00:00Z", ttlSeconds: 5 }, "/ttlSeconds"],
    [{ ttlSeconds: 0 }, "/ttlSeconds"],
    [{ ttlSeconds: "60" }, "/ttlSeconds"],
    [{ ttlSeconds: 1.5 }, "/ttlSeconds"],
    [{ label: "x".repeat(201) }, "/label"],
    [{ label: "a\u202Eb" }, "/label"],
    [{ label: "a\0b" }, "/label"],
    [{ label: "a\u200Db" }, "/label"],
    [{ label: "   " }, "/label"],
    [{ label: "\u3000" }, "/label"],
    [{ allowBroad: "true" }, "/allowBroad"],
    [{ hostname: "home.example" }, "/hostname"],
    [{ kind: "self" }, "/kind"],
    [{ kind: "dns" }, "/kind"],
  ];
  for (const [wrong, pointer] of bad) {
    const answer = await call("POST", LIST, { json: { cidr: "192.0.2.1", ...wrong } });
    t.match(answer, { status: 422, body: { issues: [{ pointer }] } }, JSON.stringify(wrong).slice(0, 60));
  }
  t.match(await call("POST", LIST, { json: { kind: "static", hostname: "home.example" } }), {
    status: 422,
    body: { issues: [{ pointer: "/kind" }] },
  });
  for (const stated of [
    { kind: "static", cidr: "192.0.2.8" },
    { kind: "dns", hostname: "home.example" },
  ])
    t.match(
      await call("POST", LIST, { json: stated }),
      { status: 201, body: stated },
      "a kind that agrees may be stated",
    );
  t.equal(
    (await call("PATCH", `${LIST}/${id}`, { json: { cidr: "192.0.2.9" } })).status,
    422,
    "another place is another entry",
  );
  t.equal((await call("PATCH", `${LIST}/${id}`, { json: {} })).status, 422);
  t.notOk((await call("PATCH", `${LIST}/${id}`, { json: { expiresAt: null } })).body.expiresAt);
  await call("PATCH", `${LIST}/${id}`, { json: { ttlSeconds: 10 } });
  clock.advance(10_000);
  t.equal((await call("GET", `${LIST}/${id}`)).status, 404, "expired is gone");
  for (const strange of ["e", "x".repeat(14), "..", "%00", "a%2Fb", "e".repeat(90)])
    t.equal((await call("GET", `${LIST}/${strange}`)).status, 404, strange);
  t.equal((await call("POST", "/v1/tenants/nowhere/allowlist", { json: { cidr: "192.0.2.1" } })).status, 404);
});

t.test("two entries may share a CIDR; the limit counts live entries; expired ones make room", async (t) => {
  const clock = new FixedClock(START_MS);
  const { call, tenant } = await startAdminApi(t, { clock, entriesPerTenant: 5 });
  await tenant("a");
  const add = (json: object) => call("POST", LIST, { json: { cidr: "192.0.2.1", ...json } });
  const attempts = await Promise.all(Array.from({ length: 10 }, () => add({ ttlSeconds: 60 })));
  t.equal(attempts.filter(({ status }) => status === 201).length, 5);
  t.ok(attempts.every(({ status, body }) => status === 201 || body.code === "entry_limit"));
  clock.advance(61_000);
  const again = await Promise.all(Array.from({ length: 5 }, () => add({})));
  t.ok(
    again.every(({ status }) => status === 201),
    "for all who come at once",
  );
  const items = Array.from({ length: 6 }, (_, n) => ({ cidr: `192.0.2.${n}` }));
  t.match(await call("PUT", LIST, { json: { items } }), { status: 422, body: { code: "entry_limit" } });
  t.equal((await call("PUT", LIST, { json: { items: items.slice(1) } })).status, 200);
});

t.test("replacing: dry run, ids kept, the list's own tag, the audit's summary", async (t) => {
  const { call, tenant } = await startAdminApi(t);
  await tenant("a");
  const kept = (await call("POST", LIST, { json: { cidr: "192.0.2.1", label: "kept" } })).body;
  const renamed = (await call("POST", LIST, { json: { cidr: "192.0.2.2", label: "old" } })).body;
  const gone = (await call("POST", LIST, { json: { cidr: "192.0.2.3" } })).body;
  const json = {
    items: [{ cidr: "192.0.2.1", label: "kept" }, { cidr: "192.0.2.2", label: "new" }, { cidr: "198.51.100.0/24" }],
  };
  const before = (await call("GET", LIST)).text;
  const dry = await call("PUT", `${LIST}?dryRun=true`, { json });
  const difference = {
    added: [{ cidr: "198.51.100.0/24" }],
    removed: [{ id: gone.id }],
    changed: [{ id: renamed.id, label: "new", createdAt: renamed.createdAt }],
    unchanged: 1,
    counts: { added: 1, removed: 1, changed: 1 },
    truncated: false,
  };
  t.match(dry, { status: 200, body: { ...difference, dryRun: true } });
  t.match(dry.body, { removed: [{ revision: gone.revision }], changed: [{ revision: renamed.revision }] });
  t.notOk("revision" in dry.body.added[0], "what is not there has none");
  t.equal((await call("GET", LIST)).text, before, "a dry run changes nothing");
  const done = await call("PUT", LIST, { json, headers: { "if-match": dry.headers.get("etag") ?? "" } });
  t.match(done, { status: 200, body: { ...difference, dryRun: false } });
  const list = await call("GET", LIST);
  t.equal(list.headers.get("etag"), done.headers.get("etag"));
  t.match(list.body.items, [
    { id: kept.id, revision: kept.revision },
    { id: renamed.id, label: "new" },
    { cidr: "198.51.100.0/24" },
  ]);
  const [record] = (await call("GET", "/v1/audit?action=allowlist.replaced")).body.items;
  t.match(record, {
    before: { count: 3 },
    after: { count: 3, added: 1, removed: 1, changed: 1, unchanged: 1, parts: 1, unnamed: 0 },
  });
  t.strictSame(record.before.entries, [
    { id: renamed.id, cidr: "192.0.2.2/32", label: "old" },
    { id: gone.id, cidr: "192.0.2.3/32", label: "" },
  ]);
  t.strictSame(record.after.entries, [
    { id: done.body.added[0].id, cidr: "198.51.100.0/24", label: "" },
    { id: renamed.id, cidr: "192.0.2.2/32", label: "new" },
  ]);
  t.match(record.before.digest, /^sha256:[0-9a-f]{64}$/);
  const broad = {
    status: 422,
    body: { issues: [{ pointer: "/items/0/cidr", hint: /allowBroad": true beside "items"$/ }] },
  };
  t.match(await call("PUT", LIST, { json: { items: [{ cidr: "20.0.0.0/6" }] } }), broad);
  const exported = await call("GET", `${LIST}/export`);
  t.match(exported.headers.get("content-type"), "text/csv");
  await call("PUT", LIST, { json: { items: [] } });
  const again = await call("POST", `${LIST}/import`, {
    raw: exported.text,
    headers: { "content-type": "text/csv; charset=utf-8" },
  });
  t.match(again, { status: 201, body: { imported: 3 } });
  const [added] = (await call("GET", "/v1/audit?action=allowlist.imported")).body.items;
  t.match(added.after, {
    count: 3,
    entries: (await call("GET", LIST)).body.items.map(({ id }: { id: string }) => ({ id })),
  });
  t.equal((await call("GET", `${LIST}/export`)).text.length, exported.text.length);
});

t.test("a large change is audited entry by entry, in records of bounded size", async (t) => {
  const { call, tenant, store, keyring } = await startAdminApi(t, { entriesPerTenant: 20_000 });
  await tenant("a");
  const label = "\u{1F3E5}".repeat(200);
  const items = Array.from({ length: 120 }, (_, n) => ({ cidr: `10.0.${n >> 8}.${n & 255}`, label }));
  t.equal((await call("PUT", LIST, { json: { items } })).status, 200);
  const relabelled = items.map(({ cidr }, n) => ({
    cidr,
    label: n % 2 === 0 ? label.replace("\u{1F3E5}", "x") : label,
  }));
  t.equal((await call("PUT", LIST, { json: { items: relabelled } })).status, 200);
  t.equal((await call("PUT", LIST, { json: { items: [] } })).status, 200);
  const records = (await call("GET", "/v1/audit?action=allowlist.")).body.items.reverse();
  t.match(
    records.map(
      ({ action, before, after }: { action: string; before: Entries; after: Entries & { parts: number } }) => [
        action,
        before.entries.length,
        after.entries.length,
        after.parts,
      ],
    ),
    [
      ["allowlist.replaced", 0, 50, 3],
      ["allowlist.itemised", 0, 50, 3],
      ["allowlist.itemised", 0, 20, 3],
      ["allowlist.replaced", 50, 50, 2],
      ["allowlist.itemised", 10, 10, 2],
      ["allowlist.replaced", 50, 0, 3],
      ["allowlist.itemised", 50, 0, 3],
      ["allowlist.itemised", 20, 0, 3],
    ],
  );
  t.ok(records.every((record: object) => Buffer.byteLength(JSON.stringify(record)) < 100_000));
  t.equal(new Set(records.slice(0, 3).map(({ requestId }: { requestId: string }) => requestId)).size, 1);
  const many = Array.from({ length: 10_001 }, (_, n) => `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`).join("\n");
  await call("POST", `${LIST}/import`, { raw: many, headers: { "content-type": "text/plain" } });
  const [imported] = (await call("GET", "/v1/audit?action=allowlist.imported")).body.items;
  t.match(imported.after, { count: 10_001, parts: 200, unnamed: 1 });
  t.match(await verifyAudit(storedEvidence(store, keyring)), { ok: true });
});

t.test("when an entry was last used is never before it was there", async (t) => {
  const clock = new FixedClock(START_MS + 999);
  const { call, tenant, store } = await startAdminApi(t, { clock });
  await tenant("a");
  const { id, createdAt } = (await call("POST", LIST, { json: { cidr: "192.0.2.1" } })).body;
  await writeSeen(store, [["a" as TenantId, [[id, Math.floor(clock.nowMs() / 1000)]]]], silent);
  t.equal((await call("GET", `${LIST}/${id}`)).body.lastSeenAt, createdAt);
});

t.test("a list is read page by page, each entry once", async (t) => {
  const { call, tenant } = await startAdminApi(t);
  await tenant("a");
  await call("PUT", LIST, { json: { items: Array.from({ length: 25 }, (_, n) => ({ cidr: `192.0.2.${n}` })) } });
  const seen: string[] = [];
  let cursor = "";
  do {
    const { body } = await call("GET", `${LIST}?limit=10${cursor}`);
    seen.push(...body.items.map(({ cidr }: { cidr: string }) => cidr));
    cursor = body.next === undefined ? "" : `&cursor=${body.next}`;
  } while (cursor !== "");
  t.equal(seen.length, 25);
  t.equal(new Set(seen).size, 25);
});

t.test("keys: shown once, hashed at rest, revoked and expired at once, their use noted", async (t) => {
  const clock = new FixedClock(START_MS);
  const fixture = await startAdminApi(t, { clock });
  const { call, store } = fixture;
  const made = (await call("POST", "/v1/keys", { json: { label: "ops", access: "write", ttlSeconds: 60 } })).body;
  t.match(made.token, /^sp_[0-9a-z]{26}_[\w-]{49}$/);
  t.notMatch(JSON.stringify(await store.list({ kind: "apikey", limit: 10 })), made.token.slice(30));
  t.notMatch((await call("GET", "/v1/audit")).text, made.token.slice(30));
  t.equal((await call("GET", "/v1/tenants", { key: made.token })).status, 200);
  const read = await call("GET", `/v1/keys/${made.id}`);
  t.match(read.body, { label: "ops", access: "write", lastUsedAt: "2030-01-01T00:00:00.000Z" });
  t.notOk("token" in read.body || "hash" in read.body);
  const flipped = made.token.replace(/.$/, (last: string) => (last === "A" ? "B" : "A"));
  const cut = made.token.slice(0, -6);
  for (const key of [flipped, cut, `${made.token}x`, "sp_", "x".repeat(5000)])
    t.equal((await call("GET", "/v1/tenants", { key })).status, 401);
  t.equal((await call("GET", "/v1/tenants", { key: null, headers: { cookie: `key=${made.token}` } })).status, 401);
  t.equal((await call("GET", `/v1/tenants?key=${made.token}`, { key: null })).status, 401);
  clock.advance(60_000);
  t.equal((await call("GET", "/v1/tenants", { key: made.token })).status, 401, "expired");
  const second = (await call("POST", "/v1/keys", { json: { access: "read" } })).body;
  t.equal(second.label, "", "a label is for people, and optional");
  const other = await startAdminApi(t, { store, clock, chain: "node-2" });
  t.equal((await other.call("GET", "/v1/tenants", { key: second.token })).status, 200);
  t.equal((await call("DELETE", `/v1/keys/${second.id}`)).status, 204);
  t.equal((await other.call("GET", "/v1/tenants", { key: second.token })).status, 401, "on every node");
});

t.test("no key outlives the one that made it", async (t) => {
  const clock = new FixedClock(START_MS);
  const { call } = await startAdminApi(t, { clock });
  const make = (json: object, key?: string) =>
    call("POST", "/v1/keys", { json: { access: "write", ...json }, ...(key === undefined ? {} : { key }) });
  const { token, expiresAt } = (await make({ ttlSeconds: 60 })).body;
  clock.advance(1000);
  for (const [json, pointer] of [
    [{ expiresAt: "2030-01-01T00:01:00.001Z" }, "/expiresAt"],
    [{ ttlSeconds: 60 }, "/ttlSeconds"],
  ] as const) {
    const hint = `write ${expiresAt} or earlier, or leave it out`;
    t.match(await make(json, token), { status: 422, body: { code: "body_invalid", issues: [{ pointer, hint }] } });
  }
  t.match(await make({ ttlSeconds: 59 }, token), { status: 201, body: { expiresAt } });
  const child = (await make({}, token)).body;
  t.equal(child.expiresAt, expiresAt, "nothing asked for: with its maker");
  t.equal((await make({}, child.token)).body.expiresAt, expiresAt);
  clock.advance(59_000);
  t.equal((await call("GET", "/v1/keys", { key: child.token })).status, 401);
  t.notOk("expiresAt" in (await make({})).body);
});

t.test("failing attempts of one address are slowed down, and valid keys are not", async (t) => {
  const clock = new FixedClock(START_MS);
  const { call } = await startAdminApi(t, { clock });
  const attempts = [];
  for (let n = 0; n < 30; n++) attempts.push((await call("GET", "/v1/tenants", { key: `guess-${n}` })).status);
  t.equal(attempts.filter((status) => status === 401).length, 20);
  const last = await call("GET", "/v1/tenants", { key: "guess" });
  t.match(last, { status: 429, body: { code: "limit_reached" } });
  t.ok(Number(last.headers.get("retry-after")) > 0);
  t.equal((await call("GET", "/v1/tenants")).status, 200);
  clock.advance(60_000);
  t.equal((await call("GET", "/v1/tenants", { key: "guess" })).status, 401);
});

t.test("explain, readiness and metrics", async (t) => {
  let ready = true;
  const { call, tenant } = await startAdminApi(t, {
    dependencies: { readiness: () => ({ ready, checks: { store: { ok: ready } } }) },
  });
  await tenant("a");
  await call("PATCH", "/v1/tenants/a", {
    json: { policy: { secondFactor: "off", exempt: [{ path: "/hook", methods: ["POST"] }] } },
  });
  const { id } = (await call("POST", LIST, { json: { cidr: "198.51.100.0/24" } })).body;
  const explain = (query: string) => call("GET", `/v1/tenants/a/explain?${query}`);
  t.match((await explain("ip=198.51.100.7")).body, {
    verdict: "allow",
    reason: "location",
    status: 200,
    entry: { id },
  });
  t.match((await explain("ip=192.0.2.1")).body, {
    verdict: "deny",
    outcome: "blocked",
    reason: "not-on-allowlist",
    status: 403,
    entry: null,
  });
  t.match((await explain("ip=192.0.2.1&path=/hook&method=POST")).body, { verdict: "allow", reason: "exempt" });
  t.match((await explain("ip=192.0.2.1&path=/hook")).body, { verdict: "deny" });
  for (const page of ["/.sallyport/sign-in", "/.sallyport/allow/abc?x=1"])
    t.match((await explain(`ip=192.0.2.1&path=${encodeURIComponent(page)}`)).body, {
      verdict: "allow",
      outcome: "pages",
      reason: "own-pages",
      status: 200,
      steps: [{ step: "address" }, { step: "target", result: "pass", detail: /answers every place/ }],
    });
  for (const disguise of ["/%2esallyport/sign-in", "/x/../.sallyport", "/.Sallyport", "/a b", "/caf\u00e9"])
    t.match((await explain(`ip=198.51.100.7&path=${encodeURIComponent(disguise)}`)).body, {
      verdict: "deny",
      outcome: "refused",
      reason: "target-invalid",
      status: 400,
      steps: { 1: { step: "target", result: "stop" } },
    });
  for (const query of ["", "ip=010.0.0.1", "ip=1.2.3.4&ip=1.2.3.5", "ip=1.2.3.4&x=1"])
    t.equal((await explain(query)).status, 422, query);
  t.equal((await call("GET", "/readyz", { key: null })).status, 200);
  ready = false;
  t.match(await call("GET", "/readyz", { key: null }), {
    status: 503,
    body: { code: "not_ready", checks: { store: { ok: false } } },
  });
  const metrics = await call("GET", "/metrics");
  t.match(
    metrics.text,
    'sallyport_admin_request_seconds_count{method="GET",route="/v1/tenants/:tenant/explain",status="200"}',
  );
  t.notMatch(metrics.text, "198.51.100");
});
