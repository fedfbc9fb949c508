/** The present entries of a list by CIDR, from which a replacement takes those that stay. */
import type { EntryView } from "./entries.ts";
import type { AllowlistEntry, EntryKind } from "./entry.ts";
import type { EntryFacts } from "./entry-input.ts";

/**
 * The entry as far as it may be as wanted; `undefined` where another takes its place. Of entries of one kind that end
 * otherwise than asked, all can or none.
 */
export type Become = (entry: AllowlistEntry, facts: EntryFacts) => AllowlistEntry | undefined;

export interface Taken {
  readonly before: EntryView;
  readonly after: AllowlistEntry;
}

interface Listed {
  readonly label: string;
  readonly expiresAt?: string | undefined;
}

/** Entries in the order in which they were put there; those before `next` are taken. */
interface Lane {
  readonly views: EntryView[];
  next: number;
}

const KINDS: readonly EntryKind[] = ["static", "link", "shortcut", "self", "dns"];
/** As many are looked through; of more, the first of each sort. */
const FEW = 12;

export function sameFacts(entry: AllowlistEntry, { label, expiresAt }: Listed): boolean {
  return entry.label === label && entry.expiresAt === expiresAt;
}

/** Where there are many: what was taken, and what was put there in lanes, each entry in several. */
interface Index {
  readonly taken: Set<EntryView>;
  readonly lanes: Map<string, Lane>;
}

/** The entries of one CIDR, in the order of their ids. However many there are, putting and taking one costs the same. */
export class ListStock {
  readonly #views: EntryView[] = [];
  #index: Index | undefined;

  /** What was not taken. */
  get left(): readonly EntryView[] {
    const taken = this.#index?.taken;
    return taken === undefined ? this.#views : this.#views.filter((view) => !taken.has(view));
  }

  put(view: EntryView): void {
    this.#views.push(view);
    if (this.#index !== undefined) enter(this.#index, view);
    else if (this.#views.length > FEW) {
      this.#index = { taken: new Set(), lanes: new Map() };
      for (const each of this.#views) enter(this.#index, each);
    }
  }

  /** Takes the entry that is the same, else one that can become it, of the same label first. */
  take(facts: EntryFacts, become: Become): Taken | undefined {
    const near = this.#index === undefined ? this.#views : firstOfEach(this.#index, facts);
    const fitting = near.filter(({ entry }) => become(entry, facts) !== undefined);
    const before =
      fitting.find(({ entry }) => sameFacts(entry, facts)) ??
      fitting.find(({ entry }) => entry.label === facts.label) ??
      fitting[0];
    const after = before === undefined ? undefined : become(before.entry, facts);
    if (before === undefined || after === undefined) return undefined;
    if (this.#index === undefined) this.#views.splice(this.#views.indexOf(before), 1);
    else this.#index.taken.add(before);
    return { before, after };
  }
}

function enter({ lanes }: Index, view: EntryView): void {
  const { kind, label, expiresAt } = view.entry;
  for (const key of [sameKey({ label, expiresAt }), endKey(expiresAt), labelKey(kind, label), kind]) {
    const lane = lanes.get(key);
    if (lane === undefined) lanes.set(key, { views: [view], next: 0 });
    else lane.views.push(view);
  }
}

/** Where the first of a kind cannot become what is wanted, only one that ends then already can. */
function firstOfEach(index: Index, facts: EntryFacts): EntryView[] {
  const labelled = KINDS.map((kind) => labelKey(kind, facts.label));
  const keys = [sameKey(facts), endKey(facts.expiresAt), ...labelled, ...KINDS];
  return keys
    .flatMap((key) => firstOf(index, key) ?? [])
    .sort((one, other) => (one.entry.id < other.entry.id ? -1 : 1));
}

function firstOf({ lanes, taken }: Index, key: string): EntryView | undefined {
  const lane = lanes.get(key);
  if (lane === undefined) return undefined;
  for (;;) {
    const view = lane.views[lane.next];
    if (view === undefined || !taken.has(view)) return view;
    lane.next++;
  }
}

// No label holds a tab.
function sameKey({ label, expiresAt = "" }: Listed): string {
  return `same\t${expiresAt}\t${label}`;
}

function endKey(expiresAt = ""): string {
  return `end\t${expiresAt}`;
}

function labelKey(kind: EntryKind, label: string): string {
  return `${kind}\t${label}`;
}
