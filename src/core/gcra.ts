/** The rate limiter's rule: the generic cell rate algorithm (ITU-T I.371), for whoever keeps the buckets. */
import type { RateDecision, RateLimit } from "./store.ts";

// A bucket is the moment at which it will be full again (0 for an unused one): one share is `periodMs / burst` of it.
// A moment too far ahead can only come from a clock that was set back, and is brought within the period.

/** Takes one, if there is one. */
export function takeOne(
  fullAtMs: number,
  { burst, periodMs }: RateLimit,
  nowMs: number,
): RateDecision & { readonly fullAtMs: number } {
  const next = Math.min(Math.max(fullAtMs, nowMs), nowMs + periodMs) + periodMs / burst;
  const waitMs = Math.ceil(next - periodMs - nowMs);
  return waitMs > 0
    ? { allowed: false, retryAfterMs: waitMs, fullAtMs }
    : { allowed: true, retryAfterMs: 0, fullAtMs: next };
}

/** Puts one back. @returns when the bucket will be full; not after `nowMs`: it is */
export function giveOneBack(fullAtMs: number, { burst, periodMs }: RateLimit, nowMs: number): number {
  return Math.min(fullAtMs, nowMs + periodMs) - periodMs / burst;
}
