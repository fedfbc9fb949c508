/** Tenants: the rules by which they come, change and go by API; `declared-tenants.ts` has those of the configuration. */
import { createHash } from "node:crypto";
import type { Author, Plan } from "./audit.ts";
import { type Expectation, expectRevision } from "./change.ts";
import { ALLOWLIST_KIND, at } from "./entries.ts";
import { ENTRY_KIND, SEEN_KIND } from "./entry.ts";
import { ConflictError, SallyportError } from "./errors.ts";
import type { CanonicalHost, TenantId } from "./ids.ts";
import { type ApiKey, KEY_KIND } from "./keys.ts";
import { readAll } from "./read-all.ts";
import type { Precondition, Store, StoredDocument, Write } from "./store.ts";
import { HOST_KIND, TENANT_KIND, type Tenant } from "./tenant.ts";
import { loadTenant } from "./tenant-lookup.ts";

/** `{tenant}` → 1: the tenant is gone, but documents of it are still there; its id is not given out before they are purged. */
export const REMAINS_KIND = "tenantremains";
const BATCH = 500;

export interface TenantRulesOptions {
  readonly store: Store;
  /** Kinds whose documents belong to a tenant by an id of `{tenant}/…`, besides entries. */
  readonly ownedKinds?: readonly string[];
}

export interface TenantView {
  readonly tenant: Tenant;
  readonly revision: number;
}

export type TenantFields = Omit<Tenant, "declared">;

export class TenantRules {
  readonly #store: Store;
  readonly #ownedKinds: readonly string[];

  constructor({ store, ownedKinds = [] }: TenantRulesOptions) {
    this.#store = store;
    this.#ownedKinds = [ENTRY_KIND, SEEN_KIND, ...ownedKinds];
  }

