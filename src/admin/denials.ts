/** `/v1/tenants/{tenant}/denials`: requests that were turned away within the last seven days. */
import { SallyportError } from "../core/errors.ts";
import type { TenantId } from "../core/ids.ts";
import { type Denial, findDenial, listDenials } from "../observe/denials.ts";
import { type Api, found, IdParam, responses, type Services, tenantParams } from "./routes.ts";
import { tenantListRoute } from "./tenant-list.ts";

const tags = ["activity"];
const DenialParams = tenantParams({ reference: IdParam("What the page showed.") });

export function denialRoutes(api: Api, services: Services): void {
  tenantListRoute(api, services, {
    path: "denials",
    operationId: "listDenials",
    summary: "List requests that were turned away, the newest first",
    tags,
    item: "Denial",
    read: (tenant, limit, after) => listDenials(services.dependencies.store, tenant, limit, after),
    toWire: ({ denial }) => toWire(denial),
    position: (row) => row.position,
  });
  readRoute(api, services);
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
