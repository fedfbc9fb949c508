/** The policy replica: every tenant's policy and compiled allowlist in memory, as the gate and `explain` read them. */
import { parsePrefix } from "../core/address.ts";
import type { CanonicalHost, EntryId, SessionHash, TenantId } from "../core/ids.ts";
import { AllowlistMatcher } from "../core/matcher.ts";
import type { Branding, Policy } from "../core/tenant.ts";
import type { DeltaMessage, ListMessage, PolicyMessage, TenantMessage } from "./messages.ts";

/** A tenant as the gate sees it. Replaced, never changed, but for the matcher's own deltas. */
export interface TenantPolicy {
  readonly id: TenantId;
  readonly name: string;
  readonly hosts: readonly CanonicalHost[];
  readonly upstreams: readonly string[];
  readonly policy: Policy;
  readonly branding: Branding;
  readonly revision: number;
  readonly matcher: AllowlistMatcher;
}

/** `empty`: nothing was ever loaded. `stale`: the store has not confirmed the state for too long. Both deny everything. */
export type ReplicaState = "serving" | "stale" | "empty";

/** Called once for each commit that may alter a verdict, with the tenants that it touched. */
export type ChangeListener = (tenants: ReadonlySet<TenantId> | "all") => void;

/** Called for each session that ended; `undefined` when the replica cannot tell which (after a gap): all are in doubt. */
export type SessionEndListener = (ended: { readonly tenant: TenantId; readonly hash: SessionHash } | undefined) => void;

/** Which entries were used, since when they were last reported: entry and seconds since 1970. */
export type SeenReport = readonly (readonly [TenantId, readonly (readonly [EntryId, number])[]])[];

class State {
  readonly tenants = new Map<TenantId, TenantPolicy>();
  readonly hosts = new Map<CanonicalHost, TenantPolicy>();
  /** Kept apart from the tenants because an entry may arrive before, or leave after, its tenant. */
  readonly lists = new Map<TenantId, AllowlistMatcher>();
  epoch = "";
  revision = 0;
  confirmedAtMs = 0;
}

/**
 * Look-ups never throw, never block and cost two hash look-ups at most. Changes arrive as messages in
 * commit order; a full state is built aside and swapped in whole.
 */
export class PolicyReplica {
  readonly #staleAfterMs: number;
  readonly #listeners: ChangeListener[] = [];
  readonly #sessionListeners: SessionEndListener[] = [];
  readonly #touched = new Set<TenantId>();
  #state = new State();
  #staging: State | undefined;
  #loaded = false;
  /** Reports of matchers that were replaced before anybody asked. */
  #seenOfReplaced: (readonly [TenantId, (readonly [EntryId, number])[]])[] = [];

  /** @param staleAfterMs how long a state may go unconfirmed by the store before it denies everything */
  constructor(staleAfterMs: number) {
    this.#staleAfterMs = staleAfterMs;
  }

  /** Hot path: one hash look-up. */
  tenantByHost(host: CanonicalHost): TenantPolicy | undefined {
    return this.#state.hosts.get(host);
  }

  tenant(id: TenantId): TenantPolicy | undefined {
    return this.#state.tenants.get(id);
  }

  tenants(): IterableIterator<TenantPolicy> {
    return this.#state.tenants.values();
  }

  /** Every compiled allowlist, also of tenants whose own document is not there (yet, or any more). */
  lists(): IterableIterator<[TenantId, AllowlistMatcher]> {
    return this.#state.lists.entries();
  }

  list(tenant: TenantId): AllowlistMatcher | undefined {
    return this.#state.lists.get(tenant);
  }

  /** The store's revision that this state has reached. */
  get revision(): number {
    return this.#state.revision;
  }

  get epoch(): string {
    return this.#state.epoch;
  }

  get confirmedAtMs(): number {
    return this.#state.confirmedAtMs;
  }

