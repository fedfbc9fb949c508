/** `/v1/tenants`: creating, listing, reading, changing and deleting tenants. */

import Type from "typebox";
import type { Expectation } from "../core/change.ts";
import { SallyportError } from "../core/errors.ts";
import type { TenantId } from "../core/ids.ts";
import type { Principal } from "../core/keys.ts";
import type { Tenant } from "../core/tenant.ts";
import type { TenantFields } from "../core/tenants.ts";
import { parseTenantInput, TenantDeclarationSchema, tenantToDeclaration, tenantToWire } from "../schema/tenant.ts";
import { principalOf } from "./authentication.ts";
import { sendFresh } from "./conditional.ts";
import { pageOf } from "./cursor.ts";
import { mergePatch } from "./merge-patch.ts";
import {
  type Api,
  BODY_REFUSALS,
  ChangeHeaders,
  changed,
  created,
  DEFAULT_LIMIT,
  force,
  found,
  NoContent,
  NotModified,
  pageQuery,
  pageSchema,
  ReadHeaders,
  responses,
  type Services,
  TenantParams,
  WRITE_REFUSALS,
  WriteHeaders,
  writeQuery,
} from "./routes.ts";
import { executeWrite } from "./writes.ts";

const tags = ["tenants"];
const TENANT_LIST = "tenants";

const example = {
  id: "happy-feet",
  name: "Happy Feet Podiatry",
  hosts: ["happyfeet.example"],
  upstreams: ["http://10.0.0.5:9000"],
  policy: { network: "enforce", secondFactor: "required" },
};

/** Any subset of the writable fields; of the merged whole, what is new is then checked like a new tenant. */
const TenantPatchSchema = Type.Record(Type.String(), Type.Unknown(), {
  description:
    "A merge patch (RFC 7396) of name, hosts, upstreams, policy, branding, altHosts, limits and mail; null gives a field its default.",
  examples: [{ policy: { network: "observe", session: { idle: "30m" } } }],
  errorMessage: "must be an object",
});

export function tenantRoutes(api: Api, services: Services): void {
  createRoute(api, services);
  listRoute(api, services);
  readRoute(api, services);
  changeRoute(api, services);
  deleteRoute(api, services);
}

function createRoute(api: Api, { dependencies, tenants }: Services): void {
  const schema = {
    operationId: "createTenant",
    summary: "Create a tenant",
    tags,
    headers: WriteHeaders,
    querystring: writeQuery({}),
    body: { ...TenantDeclarationSchema, examples: [example] } as typeof TenantDeclarationSchema,
    response: responses({ 201: created("Tenant") }, [
      ...BODY_REFUSALS,
      "tenant_exists",
      "host_taken",
      ...WRITE_REFUSALS,
    ]),
  };
  api.post("/v1/tenants", { schema }, async (request, reply) => {
    const fields = parseTenantInput(request.body);
    return await executeWrite(
      dependencies,
      request,
      reply,
      (author) => tenants.planCreate(fields, author),
      (tenant) => ({
        status: 201,
        location: `/v1/tenants/${tenant.id}`,
        body: withoutRevision(tenant),
      }),
    );
  });
}

function listRoute(api: Api, { tenants, cursors }: Services): void {
  const schema = {
    operationId: "listTenants",
    summary: "List tenants, by id",
    tags,
    querystring: pageQuery({}),
    response: responses({ 200: pageSchema("Tenant") }, ["body_invalid", "cursor_invalid"]),
  };
  api.get("/v1/tenants", { schema, config: { scope: "all" } }, async (request) => {
    const { limit = DEFAULT_LIMIT, cursor } = request.query;
    const after = cursors.read(TENANT_LIST, cursor);
    const { tenant: only } = principalOf(request);
    const read = async (count: number) =>
      only === undefined ? await tenants.list(count, after) : [await tenants.read(only)];
    return await pageOf(
      limit,
      read,
      (view) => tenantToWire(view.tenant, view.revision),
      (view) => cursors.make(TENANT_LIST, view.tenant.id),
    );
  });
}

