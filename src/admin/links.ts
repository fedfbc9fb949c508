/** `/v1/tenants/{tenant}/links`: whitelist links, and what they admitted. */
import type { Author } from "../core/audit.ts";
import type { Expectation } from "../core/change.ts";
import type { TenantId } from "../core/ids.ts";
import { LinkInputSchema } from "../schema/link.ts";
import type { LinkRecord, LinkUse } from "../whitelist/link-record.ts";
import { sendFresh } from "./conditional.ts";
import { REMOVAL_REFUSALS, RemovalHeaders, removalOf, removalQuery } from "./removal.ts";
import {
  type Api,
  BODY_REFUSALS,
  created,
  found,
  IdParam,
  NoContent,
  NotModified,
  ReadHeaders,
  responses,
  type Services,
  TenantParams,
  tenantParams,
  WRITE_REFUSALS,
  WriteHeaders,
  writeQuery,
} from "./routes.ts";
import { tenantListRoute } from "./tenant-list.ts";
import { executeWrite } from "./writes.ts";

const tags = ["links"];
const LinkParams = tenantParams({ link: IdParam("The link's id.") });
const UseParams = tenantParams({ link: IdParam("The link's id."), use: IdParam("The use's id.") });

export function linkRoutes(api: Api, services: Services): void {
  const { links } = services.dependencies.whitelist;
  createRoute(api, services);
  tenantListRoute(api, services, {
    path: "links",
    operationId: "listLinks",
    summary: "List links, in the order of their making",
    tags,
    item: "Link",
    read: (tenant, limit, after) => links.list(tenant, limit, after),
    toWire: ({ link, revision }) => ({ ...linkToWire(link), revision }),
    position: ({ link }) => link.id,
  });
  readRoute(api, services);
  deleteRoute(api, services);
  removeUseRoute(api, services);
}

function createRoute(api: Api, { dependencies }: Services): void {
  const { links } = dependencies.whitelist;
  const schema = {
    operationId: "createLink",
    summary: "Make a whitelist link",
    description:
      "Whoever opens its page and clicks once is let in from there. With a recipient the gate sends it by e-mail.",
    tags,
    headers: WriteHeaders,
    params: TenantParams,
    querystring: writeQuery({}),
    body: {
      ...LinkInputSchema,
      examples: [{ label: "Night shift, remote", recipient: "anna@clinic.example", maxUses: 1 }],
    } as typeof LinkInputSchema,
    response: responses({ 201: created("NewLink") }, [
      ...BODY_REFUSALS,
      "address_invalid",
      "email_invalid",
      "not_found",
      ...WRITE_REFUSALS,
    ]),
  };
  api.post("/v1/tenants/:tenant/links", { schema }, async (request, reply) => {
    const tenant = request.params.tenant as TenantId;
    const plan = (author: Author) => links.planCreate(tenant, request.body, author);
    return await executeWrite(dependencies, request, reply, plan, ({ link, url, mailed }) => ({
      status: 201,
      location: `/v1/tenants/${tenant}/links/${link.id}`,
      body: { ...linkToWire(link), url, mailed },
    }));
  });
}

function readRoute(api: Api, { dependencies }: Services): void {
  const { links } = dependencies.whitelist;
  const schema = {
    operationId: "readLink",
    summary: "Read a link, with every use: when, from where, by which browser",
    tags,
    headers: ReadHeaders,
    params: LinkParams,
    response: responses({ 200: found("LinkWithUses"), 304: NotModified }, ["not_found", "request_malformed"]),
  };
  api.get("/v1/tenants/:tenant/links/:link", { schema }, async (request, reply) => {
    const { tenant, link: id } = request.params;
    const { link, uses, revision } = await links.read(tenant as TenantId, id);
    const body = { ...linkToWire(link), uses: uses.map(useToWire), revision };
    return sendFresh(request, reply, body);
  });
}

function deleteRoute(api: Api, { dependencies }: Services): void {
  const { links, removals } = dependencies.whitelist;
  const schema = {
    operationId: "deleteLink",
    summary: "Revoke a link and remove every entry that it admitted",
    tags,
    headers: RemovalHeaders,
    params: LinkParams,
    querystring: writeQuery(removalQuery),
    response: responses({ 204: NoContent }, [...REMOVAL_REFUSALS, "not_found", ...WRITE_REFUSALS]),
  };
  api.delete("/v1/tenants/:tenant/links/:link", { schema }, async (request, reply) => {
    const tenant = request.params.tenant as TenantId;
    const removal = removalOf(request);
    const plan = async (author: Author, expected: Expectation) => {
      const planned = await links.planDelete(tenant, request.params.link, author, expected);
      return await removals.guarded(tenant, planned, removal);
    };
    return await executeWrite(dependencies, request, reply, plan, () => ({ status: 204 }));
  });
}

function removeUseRoute(api: Api, { dependencies }: Services): void {
  const { links, removals } = dependencies.whitelist;
  const schema = {
    operationId: "removeLinkUse",
    summary: '"Not us": remove what one use admitted; the link admits that network no more',
    tags,
    headers: RemovalHeaders,
    params: UseParams,
    querystring: writeQuery({ confirm: removalQuery.confirm }),
    response: responses({ 204: NoContent }, [
      "address_invalid",
      "confirmation_required",
      "precondition_failed",
      "not_found",
      ...WRITE_REFUSALS,
    ]),
  };
  api.delete("/v1/tenants/:tenant/links/:link/uses/:use", { schema }, async (request, reply) => {
    const { link, use } = request.params;
    const tenant = request.params.tenant as TenantId;
    // A stranger is put out whatever that costs: the guard against lock-out does not ask.
    const removal = { ...removalOf(request), force: true };
    const plan = async (author: Author, expected: Expectation) => {
      const planned = await links.planRemoveUse(tenant, link, use, author, expected);
      return await removals.guarded(tenant, planned, removal);
    };
    return await executeWrite(dependencies, request, reply, plan, () => ({ status: 204 }));
  });
}

function linkToWire({ uses, keptUntil: _, ...link }: LinkRecord) {
  return { ...link, useCount: uses };
}

function useToWire({ entryUntil: _, notUs: __, ...use }: LinkUse) {
  return use;
}
