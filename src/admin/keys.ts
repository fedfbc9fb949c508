/** `/v1/keys`: the API's own keys. */
import Type from "typebox";
import type { Author } from "../core/audit.ts";
import type { Expectation } from "../core/change.ts";
import { SallyportError } from "../core/errors.ts";
import type { TenantId } from "../core/ids.ts";
import { type KeyInput, type Principal, withoutHash } from "../core/keys.ts";
import { noSuchTenant } from "../core/tenant-lookup.ts";
import { KeyInputSchema, keyToWire } from "../schema/key.ts";
import { closed } from "../schema/parts.ts";
import { principalOf } from "./authentication.ts";
import { sendFresh } from "./conditional.ts";
import { pageOf } from "./cursor.ts";
import {
  type Api,
  BODY_REFUSALS,
  ChangeHeaders,
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
  WRITE_REFUSALS,
  WriteHeaders,
  writeQuery,
} from "./routes.ts";
import { executeWrite } from "./writes.ts";

const tags = ["keys"];
const config = { scope: "all" } as const;
const KeyParams = Type.Object({ key: IdParam("The key's id.") }, closed);

export function keyRoutes(api: Api, services: Services): void {
  createRoute(api, services);
  listRoute(api, services);
  readRoute(api, services);
  revokeRoute(api, services);
}

function createRoute(api: Api, { dependencies, keys }: Services): void {
  const schema = {
    operationId: "createKey",
    summary: "Make a key; its token is shown this once",
    description: "A key that ends makes none that lasts longer, and by default one that ends with it.",
    tags,
    headers: WriteHeaders,
    querystring: writeQuery({}),
    body: {
      ...KeyInputSchema,
      examples: [{ label: "portal backend", access: "write", tenant: "happy-feet" }],
    } as typeof KeyInputSchema,
    response: responses({ 201: created("NewKey") }, [...BODY_REFUSALS, "not_found", ...WRITE_REFUSALS]),
  };
  api.post("/v1/keys", { schema, config }, async (request, reply) => {
    const input = request.body as KeyInput;
    const principal = principalOf(request);
    refuseWiderScope(input, principal);
    const plan = (author: Author) => keys.planCreate(input, author, principal);
    return await executeWrite(dependencies, request, reply, plan, ({ key, token }) => ({
      status: 201,
      location: `/v1/keys/${key.id}`,
      body: { ...withoutHash(key), token },
    }));
  });
}

/** A key of one tenant makes keys of that tenant alone, and of another tenant it cannot even say that it exists. */
function refuseWiderScope(input: KeyInput, { tenant }: Principal): void {
  if (tenant === undefined || input.tenant === tenant) return;
  if (input.tenant === undefined)
    throw new SallyportError("forbidden", `this key can only make keys of the tenant "${tenant}"`);
  throw noSuchTenant();
}

function listRoute(api: Api, { keys, cursors }: Services): void {
  const schema = {
    operationId: "listKeys",
    summary: "List keys, without their tokens",
    tags,
    querystring: pageQuery({}),
    response: responses({ 200: pageSchema("Key") }, ["body_invalid", "cursor_invalid"]),
  };
  api.get("/v1/keys", { schema, config }, async (request) => {
    const { limit = DEFAULT_LIMIT, cursor } = request.query;
    const { tenant } = principalOf(request);
    const list = `keys/${tenant ?? ""}`;
    const after = cursors.read(list, cursor);
    return await pageOf(
      limit,
      (count) => keys.list(count, after, tenant),
      keyToWire,
      ({ key }) => cursors.make(list, key.id),
    );
  });
}

function readRoute(api: Api, { keys }: Services): void {
  const schema = {
    operationId: "readKey",
    summary: "Read a key, without its token",
    tags,
    headers: ReadHeaders,
    params: KeyParams,
    response: responses({ 200: found("Key"), 304: NotModified }, ["not_found", "request_malformed"]),
  };
  api.get("/v1/keys/:key", { schema, config }, async (request, reply) => {
    return sendFresh(request, reply, keyToWire(await keys.read(request.params.key, principalOf(request).tenant)));
  });
}

function revokeRoute(api: Api, { dependencies, keys }: Services): void {
  const schema = {
    operationId: "revokeKey",
    summary: "Revoke a key, everywhere at once",
    tags,
    headers: ChangeHeaders,
    params: KeyParams,
    querystring: writeQuery({}),
    response: responses({ 204: NoContent }, ["not_found", "precondition_failed", ...WRITE_REFUSALS]),
  };
  api.delete("/v1/keys/:key", { schema, config }, async (request, reply) => {
    const scope: TenantId | undefined = principalOf(request).tenant;
    const plan = (author: Author, expected: Expectation) =>
      keys.planRevoke(request.params.key, scope, author, expected);
    return await executeWrite(dependencies, request, reply, plan, () => ({ status: 204 }));
  });
}
