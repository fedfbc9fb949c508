/** Finding a tenant in the store, for rules that write something of its. */
import { SallyportError } from "./errors.ts";
import type { TenantId } from "./ids.ts";
import type { Precondition, Store } from "./store.ts";
import { TENANT_KIND, type Tenant } from "./tenant.ts";

/** A tenant, and the precondition that it is there and stays as it is. */
export interface LoadedTenant {
  readonly tenant: Tenant;
  readonly standing: Precondition;
}

export async function findTenant(store: Store, id: TenantId): Promise<LoadedTenant | undefined> {
  const document = await store.get(TENANT_KIND, id);
  if (document === undefined) return undefined;
  return { tenant: document.value as Tenant, standing: { kind: TENANT_KIND, id, revision: document.revision } };
}

/** @throws SallyportError `not_found` */
export async function loadTenant(store: Store, id: TenantId): Promise<LoadedTenant> {
  const found = await findTenant(store, id);
  if (found === undefined) throw noSuchTenant();
  return found;
}

/** The same for a tenant that is not there and for one that the caller may not know of. */
export function noSuchTenant(): SallyportError {
  return new SallyportError("not_found", "there is no such tenant");
}
