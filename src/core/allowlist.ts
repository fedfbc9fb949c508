/** Whole allowlists: replacing one, adding many at once. One commit each, worked out without holding the process up. */
import type { AuditedChange, Author, Plan } from "./audit.ts";
import { type Expectation, expectRevision, nextTurn } from "./change.ts";
import { ALLOWLIST_KIND, type EntryRules, type EntryView, entryWrite, type Origin } from "./entries.ts";
import type { AllowlistEntry } from "./entry.ts";
import { ENTRY_KIND, entryDocumentId } from "./entry.ts";
import { type EntryFacts, type EntryInput, readEntryInput } from "./entry-input.ts";
import { endInPlace } from "./entry-lifetime.ts";
import { type Issue, SallyportError } from "./errors.ts";
import type { TenantId } from "./ids.ts";
import { broadOf, digestList, itemise, type ListChange } from "./list-audit.ts";
import { compareLists, type Difference, withFacts } from "./list-difference.ts";
import type { Precondition, Store, StoredDocument, Write } from "./store.ts";

const SLICE = 500;
const MAX_ISSUES = 100;

/** Checks many inputs, in slices. @throws SallyportError `body_invalid` with the first 100 issues and the count of all */
export async function readEntryInputs(
  inputs: readonly EntryInput[],
  nowMs: number,
  allowBroad: boolean,
): Promise<EntryFacts[]> {
  const facts: EntryFacts[] = [];
  const issues: Issue[] = [];
  let wrong = 0;
  for (const [index, input] of inputs.entries()) {
    if (index % SLICE === SLICE - 1) await nextTurn();
    try {
      facts.push(readEntryInput(input, nowMs, allowBroad, `/items/${index}/`));
    } catch (error) {
      if (!(error instanceof SallyportError)) throw error;
      wrong++;
      if (issues.length < MAX_ISSUES) issues.push(...error.issues);
    }
  }
  if (wrong > 0)
    throw new SallyportError("body_invalid", `${wrong} of ${inputs.length} entries are refused; nothing was changed`, {
      issues,
    });
  return facts;
}

export class AllowlistRules {
  readonly #store: Store;
  readonly #entries: EntryRules;

  constructor(store: Store, entries: EntryRules) {
    this.#store = store;
    this.#entries = entries;
  }

