/** What a replacement does to a list: which entries stay, change, come and go. Worked out without holding the process up. */
import { nextTurn } from "./change.ts";
import type { EntryView } from "./entries.ts";
import type { AllowlistEntry } from "./entry.ts";
import type { EntryFacts } from "./entry-input.ts";

/** What a replacement does to a list. Entries that stay keep their id. */
export interface Difference {
  readonly added: readonly AllowlistEntry[];
  readonly removed: readonly EntryView[];
  /** Same CIDR, other label or expiry. */
  readonly changed: readonly { readonly before: EntryView; readonly after: AllowlistEntry }[];
  readonly unchanged: number;
}

export interface Compared {
  readonly difference: Difference;
  /** The list as it will be. */
  readonly list: readonly AllowlistEntry[];
}

/** The entry as far as it may be as wanted; `undefined` where another takes its place. */
export type Become = (entry: AllowlistEntry, facts: EntryFacts) => AllowlistEntry | undefined;

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
    const unlessEnded: Become = (entry, facts) =>
      entry.kind === "dns" && ended.has(entry.sourceId ?? entry.id) ? undefined : become(entry, facts);
    const compared = await compareEntries(present, wanted, make, unlessEnded);
    const known = ended.size;
    for (const { entry } of compared.difference.removed)
      if (entry.kind === "dns") ended.add(entry.sourceId ?? entry.id);
    if (ended.size === known) return compared;
  }
}

async function compareEntries(
  present: readonly EntryView[],
  wanted: readonly EntryFacts[],
  make: Make,
  become: Become,
): Promise<Compared> {
  const stock = await byCidr(present);
  const difference = { added: [] as AllowlistEntry[], changed: [] as Difference["changed"][number][], unchanged: 0 };
  const list: AllowlistEntry[] = [];
  for (const [index, facts] of wanted.entries()) {
    if (index % SLICE === SLICE - 1) await nextTurn();
    const same = stock.get(facts.cidr);
    const kept = takeClosest(same, facts, become);
    const after = kept === undefined ? make(endingWithName(facts, same)) : kept.after;
    list.push(after);
    if (kept === undefined) difference.added.push(after);
    else if (sameFacts(kept.before.entry, after)) difference.unchanged++;
    else difference.changed.push(kept);
  }
  const removed: EntryView[] = [];
  for (const left of stock.values()) if (left.length > 0) removed.push(...left);
  return { difference: { ...difference, removed }, list };
}

/** The entry with this label and end. */
export function withFacts({ expiresAt: _, ...entry }: AllowlistEntry, { label, expiresAt }: Listed): AllowlistEntry {
  return { ...entry, label, ...(expiresAt === undefined ? {} : { expiresAt }) };
}

/** In the place of an entry that goes with its name: no end asked is that one's, so that no moving address is left for good. */
function endingWithName(facts: EntryFacts, left: readonly EntryView[] = []): EntryFacts {
  const expiresAt = facts.expiresAt ?? left.find(({ entry }) => entry.kind === "dns")?.entry.expiresAt;
  return expiresAt === undefined ? facts : { ...facts, expiresAt };
}

interface Listed {
  readonly label: string;
  readonly expiresAt?: string | undefined;
}

function sameFacts(entry: AllowlistEntry, { label, expiresAt }: Listed): boolean {
  return entry.label === label && entry.expiresAt === expiresAt;
}

async function byCidr(present: readonly EntryView[]): Promise<Map<string, EntryView[]>> {
  const stock = new Map<string, EntryView[]>();
  for (const [index, view] of present.entries()) {
    if (index % SLICE === SLICE - 1) await nextTurn();
    const same = stock.get(view.entry.cidr);
    if (same === undefined) stock.set(view.entry.cidr, [view]);
    else same.push(view);
  }
  return stock;
}

/** Takes out of the stock of one CIDR the entry that is the same, else one that can become it, of the same label first. */
function takeClosest(
  stock: EntryView[] | undefined,
  facts: EntryFacts,
  become: Become,
): Difference["changed"][number] | undefined {
  if (stock === undefined) return undefined;
  const before =
    stock.find(({ entry }) => sameFacts(entry, facts) && become(entry, facts) !== undefined) ??
    stock.find(({ entry }) => entry.label === facts.label && become(entry, facts) !== undefined) ??
    stock.find(({ entry }) => become(entry, facts) !== undefined);
  const after = before === undefined ? undefined : become(before.entry, facts);
  if (before === undefined || after === undefined) return undefined;
  stock.splice(stock.indexOf(before), 1);
  return { before, after };
}
