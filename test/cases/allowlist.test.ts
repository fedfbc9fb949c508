/** Runs the table of allowlist input against the API, and the cases about changing a list (18 to 20). */
import t from "tap";
import { FixedClock } from "../../src/core/clock.ts";
import { openStore } from "../../src/store/open.ts";
import { ADMIN_KEY, START_MS, startAdminApi } from "../support/admin-api.ts";
import { ALLOWLIST_CASES } from "./allowlist.ts";

const LIST = "/v1/tenants/a/allowlist";

t.test("cases 16 and 17: one entry, one right outcome", async (t) => {
  const { call, tenant } = await startAdminApi(t);
  await tenant("a");
  for (const { number, cidr, canonical, code, offers } of ALLOWLIST_CASES) {
    const name = `case ${number}: ${JSON.stringify(cidr)?.slice(0, 60)}`;
    const answer = await call("POST", LIST, { json: { cidr, label: "x" } });
    if (canonical !== undefined) t.match(answer, { status: 201, body: { cidr: canonical } }, name);
    else t.match(answer, { status: 422, body: { code, issues: [{ pointer: "/cidr" }] } }, name);
    if (offers !== undefined) t.match(answer.body.detail, offers, name);
    if (code === "broad_prefix") {
      const allowed = await call("POST", LIST, { json: { cidr, allowBroad: true } });
      t.equal(allowed.status, 201, `${name}, allowed`);
      t.match(
        (await call("GET", "/v1/audit?limit=1")).body.items,
        [{ target: allowed.body.id, after: { allowBroad: true } }],
        `${name}, audited`,
      );
    }
  }
});

t.test("case 16 in a list: nothing of it is taken, and each mistake is named", async (t) => {
  const { call, tenant } = await startAdminApi(t);
  await tenant("a");
  const bad = ALLOWLIST_CASES.filter(
    ({ code, cidr }) => code !== undefined && code !== "body_invalid" && typeof cidr === "string",
  );
  const items = [{ cidr: "192.0.2.1" }, ...bad.map(({ cidr }) => ({ cidr }))];
  const answer = await call("PUT", LIST, { json: { items } });
  t.equal(answer.status, 422);
  t.same(
    answer.body.issues.map(({ pointer }: { pointer: string }) => pointer),
    bad.map((_, index) => `/items/${index + 1}/cidr`).slice(0, 100),
  );
  t.same((await call("GET", LIST)).body.items, []);
});

t.test("case 18: 100,000 lines with one bad: nothing is applied, the line is named, nobody waits long", async (t) => {
  const clock = new FixedClock(START_MS);
  const store = await openStore(`sqlite:${t.testdir()}/store.db`, { clock });
  t.teardown(() => store.close());
  const { call, tenant, origin } = await startAdminApi(t, { store, clock, entriesPerTenant: 100_000 });
  await tenant("a");
  const lines = Array.from({ length: 100_000 }, (_, n) => `10.${n >> 16}.${(n >> 8) & 255}.${n & 255} site ${n}`);
  lines[77_776] = "10.0.0.999 site";
  const raw = lines.join("\n");
  const headers = { "content-type": "text/plain" };
  const refused = await call("POST", `${LIST}/import`, { raw, headers });
  t.match(refused, { status: 422, body: { code: "import_invalid", issues: [{ line: 77_777 }] } });
  t.same((await call("GET", LIST)).body.items, []);

  lines[77_776] = "10.9.9.9 site";
  let pings = 0;
  let slowest = 0;
  let running = true;
  const pinging = (async () => {
    while (running) {
      const from = performance.now();
      await fetch(`${origin}/healthz`, { headers: { authorization: `Bearer ${ADMIN_KEY}` } });
      slowest = Math.max(slowest, performance.now() - from);
      pings++;
    }
  })();
  const imported = await call("POST", `${LIST}/import`, { raw: lines.join("\n"), headers });
  running = false;
  await pinging;
  t.match(imported, { status: 201, body: { imported: 100_000 } });
  t.comment(`slowest of ${pings} other requests: ${slowest.toFixed(0)} ms`);
  t.ok(pings > 5, "others were served meanwhile");
  t.match(await call("POST", LIST, { json: { cidr: "192.0.2.1" } }), { status: 422, body: { code: "entry_limit" } });
});

