/** Tenants and entries written straight into a store, and a follower that compiles them. */
import { parseAddress } from "../../src/core/address.ts";
import type { Clock } from "../../src/core/clock.ts";
import { type AllowlistEntry, ENTRY_KIND } from "../../src/core/entry.ts";
import { type CanonicalHost, newEntryId, type TenantId } from "../../src/core/ids.ts";
import type { Store, Write } from "../../src/core/store.ts";
import { DEFAULT_POLICY, TENANT_KIND, type Tenant } from "../../src/core/tenant.ts";
import { Follower } from "../../src/replica/follower.ts";
import { PolicyReplica } from "../../src/replica/policy.ts";
import { SILENT } from "./silent-log.ts";

export const STALE_AFTER_MS = 900_000;

export function tenantWrite(id: string, changes: Partial<Tenant> = {}): Write {
  const value: Tenant = {
    id: id as TenantId,
    name: id,
    hosts: [`${id}.example` as CanonicalHost],
    upstreams: ["http://127.0.0.1:9"],
    policy: { ...DEFAULT_POLICY, secondFactor: "off" },
    branding: {},
    declared: false,
    ...changes,
  };
  return { kind: TENANT_KIND, id, value };
}

export function newEntry(cidr: string, changes: Partial<AllowlistEntry> = {}): AllowlistEntry {
  const createdAt = new Date().toISOString();
  return { id: newEntryId(Date.now()), cidr, label: "", kind: "static", createdBy: "key:test", createdAt, ...changes };
}

export function entryWrite(tenant: string, entry: AllowlistEntry): Write {
  const expiry = entry.expiresAt === undefined ? {} : { expiresAtMs: Date.parse(entry.expiresAt) };
  return { kind: ENTRY_KIND, id: `${tenant}/${entry.id}`, value: entry, ...expiry };
}

export function entryRemoval(tenant: string, entry: AllowlistEntry): Write {
  return { kind: ENTRY_KIND, id: `${tenant}/${entry.id}`, value: null };
}

export function newFollower(store: Store, clock: Clock): { follower: Follower; replica: PolicyReplica } {
  const replica = new PolicyReplica(STALE_AFTER_MS);
  return { follower: new Follower({ store, replica, clock, log: SILENT }), replica };
}

/** Whether the tenant's compiled list admits the address now; `undefined` where there is no such tenant. */
export function admits(
  replica: PolicyReplica,
  tenant: string,
  address: string,
  nowMs = Date.now(),
): boolean | undefined {
  const parsed = parseAddress(address);
  if (parsed === undefined) throw new Error(`not an address: ${address}`);
  const found = replica.tenant(tenant as TenantId)?.matcher.lookup(parsed, Math.floor(nowMs / 1000));
  return found === undefined ? undefined : found >= 0;
}
