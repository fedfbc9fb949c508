/** Preconditions, idempotency and waiting: what a client can rely on when it writes, also against others. */
import fc from "fast-check";
import t, { type Test } from "tap";
import { FixedClock } from "../../src/core/clock.ts";
import { openStore } from "../../src/store/open.ts";
import { type CallOptions, type FixtureOptions, START_MS, startAdminApi } from "../support/admin-api.ts";
import { startRedis } from "../support/redis.ts";

/** The same on every store; `undefined` where one is not installed. */
const STORES: Record<string, (t: Test, clock: FixedClock) => Promise<FixtureOptions | undefined>> = {
  SQLite: async (_t, clock) => ({ clock }),
  Redis: async (t, clock) => {
    const server = await startRedis(t);
    if (server === undefined) return undefined;
    const store = await openStore(server.url, { clock });
    t.teardown(() => store.close());
    return { clock, store };
  },
};

for (const [name, options] of Object.entries(STORES)) {
  t.test(name, async (t) => {
    const clock = new FixedClock(START_MS);
    const given = await options(t, clock);
    if (given === undefined) return;
    const fixture = await startAdminApi(t, given);
    const { call, tenant } = fixture;
    await tenant("a");
    const list = "/v1/tenants/a/allowlist";

    await t.test("entity tags", async (t) => {
      const made = await call("POST", list, { json: { cidr: "192.0.2.1", label: "one" } });
      const path = `${list}/${made.body.id}`;
      const tag = made.headers.get("etag") ?? "";
      t.equal(tag, `"${made.body.revision}"`);
      t.equal(made.headers.get("sallyport-revision"), String(made.body.revision));
      const read = await call("GET", path);
      t.equal(read.headers.get("etag"), tag);
      t.same(read.body, made.body);
      t.equal((await call("GET", path, { headers: { "if-none-match": tag } })).status, 304);
      t.equal((await call("GET", path, { headers: { "if-none-match": '"1", W/"2"' } })).status, 200);
      const changed = await call("PATCH", path, { json: { label: "two" }, headers: { "if-match": `"7", ${tag}` } });
      t.equal(changed.status, 200);
      for (const method of ["PATCH", "DELETE"]) {
        const late = await call(method, path, {
          json: method === "PATCH" ? { label: "three" } : undefined,
          headers: { "if-match": tag },
        });
        t.match(late, { status: 412, body: { code: "precondition_failed" } });
      }
      t.equal((await call("PATCH", path, { json: { label: "x" }, headers: { "if-match": "nonsense" } })).status, 400);
      t.equal(
        (await call("DELETE", path, { headers: { "if-match": `W/"${changed.body.revision}"` } })).status,
        412,
        "a weak tag never matches",
      );
      t.equal((await call("DELETE", path, { headers: { "if-match": "*" } })).status, 204);
      t.equal((await call("DELETE", path)).status, 404);
    });

    await t.test("concurrent edits with If-Match: one wins, the others get 412, nothing is lost", async (t) => {
      await fc.assert(
        fc.asyncProperty(fc.integer({ min: 2, max: 12 }), async (editors) => {
          const { body } = await call("POST", list, { json: { cidr: "192.0.2.2", label: "start" } });
          const path = `${list}/${body.id}`;
          const headers = { "if-match": `"${body.revision}"` };
          const edits = Array.from({ length: editors }, (_, n) =>
            call("PATCH", path, { json: { label: `by ${n}` }, headers }),
          );
          const answers = await Promise.all(edits);
          const winners = answers.filter(({ status }) => status === 200);
          t.equal(winners.length, 1);
          t.ok(answers.every(({ status }) => status === 200 || status === 412));
          t.same((await call("GET", path)).body, winners[0]?.body);
        }),
        { numRuns: 10 },
      );
    });

    await t.test("concurrent edits of different fields without If-Match all hold", async (t) => {
      const { body } = await call("POST", list, { json: { cidr: "192.0.2.3", label: "start" } });
      const path = `${list}/${body.id}`;
      const edits = Array.from({ length: 10 }, (_, n) =>
        call("PATCH", path, { json: n % 2 ? { label: "new" } : { ttlSeconds: 600 } }),
      );
      t.ok((await Promise.all(edits)).every(({ status }) => status === 200));
      t.match((await call("GET", path)).body, { label: "new", expiresAt: "2030-01-01T00:10:00.000Z" });
    });

    await t.test("idempotency: repeated, concurrent, with another body, after a restart", async (t) => {
      const headers = { "idempotency-key": "abc-1" };
      const json = { cidr: "192.0.2.4", label: "once" };
      const answers = await Promise.all(Array.from({ length: 8 }, () => call("POST", list, { json, headers })));
      t.ok(answers.every(({ status }) => status === 201));
      t.equal(new Set(answers.map(({ text }) => text)).size, 1, "one answer for all");
      t.equal(answers.filter((answer) => answer.headers.has("idempotency-replayed")).length, 7);
      const all = (await call("GET", `${list}?limit=1000`)).body.items as { label: string }[];
      t.equal(all.filter(({ label }) => label === "once").length, 1);
      t.match(await call("POST", list, { json: { ...json, label: "other" }, headers }), {
        status: 422,
        body: { code: "idempotency_conflict" },
      });
      t.match(await call("POST", "/v1/keys", { json: { label: "x", access: "read" }, headers }), { status: 422 });

      const key = { "idempotency-key": "abc-2" };
      const made = await call("POST", "/v1/keys", { json: { label: "k", access: "read" }, headers: key });
      const restarted = await startAdminApi(t, { store: fixture.store, clock, chain: "node-2" });
      const again = await restarted.call("POST", "/v1/keys", { json: { label: "k", access: "read" }, headers: key });
      t.equal(again.text, made.text, "another node after the first is gone");
      const stored = await fixture.store.list({ kind: "idempotency", limit: 100 });
      t.ok(stored.length >= 2 && !JSON.stringify(stored).includes(made.body.token), "no token lies in the store");
      await restarted.close();

      const scoped = (await call("POST", "/v1/keys", { json: { label: "s", access: "write", tenant: "a" } })).body
        .token as string;
      const other = await call("POST", list, { json, headers, key: scoped });
      t.not(other.text, answers[0]?.text, "another key's idempotency keys are its own");

      const entry = `${list}/${other.body.id}`;
      const gone = { "idempotency-key": "abc-3" };
      t.equal((await call("DELETE", entry, { headers: gone })).status, 204);
      t.equal((await call("DELETE", entry, { headers: gone })).status, 204);
      t.equal((await call("DELETE", entry)).status, 404);
      clock.advance(24 * 3600 * 1000 + 1);
      t.equal((await call("POST", list, { json: { ...json, label: "a day later" }, headers })).status, 201);
      t.equal((await call("POST", list, { json, headers: { "idempotency-key": "a b" } })).status, 400);
    });
  });
}

