/** `/v1/tenants/{tenant}/report/…`: who was blocked, who would have been, and how many came. */
import Type from "typebox";
import type { TenantId } from "../core/ids.ts";
import { type BlockedPlace, readActivity, readBlockedPlaces } from "../observe/activity.ts";
import { closed } from "../schema/parts.ts";
import { type Api, found, responses, type Services, TenantParams } from "./routes.ts";

const tags = ["activity"];
const MOST_PLACES = 1000;

const days = (most: number) =>
  Type.Optional(
    Type.Integer({
      description: `How many days, today included; default 7, at most ${most}.`,
      minimum: 1,
      maximum: most,
      errorMessage: `must be a whole number from 1 to ${most}`,
    }),
  );

export function reportRoutes(api: Api, services: Services): void {
  const observed = "Who would have been blocked while the tenant observes, by place";
  placesRoute(api, services, "observed", "reportObserved", observed);
  placesRoute(api, services, "blocked", "reportBlocked", "Who was blocked, by place");
  activityRoute(api, services);
}

function placesRoute(
  api: Api,
  { dependencies: { store, clock }, tenants }: Services,
  by: "observed" | "blocked",
  operationId: string,
  summary: string,
): void {
  const schema = {
    operationId,
    summary,
    tags,
    params: TenantParams,
    querystring: Type.Object({ days: days(7) }, closed),
    response: responses({ 200: found("PlacesReport") }, ["not_found", "body_invalid"]),
  };
  api.get(`/v1/tenants/:tenant/report/${by}`, { schema }, async (request) => {
    const tenant = (request.params as { tenant: string }).tenant as TenantId;
    const { days: count = 7 } = request.query as { days?: number };
    await tenants.read(tenant);
    const places = await readBlockedPlaces(store, tenant, by, count, clock.nowMs());
    const items = places.slice(0, MOST_PLACES).map((place) => toWire(place, by));
    return { days: count, items, total: places.length };
  });
}

function toWire(place: BlockedPlace, by: "observed" | "blocked") {
  const { cidr, address, firstAtMs, lastAtMs, lastReference, lastPath } = place;
  const [firstAt, lastAt] = [new Date(firstAtMs).toISOString(), new Date(lastAtMs).toISOString()];
  return { cidr, address, count: place[by], firstAt, lastAt, lastReference, lastPath };
}

function activityRoute(api: Api, { dependencies: { store, clock }, tenants }: Services): void {
  const schema = {
    operationId: "reportActivity",
    summary: "How many requests were admitted and blocked, by day",
    tags,
    params: TenantParams,
    querystring: Type.Object({ days: days(30) }, closed),
    response: responses({ 200: found("ActivityReport") }, ["not_found", "body_invalid"]),
  };
  api.get("/v1/tenants/:tenant/report/activity", { schema }, async (request) => {
    const tenant = request.params.tenant as TenantId;
    await tenants.read(tenant);
    return { items: await readActivity(store, tenant, request.query.days ?? 7, clock.nowMs()) };
  });
}