t.test("case 19: concurrent edits: one wins, the others get 412, nothing is lost", async (t) => {
  const { call, tenant } = await startAdminApi(t);
  await tenant("a");
  await call("POST", LIST, { json: { cidr: "192.0.2.1", label: "there" } });
  const tag = (await call("GET", LIST)).headers.get("etag") ?? "";
  const replace = (n: number) =>
    call("PUT", LIST, {
      json: { items: [{ cidr: "192.0.2.1", label: "there" }, { cidr: `192.0.2.${10 + n}` }] },
      headers: { "if-match": tag },
    });
  const answers = await Promise.all(Array.from({ length: 6 }, (_, n) => replace(n)));
  t.same(
    answers.map(({ status }) => status).sort((a, b) => a - b),
    [200, 412, 412, 412, 412, 412],
  );
  t.equal((await call("GET", LIST)).body.items.length, 2);
  const creates = Array.from({ length: 20 }, (_, n) => call("POST", LIST, { json: { cidr: `198.51.100.${n}` } }));
  const replacing = call("PUT", LIST, { json: { items: [{ cidr: "203.0.113.1" }] } });
  await Promise.all([...creates, replacing]);
  const { items } = (await call("GET", LIST)).body;
  const { removed, counts } = (await replacing).body;
  t.equal(items.length, 1 + 20 + 2 - counts.removed, "each entry is there, or was removed and said so");
  t.equal(removed.length, counts.removed);
});

t.test("case 19: removing what admits your own address asks for confirmation", async (t) => {
  const { call, tenant } = await startAdminApi(t);
  await tenant("a");
  const own = (await call("POST", LIST, { json: { cidr: "198.51.100.0/24" } })).body;
  const path = `${LIST}/${own.id}`;
  const here = { "sallyport-on-behalf-of-address": "198.51.100.7" };
  t.match(await call("DELETE", path, { headers: here }), { status: 409, body: { code: "confirmation_required" } });
  t.match(await call("DELETE", path, { headers: { "sallyport-on-behalf-of-address": "198.51.100.7, 1.1.1.1" } }), {
    status: 422,
  });
  const other = (await call("POST", LIST, { json: { cidr: "198.51.100.7" } })).body;
  t.equal((await call("DELETE", path, { headers: here })).status, 204, "another entry admits it still");
  t.equal((await call("DELETE", `${LIST}/${other.id}?confirm=true`, { headers: here })).status, 204, "confirmed");
  const loopback = (await call("POST", LIST, { json: { cidr: "127.0.0.1" } })).body;
  t.equal((await call("DELETE", `${LIST}/${loopback.id}`)).status, 204, "a portal's own server is not the person");
});

t.test("case 20: a key of tenant A on tenant B", async (t) => {
  const { call, tenant } = await startAdminApi(t);
  await tenant("a");
  await tenant("b");
  const { token, id } = (await call("POST", "/v1/keys", { json: { label: "a", access: "write", tenant: "a" } })).body;
  const there = await call("GET", "/v1/tenants/b", { key: token });
  const nowhere = await call("GET", "/v1/tenants/nowhere", { key: token });
  t.equal(there.status, 404);
  const same = ({ body }: typeof there) => ({ ...body, requestId: "" });
  t.same(same(there), same(nowhere), "it cannot be told from a tenant that is not there");
  t.match((await call("GET", "/v1/audit?action=access.denied")).body.items, [
    { target: "nowhere" },
    { target: "b", actor: { id } },
  ]);
});
