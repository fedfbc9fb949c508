/** What the audit log keeps of a change to a whole list: each entry before and after, its counts, and digests of the lists. */
import { createHash, hash } from "node:crypto";
import type { AuditInput } from "./audit.ts";
import { nextTurn } from "./change.ts";
import type { AllowlistEntry } from "./entry.ts";

/** One entry of a list: as it was, as it is, or both. */
export interface ListChange {
  readonly before?: AllowlistEntry;
  readonly after?: AllowlistEntry;
}

interface Listed {
  readonly cidr: string;
  readonly label: string;
  readonly expiresAt?: string;
}

const SLICE = 500;
/** With the longest labels before and after, a record stays under 100 KB: a page of the log holds 1,000 of them. */
const PER_RECORD = 50;
/** Beyond, naming each would take a notable part of the commit. */
const MOST_NAMED = 10_000;
const MOST_BROAD = 20;

/**
 * `record` with the first changes, and the others in records of their own, in the same commit. `entries` of
 * `before` and `after` hold what an entry was and is: removed ones are in the first alone, added ones in the
 * second, changed ones in both, under the same id.
 */
export function itemise(record: AuditInput, changes: readonly ListChange[]): AuditInput[] {
  const named = changes.slice(0, MOST_NAMED);
  const parts = Math.max(1, Math.ceil(named.length / PER_RECORD));
  const { before, after, ...author } = record;
  return Array.from({ length: parts }, (_, index) => {
    const slice = named.slice(index * PER_RECORD, (index + 1) * PER_RECORD);
    const entriesBefore = { entries: slice.flatMap((change) => brief(change.before)) };
    const entriesAfter = { entries: slice.flatMap((change) => brief(change.after)) };
    if (index > 0) {
      const part = { part: index + 1, parts };
      return { ...author, action: "allowlist.itemised", before: entriesBefore, after: { ...part, ...entriesAfter } };
    }
    const counted = { parts, unnamed: changes.length - named.length };
    return {
      ...record,
      before: { ...(before as object), ...entriesBefore },
      after: { ...(after as object), ...counted, ...entriesAfter },
    };
  });
}

function brief(entry: AllowlistEntry | undefined) {
  if (entry === undefined) return [];
  const { id, cidr, label, expiresAt } = entry;
  return [{ id, cidr, label, ...(expiresAt === undefined ? {} : { expiresAt }) }];
}

/** The first broad prefixes, however many entries there are besides. */
export function broadOf(wanted: readonly { readonly cidr: string; readonly broad: boolean }[]): string[] {
  return wanted
    .filter(({ broad }) => broad)
    .slice(0, MOST_BROAD)
    .map(({ cidr }) => cidr);
}

/**
 * SHA-256 over the sorted SHA-256 sums (hex) of the lines `cidr TAB label TAB expiresAt`: whoever has a list can
 * tell whether it was this one. Sorted by first byte, so that no step is long.
 */
export async function digestList(items: readonly Listed[]): Promise<string> {
  const buckets = Array.from({ length: 256 }, (): string[] => []);
  for (const [index, { cidr, label, expiresAt }] of items.entries()) {
    if (index % SLICE === SLICE - 1) await nextTurn();
    const sum = hash("sha256", `${cidr}\t${label}\t${expiresAt ?? ""}`, "hex");
    buckets[Number.parseInt(sum.slice(0, 2), 16)]?.push(sum);
  }
  const whole = createHash("sha256");
  for (const bucket of buckets) whole.update(bucket.sort(compareText).join(""));
  return `sha256:${whole.digest("hex")}`;
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : 1;
}
