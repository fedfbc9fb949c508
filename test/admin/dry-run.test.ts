/** A dry run of a replacement: what it answers is what the replacement itself would meet. */
import t from "tap";
import { ENTRY_KIND } from "../../src/core/entry.ts";
import { startAdminApi } from "../support/admin-api.ts";

const LIST = "/v1/tenants/a/allowlist";

t.test("its tag is never newer than its difference", async (t) => {
  const { call, tenant, store } = await startAdminApi(t);
  await tenant("a");
  const json = { items: [{ cidr: "192.0.2.1" }] };
  // Somebody adds an entry once the dry run has read the list.
  const list = store.list.bind(store);
  store.list = async (query) => {
    const page = await list(query);
    if (query.kind === ENTRY_KIND) {
      store.list = list;
      await call("POST", LIST, { json: { cidr: "192.0.2.99" } });
    }
    return page;
  };
  const dry = await call("PUT", `${LIST}?dryRun=true`, { json });
  t.match(dry, { status: 200, body: { counts: { removed: 0 } } });
  const headers = { "if-match": dry.headers.get("etag") ?? "" };
  t.match(await call("PUT", LIST, { json, headers }), { status: 412, body: { code: "precondition_failed" } });
  t.match((await call("GET", LIST)).body.items, [{ cidr: "192.0.2.99/32" }]);
});

t.test("it says that the list would be too long", async (t) => {
  const { call, tenant } = await startAdminApi(t, { entriesPerTenant: 4 });
  await tenant("a");
  const put = (count: number, query: string) => {
    const items = Array.from({ length: count }, (_, n) => ({ cidr: `192.0.2.${n}` }));
    return call("PUT", LIST + query, { json: { items } });
  };
  t.match(await put(5, "?dryRun=true"), { status: 200, body: { refusedBy: "entry_limit", counts: { added: 5 } } });
  t.match(await put(5, ""), { status: 422, body: { code: "entry_limit" } });
  t.notOk("refusedBy" in (await put(4, "?dryRun=true")).body);
  t.equal((await put(4, "")).status, 200);
  await call("PATCH", "/v1/tenants/a", { json: { limits: { entries: 2 } } });
  t.notOk("refusedBy" in (await put(3, "?dryRun=true")).body, "a list that shrinks may be longer than its limit");
  t.equal((await put(3, "")).status, 200);
});