function readRoute(api: Api, { tenants }: Services): void {
  const schema = {
    operationId: "readTenant",
    summary: "Read a tenant",
    tags,
    headers: ReadHeaders,
    params: TenantParams,
    response: responses({ 200: found("Tenant"), 304: NotModified }, ["not_found", "request_malformed"]),
  };
  api.get("/v1/tenants/:tenant", { schema }, async (request, reply) => {
    const view = await tenants.read(request.params.tenant as TenantId);
    return sendFresh(request, reply, tenantToWire(view.tenant, view.revision));
  });
}

function changeRoute(api: Api, { dependencies, tenants }: Services): void {
  const schema = {
    operationId: "changeTenant",
    summary: "Change a tenant",
    tags,
    headers: ChangeHeaders,
    params: TenantParams,
    querystring: writeQuery({ force }),
    body: TenantPatchSchema,
    response: responses({ 200: changed("Tenant") }, [
      ...BODY_REFUSALS,
      "not_found",
      "host_taken",
      "read_only",
      "lockout_refused",
      "precondition_failed",
      ...WRITE_REFUSALS,
    ]),
  };
  api.patch("/v1/tenants/:tenant", { schema }, async (request, reply) => {
    const id = request.params.tenant as TenantId;
    const principal = principalOf(request);
    const change = (present: Tenant) => refuseInfrastructure(present, applyPatch(present, request.body), principal);
    return await executeWrite(
      dependencies,
      request,
      reply,
      async (author, expected) => {
        const plan = await tenants.planChange(id, change, author, expected);
        if (request.query.force === true) return plan;
        return await dependencies.whitelist.lockout.guard(id, { tenant: plan.result }, plan);
      },
      (tenant) => ({
        status: 200,
        body: withoutRevision(tenant),
      }),
    );
  });
}

function deleteRoute(api: Api, { dependencies, tenants }: Services): void {
  const schema = {
    operationId: "deleteTenant",
    summary: "Delete a tenant and all that it owns",
    tags,
    headers: ChangeHeaders,
    params: TenantParams,
    querystring: writeQuery({}),
    response: responses({ 204: NoContent }, ["not_found", "read_only", "precondition_failed", ...WRITE_REFUSALS]),
  };
  api.delete("/v1/tenants/:tenant", { schema }, async (request, reply) => {
    const id = request.params.tenant as TenantId;
    if (principalOf(request).tenant !== undefined)
      throw new SallyportError("forbidden", "deleting a tenant needs a key for every tenant");
    const plan = (author: Parameters<typeof tenants.planDelete>[1], expected: Expectation) =>
      tenants.planDelete(id, author, expected);
    await executeWrite(dependencies, request, reply, plan, () => ({ status: 204 }));
    // The gate has stopped and the deletion is committed; what is left goes now, or after the next start.
    tenants
      .purge(id)
      .catch((error: unknown) =>
        dependencies.log.warn({ err: error, tenant: id }, "a deleted tenant's documents are still there"),
      );
    return reply;
  });
}

/** @throws SallyportError `body_invalid` */
function applyPatch(present: Tenant, patch: Record<string, unknown>): TenantFields {
  if ("id" in patch && patch["id"] !== present.id) {
    const issues = [{ at: "/id", message: "never changes" }];
    throw new SallyportError("body_invalid", "a tenant's id never changes", { issues });
  }
  return parseTenantInput(mergePatch(tenantToDeclaration(present), patch), present);
}

/** Hosts and upstreams are the operator's: a key of one tenant could claim other names, or point the gate at other servers. */
function refuseInfrastructure(present: Tenant, wanted: TenantFields, { tenant }: Principal): TenantFields {
  const same = (["hosts", "upstreams"] as const).every((field) => present[field].join() === wanted[field].join());
  if (tenant === undefined || same) return wanted;
  throw new SallyportError("forbidden", "changing hosts or upstreams needs a key for every tenant");
}

function withoutRevision(tenant: Tenant) {
  const { revision: _, ...wire } = tenantToWire(tenant, 0);
  return wire;
}
