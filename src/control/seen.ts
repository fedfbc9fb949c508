/** When each entry last admitted somebody: gathered from the edges, written in batches, never in a change's way. */
import { entryDocumentId, KEEP_SEEN_MS, SEEN_KIND } from "../core/entry.ts";
import type { Logger } from "../core/log.ts";
import type { Store } from "../core/store.ts";
import type { SeenReport } from "../replica/policy.ts";

const WRITES_PER_COMMIT = 500;

/** Writes what the edges saw; a report that the store does not take is lost, and the next use of the entry tells again. */
export async function writeSeen(store: Store, report: SeenReport, log: Logger): Promise<void> {
  const writes = report.flatMap(([tenant, entries]) =>
    entries.map(([entry, at]) => ({
      kind: SEEN_KIND,
      id: entryDocumentId(tenant, entry),
      value: { at },
      expiresAtMs: at * 1000 + KEEP_SEEN_MS,
      quiet: true,
    })),
  );
  for (let from = 0; from < writes.length; from += WRITES_PER_COMMIT) {
    try {
      await store.commit({ writes: writes.slice(from, from + WRITES_PER_COMMIT) });
    } catch (error) {
      log.warn({ err: error }, "when entries were last used could not be written");
      return;
    }
  }
}
