/** The rate limiter's rule: the generic cell rate algorithm (ITU-T I.371), as the SQLite adapter runs it. */
import type { RateDecision, RateLimit } from "../core/store.ts";

/**
 * Takes one from a bucket that will be full again at `fullAtMs` (0 for an unused one).
 * A time too far ahead can only come from a clock that was set back, and is brought within the period.
 */
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