  /** Hot path: two comparisons. */
  state(nowMs: number): ReplicaState {
    if (!this.#loaded) return "empty";
    return nowMs - this.#state.confirmedAtMs > this.#staleAfterMs ? "stale" : "serving";
  }

  onChange(listener: ChangeListener): void {
    this.#listeners.push(listener);
  }

  /** Called before {@link onChange}'s listeners of the same commit. */
  onSessionEnd(listener: SessionEndListener): void {
    this.#sessionListeners.push(listener);
  }

  /**
   * Applies one message. @throws when it does not fit the state; the caller then asks for a full state and
   * goes on serving this one.
   */
  apply(message: PolicyMessage, bytes: Uint8Array): void {
    const target = this.#staging ?? this.#state;
    switch (message.type) {
      case "reset":
        this.#staging = new State();
        this.#staging.epoch = message.epoch;
        return;
      case "tenant":
        this.#touched.add(message.tenant.id);
        putTenant(target, message);
        return;
      case "tenant-gone":
        this.#touched.add(message.id);
        dropTenant(target, message.id);
        return;
      case "list":
        this.#touched.add(message.tenant);
        this.#putList(target, message, bytes);
        return;
      case "delta":
        this.#touched.add(message.tenant);
        applyDelta(target, message);
        return;
      case "session-ended":
        this.#touched.add(message.tenant);
        for (const listener of this.#sessionListeners) listener(message);
        return;
      case "at":
        this.#settle(message.revision, message.confirmedAtMs);
        return;
    }
  }

  /** Drops a full state that was only begun, when its sender is gone. */
  abandonReset(): void {
    this.#staging = undefined;
  }

  /** What the gate noted of used entries since the last call; meant for every few seconds. */
  takeSeen(): SeenReport {
    const report: (readonly [TenantId, readonly (readonly [EntryId, number])[]])[] = this.#seenOfReplaced;
    this.#seenOfReplaced = [];
    for (const [tenant, matcher] of this.#state.lists) {
      const seen = matcher.takeSeen();
      if (seen.length > 0) report.push([tenant, seen]);
    }
    return report;
  }

  #putList(target: State, message: ListMessage, bytes: Uint8Array): void {
    const parts: Uint8Array[] = [];
    let at = 0;
    for (const length of message.partBytes) {
      parts.push(bytes.subarray(at, at + length));
      at += length;
    }
    const earlier = this.#state.lists.get(message.tenant);
    const seen = earlier?.takeSeen() ?? [];
    if (seen.length > 0) this.#seenOfReplaced.push([message.tenant, seen]);
    setMatcher(target, message.tenant, AllowlistMatcher.fromParts(parts));
  }

  #settle(revision: number, confirmedAtMs: number): void {
    const swapped = this.#staging;
    if (swapped !== undefined) {
      this.#state = swapped;
      this.#staging = undefined;
      this.#loaded = true;
      for (const listener of this.#sessionListeners) listener(undefined);
    }
    this.#state.revision = revision;
    this.#state.confirmedAtMs = confirmedAtMs;
    if (swapped === undefined && this.#touched.size === 0) return;
    const touched = swapped === undefined ? new Set(this.#touched) : "all";
    this.#touched.clear();
    for (const listener of this.#listeners) listener(touched);
  }
}

function putTenant(state: State, { tenant, revision }: TenantMessage): void {
  setTenant(state, {
    id: tenant.id,
    name: tenant.name,
    hosts: tenant.hosts,
    upstreams: tenant.upstreams,
    policy: tenant.policy,
    branding: tenant.branding,
    revision,
    matcher: state.lists.get(tenant.id) ?? AllowlistMatcher.empty(),
  });
}

function setTenant(state: State, next: TenantPolicy): void {
  dropHosts(state, next.id);
  state.tenants.set(next.id, next);
  for (const host of next.hosts) state.hosts.set(host, next);
}

function dropTenant(state: State, id: TenantId): void {
  dropHosts(state, id);
  state.tenants.delete(id);
}

/** A host that has meanwhile moved to another tenant stays there. */
function dropHosts(state: State, id: TenantId): void {
  for (const host of state.tenants.get(id)?.hosts ?? []) {
    if (state.hosts.get(host)?.id === id) state.hosts.delete(host);
  }
}

function setMatcher(state: State, tenant: TenantId, matcher: AllowlistMatcher): void {
  if (matcher.size === 0) state.lists.delete(tenant);
  else state.lists.set(tenant, matcher);
  const known = state.tenants.get(tenant);
  if (known !== undefined) setTenant(state, { ...known, matcher });
}

function applyDelta(state: State, { tenant, upserts, removals }: DeltaMessage): void {
  const known = state.lists.get(tenant);
  const upserted = upserts.map(([id, cidr, expiresAtSeconds]) => ({ id, prefix: parsePrefix(cidr), expiresAtSeconds }));
  if (known === undefined) {
    setMatcher(state, tenant, AllowlistMatcher.compile(upserted));
    return;
  }
  known.apply(
    upserted,
    removals.map(([id, cidr]) => ({ id, prefix: parsePrefix(cidr) })),
  );
  if (known.size === 0) setMatcher(state, tenant, AllowlistMatcher.empty());
}
