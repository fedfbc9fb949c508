/** Several rate limits as one. */
import type { RateLimit, Store } from "./store.ts";

/**
 * Takes one from each of them, or from none: whoever is refused by a clinic's limit keeps what their own allows.
 * @returns how long to wait in milliseconds; 0 when all gave
 */
export async function takeAll(
  store: Pick<Store, "take" | "giveBack">,
  limits: readonly (readonly [key: string, limit: RateLimit])[],
): Promise<number> {
  for (const [index, [key, limit]] of limits.entries()) {
    const { allowed, retryAfterMs } = await store.take(key, limit);
    if (allowed) continue;
    await Promise.all(limits.slice(0, index).map((taken) => store.giveBack(...taken)));
    return Math.max(1, retryAfterMs);
  }
  return 0;
}
