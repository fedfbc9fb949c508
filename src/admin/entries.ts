/** `/v1/tenants/{tenant}/allowlist`: single entries. */
import Type from "typebox";
import type { Author } from "../core/audit.ts";
import type { Expectation } from "../core/change.ts";
import type { Origin } from "../core/entries.ts";
import { unlessMissing } from "../core/errors.ts";
import type { TenantId } from "../core/ids.ts";
import { EntryChangeSchema, EntryInputSchema, entryToWire, readEntryBody } from "../schema/entry.ts";
import { entityTag, sendFresh } from "./conditional.ts";
import { pageOf } from "./cursor.ts";
import { nameToWire } from "./names.ts";
import { REMOVAL_REFUSALS, RemovalHeaders, removalOf, removalQuery } from "./removal.ts";
import {
  type Api,
  BODY_REFUSALS,
  ChangeHeaders,
  changed,
  created,
  DEFAULT_LIMIT,
  found,
  IdParam,
  NoContent,
  NotModified,
  pageQuery,
  pageSchema,
  ReadHeaders,
  responses,
  type Services,
  TenantParams,
  tenantParams,
  WRITE_REFUSALS,
  writeQuery,
} from "./routes.ts";
import { executeWrite } from "./writes.ts";

const tags = ["allowlist"];
const EntryParams = tenantParams({ entry: IdParam("The entry's id.") });

/** Entries that the API makes are static and belong to the key that made them. */
export function originOf({ actor }: Author): Origin {
  return { kind: "static", createdBy: `${actor.kind}:${actor.id}` };
}

export function entryRoutes(api: Api, services: Services): void {
  createRoute(api, services);
  listRoute(api, services);
  readRoute(api, services);
  changeRoute(api, services);
  deleteRoute(api, services);
}

/** An address, or a name that stands for several. */
function entryOrName({
  description,
  headers,
}: Pick<ReturnType<typeof created | typeof found>, "description" | "headers">) {
  return { ...Type.Union([Type.Ref("Entry"), Type.Ref("Name")]), description, headers };
}

function createRoute(api: Api, { dependencies, entries, allowlists }: Services): void {
  const { names } = dependencies.whitelist;
  const schema = {
    operationId: "createEntry",
    summary: "Add an address, a prefix or a DNS name",
    description: "If-Match takes the tag of the list as a whole.",
    tags,
    headers: ChangeHeaders,
    params: TenantParams,
    querystring: writeQuery({}),
    body: {
      ...EntryInputSchema,
      examples: [{ cidr: "203.0.113.7", label: "Reception", ttlSeconds: 86_400 }],
    } as typeof EntryInputSchema,
    response: responses({ 201: entryOrName(created("Entry")) }, [
      ...BODY_REFUSALS,
      "address_invalid",
      "broad_prefix",
      "entry_limit",
      "not_found",
      "precondition_failed",
      ...WRITE_REFUSALS,
    ]),
  };
  api.post("/v1/tenants/:tenant/allowlist", { schema }, async (request, reply) => {
    const tenant = request.params.tenant as TenantId;
    const input = readEntryBody(request.body);
    if ("hostname" in input)
      return await executeWrite(
        dependencies,
        request,
        reply,
        async (author, expected) =>
          await allowlists.onList(tenant, await names.planCreate(tenant, input, author), expected),
        (name) => ({
          status: 201,
          location: `/v1/tenants/${tenant}/allowlist/${name.id}`,
          body: nameToWire(name),
        }),
      );
    const plan = async (author: Author, expected: Expectation) =>
      await allowlists.onList(tenant, await entries.planCreate(tenant, input, originOf(author), author), expected);
    return await executeWrite(dependencies, request, reply, plan, (entry) => ({
      status: 201,
      location: `/v1/tenants/${tenant}/allowlist/${entry.id}`,
      body: entry,
    }));
  });
}

