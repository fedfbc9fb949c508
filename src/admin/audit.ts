/** `/v1/audit`: who changed what, newest first, as a list and as a whole. */
import { Readable } from "node:stream";
import Type, { type Static } from "typebox";
import { SallyportError } from "../core/errors.ts";
import type { TenantId } from "../core/ids.ts";
import { parseInstant } from "../core/instant.ts";
import type { Principal } from "../core/keys.ts";
import { noSuchTenant } from "../core/tenant-lookup.ts";
import { readHeads } from "../observe/audit-evidence.ts";
import { type AuditQuery, type AuditRow, readAudit } from "../observe/audit-log.ts";
import { closed } from "../schema/parts.ts";
import { TenantIdSchema } from "../schema/tenant.ts";
import { principalOf } from "./authentication.ts";
import { pageOf } from "./cursor.ts";
import { type Api, DEFAULT_LIMIT, pageQuery, pageSchema, responses, type Services } from "./routes.ts";

const tags = ["audit"];
const config = { scope: "all" } as const;

const filters = {
  tenant: Type.Optional(TenantIdSchema),
  action: Type.Optional(
    Type.String({
      maxLength: 60,
      pattern: "^[a-z.-]+$",
      description: "entry.created, or entry. for all that start so.",
      errorMessage: "must be an action such as entry.created",
    }),
  ),
  since: Type.Optional(Type.String({ maxLength: 40, description: "RFC 3339, inclusive." })),
  until: Type.Optional(Type.String({ maxLength: 40, description: "RFC 3339, inclusive." })),
};
const Filters = Type.Object(filters, closed);

export function auditRoutes(api: Api, services: Services): void {
  listRoute(api, services);
  exportRoute(api, services);
  headsRoute(api, services);
}

function listRoute(api: Api, { dependencies, cursors }: Services): void {
  const schema = {
    operationId: "listAudit",
    summary: "List audit records, newest first",
    tags,
    querystring: pageQuery(filters),
    response: responses({ 200: pageSchema("AuditRecord") }, ["body_invalid", "cursor_invalid", "not_found"]),
  };
  api.get("/v1/audit", { schema, config }, async (request) => {
    const { limit = DEFAULT_LIMIT, cursor, ...asked } = request.query;
    const query = readFilters(asked, principalOf(request));
    const list = `audit/${JSON.stringify(query)}`;
    const after = cursors.read(list, cursor);
    const read = (count: number) => take(readAudit(dependencies.store, { ...query, after }), count);
    return await pageOf(
      limit,
      read,
      ({ record }) => record,
      ({ id }) => cursors.make(list, id),
    );
  });
}

function exportRoute(api: Api, { dependencies }: Services): void {
  const schema = {
    operationId: "exportAudit",
    summary: "All audit records, newest first, as JSON lines",
    tags,
    produces: ["application/x-ndjson"],
    querystring: Filters,
    response: responses({ 200: Type.String({ description: "One AuditRecord a line." }) }, [
      "body_invalid",
      "not_found",
    ]),
  };
  api.get("/v1/audit/export", { schema, config }, async (request, reply) => {
    const rows = readAudit(dependencies.store, readFilters(request.query, principalOf(request)));
    return reply.header("content-type", "application/x-ndjson; charset=utf-8").send(Readable.from(toLines(rows)));
  });
}

function headsRoute(api: Api, { dependencies: { store, keyring } }: Services): void {
  const schema = {
    operationId: "listAuditHeads",
    summary: "Where each chain of the audit log ends, to verify an export against",
    tags,
    response: responses({ 200: Type.Object({ items: Type.Array(Type.Ref("ChainHead")) }, closed) }, []),
  };
  api.get("/v1/audit/heads", { schema }, async () => ({ items: await Array.fromAsync(readHeads(store, keyring)) }));
}

function readFilters({ tenant, action, since, until }: Static<typeof Filters>, principal: Principal): AuditQuery {
  if (tenant !== undefined && principal.tenant !== undefined && tenant !== principal.tenant) throw noSuchTenant();
  const only = principal.tenant ?? (tenant as TenantId | undefined);
  return {
    ...(only === undefined ? {} : { tenant: only }),
    ...(action === undefined ? {} : { action }),
    ...(since === undefined ? {} : { sinceMs: readTime(since, "/since") }),
    ...(until === undefined ? {} : { untilMs: readTime(until, "/until") }),
  };
}

function readTime(text: string, at: string): number {
  const ms = parseInstant(text);
  if (ms !== undefined) return ms;
  const issues = [{ at, message: "must be an RFC 3339 time", hint: "write it as 2031-01-01T00:00:00Z" }];
  throw new SallyportError("body_invalid", "the query is not as it must be", { issues });
}

async function take(rows: AsyncIterable<AuditRow>, count: number): Promise<AuditRow[]> {
  const taken: AuditRow[] = [];
  for await (const row of rows) if (taken.push(row) >= count) break;
  return taken;
}

async function* toLines(rows: AsyncIterable<AuditRow>): AsyncGenerator<string> {
  for await (const { record } of rows) yield `${JSON.stringify(record)}\n`;
}
