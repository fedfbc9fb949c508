/** `/v1/tenants/{tenant}/sessions`: who is signed in. */
import Type from "typebox";
import { SallyportError } from "../core/errors.ts";
import type { TenantId } from "../core/ids.ts";
import { formatInstant } from "../core/instant.ts";
import type { LiveSession } from "../person/session-record.ts";
import { executeManaged } from "./managed-writes.ts";
import {
  type Api,
  DEFAULT_LIMIT,
  IdParam,
  NoContent,
  pageQuery,
  pageSchema,
  responses,
  type Services,
  TenantParams,
  tenantParams,
  WRITE_REFUSALS,
  WriteHeaders,
  writeQuery,
} from "./routes.ts";

const tags = ["sessions"];
const SessionParams = tenantParams({ session: IdParam("The session's id.") });

export function sessionRoutes(api: Api, services: Services): void {
  listRoute(api, services);
  endRoute(api, services);
}

const user = Type.Optional(
  Type.String({ description: "Only this user's, by id; all of them, newest first.", maxLength: 100 }),
);

function listRoute(api: Api, { dependencies: { person }, tenants, cursors }: Services): void {
  const schema = {
    operationId: "listSessions",
    summary: "List live sessions",
    description: "In no telling order. A page may hold fewer than limit, as sessions end while they are read.",
    tags,
    params: TenantParams,
    querystring: pageQuery({ user }),
    response: responses({ 200: pageSchema("Session") }, ["not_found", "body_invalid", "cursor_invalid"]),
  };
  api.get("/v1/tenants/:tenant/sessions", { schema }, async (request) => {
    const { limit = DEFAULT_LIMIT, cursor, user: of } = request.query;
    const { tenant } = await tenants.read(request.params.tenant as TenantId);
    const list = `sessions/${tenant.id}`;
    const after = cursors.read(list, cursor);
    if (of !== undefined) return { items: (await person.sessions.listOfUser(tenant, of)).map(toWire) };
    const page = await person.sessions.list(tenant, { limit, after });
    const next = page.next === undefined ? {} : { next: cursors.make(list, page.next) };
    return { items: page.items.map(toWire), ...next };
  });
}

function endRoute(api: Api, { dependencies, tenants }: Services): void {
  const schema = {
    operationId: "endSession",
    summary: "End a session, with its requests, WebSockets and downloads on every edge",
    tags,
    headers: WriteHeaders,
    params: SessionParams,
    querystring: writeQuery({}),
    response: responses({ 204: NoContent }, ["body_invalid", "not_found", ...WRITE_REFUSALS]),
  };
  api.delete("/v1/tenants/:tenant/sessions/:session", { schema }, async (request, reply) => {
    const { tenant } = await tenants.read(request.params.tenant as TenantId);
    return await executeManaged(
      dependencies,
      request,
      reply,
      async ({ sessions }, actor) => {
        const ended = await sessions.end(tenant.id, request.params.session, actor);
        if (!ended) throw new SallyportError("not_found", "there is no such session");
      },
      () => ({ status: 204 }),
    );
  });
}

function toWire({ id, user, email, amr, startedAtMs, lastSeenAtMs, address, userAgent, expiresAtMs }: LiveSession) {
  const [createdAt, lastSeenAt, expiresAt] = [startedAtMs, lastSeenAtMs, expiresAtMs].map(formatInstant);
  return { id, user, email, amr, createdAt, lastSeenAt, address, userAgent, expiresAt };
}
