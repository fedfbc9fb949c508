/** A chore: work that comes round by the clock, and that may wait while the store is away. */
import type { Logger } from "../core/log.ts";

/** A round that comes while the one before is still under way is passed over. @returns a function that ends it */
export function startChore(everyMs: number, chore: () => Promise<unknown>, log: Logger): () => void {
  let underWay = false;
  const carryOut = async () => {
    underWay = true;
    await chore().catch((error: unknown) => log.debug({ err: error }, "a chore waits for the store"));
    underWay = false;
  };
  const timer = setInterval(() => {
    if (!underWay) void carryOut();
  }, everyMs);
  return () => clearInterval(timer);
}
