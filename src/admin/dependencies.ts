/** What the admin API needs of the node that runs it. */
import type { Address } from "../core/address.ts";
import type { ChangeCommitter } from "../core/audit.ts";
import type { Clock } from "../core/clock.ts";
import type { Explanation } from "../core/explain.ts";
import type { TenantId } from "../core/ids.ts";
import type { Keyring } from "../core/keyring.ts";
import type { Logger } from "../core/log.ts";
import type { Store } from "../core/store.ts";
import type { Tenant } from "../core/tenant.ts";
import type { Metrics } from "../observe/metrics.ts";
import type { PersonDoor } from "../person/door.ts";
import type { Whitelist } from "../whitelist/whitelist.ts";

/** A live edge of any node. */
export interface EdgeStatus {
  /** `{node}/{worker}`. */
  readonly id: string;
  readonly pid: number;
  /** The store's revision that it has applied. */
  readonly revision: number;
  readonly lagMs: number;
  readonly connectedAt: string;
}

export interface ExplainRequest {
  readonly address: Address;
  readonly user?: string;
  readonly path?: string;
  readonly method: string;
}

export interface Readiness {
  readonly ready: boolean;
  readonly checks: Readonly<Record<string, { readonly ok: boolean; readonly detail?: string }>>;
}

export interface AdminDependencies {
  readonly store: Store;
  /** The node's `Ledger`: every change goes through it. */
  readonly ledger: ChangeCommitter;
  readonly keyring: Pick<Keyring, "seal" | "open" | "deriveKey" | "deriveKeys">;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** The bootstrap key, `SALLYPORT_ADMIN_KEY`. */
  readonly adminKey?: string;
  readonly limits: { readonly entriesPerTenant: number };
  /** Kinds whose documents belong to a tenant by an id of `{tenant}/…`, besides entries: they go when it is deleted. */
  readonly ownedKinds?: readonly string[];
  readonly person: Pick<PersonDoor, "users" | "sessions" | "manage">;
  readonly whitelist: Whitelist;
  /** `scheme://host[:port]` under which a tenant's pages are reached. */
  siteOrigin(tenant: Tenant): string;
  /** Whether invitations go out by mail; otherwise whoever invites delivers the link. */
  readonly sendsMail: boolean;
  /** Rejects with `not_found` for an unknown tenant, `not_ready` while the replica is empty. */
  explain(tenant: TenantId, request: ExplainRequest): Promise<Explanation>;
  edges(): Promise<readonly EdgeStatus[]>;
  /** Resolves once every live edge has applied the revision, or when the time is up. */
  waitApplied(
    revision: number,
    timeoutMs: number,
  ): Promise<{ readonly applied: readonly string[]; readonly pending: readonly string[] }>;
  readiness(): Readiness | Promise<Readiness>;
}
