/** Every document of some kinds, a slice at a time: what both adapters call a snapshot. */
import { readPages } from "../core/read-all.ts";
import type { Store, StoredDocument } from "../core/store.ts";

/** Lets the event loop turn between slices. A change during the walk is in a later slice, in the feed, or in both. */
export async function* readBatches(
  store: Pick<Store, "list">,
  kinds: readonly string[],
): AsyncGenerator<readonly StoredDocument[]> {
  for (const kind of kinds) {
    yield* readPages(store, { kind });
  }
}
