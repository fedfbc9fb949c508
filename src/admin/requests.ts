/** `/v1/tenants/{tenant}/requests`: who asks to be let in, and what an owner or the portal backend decides. */
import Type from "typebox";
import type { Author } from "../core/audit.ts";
import type { TenantId } from "../core/ids.ts";
import { ApprovalSchema } from "../schema/access-request.ts";
import { pageOf } from "./cursor.ts";
import {
  type Api,
  created,
  DEFAULT_LIMIT,
  IdParam,
  NoContent,
  pageQuery,
  pageSchema,
  responses,
  type Services,
  TenantParams,
  WriteHeaders,
  writeQuery,
} from "./routes.ts";
import { executeWrite } from "./writes.ts";

const tags = ["requests"];
const RequestParams = Type.Object(
  { tenant: IdParam("The tenant's id."), request: IdParam("The request's id.") },
  { additionalProperties: false },
);

export function requestRoutes(api: Api, services: Services): void {
  listRoute(api, services);
  approveRoute(api, services);
  dismissRoute(api, services);
}

function listRoute(api: Api, { dependencies, tenants, cursors }: Services): void {
  const { requests } = dependencies.whitelist;
  const schema = {
    operationId: "listRequests",
    summary: "List access requests, one for each network that asked within the last fourteen days",
    tags,
    params: TenantParams,
    querystring: pageQuery({}),
    response: responses({ 200: pageSchema("AccessRequest") }, ["not_found", "body_invalid", "cursor_invalid"]),
  };
  api.get("/v1/tenants/:tenant/requests", { schema }, async (request) => {
    const tenant = request.params.tenant as TenantId;
    const { limit = DEFAULT_LIMIT, cursor } = request.query;
    const list = `requests/${tenant}`;
    const after = cursors.read(list, cursor);
    await tenants.read(tenant);
    return await pageOf(
      limit,
      (count) => requests.list(tenant, count, after),
      (view) => ({ ...view.request, revision: view.revision }),
      (view) => cursors.make(list, view.request.id),
    );
  });
}

function approveRoute(api: Api, { dependencies }: Services): void {
  const { requests } = dependencies.whitelist;
  const schema = {
    operationId: "approveRequest",
    summary: "Admit the network that asked",
    tags,
    headers: WriteHeaders,
    params: RequestParams,
    querystring: writeQuery({}),
    body: { ...ApprovalSchema, examples: [{ label: "Anna, at home" }] } as typeof ApprovalSchema,
    response: responses({ 201: created("Entry") }, [
      "request_malformed",
      "body_invalid",
      "entry_limit",
      "not_found",
      "idempotency_conflict",
      "payload_too_large",
      "unsupported_media_type",
      "not_applied",
    ]),
  };
  // A click needs no words.
  const preValidation = async (request: { body?: unknown }) => {
    request.body ??= {};
  };
  api.post("/v1/tenants/:tenant/requests/:request/approve", { schema, preValidation }, async (request, reply) => {
    const tenant = request.params.tenant as TenantId;
    const plan = (author: Author) => requests.planApprove(tenant, request.params.request, request.body, author);
    return await executeWrite(dependencies, request, reply, plan, (entry) => ({
      status: 201,
      location: `/v1/tenants/${tenant}/allowlist/${entry.id}`,
      body: entry,
    }));
  });
}

function dismissRoute(api: Api, { dependencies }: Services): void {
  const { requests } = dependencies.whitelist;
  const schema = {
    operationId: "dismissRequest",
    summary: "Turn a request down; asking again from that network tells nobody",
    tags,
    headers: WriteHeaders,
    params: RequestParams,
    querystring: writeQuery({}),
    response: responses({ 204: NoContent }, ["request_malformed", "not_found", "idempotency_conflict", "not_applied"]),
  };
  api.post("/v1/tenants/:tenant/requests/:request/dismiss", { schema }, async (request, reply) => {
    const { tenant, request: id } = request.params;
    const plan = (author: Author) => requests.planDismiss(tenant as TenantId, id, author);
    return await executeWrite(dependencies, request, reply, plan, () => ({ status: 204 }));
  });
}
