/** What came to each tenant's doors: counts by day, and by place those who were blocked or would have been. */
import { createHash } from "node:crypto";
import { formatPrefix, networkOf, parseAddress } from "../core/address.ts";
import type { TenantId } from "../core/ids.ts";
import { readAll } from "../core/read-all.ts";
import type { Store, StoredDocument, Write } from "../core/store.ts";
import { DENIAL_KIND, DENIAL_ORDER_KIND, type Denial } from "./denials.ts";

/** `{tenant}/{day}/{node}` → {@link DayCounts}. Quiet. */
const ACTIVITY_KIND = "activity";
/** `{tenant}/{day}/{network}/{node}` → {@link BlockedPlace}. Quiet. */
const BLOCKED_PLACE_KIND = "blockedplace";

/** What is kept of a tenant's traffic: it goes when the tenant is deleted. */
export const OBSERVED_KINDS: readonly string[] = [DENIAL_KIND, DENIAL_ORDER_KIND, ACTIVITY_KIND, BLOCKED_PLACE_KIND];

export interface DayCounts {
  readonly admitted: number;
  readonly blocked: number;
  /** Sent to the sign-in. */
  readonly signIn: number;
  /** Of those admitted: only because the tenant observes. */
  readonly observed: number;
}

/** A network that was turned away on one day. At least so many: under a flood not every denial is listed. */
export interface BlockedPlace {
  readonly cidr: string;
  /** The latest. */
  readonly address: string;
  readonly blocked: number;
  /** Let pass only because the tenant observes. */
  readonly observed: number;
  readonly firstAtMs: number;
  readonly lastAtMs: number;
  readonly lastReference: string;
  readonly lastPath: string;
}

export interface CountedRequest {
  readonly tenant?: string;
  readonly outcome: string;
  readonly wouldBlock: boolean;
  readonly count: number;
}

const DAY_MS = 86_400_000;
const KEEP_DAYS = 35;
const KEEP_PLACES = 8;
/** Networks of one tenant and day that are told apart. */
const MOST_PLACES = 2_000;
const PAGE = 1000;
const NONE: DayCounts = { admitted: 0, blocked: 0, signIn: 0, observed: 0 };

/** One node's counting; its documents are its own, so that nodes need not agree. */
export class ActivityLog {
  readonly #store: Store;
  readonly #node: string;
  #days = new Map<string, DayCounts>();
  #places = new Map<string, BlockedPlace>();
  /** How many networks were seen of each tenant today. */
  #seen = new Map<string, Set<string>>();
  #today = "";
  /** One at a time, since each adds to what is there. */
  #flushing: Promise<void> = Promise.resolve();

  /** @param node names this node, without a slash */
  constructor(store: Store, node: string) {
    this.#store = store;
    this.#node = node;
  }

  noteRequests(requests: readonly CountedRequest[], nowMs: number): void {
    for (const { tenant, outcome, wouldBlock, count } of requests) {
      if (tenant === undefined) continue;
      const key = `${tenant}/${dayOf(nowMs)}/${this.#node}`;
      const field = FIELDS[outcome];
      if (field === undefined) continue;
      const before = this.#days.get(key) ?? NONE;
      const observed = before.observed + (wouldBlock && field === "admitted" ? count : 0);
      this.#days.set(key, { ...before, observed, [field]: before[field] + count });
    }
  }

