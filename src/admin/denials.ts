/** `/v1/tenants/{tenant}/denials`: requests that were turned away within the last seven days. */
import Type from "typebox";
import { SallyportError } from "../core/errors.ts";
import type { TenantId } from "../core/ids.ts";
import { type Denial, findDenial, listDenials } from "../observe/denials.ts";
import { pageOf } from "./cursor.ts";
import {
  type Api,
  DEFAULT_LIMIT,
  found,
  IdParam,
  pageQuery,
  pageSchema,
  responses,
  type Services,
  TenantParams,
} from "./routes.ts";

const tags = ["activity"];
const DenialParams = Type.Object(
  { tenant: IdParam("The tenant's id."), reference: IdParam("What the page showed.") },
  { additionalProperties: false },
);

export function denialRoutes(api: Api, services: Services): void {
  listRoute(api, services);
  readRoute(api, services);
}

function listRoute(api: Api, { dependencies: { store }, tenants, cursors }: Services): void {
  const schema = {
    operationId: "listDenials",
    summary: "List requests that were turned away, the newest first",
    tags,
    params: TenantParams,
    querystring: pageQuery({}),
    response: responses({ 200: pageSchema("Denial") }, ["not_found", "body_invalid", "cursor_invalid"]),
  };
  api.get("/v1/tenants/:tenant/denials", { schema }, async (request) => {
    const tenant = request.params.tenant as TenantId;
    const { limit = DEFAULT_LIMIT, cursor } = request.query;
    const list = `denials/${tenant}`;
    const after = cursors.read(list, cursor);
    await tenants.read(tenant);
    return await pageOf(
      limit,
      (count) => listDenials(store, tenant, count, after),
      ({ denial }) => toWire(denial),
      ({ position }) => cursors.make(list, position),
    );
  });
}

function readRoute(api: Api, { dependencies: { store } }: Services): void {
  const schema = {
    operationId: "readDenial",
    summary: "Look up the reference that a page showed",
    tags,
    params: DenialParams,
    response: responses({ 200: found("Denial") }, ["not_found"]),
  };
  api.get("/v1/tenants/:tenant/denials/:reference", { schema }, async (request) => {
    const { tenant, reference } = request.params;
    const denial = await findDenial(store, tenant as TenantId, reference);
    if (denial === undefined) throw new SallyportError("not_found", "there is no such denial, or it is too long ago");
    return toWire(denial);
  });
}

function toWire({ at, tenant: _, ...denial }: Denial) {
  return { ...denial, at: new Date(at).toISOString() };
}