  /** The revision of the list as a whole; 0 for one that never held anything. */
  async revision(tenant: TenantId): Promise<number> {
    return (await this.#store.get(ALLOWLIST_KIND, tenant))?.revision ?? 0;
  }

  /**
   * Makes the list hold exactly `wanted`: an entry of the same CIDR stays and keeps its id. One that came by itself
   * keeps its own end unless it may be given the one that is asked for; where it may not, a new one takes its place,
   * and for each of a DNS name's entries where not all of them are wanted: those stay together or go together, and
   * what takes the place of one keeps its end unless another is asked.
   * @throws SallyportError `not_found`; ConflictError for another revision of the list than expected
   */
  async planReplace(
    tenant: TenantId,
    wanted: readonly EntryFacts[],
    origin: Origin,
    author: Author,
    expected?: Expectation,
  ): Promise<Plan<Difference>> {
    const tenantStands = await this.#entries.tenantStands(tenant);
    const list = await this.#store.get(ALLOWLIST_KIND, tenant);
    const listAt = { kind: ALLOWLIST_KIND, id: tenant, revision: list?.revision ?? 0 };
    expectRevision(expected, listAt);
    const present: EntryView[] = [];
    for await (const page of this.#entries.pages(tenant)) present.push(...page.map(viewOf));
    const make = (facts: EntryFacts) => this.#entries.makeEntry(facts, origin);
    const become = (entry: AllowlistEntry, { label, expiresAt: asked }: EntryFacts) => {
      const expiresAt = endInPlace(entry, asked);
      return this.#entries.mayEnd(entry, tenantStands, expiresAt) ? withFacts(entry, { label, expiresAt }) : undefined;
    };
    const { difference, list: after } = await compareLists(present, wanted, make, become);
    const counted = (list?.value as { count: number } | undefined)?.count ?? 0;
    const record = {
      action: "allowlist.replaced",
      tenant,
      ...author,
      before: { digest: await digestList(present.map(({ entry }) => entry)), count: present.length },
      after: { digest: await digestList(after), count: after.length, broad: broadOf(wanted), ...counts(difference) },
    };
    return {
      result: difference,
      change: {
        writes: await replacementWrites(tenant, difference),
        preconditions: [tenantStands.standing, listAt],
        counters: [this.#entries.counter(tenant, wanted.length - counted, tenantStands.room)],
        audit: itemise(record, changesOf(difference)),
      },
    };
  }

  /** Adds all or nothing. @throws SallyportError `not_found`; on commit `entry_limit` */
  async planAdd(
    tenant: TenantId,
    wanted: readonly EntryFacts[],
    origin: Origin,
    author: Author,
  ): Promise<Plan<number>> {
    const { standing, room } = await this.#entries.tenantStands(tenant);
    const preconditions = [standing, await this.#listAt(tenant)];
    const added: AllowlistEntry[] = [];
    const writes: Write[] = [];
    for (let from = 0; from < wanted.length; from += SLICE) {
      const entries = await this.#makeEntries(tenant, wanted.slice(from, from + SLICE), origin);
      added.push(...entries);
      writes.push(...entries.map((entry) => entryWrite(tenant, entry)));
      await nextTurn();
    }
    const after = { digest: await digestList(wanted), count: wanted.length, broad: broadOf(wanted) };
    const record = { action: "allowlist.imported", tenant, ...author, after };
    const change: AuditedChange = {
      writes,
      preconditions,
      counters: [this.#entries.counter(tenant, wanted.length, room)],
      audit: itemise(
        record,
        added.map((entry) => ({ after: entry })),
      ),
    };
    return { change, result: wanted.length, relieve: () => this.#entries.recount(tenant) };
  }

  /** The planned change, on the condition that the list is as the client read it. @throws ConflictError when it is not */
  async onList<Result>(tenant: TenantId, planned: Plan<Result>, expected: Expectation): Promise<Plan<Result>> {
    if (expected === undefined) return planned;
    const list = await this.#listAt(tenant);
    expectRevision(expected, list);
    const { change } = planned;
    return { ...planned, change: { ...change, preconditions: [...(change.preconditions ?? []), list] } };
  }

  /** Under ids that are not there: another node can have made the same in the same millisecond. */
  async #makeEntries(tenant: TenantId, wanted: readonly EntryFacts[], origin: Origin): Promise<AllowlistEntry[]> {
    for (;;) {
      const made = wanted.map((facts) => this.#entries.makeEntry(facts, origin));
      const ids = made.map(({ id }) => entryDocumentId(tenant, id));
      const there = await this.#store.getMany(ENTRY_KIND, ids);
      if (there.every((document) => document === undefined)) return made;
    }
  }

  /** The precondition that nobody changes the list meanwhile. */
  async #listAt(tenant: TenantId): Promise<Precondition> {
    return { kind: ALLOWLIST_KIND, id: tenant, revision: await this.revision(tenant) };
  }
}

const viewOf = ({ value, revision }: StoredDocument): EntryView => ({ entry: value as AllowlistEntry, revision });

function counts({ added, removed, changed, unchanged }: Difference) {
  return { added: added.length, removed: removed.length, changed: changed.length, unchanged };
}

/** What lets somebody in first. */
function changesOf({ added, removed, changed }: Difference): ListChange[] {
  return [
    ...added.map((after) => ({ after })),
    ...changed.map(({ before, after }) => ({ before: before.entry, after })),
    ...removed.map(({ entry }) => ({ before: entry })),
  ];
}

async function replacementWrites(tenant: TenantId, { added, changed, removed }: Difference): Promise<Write[]> {
  const writes: Write[] = [];
  for (const [index, entry] of [...added, ...changed.map(({ after }) => after)].entries()) {
    if (index % SLICE === SLICE - 1) await nextTurn();
    writes.push(entryWrite(tenant, entry));
  }
  for (const [index, { entry }] of removed.entries()) {
    if (index % SLICE === SLICE - 1) await nextTurn();
    writes.push({ kind: ENTRY_KIND, id: entryDocumentId(tenant, entry.id), value: null });
  }
  return writes;
}
