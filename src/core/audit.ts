/** What is audited, and the one way by which a rule changes the store: a change and its records, together or not at all. */
import type { CanonicalIp, TenantId } from "./ids.ts";
import type { Precondition, Write } from "./store.ts";

/** Who did it, and from where. */
export interface Actor {
  readonly kind: "key" | "user" | "link" | "shortcut" | "system" | "cli";
  readonly id: string;
  readonly address?: CanonicalIp;
}

/** Who asks for a change, and in which request: recorded with it. */
export interface Author {
  readonly actor: Actor;
  readonly requestId?: string;
}

/** A record as a rule states it; the ledger adds its place in the chain. Never a secret in `before` or `after`. */
export interface AuditInput {
  /** `{thing}.{past tense}`, such as `entry.created`. */
  readonly action: string;
  readonly tenant?: TenantId;
  readonly actor: Actor;
  readonly requestId?: string;
  /** The id of what it was done to. */
  readonly target?: string;
  readonly before?: unknown;
  readonly after?: unknown;
}

/** A record of the chain of one writing node. `hash` is SHA-256 of the record's canonical JSON without `hash`, in hex. */
export interface AuditRecord extends AuditInput {
  readonly chain: string;
  /** 1, 2, 3 … within the chain. */
  readonly seq: number;
  /** ISO 8601 in UTC; never before the chain's previous record. */
  readonly at: string;
  /** Hash of the chain's previous record; 64 zeros for the first. */
  readonly prevHash: string;
  readonly hash: string;
}

/** Id that sorts newest first → {@link AuditRecord}. */
export const AUDIT_KIND = "audit";
/** `{tenant}/{audit id}` → 1: a tenant's records, newest first. Quiet. */
export const TENANT_AUDIT_KIND = "tenantaudit";
/** `{chain}` → how long the chain is. Quiet. */
export const AUDIT_HEAD_KIND = "audithead";

/**
 * A bounded count that rides along with a change. The ledger reads, checks and writes it, so that concurrent
 * changes neither lose a count nor fail because of one another. Its document is `{count}`, quiet, and its
 * revision rises with every change that names it.
 */
export interface CounterChange {
  readonly kind: string;
  readonly id: string;
  /** What to add; may be negative or 0. */
  readonly by: number;
  /** Refuse with `entry_limit` when the count would rise above this. */
  readonly limit?: number;
}

/** Whether a change is refused that brings its count to this. What takes away is not, however much remains. */
export function isOverLimit({ by, limit = Infinity }: CounterChange, count: number): boolean {
  return by > 0 && count > limit;
}

/** One change: what is written, under which conditions, counted how, and what the audit log says about it. */
export interface AuditedChange {
  readonly writes: readonly Write[];
  readonly preconditions?: readonly Precondition[];
  readonly counters?: readonly CounterChange[];
  readonly audit: readonly AuditInput[];
  /** What nobody can read back afterwards, such as a new token, for a committer that answers a client. Never stored unsealed. */
  readonly outcome?: unknown;
}

/** Carries changes out. The one implementation is `observe/ledger.ts`. */
export interface ChangeCommitter {
  /**
   * @returns the revision of the commit
   * @throws ConflictError when a precondition of the change does not hold
   * @throws StoreUnavailableError when it is unknown whether the change was carried out
   */
  commit(change: AuditedChange): Promise<number>;
}

/** A change that has been worked out but not yet carried out, and what it will have made. */
export interface Plan<Result> {
  readonly change: AuditedChange;
  readonly result: Result;
  /** Asked once when a limit refuses the change: whether room was found, so that it is worth another try. */
  readonly relieve?: () => Promise<boolean>;
}
