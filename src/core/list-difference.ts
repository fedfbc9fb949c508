/** What a replacement does to a list: which entries stay, change, come and go. Worked out without holding the process up. */
import { nextTurn } from "./change.ts";
import type { EntryView } from "./entries.ts";
import type { AllowlistEntry } from "./entry.ts";
import type { EntryFacts } from "./entry-input.ts";
import { type Become, ListStock, sameFacts, type Taken } from "./list-stock.ts";

/** What a replacement does to a list. Entries that stay keep their id. */
export interface Difference {
  readonly added: readonly AllowlistEntry[];
  readonly removed: readonly EntryView[];
  /** Same CIDR, other label or expiry. */
  readonly changed: readonly Taken[];
  readonly unchanged: number;
}

export interface Compared {
  readonly difference: Difference;
  /** The list as it will be. */
  readonly list: readonly AllowlistEntry[];
}

type Make = (facts: EntryFacts) => AllowlistEntry;

const SLICE = 500;

/** Compares until no name is left with some of its entries: they stay together or go together. */
export async function compareLists(
  present: readonly EntryView[],
  wanted: readonly EntryFacts[],
  make: Make,
  become: Become,
): Promise<Compared> {
  const ended = new Set<string>();
  for (;;) {
    const compared = await compareEntries(await stockOf(present, ended), wanted, make, become);
    const known = ended.size;
    for (const { entry } of compared.difference.removed) if (entry.kind === "dns") ended.add(nameOf(entry));
    if (ended.size === known) return compared;
  }
}

async function compareEntries(
  { byCidr, gone, endings }: Stock,
  wanted: readonly EntryFacts[],
  make: Make,
  become: Become,
): Promise<Compared> {
  const difference = { added: [] as AllowlistEntry[], changed: [] as Taken[], unchanged: 0 };
  const list: AllowlistEntry[] = [];
  for (const [index, facts] of wanted.entries()) {
    if (index % SLICE === SLICE - 1) await nextTurn();
    const kept = byCidr.get(facts.cidr)?.take(facts, become);
    const expiresAt = facts.expiresAt ?? endings.get(facts.cidr);
    const after = kept?.after ?? make(expiresAt === undefined ? facts : { ...facts, expiresAt });
    list.push(after);
    if (kept === undefined) difference.added.push(after);
    else if (sameFacts(kept.before.entry, after)) difference.unchanged++;
    else difference.changed.push(kept);
  }
  const removed = [...gone];
  for (const { left } of byCidr.values()) for (const view of left) removed.push(view);
  return { difference: { ...difference, removed }, list };
}

/** The entry with this label and end. */
export function withFacts(
  { expiresAt: _, ...entry }: AllowlistEntry,
  { label, expiresAt }: { readonly label: string; readonly expiresAt?: string | undefined },
): AllowlistEntry {
  return { ...entry, label, ...(expiresAt === undefined ? {} : { expiresAt }) };
}

interface Stock {
  readonly byCidr: ReadonlyMap<string, ListStock>;
  /** What goes with its name. */
  readonly gone: readonly EntryView[];
  /** Its ends by CIDR, for what takes its place with no end asked: no address that moves is left for good. */
  readonly endings: ReadonlyMap<string, string | undefined>;
}

async function stockOf(present: readonly EntryView[], ended: ReadonlySet<string>): Promise<Stock> {
  const byCidr = new Map<string, ListStock>();
  const gone: EntryView[] = [];
  const endings = new Map<string, string | undefined>();
  for (const [index, view] of present.entries()) {
    if (index % SLICE === SLICE - 1) await nextTurn();
    const { entry } = view;
    if (entry.kind === "dns" && ended.has(nameOf(entry))) {
      gone.push(view);
      endings.set(entry.cidr, entry.expiresAt);
      continue;
    }
    const same = byCidr.get(entry.cidr) ?? new ListStock();
    byCidr.set(entry.cidr, same);
    same.put(view);
  }
  return { byCidr, gone, endings };
}

function nameOf({ id, sourceId }: AllowlistEntry): string {
  return sourceId ?? id;
}
