/** The lists of what a tenant has, in pages. */
import type { TenantId } from "../core/ids.ts";
import { pageOf } from "./cursor.ts";
import { type Api, DEFAULT_LIMIT, pageQuery, pageSchema, responses, type Services, TenantParams } from "./routes.ts";

/** A list, and how the rules have it read. */
export interface TenantList<Row> {
  /** What follows the tenant in the path. */
  readonly path: string;
  readonly operationId: string;
  readonly summary: string;
  readonly tags: string[];
  /** The schema of an item. */
  readonly item: string;
  readonly read: (tenant: TenantId, limit: number, after?: string) => Promise<readonly Row[]>;
  readonly toWire: (row: Row) => unknown;
  /** Of a row, what `read` goes on after. */
  readonly position: (row: Row) => string;
}

/** Adds `GET /v1/tenants/{tenant}/{path}`. A cursor is good for that tenant's list alone. */
export function tenantListRoute<Row>(api: Api, { tenants, cursors }: Services, list: TenantList<Row>): void {
  const { path, operationId, summary, tags, item, read, toWire, position } = list;
  const schema = {
    operationId,
    summary,
    tags,
    params: TenantParams,
    querystring: pageQuery({}),
    response: responses({ 200: pageSchema(item) }, ["not_found", "body_invalid", "cursor_invalid"]),
  };
  api.get(`/v1/tenants/:tenant/${path}`, { schema }, async (request) => {
    const tenant = request.params.tenant as TenantId;
    const { limit = DEFAULT_LIMIT, cursor } = request.query;
    const name = `${path}/${tenant}`;
    const after = cursors.read(name, cursor);
    await tenants.read(tenant);
    return await pageOf(
      limit,
      (count) => read(tenant, count, after),
      toWire,
      (row) => cursors.make(name, position(row)),
    );
  });
}
