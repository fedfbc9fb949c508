/** Every document of some kinds, a slice at a time: what both adapters call a snapshot. */
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Store, StoredDocument } from "../core/store.ts";
import { SLICE } from "./codec.ts";

/** Lets the event loop turn between slices. A change during the walk is in a later slice, in the feed, or in both. */
export async function* readBatches(
  store: Pick<Store, "list">,
  kinds: readonly string[],
): AsyncGenerator<readonly StoredDocument[]> {
  for (const kind of kinds) {
    for (let after: string | undefined = ""; after !== undefined; ) {
      const batch: StoredDocument[] = await store.list({ kind, after, limit: SLICE });
      if (batch.length > 0) yield batch;
      after = batch.length < SLICE ? undefined : batch.at(-1)?.id;
      await nextTurn();
    }
  }
}