function listRoute(api: Api, { tenants, entries, allowlists, cursors }: Services): void {
  const schema = {
    operationId: "listEntries",
    summary: "List entries, in the order of their creation",
    description: "The entity tag is that of the list as a whole, for If-Match of whatever adds to it or replaces it.",
    tags,
    params: TenantParams,
    querystring: pageQuery({}),
    response: responses({ 200: pageSchema("Entry") }, ["not_found", "body_invalid", "cursor_invalid"]),
  };
  api.get("/v1/tenants/:tenant/allowlist", { schema }, async (request, reply) => {
    const tenant = request.params.tenant as TenantId;
    const { limit = DEFAULT_LIMIT, cursor } = request.query;
    const list = `allowlist/${tenant}`;
    const after = cursors.read(list, cursor);
    await tenants.read(tenant);
    void reply.header("etag", entityTag(await allowlists.revision(tenant)));
    return await pageOf(
      limit,
      (count) => entries.list(tenant, count, after),
      entryToWire,
      ({ entry }) => cursors.make(list, entry.id),
    );
  });
}

function readRoute(api: Api, { dependencies, entries }: Services): void {
  const { names } = dependencies.whitelist;
  const schema = {
    operationId: "readEntry",
    summary: "Read an entry",
    tags,
    headers: ReadHeaders,
    params: EntryParams,
    response: responses({ 200: entryOrName(found("Entry")), 304: NotModified }, ["not_found", "request_malformed"]),
  };
  api.get("/v1/tenants/:tenant/allowlist/:entry", { schema }, async (request, reply) => {
    const { tenant, entry } = request.params;
    const id = tenant as TenantId;
    const view = await unlessMissing(entries.read(id, entry));
    if (view !== undefined) return sendFresh(request, reply, entryToWire(view));
    const { name, revision } = await names.read(id, entry);
    const body = { ...nameToWire(name), revision };
    return sendFresh(request, reply, body);
  });
}

function changeRoute(api: Api, { dependencies }: Services): void {
  const { removals } = dependencies.whitelist;
  const schema = {
    operationId: "changeEntry",
    summary: "Rename an entry, or change when it expires",
    description: "An end brought forward to within a day is treated as a removal.",
    tags,
    headers: RemovalHeaders,
    params: EntryParams,
    querystring: writeQuery(removalQuery),
    body: {
      ...EntryChangeSchema,
      examples: [{ label: "Reception, new building", expiresAt: null }],
    } as typeof EntryChangeSchema,
    response: responses({ 200: changed("Entry") }, [
      ...BODY_REFUSALS,
      ...REMOVAL_REFUSALS,
      "not_found",
      ...WRITE_REFUSALS,
    ]),
  };
  api.patch("/v1/tenants/:tenant/allowlist/:entry", { schema }, async (request, reply) => {
    const tenant = request.params.tenant as TenantId;
    const removal = removalOf(request);
    const plan = async (author: Author, expected: Expectation) => {
      const planned = await removals.planChange(tenant, request.params.entry, request.body, author, expected);
      return await removals.guarded(tenant, planned, removal);
    };
    return await executeWrite(dependencies, request, reply, plan, (after) => ({ status: 200, body: after }));
  });
}

function deleteRoute(api: Api, { dependencies }: Services): void {
  const { removals } = dependencies.whitelist;
  const schema = {
    operationId: "deleteEntry",
    summary: "Remove an entry or a DNS name",
    description:
      "A name goes with all entries that it brought. An entry of kind dns takes its name along, and so the name's other entries: alone it would come back. One of kind shortcut comes back when its shortcut runs again; delete that to keep it out.",
    tags,
    headers: RemovalHeaders,
    params: EntryParams,
    querystring: writeQuery(removalQuery),
    response: responses({ 204: NoContent }, [...REMOVAL_REFUSALS, "not_found", ...WRITE_REFUSALS]),
  };
  api.delete("/v1/tenants/:tenant/allowlist/:entry", { schema }, async (request, reply) => {
    const { tenant, entry } = request.params;
    const removal = removalOf(request);
    const plan = async (author: Author, expected: Expectation) => {
      const planned = await removals.plan(tenant as TenantId, entry, author, expected);
      return await removals.guarded(tenant as TenantId, planned, removal);
    };
    return await executeWrite(dependencies, request, reply, plan, () => ({ status: 204 }));
  });
}
