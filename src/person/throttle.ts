/** Slows guessing: counts failures per login and kind of visitor, and tries per address and tenant, the same on every node. */
import type { Clock } from "../core/clock.ts";
import { ConflictError } from "../core/errors.ts";
import type { TenantId } from "../core/ids.ts";
import type { Store } from "../core/store.ts";
import { loginDocumentId } from "./account.ts";
import { retryConflicts } from "./retry.ts";
import { type Share, takeShares } from "./shares.ts";

/** `{tenant}/{digest of the e-mail}` → {@link FailureRecord}; made for logins that do not exist just the same. */
export const FAILURE_KIND = "failure";

interface FailureCount {
  readonly count: number;
  /** No try counts before this moment. */
  readonly notBeforeMs: number;
  /** The first of them; absent in counts of earlier versions. */
  readonly sinceMs?: number;
}

/** What a login's failures come to, over every kind of visitor. Moments in the past are 0. */
export interface FailureSummary {
  readonly count: number;
  readonly sinceMs?: number;
  /** Until when some kind of visitor has to wait. */
  readonly waitUntilMs: number;
  /** Until when some kind of visitor is locked out. */
  readonly lockedUntilMs: number;
}

/** One count for each kind of visitor: `stranger`, `place:…`, `located`, `located-place:…`, `browser:…`. */
interface FailureRecord {
  readonly [visitor: string]: FailureCount;
}

/** Failures without any delay; after them 1, 2, 4 … seconds. */
const FREE_FAILURES = 3;
/** From this many failures on, one try a day, until a completed sign-in or somebody who may lifts it. */
export const LOCKING_FAILURES = 10;
const LOCK_MS = 24 * 60 * 60_000;
/** Failures are forgotten after this long without a further one. */
const MEMORY_MS = 2 * LOCK_MS;

/** The bucket of who tries in a browser and from a place that are both unknown, and not on the allowlist. */
export const STRANGER = "stranger";

/** Whose try it is. */
export interface Visitor {
  readonly tenant: TenantId;
  /** Normalised, existing or not. */
  readonly email: string;
  /** The count that it falls under. */
  readonly bucket: string;
  /** The address's place, as `placeOf` names it. */
  readonly place: string;
}

export type Admission =
  /** `last`: if this try fails, the login is locked for this kind of visitor. `shares`: what it took of limits. */
  | { readonly allowed: true; readonly last: boolean; readonly shares: readonly Share[] }
  | { readonly allowed: false; readonly retryAfterMs: number };

/**
 * A try is counted as a failure before it is judged, by a conditional write, and taken back when it succeeds:
 * tries that run at once on several nodes cannot outnumber the count.
 */
export class Throttle {
  readonly #store: Store;
  readonly #clock: Clock;

  constructor(store: Store, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /** Admits one try, or says when to come back. */
  async admit(visitor: Visitor): Promise<Admission> {
    const { tenant, bucket, place } = visitor;
    // Known browsers and places on the list are not slowed by what others do from the same address, nor known places
    // by what strangers do at the same tenant.
    const shares: Share[] = [];
    if (bucket === STRANGER || bucket.startsWith("place:")) shares.push(["address", place]);
    if (bucket === STRANGER) shares.push(["clinic", tenant]);
    const retryAfterMs = await takeShares(this.#store, shares);
    if (retryAfterMs > 0) return { allowed: false, retryAfterMs };
    return await retryConflicts<Admission>(async () => {
      const nowMs = this.#clock.nowMs();
      const { record, revision } = await this.#read(visitor);
      const before = record[bucket] ?? { count: 0, notBeforeMs: 0 };
      const waitMs = before.notBeforeMs - nowMs;
      // A longer wait than the count calls for can only come from a clock that was set back.
      if (waitMs > 0 && waitMs <= delayMs(before.count)) return { allowed: false, retryAfterMs: waitMs };
      const count = before.count + 1;
      const { sinceMs = nowMs } = before;
      await this.#write(visitor, revision, {
        ...record,
        [bucket]: { count, notBeforeMs: nowMs + delayMs(count), sinceMs },
      });
      return { allowed: true, last: count >= LOCKING_FAILURES, shares };
    }).catch(crowdedOut);
  }

