/** Adding many entries at once, also while another node adds some. */
import t from "tap";
import { entryWrite } from "../../src/core/entries.ts";
import { ENTRY_KIND, entryDocumentId } from "../../src/core/entry.ts";
import type { EntryId, TenantId } from "../../src/core/ids.ts";
import { startAdminApi } from "../support/admin-api.ts";

const A = "a" as TenantId;
const LIST = "/v1/tenants/a/allowlist";

t.test("ids that another node made in the same millisecond are made anew", async (t) => {
  const { call, tenant, store } = await startAdminApi(t);
  await tenant("a");
  const getMany = store.getMany.bind(store);
  let taken = "";
  store.getMany = async (kind, ids) => {
    if (kind === ENTRY_KIND && taken === "") {
      taken = ids[1]?.slice("a/".length) ?? "";
      const made = { label: "theirs", createdBy: "key:other", createdAt: "2030-01-01T00:00:00.000Z" };
      const entry = { ...made, id: taken as EntryId, cidr: "198.51.100.1/32", kind: "static" as const };
      await store.commit({ writes: [entryWrite(A, entry)] });
    }
    return await getMany(kind, ids);
  };
  const headers = { "content-type": "text/plain" };
  const answer = await call("POST", `${LIST}/import`, { raw: "192.0.2.1\n192.0.2.2\n192.0.2.3\n", headers });
  t.match(answer, { status: 201, body: { imported: 3 } });
  t.match(await store.get(ENTRY_KIND, entryDocumentId(A, taken as EntryId)), { value: { label: "theirs" } });
  t.equal((await call("GET", LIST)).body.items.length, 4);
});