t.test("a repetition while the first is under way gets its answer, whatever it then finds", async (t) => {
  const { call, tenant, store } = await startAdminApi(t, { entriesPerTenant: 2 });
  await tenant("a");
  const [list, users] = ["/v1/tenants/a/allowlist", "/v1/tenants/a/users"];
  const entry = (await call("POST", list, { json: { cidr: "192.0.2.1" } })).body;
  const user = (await call("POST", users, { json: { email: "ann@a.example" } })).body;
  const get = store.get.bind(store);
  const twice = async (key: string, method: string, path: string, given: CallOptions = {}) => {
    const send = () =>
      call(method, path, { ...given, headers: { ...given.headers, "idempotency-key": key } as Record<string, string> });
    let first: Awaited<ReturnType<typeof send>> | undefined;
    store.get = async (kind, id) => {
      const found = await get(kind, id);
      if (kind !== "idempotency") return found;
      store.get = get;
      first = await send();
      return found;
    };
    const second = await send();
    t.ok((first?.status ?? 500) < 300, `${method} ${path}: ${first?.status}`);
    t.strictSame([second.status, second.text], [first?.status, first?.text], `${method} ${path}`);
    t.equal(second.headers.get("idempotency-replayed"), "true");
  };
  const tagged = (revision: number) => ({ headers: { "if-match": `"${revision}"` } });
  await twice("key-1", "POST", list, { json: { cidr: "192.0.2.2" } });
  await twice("key-2", "PATCH", `${list}/${entry.id}`, { json: { label: "x" }, ...tagged(entry.revision) });
  await twice("key-3", "DELETE", `${list}/${entry.id}`);
  await twice("key-4", "PATCH", `${users}/${user.id}`, { json: { name: "Ann" }, ...tagged(user.revision) });
  await twice("key-5", "DELETE", `${users}/${user.id}`);
});

t.test("wait=applied", async (t) => {
  let pending: string[] = [];
  const asked: [number, number][] = [];
  const waitApplied = async (revision: number, timeoutMs: number) => {
    asked.push([revision, timeoutMs]);
    return { applied: ["n1/1", "n1/2"], pending };
  };
  const { call, tenant } = await startAdminApi(t, { dependencies: { waitApplied } });
  await tenant("a");
  const made = await call("POST", "/v1/tenants/a/allowlist?wait=applied&timeoutMs=250", {
    json: { cidr: "192.0.2.1" },
  });
  t.equal(made.status, 201);
  t.equal(made.headers.get("sallyport-applied"), "n1/1, n1/2");
  t.same(asked, [[made.body.revision, 250]]);
  pending = ["n2/1"];
  const late = await call("DELETE", `/v1/tenants/a/allowlist/${made.body.id}?wait=applied`);
  t.match(late, {
    status: 504,
    body: { code: "not_applied", applied: ["n1/1", "n1/2"], pending: ["n2/1"], detail: /is committed/ },
  });
  t.ok(late.headers.get("sallyport-revision"));
  t.equal((await call("GET", `/v1/tenants/a/allowlist/${made.body.id}`)).status, 404, "the change stands");
  for (const query of ["wait=yes", "wait=applied&timeoutMs=0", "wait=applied&timeoutMs=1e3", "wait"]) {
    t.equal(
      (await call("POST", `/v1/tenants/a/allowlist?${query}`, { json: { cidr: "192.0.2.1" } })).status,
      422,
      query,
    );
  }
});

t.test("when the store does not answer, writes say so and tell nothing", async (t) => {
  const { call, tenant, store } = await startAdminApi(t);
  await tenant("a");
  await store.close();
  const answer = await call("POST", "/v1/tenants/a/allowlist", { json: { cidr: "192.0.2.1" } });
  t.match(answer, { status: 503, body: { code: "store_unavailable" } });
  t.notOk(answer.body.detail);
  t.ok(answer.body.requestId);
  t.equal(answer.headers.get("retry-after"), "1");
  t.equal((await call("GET", "/healthz", { key: null })).status, 200);
});
