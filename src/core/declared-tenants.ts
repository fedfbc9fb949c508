/** The tenants of the configuration file: brings the store into line with them, in one commit. */
import type { AuditInput, Author, ChangeCommitter, Plan } from "./audit.ts";
import { carryOut } from "./change.ts";
import { at } from "./entries.ts";
import type { CanonicalHost } from "./ids.ts";
import { readAll } from "./read-all.ts";
import type { Precondition, Store, StoredDocument, Write } from "./store.ts";
import { HOST_KIND, TENANT_KIND, type Tenant } from "./tenant.ts";
import { brief, farewell, hostTaken, REMAINS_KIND, released, type TenantFields } from "./tenants.ts";

const PAGE = 1000;
const AUTHOR: Author = { actor: { kind: "system", id: "config" } };

/**
 * Creates and changes what is declared, takes over a tenant of the same id that the API made, and stops at
 * once one that is no longer declared. What that one owns (entries, people) is kept until its id is declared
 * again, or given to another by the API. Every node must be given the same declarations.
 * @throws SallyportError `host_taken` when a tenant of the API has a declared host; nothing is changed then
 */
export async function syncDeclaredTenants(
  store: Store,
  committer: ChangeCommitter,
  declared: readonly TenantFields[],
): Promise<void> {
  const wanted = declared.map((fields): Tenant => ({ ...fields, declared: true }));
  const plan = () => planSync(store, wanted);
  if ((await plan()).change.writes.length > 0) await carryOut(committer, plan);
}

async function planSync(store: Store, wanted: readonly Tenant[]): Promise<Plan<undefined>> {
  const present = await allTenants(store);
  const ids = new Set<string>(wanted.map(({ id }) => id));
  const leaving = [...present.values()].filter(({ id, value }) => (value as Tenant).declared && !ids.has(id));
  const changed = wanted.filter((tenant) => !sameJson(present.get(tenant.id)?.value, tenant));
  const movable = new Set<string>([...ids, ...leaving.map(({ id }) => id)]);
  const hosts = await claimHosts(
    store,
    changed.flatMap((tenant) => tenant.hosts),
    movable,
  );
  const was = (tenant: Tenant) => present.get(tenant.id)?.value as Tenant | undefined;
  // A host may pass from one declared tenant to another: taken away first, given last, and the last write counts.
  const writes = [
    ...leaving.flatMap(({ value }) => farewell(value as Tenant, true)),
    ...changed.flatMap((tenant) => was(tenant)?.hosts.map(released) ?? []),
    ...changed.flatMap(welcome),
  ];
  const stand = changed.map(({ id }) => ({ kind: TENANT_KIND, id, revision: present.get(id)?.revision ?? 0 }));
  return {
    result: undefined,
    change: {
      writes: [...new Map(writes.map((write) => [`${write.kind} ${write.id}`, write])).values()],
      preconditions: [...leaving.map(at), ...stand, ...hosts],
      audit: [
        ...leaving.map(({ value }) => undeclared(value as Tenant)),
        ...changed.map((tenant) => declaredRecord(was(tenant), tenant)),
      ],
    },
  };
}

async function allTenants(store: Store): Promise<Map<string, StoredDocument>> {
  const present = new Map<string, StoredDocument>();
  for await (const document of readAll(store, { kind: TENANT_KIND })) present.set(document.id, document);
  return present;
}

/** @param movable the tenants whose hosts this very commit may give away */
async function claimHosts(
  store: Store,
  hosts: readonly CanonicalHost[],
  movable: ReadonlySet<string>,
): Promise<Precondition[]> {
  const preconditions: Precondition[] = [];
  for (let from = 0; from < hosts.length; from += PAGE) {
    const slice = hosts.slice(from, from + PAGE);
    for (const [index, holder] of (await store.getMany(HOST_KIND, slice)).entries()) {
      const host = slice[index] ?? "";
      const tenant = (holder?.value as { tenant: string } | undefined)?.tenant;
      if (tenant !== undefined && !movable.has(tenant)) throw hostTaken(host, from + index);
      preconditions.push({ kind: HOST_KIND, id: host, revision: holder?.revision ?? 0 });
    }
  }
  return preconditions;
}

function welcome(tenant: Tenant): Write[] {
  return [
    { kind: TENANT_KIND, id: tenant.id, value: tenant },
    { kind: REMAINS_KIND, id: tenant.id, value: null, quiet: true },
    ...tenant.hosts.map((host) => ({ kind: HOST_KIND, id: host, value: { tenant: tenant.id } })),
  ];
}

function undeclared(tenant: Tenant): AuditInput {
  return { action: "tenant.undeclared", tenant: tenant.id, ...AUTHOR, target: tenant.id, before: brief(tenant) };
}

function declaredRecord(before: Tenant | undefined, tenant: Tenant): AuditInput {
  const record = { action: "tenant.declared", tenant: tenant.id, ...AUTHOR, target: tenant.id, after: brief(tenant) };
  return before === undefined ? record : { ...record, before: brief(before) };
}

/** Whether two JSON values are the same, whatever the order of their keys. */
function sameJson(a: unknown, b: unknown): boolean {
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return a === b;
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...keys].every((key) => sameJson((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key]));
}
