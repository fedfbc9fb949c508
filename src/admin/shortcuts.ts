/** `/v1/tenants/{tenant}/shortcuts`: shortcuts, whose entry moves with the device. */
import type { Author } from "../core/audit.ts";
import type { Expectation } from "../core/change.ts";
import type { TenantId } from "../core/ids.ts";
import { ShortcutInputSchema } from "../schema/shortcut.ts";
import type { ShortcutRecord } from "../whitelist/shortcut-record.ts";
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

const tags = ["shortcuts"];
const ShortcutParams = tenantParams({ shortcut: IdParam("The shortcut's id.") });

export function shortcutRoutes(api: Api, services: Services): void {
  const { shortcuts } = services.dependencies.whitelist;
  createRoute(api, services);
  tenantListRoute(api, services, {
    path: "shortcuts",
    operationId: "listShortcuts",
    summary: "List shortcuts, in the order of their making",
    tags,
    item: "Shortcut",
    read: (tenant, limit, after) => shortcuts.list(tenant, limit, after),
    toWire: ({ shortcut, revision }) => ({ ...shortcutToWire(shortcut), revision }),
    position: ({ shortcut }) => shortcut.id,
  });
  readRoute(api, services);
  deleteRoute(api, services);
}

function createRoute(api: Api, { dependencies }: Services): void {
  const { shortcuts } = dependencies.whitelist;
  const schema = {
    operationId: "createShortcut",
    summary: "Make a shortcut for one device",
    description: "Its entry moves: the earlier address goes when the new one is added. Unused for long, it ends.",
    tags,
    headers: WriteHeaders,
    params: TenantParams,
    querystring: writeQuery({}),
    body: { ...ShortcutInputSchema, examples: [{ label: "Anna's laptop" }] } as typeof ShortcutInputSchema,
    response: responses({ 201: created("NewShortcut") }, [...BODY_REFUSALS, "not_found", ...WRITE_REFUSALS]),
  };
  api.post("/v1/tenants/:tenant/shortcuts", { schema }, async (request, reply) => {
    const tenant = request.params.tenant as TenantId;
    const plan = (author: Author) => shortcuts.planCreate(tenant, request.body, author);
    return await executeWrite(dependencies, request, reply, plan, ({ shortcut, url }) => ({
      status: 201,
      location: `/v1/tenants/${tenant}/shortcuts/${shortcut.id}`,
      body: { ...shortcutToWire(shortcut), url },
    }));
  });
}

function readRoute(api: Api, { dependencies }: Services): void {
  const { shortcuts } = dependencies.whitelist;
  const schema = {
    operationId: "readShortcut",
    summary: "Read a shortcut: when and from where it ran last",
    tags,
    headers: ReadHeaders,
    params: ShortcutParams,
    response: responses({ 200: found("Shortcut"), 304: NotModified }, ["not_found", "request_malformed"]),
  };
  api.get("/v1/tenants/:tenant/shortcuts/:shortcut", { schema }, async (request, reply) => {
    const { tenant, shortcut: id } = request.params;
    const { shortcut, revision } = await shortcuts.read(tenant as TenantId, id);
    return sendFresh(request, reply, { ...shortcutToWire(shortcut), revision });
  });
}

function deleteRoute(api: Api, { dependencies }: Services): void {
  const { shortcuts, removals } = dependencies.whitelist;
  const schema = {
    operationId: "deleteShortcut",
    summary: "Revoke a shortcut and remove its entry",
    tags,
    headers: RemovalHeaders,
    params: ShortcutParams,
    querystring: writeQuery(removalQuery),
    response: responses({ 204: NoContent }, [...REMOVAL_REFUSALS, "not_found", ...WRITE_REFUSALS]),
  };
  api.delete("/v1/tenants/:tenant/shortcuts/:shortcut", { schema }, async (request, reply) => {
    const tenant = request.params.tenant as TenantId;
    const removal = removalOf(request);
    const plan = async (author: Author, expected: Expectation) => {
      const planned = await shortcuts.planDelete(tenant, request.params.shortcut, author, expected);
      return await removals.guarded(tenant, planned, removal);
    };
    return await executeWrite(dependencies, request, reply, plan, () => ({ status: 204 }));
  });
}

function shortcutToWire({ networks: _, ...shortcut }: ShortcutRecord) {
  return shortcut;
}
