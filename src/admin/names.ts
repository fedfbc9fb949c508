/** `/v1/tenants/{tenant}/names`: DNS names on the allowlist, and how they fare. */
import type { NameRecord } from "../whitelist/name-record.ts";
import type { Api, Services } from "./routes.ts";
import { tenantListRoute } from "./tenant-list.ts";

/** They are made, read and deleted as entries are. */
export function nameRoutes(api: Api, services: Services): void {
  const { names } = services.dependencies.whitelist;
  tenantListRoute(api, services, {
    path: "names",
    operationId: "listNames",
    summary: "List the DNS names on the allowlist, in the order of their making",
    tags: ["allowlist"],
    item: "Name",
    read: (tenant, limit, after) => names.list(tenant, limit, after),
    toWire: ({ name, revision }) => ({ ...nameToWire(name), revision }),
    position: ({ name }) => name.id,
  });
}

export function nameToWire(name: NameRecord) {
  const state = name.failingSince !== undefined ? "failing" : name.resolvedAt === undefined ? "pending" : "good";
  return { ...name, kind: "dns", state };
}
