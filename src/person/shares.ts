/** The limits that strangers share, and what a sign-in gives back of them when it comes out well. */
import { takeAll } from "../core/rate-limits.ts";
import type { RateLimit, Store } from "../core/store.ts";
import type { Account } from "./account.ts";

const TEN_MINUTES_MS = 10 * 60_000;

/** Of one address (as `placeOf` names it; IPv6: one /64), but for `clinic`, which is of one tenant. */
const LIMITS = {
  /** Challenges begun: as many as are under way at a clinic where two hundred people a minute sign in. */
  begin: { burst: 1_000, periodMs: TEN_MINUTES_MS },
  /** Passwords and codes tried by strangers. */
  address: { burst: 100, periodMs: TEN_MINUTES_MS },
  clinic: { burst: 2_000, periodMs: TEN_MINUTES_MS },
  /** Text messages asked for where nothing is proven yet (`firstFactor: none`). */
  sms: { burst: 10, periodMs: 6 * TEN_MINUTES_MS },
} as const satisfies Record<string, RateLimit>;

/** Finished sign-ins of one login that give back; no person comes near. */
const FINISHES: RateLimit = { burst: 100, periodMs: TEN_MINUTES_MS };

/** One of a limit: which, and whose. */
export type Share = readonly [limit: keyof typeof LIMITS, whose: string];

/** @returns how long to wait in milliseconds; 0 when each was taken, else none was */
export async function takeShares(store: Store, shares: readonly Share[]): Promise<number> {
  return await takeAll(
    store,
    shares.map((share) => [keyOf(share), LIMITS[share[0]]]),
  );
}

/**
 * Gives back what a step took that came out well, so that a clinic of hundreds behind one address is never too many,
 * while whatever fails or is abandoned counts. Each share goes back once at most, to where it was taken: success at
 * one's own login pays for no guess at another's.
 */
export async function giveBack(store: Store, shares: readonly Share[]): Promise<void> {
  await Promise.all(shares.map((share) => store.giveBack(keyOf(share), LIMITS[share[0]])));
}

/** Gives back what a finished sign-in took; for one login so often that its owner, too, cannot go on without end. */
export async function giveBackFinished(store: Store, shares: readonly Share[], account: Account): Promise<void> {
  if (shares.length === 0) return;
  const { allowed } = await store.take(`finished/${account.tenant}/${account.id}`, FINISHES);
  if (allowed) await giveBack(store, shares);
}

function keyOf([limit, whose]: Share): string {
  return `share/${limit}/${whose}`;
}
