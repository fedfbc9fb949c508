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