  /** @throws SallyportError `not_found` */
  async read(id: TenantId): Promise<TenantView> {
    const { tenant, standing } = await loadTenant(this.#store, id);
    return { tenant, revision: standing.revision };
  }

  async list(limit: number, after?: string): Promise<TenantView[]> {
    return (await this.#store.list({ kind: TENANT_KIND, limit, after })).map(toView);
  }

  /** @throws SallyportError `tenant_exists`, `host_taken` */
  async planCreate(fields: TenantFields, author: Author): Promise<Plan<Tenant>> {
    const { id } = fields;
    const [taken, remains] = await Promise.all([this.#store.get(TENANT_KIND, id), this.#store.get(REMAINS_KIND, id)]);
    if (taken !== undefined) throw new SallyportError("tenant_exists", `there is a tenant "${id}" already`);
    if (remains !== undefined) await this.purge(id);
    const tenant: Tenant = { ...fields, declared: false };
    const hosts = await this.#claim(id, fields.hosts);
    return {
      result: tenant,
      change: {
        writes: [{ kind: TENANT_KIND, id, value: tenant }, ...hosts.writes],
        preconditions: [absent(TENANT_KIND, id), absent(REMAINS_KIND, id), ...hosts.preconditions],
        audit: [{ action: "tenant.created", tenant: id, ...author, target: id, after: brief(tenant) }],
      },
    };
  }

  /** @param change gives the whole tenant as it shall be @throws SallyportError `not_found`, `read_only`, `host_taken` */
  async planChange(
    id: TenantId,
    change: (present: Tenant) => TenantFields,
    author: Author,
    expected?: Expectation,
  ): Promise<Plan<Tenant>> {
    const { before, standing } = await this.#changeable(id, expected);
    const after: Tenant = { ...change(before), id, declared: false };
    const gained = after.hosts.filter((host) => !before.hosts.includes(host));
    const lost = before.hosts.filter((host) => !after.hosts.includes(host));
    const hosts = await this.#claim(id, gained);
    return {
      result: after,
      change: {
        writes: [{ kind: TENANT_KIND, id, value: after }, ...hosts.writes, ...lost.map(released)],
        preconditions: [standing, ...hosts.preconditions],
        audit: [
          { action: "tenant.changed", tenant: id, ...author, target: id, before: brief(before), after: brief(after) },
        ],
      },
    };
  }

  /** The gate stops with this commit; {@link purge} takes what the tenant leaves behind. */
  async planDelete(id: TenantId, author: Author, expected?: Expectation): Promise<Plan<undefined>> {
    const { before, standing } = await this.#changeable(id, expected);
    const keys = await this.#keysOf(id);
    return {
      result: undefined,
      change: {
        writes: [...farewell(before), ...keys.map(({ kind, id: key }) => ({ kind, id: key, value: null }))],
        preconditions: [standing],
        audit: [{ action: "tenant.deleted", tenant: id, ...author, target: id, before: brief(before) }],
      },
    };
  }

  async #changeable(id: TenantId, expected: Expectation) {
    const { tenant: before, standing } = await loadTenant(this.#store, id);
    expectRevision(expected, standing);
    if (before.declared)
      throw new SallyportError("read_only", `"${id}" is declared in the configuration file; change it there`);
    return { before, standing };
  }

  /** The writes that give a tenant its hosts. @throws SallyportError `host_taken` */
  async #claim(
    id: TenantId,
    hosts: readonly CanonicalHost[],
  ): Promise<{ writes: Write[]; preconditions: Precondition[] }> {
    const holders = hosts.length === 0 ? [] : await this.#store.getMany(HOST_KIND, hosts);
    for (const [index, holder] of holders.entries())
      if (holder !== undefined) throw hostTaken(hosts[index] ?? "", index);
    return {
      writes: hosts.map((host) => ({ kind: HOST_KIND, id: host, value: { tenant: id } })),
      preconditions: hosts.map((host) => absent(HOST_KIND, host)),
    };
  }

  /**
   * Deletes, in batches, what a tenant that is gone has left. Can be repeated, and run twice at once: each batch
   * demands that the id has not been given out again.
   */
  async purge(id: TenantId): Promise<void> {
    const remains = await this.#store.get(REMAINS_KIND, id);
    if (remains === undefined) return;
    const erase = async (documents: readonly { readonly kind: string; readonly id: string }[]) => {
      const writes = documents.map((document) => ({ kind: document.kind, id: document.id, value: null }));
      await this.#store.commit({ writes, preconditions: [at(remains)] });
    };
    try {
      for (const kind of this.#ownedKinds) {
        for (let page = await this.#page(kind, id); page.length > 0; page = await this.#page(kind, id))
          await erase(page);
      }
      await erase([...(await this.#keysOf(id)), { kind: ALLOWLIST_KIND, id }, remains]);
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error;
    }
  }

  #page(kind: string, id: TenantId): Promise<StoredDocument[]> {
    return this.#store.list({ kind, prefix: `${id}/`, limit: BATCH });
  }

  /** Goes on with purges that a crash or an absent store interrupted. What undeclared tenants left is kept. */
  async resumePurges(): Promise<void> {
    for await (const { id, value } of readAll(this.#store, { kind: REMAINS_KIND })) {
      if ((value as { kept: boolean }).kept) continue;
      await this.purge(id as TenantId);
    }
  }

  async #keysOf(id: TenantId): Promise<StoredDocument[]> {
    const found: StoredDocument[] = [];
    for await (const document of readAll(this.#store, { kind: KEY_KIND }))
      if ((document.value as ApiKey).tenant === id) found.push(document);
    return found;
  }
}

/** The writes that stop a tenant at once. `kept`: what it owns waits for its id to be declared again. */
export function farewell({ id, hosts }: Tenant, kept = false): Write[] {
  return [
    { kind: TENANT_KIND, id, value: null },
    { kind: REMAINS_KIND, id, value: { kept }, quiet: true },
    ...hosts.map(released),
  ];
}

export function released(host: CanonicalHost): Write {
  return { kind: HOST_KIND, id: host, value: null };
}

function absent(kind: string, id: string): Precondition {
  return { kind, id, revision: 0 };
}

function toView({ value, revision }: StoredDocument): TenantView {
  return { tenant: value as Tenant, revision };
}

/** For the audit log: the logo as the hash that it has. */
export function brief(tenant: Tenant): unknown {
  const { logo } = tenant.branding;
  if (logo === undefined) return tenant;
  return {
    ...tenant,
    branding: { ...tenant.branding, logo: `sha256:${createHash("sha256").update(logo).digest("hex")}` },
  };
}

export function hostTaken(host: string, index: number): SallyportError {
  const issues = [{ at: `/hosts/${index}`, message: "belongs to a tenant already" }];
  return new SallyportError("host_taken", `the host ${host} belongs to a tenant already`, { issues });
}
