/** Takes what has expired out of the store, all that there is: under a flood, denials go as fast as they came. */
import type { Store } from "../core/store.ts";

const SWEEP_LIMIT = 1_000;

/** In batches, so that others are served in between. */
export async function sweepExpired(store: Store): Promise<void> {
  while ((await store.sweep(SWEEP_LIMIT)) === SWEEP_LIMIT);
}
