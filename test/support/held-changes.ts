/** Two changes at once, of which neither sees what the other does. */
import type { AdminFixture } from "./admin-api.ts";

/** Holds two changes back until both have been judged, so that each has seen the list as it was before the other. */
export function hold(...nodes: readonly AdminFixture[]): void {
  let judged = 0;
  const both = Promise.withResolvers<void>();
  for (const { ledger } of nodes) {
    const commit = ledger.commit.bind(ledger);
    ledger.commit = async (change) => {
      judged += 1;
      if (judged === 2) both.resolve();
      await both.promise;
      return await commit(change);
    };
  }
}