  /** Takes one counted failure back: the step succeeded, or was not judged. */
  async refund(visitor: Visitor): Promise<void> {
    await this.#change(visitor, (count) => ({ ...count, count: count.count - 1, notBeforeMs: 0 }));
  }

  /** Forgets this kind of visitor's failures: the sign-in is complete. */
  async clear(visitor: Visitor): Promise<void> {
    await this.#change(visitor, () => ({ count: 0, notBeforeMs: 0 }));
  }

  /** Lifts every lock and delay of a login. */
  async lift(tenant: TenantId, email: string): Promise<void> {
    const id = loginDocumentId(tenant, email);
    await this.#store.commit({ writes: [{ kind: FAILURE_KIND, id, value: null, quiet: true }] });
  }

  /** For those who manage the logins, one summary for each. At most 1,000 e-mails. */
  async summaries(tenant: TenantId, emails: readonly string[]): Promise<FailureSummary[]> {
    const ids = emails.map((email) => loginDocumentId(tenant, email));
    const documents = await this.#store.getMany(FAILURE_KIND, ids);
    const nowMs = this.#clock.nowMs();
    return documents.map((document) => summaryOf((document?.value ?? {}) as FailureRecord, nowMs));
  }

  async #change(visitor: Visitor, change: (count: FailureCount) => FailureCount): Promise<void> {
    await retryConflicts(async () => {
      const { record, revision } = await this.#read(visitor);
      const { [visitor.bucket]: before, ...others } = record;
      if (before === undefined) return;
      const after = change(before);
      await this.#write(visitor, revision, after.count <= 0 ? others : { ...others, [visitor.bucket]: after });
    }).catch(crowdedOut);
  }

  async #read({ tenant, email }: Visitor): Promise<{ record: FailureRecord; revision: number }> {
    const document = await this.#store.get(FAILURE_KIND, loginDocumentId(tenant, email));
    return { record: (document?.value ?? {}) as FailureRecord, revision: document?.revision ?? 0 };
  }

  async #write({ tenant, email }: Visitor, revision: number, record: FailureRecord): Promise<void> {
    const id = loginDocumentId(tenant, email);
    const value = Object.keys(record).length === 0 ? null : record;
    const expiresAtMs = this.#clock.nowMs() + MEMORY_MS;
    await this.#store.commit({
      writes: [{ kind: FAILURE_KIND, id, value, expiresAtMs, quiet: true }],
      preconditions: [{ kind: FAILURE_KIND, id, revision }],
    });
  }
}

function summaryOf(record: FailureRecord, nowMs: number): FailureSummary {
  const counts = Object.values(record);
  const first = Math.min(...counts.flatMap(({ sinceMs }) => sinceMs ?? []));
  const latest = (some: readonly FailureCount[]) =>
    Math.max(0, ...some.map(({ notBeforeMs }) => notBeforeMs).filter((ms) => ms > nowMs));
  return {
    count: counts.reduce((sum, { count }) => sum + count, 0),
    ...(Number.isFinite(first) ? { sinceMs: first } : {}),
    waitUntilMs: latest(counts),
    lockedUntilMs: latest(counts.filter(({ count }) => count >= LOCKING_FAILURES)),
  };
}

/** Too many tries of one login at once: this one is not judged; a count that could not be lowered stays. */
function crowdedOut(error: unknown): Admission {
  if (error instanceof ConflictError) return { allowed: false, retryAfterMs: 1_000 };
  throw error;
}

function delayMs(failures: number): number {
  if (failures >= LOCKING_FAILURES) return LOCK_MS;
  return failures < FREE_FAILURES ? 0 : 1_000 * 2 ** (failures - FREE_FAILURES);
}