  noteDenial(denial: Denial): void {
    const { tenant, reason, at: atMs } = denial;
    const address = parseAddress(denial.address);
    if (tenant === undefined || address === undefined || !PLACE_REASONS.has(reason)) return;
    const cidr = formatPrefix(networkOf(address));
    const day = dayOf(atMs);
    const network = createHash("sha256").update(cidr).digest("base64url").slice(0, 16);
    if (!this.#mayTellApart(tenant, day, network)) return;
    const key = `${tenant}/${day}/${network}/${this.#node}`;
    this.#places.set(key, merged(this.#places.get(key), placeOf(denial, cidr)));
  }

  /** Writes what was counted since the last time; what the store does not take is kept for the next. */
  async flush(nowMs: number): Promise<void> {
    const flushed = this.#flushing.then(() => this.#flush(nowMs));
    this.#flushing = flushed.catch(() => undefined);
    await flushed;
  }

  async #flush(nowMs: number): Promise<void> {
    const [days, places] = [this.#days, this.#places];
    if (days.size + places.size === 0) return;
    this.#days = new Map();
    this.#places = new Map();
    try {
      await this.#write(ACTIVITY_KIND, days, summed, nowMs + KEEP_DAYS * DAY_MS);
      await this.#write(BLOCKED_PLACE_KIND, places, merged, nowMs + KEEP_PLACES * DAY_MS);
    } catch (error) {
      for (const [key, counts] of days) this.#days.set(key, summed(this.#days.get(key), counts));
      for (const [key, place] of places) this.#places.set(key, merged(this.#places.get(key), place));
      throw error;
    }
  }

  async #write<Value>(
    kind: string,
    values: Map<string, Value>,
    add: (before: Value | undefined, more: Value) => Value,
    expiresAtMs: number,
  ): Promise<void> {
    const pending = [...values];
    for (let from = 0; from < pending.length; from += PAGE) {
      const slice = pending.slice(from, from + PAGE);
      const before = await this.#store.getMany(
        kind,
        slice.map(([id]) => id),
      );
      const writes = slice.map(([id, more], index): Write => {
        const value = add(before[index]?.value as Value | undefined, more);
        return { kind, id, value, expiresAtMs, quiet: true };
      });
      await this.#store.commit({ writes });
      for (const [id] of slice) values.delete(id);
    }
  }

  #mayTellApart(tenant: string, day: string, network: string): boolean {
    if (day !== this.#today) {
      this.#today = day;
      this.#seen = new Map();
    }
    const seen = this.#seen.get(tenant) ?? new Set();
    this.#seen.set(tenant, seen);
    if (seen.size < MOST_PLACES) seen.add(network);
    return seen.has(network);
  }
}

const FIELDS: Readonly<Record<string, "admitted" | "blocked" | "signIn">> = {
  forward: "admitted",
  blocked: "blocked",
  "sign-in": "signIn",
};
const PLACE_REASONS: ReadonlySet<string> = new Set(["not-on-allowlist", "observed"]);

export interface DayOfActivity extends DayCounts {
  /** `2030-01-31`, in UTC. */
  readonly day: string;
}

/** The last days, oldest first, today last; of all nodes. */
export async function readActivity(
  store: Store,
  tenant: TenantId,
  days: number,
  nowMs: number,
): Promise<DayOfActivity[]> {
  const wanted = Array.from({ length: days }, (_, index) => dayOf(nowMs - (days - 1 - index) * DAY_MS));
  const totals = new Map<string, DayCounts>(wanted.map((day) => [day, NONE]));
  for await (const { id, value } of documents(store, ACTIVITY_KIND, tenant, wanted[0] ?? "")) {
    const [, day = ""] = id.split("/");
    const total = totals.get(day);
    if (total !== undefined) totals.set(day, summed(total, value as DayCounts));
  }
  return [...totals].map(([day, counts]) => ({ day, ...counts }));
}

/** The places of the last days, of all nodes, those with the most first. */
export async function readBlockedPlaces(
  store: Store,
  tenant: TenantId,
  by: "blocked" | "observed",
  days: number,
  nowMs: number,
): Promise<BlockedPlace[]> {
  const places = new Map<string, BlockedPlace>();
  for await (const { value } of documents(store, BLOCKED_PLACE_KIND, tenant, dayOf(nowMs - (days - 1) * DAY_MS))) {
    const place = value as BlockedPlace;
    if (place[by] > 0) places.set(place.cidr, merged(places.get(place.cidr), place));
  }
  return [...places.values()].sort((one, other) => other[by] - one[by] || other.lastAtMs - one.lastAtMs);
}

function documents(store: Store, kind: string, tenant: TenantId, from: string): AsyncIterable<StoredDocument> {
  return readAll(store, { kind, prefix: `${tenant}/`, after: `${tenant}/${from}` });
}

function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

function placeOf({ address, at, reason, reference, path }: Denial, cidr: string): BlockedPlace {
  const observed = reason === "observed" ? 1 : 0;
  const seen = { firstAtMs: at, lastAtMs: at, lastReference: reference, lastPath: path };
  return { cidr, address, blocked: 1 - observed, observed, ...seen };
}

function summed(one: DayCounts | undefined, other: DayCounts): DayCounts {
  if (one === undefined) return other;
  return {
    admitted: one.admitted + other.admitted,
    blocked: one.blocked + other.blocked,
    signIn: one.signIn + other.signIn,
    observed: one.observed + other.observed,
  };
}

function merged(one: BlockedPlace | undefined, other: BlockedPlace): BlockedPlace {
  if (one === undefined) return other;
  const latest = one.lastAtMs > other.lastAtMs ? one : other;
  return {
    ...latest,
    blocked: one.blocked + other.blocked,
    observed: one.observed + other.observed,
    firstAtMs: Math.min(one.firstAtMs, other.firstAtMs),
  };
}
