/** From the store's documents to the feed's frames: what of a document decides about requests. */
import { parsePrefix } from "../core/address.ts";
import { type AllowlistEntry, ENTRY_KIND } from "../core/entry.ts";
import type { SessionHash, TenantId } from "../core/ids.ts";
import { AllowlistMatcher, type MatcherEntry } from "../core/matcher.ts";
import { SESSION_KIND } from "../core/session.ts";
import type { Commit, StoredDocument } from "../core/store.ts";
import { TENANT_KIND, type Tenant } from "../core/tenant.ts";
import type { DeltaMessage, PolicyFrame, PolicyMessage } from "./messages.ts";
import type { PolicyReplica } from "./policy.ts";

/** A delta of this many changes takes an edge well under a millisecond, so that a large commit stalls nobody. */
const CHANGES_PER_DELTA = 500;

export function policyFrame(message: PolicyMessage, parts: readonly Uint8Array[] = []): PolicyFrame {
  return { message, parts };
}

/** Seconds since 1970 from which the entry no longer admits; 0: never. Rounded down, so that no entry outlives its time. */
function expirySeconds(entry: AllowlistEntry): number {
  return entry.expiresAt === undefined ? 0 : Math.max(1, Math.floor(Date.parse(entry.expiresAt) / 1000));
}

/**
 * The frames of one commit, without the closing `at`. Of each tenant's list, what came is said before what
 * went, so that replacing a list shuts nobody out in between.
 */
export function commitFrames(commit: Commit): PolicyFrame[] {
  const frames: PolicyFrame[] = [];
  const lists = new Map<
    TenantId,
    { upserts: DeltaMessage["upserts"][number][]; removals: DeltaMessage["removals"][number][] }
  >();
  for (const change of commit.changes) {
    if (change.kind === TENANT_KIND) frames.push(tenantFrame(change.id as TenantId, change.value, commit.revision));
    if (change.kind === SESSION_KIND && change.value === null) frames.push(sessionEndedFrame(change.id));
    if (change.kind !== ENTRY_KIND) continue;
    const tenant = tenantOf(change.id);
    let list = lists.get(tenant);
    if (list === undefined) {
      list = { upserts: [], removals: [] };
      lists.set(tenant, list);
    }
    if (change.value === null) {
      const was = change.was as AllowlistEntry;
      list.removals.push([was.id, was.cidr]);
    } else {
      const entry = change.value as AllowlistEntry;
      list.upserts.push([entry.id, entry.cidr, expirySeconds(entry)]);
    }
  }
  for (const [tenant, { upserts, removals }] of lists) {
    for (let at = 0; at < upserts.length; at += CHANGES_PER_DELTA) {
      frames.push(
        policyFrame({ type: "delta", tenant, upserts: upserts.slice(at, at + CHANGES_PER_DELTA), removals: [] }),
      );
    }
    for (let at = 0; at < removals.length; at += CHANGES_PER_DELTA) {
      frames.push(
        policyFrame({ type: "delta", tenant, upserts: [], removals: removals.slice(at, at + CHANGES_PER_DELTA) }),
      );
    }
  }
  return frames;
}

/** A replica's whole state as frames, of one moment because nothing is awaited. */
export function replicaFrames(replica: PolicyReplica): PolicyFrame[] {
  const frames = [policyFrame({ type: "reset", epoch: replica.epoch })];
  for (const [tenant, matcher] of replica.lists()) frames.push(listFrame(tenant, matcher));
  for (const { matcher: _, revision, ...tenant } of replica.tenants()) {
    frames.push(policyFrame({ type: "tenant", tenant, revision }));
  }
  frames.push(policyFrame({ type: "at", revision: replica.revision, confirmedAtMs: replica.confirmedAtMs }));
  return frames;
}

/**
 * Compiles a store snapshot's documents into a full state, list by list: they come in order of their ids, so that
 * a tenant's entries stand side by side, and no more than one tenant's are held as documents.
 */
export class StateBuilder {
  readonly #frames: PolicyFrame[];
  #tenant: TenantId | undefined;
  #list: MatcherEntry[] = [];

  constructor(epoch: string) {
    this.#frames = [policyFrame({ type: "reset", epoch })];
  }

  add(batch: readonly StoredDocument[]): void {
    for (const document of batch) {
      if (document.kind === TENANT_KIND) {
        this.#frames.push(tenantFrame(document.id as TenantId, document.value, document.revision));
      } else if (document.kind === ENTRY_KIND) {
        this.#addEntry(tenantOf(document.id), document.value as AllowlistEntry);
      }
    }
  }

  /** The frames, without the closing `at`. */
  finish(): PolicyFrame[] {
    this.#closeList();
    return this.#frames;
  }

  #addEntry(tenant: TenantId, entry: AllowlistEntry): void {
    if (tenant !== this.#tenant) this.#closeList();
    this.#tenant = tenant;
    this.#list.push({ id: entry.id, prefix: parsePrefix(entry.cidr), expiresAtSeconds: expirySeconds(entry) });
  }

  #closeList(): void {
    if (this.#tenant !== undefined) this.#frames.push(listFrame(this.#tenant, AllowlistMatcher.compile(this.#list)));
    this.#list = [];
  }
}

function listFrame(tenant: TenantId, matcher: AllowlistMatcher): PolicyFrame {
  const parts = matcher.toParts();
  return policyFrame({ type: "list", tenant, partBytes: parts.map((part) => part.byteLength) }, parts);
}

function tenantFrame(id: TenantId, value: unknown, revision: number): PolicyFrame {
  if (value === null) return policyFrame({ type: "tenant-gone", id });
  const { declared: _, ...tenant } = value as Tenant;
  return policyFrame({ type: "tenant", tenant, revision });
}

function sessionEndedFrame(documentId: string): PolicyFrame {
  const tenant = tenantOf(documentId);
  return policyFrame({ type: "session-ended", tenant, hash: documentId.slice(tenant.length + 1) as SessionHash });
}

/** The tenant in a document id of the form `{tenant}/{rest}`. */
function tenantOf(documentId: string): TenantId {
  return documentId.slice(0, documentId.indexOf("/")) as TenantId;
}
