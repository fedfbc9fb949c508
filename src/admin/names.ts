/** `/v1/tenants/{tenant}/names`: DNS names on the allowlist, and how they fare. */
import type { TenantId } from "../core/ids.ts";
import type { NameRecord } from "../whitelist/name-record.ts";
import { pageOf } from "./cursor.ts";
import { type Api, DEFAULT_LIMIT, pageQuery, pageSchema, responses, type Services, TenantParams } from "./routes.ts";

/** They are made, read and deleted as entries are. */
export function nameRoutes(api: Api, { dependencies, tenants, cursors }: Services): void {
  const { names } = dependencies.whitelist;
  const schema = {
    operationId: "listNames",
    summary: "List the DNS names on the allowlist, in the order of their making",
    tags: ["allowlist"],
    params: TenantParams,
    querystring: pageQuery({}),
    response: responses({ 200: pageSchema("Name") }, ["not_found", "body_invalid", "cursor_invalid"]),
  };
  api.get("/v1/tenants/:tenant/names", { schema }, async (request) => {
    const tenant = request.params.tenant as TenantId;
    const { limit = DEFAULT_LIMIT, cursor } = request.query;
    const list = `names/${tenant}`;
    const after = cursors.read(list, cursor);
    await tenants.read(tenant);
    return await pageOf(
      limit,
      (count) => names.list(tenant, count, after),
      ({ name, revision }) => ({ ...nameToWire(name), revision }),
      ({ name }) => cursors.make(list, name.id),
    );
  });
}

export function nameToWire(name: NameRecord) {
  const state = name.failingSince !== undefined ? "failing" : name.resolvedAt === undefined ? "pending" : "good";
  return { ...name, kind: "dns", state };
}
