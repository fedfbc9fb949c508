/** `/v1/tenants/{tenant}/requests`: who asks to be let in, and what an owner or the portal backend decides. */
import type { Author } from "../core/audit.ts";
import type { Expectation } from "../core/change.ts";
import type { TenantId } from "../core/ids.ts";
import { ApprovalSchema } from "../schema/access-request.ts";
import {
  type Api,
  BODY_REFUSALS,
  ChangeHeaders,
  created,
  IdParam,
  NoContent,
  responses,
  type Services,
  tenantParams,
  WRITE_REFUSALS,
  writeQuery,
} from "./routes.ts";
import { tenantListRoute } from "./tenant-list.ts";
import { executeWrite } from "./writes.ts";

const tags = ["requests"];
const RequestParams = tenantParams({ request: IdParam("The request's id.") });

export function requestRoutes(api: Api, services: Services): void {
  const { requests } = services.dependencies.whitelist;
  tenantListRoute(api, services, {
    path: "requests",
    operationId: "listRequests",
    summary: "List access requests, one for each network that asked within the last fourteen days",
    tags,
    item: "AccessRequest",
    read: (tenant, limit, after) => requests.list(tenant, limit, after),
    toWire: ({ request, revision }) => ({ ...request, revision }),
    position: ({ request }) => request.id,
  });
  approveRoute(api, services);
  dismissRoute(api, services);
}

function approveRoute(api: Api, { dependencies }: Services): void {
  const { requests } = dependencies.whitelist;
  const schema = {
    operationId: "approveRequest",
    summary: "Admit the network that asked",
    tags,
    headers: ChangeHeaders,
    params: RequestParams,
    querystring: writeQuery({}),
    body: { ...ApprovalSchema, examples: [{ label: "Anna, at home" }] } as typeof ApprovalSchema,
    response: responses({ 201: created("Entry") }, [
      ...BODY_REFUSALS,
      "entry_limit",
      "not_found",
      "precondition_failed",
      ...WRITE_REFUSALS,
    ]),
  };
  // A click needs no words.
  const preValidation = async (request: { body?: unknown }) => {
    request.body ??= {};
  };
  api.post("/v1/tenants/:tenant/requests/:request/approve", { schema, preValidation }, async (request, reply) => {
    const tenant = request.params.tenant as TenantId;
    const plan = (author: Author, expected: Expectation) =>
      requests.planApprove(tenant, request.params.request, request.body, author, expected);
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
    headers: ChangeHeaders,
    params: RequestParams,
    querystring: writeQuery({}),
    response: responses({ 204: NoContent }, ["not_found", "precondition_failed", ...WRITE_REFUSALS]),
  };
  api.post("/v1/tenants/:tenant/requests/:request/dismiss", { schema }, async (request, reply) => {
    const { tenant, request: id } = request.params;
    const plan = (author: Author, expected: Expectation) =>
      requests.planDismiss(tenant as TenantId, id, author, expected);
    return await executeWrite(dependencies, request, reply, plan, () => ({ status: 204 }));
  });
}
