/** Taking places off a list, or giving them another end, as long as that leaves an owner a way in and whoever asks their place. */
import { type Address, parsePrefix, prefixContains } from "../core/address.ts";
import type { Author, ChangeCommitter, Plan } from "../core/audit.ts";
import { type Expectation, expectRevision } from "../core/change.ts";
import type { EntryChange, EntryView } from "../core/entries.ts";
import { type AllowlistEntry, ENTRY_KIND, entryDocumentId } from "../core/entry.ts";
import { SallyportError, unlessMissing } from "../core/errors.ts";
import type { TenantId } from "../core/ids.ts";
import type { WhitelistOptions } from "./dependencies.ts";
import { type EntryEnds, followingUses } from "./link-use-end.ts";
import type { Aftermath, LockoutGuard } from "./lockout.ts";
import type { NameRecord } from "./name-record.ts";
import type { Names } from "./names.ts";
import { given, remainderOf, suffices, takesPlaces } from "./remainder.ts";
import { followingShortcuts } from "./shortcut-record.ts";

/** What is known of who asks for a change that may take places off a list. */
export interface Removal {
  /** The address of the person on whose behalf this is asked, unless that person has confirmed. */
  readonly onBehalfOf?: Address | undefined;
  /** Although it leaves no owner a way in. */
  readonly force?: boolean;
}

type RemovalOptions = Pick<WhitelistOptions, "store" | "ledger" | "clock" | "entries">;

/** What went: one entry, or a name with the places that it pointed to. */
export type Removed = AllowlistEntry | NameRecord;

export class Removals {
  readonly #options: RemovalOptions;
  readonly #names: Names;
  readonly #lockout: LockoutGuard;

  constructor(options: RemovalOptions, names: Names, lockout: LockoutGuard) {
    this.#options = options;
    this.#names = names;
    this.#lockout = lockout;
  }

  /**
   * An entry that a name brought takes the name along, and with it the name's other places: alone it would come back
   * with the next answer. To be {@link guarded}.
   * @throws SallyportError `not_found`
   */
  async plan(tenant: TenantId, id: string, author: Author, expected?: Expectation): Promise<Plan<Removed>> {
    const planned = await this.#plan(tenant, id, author, expected);
    const gone = isName(planned.result) ? [] : [planned.result];
    return await this.withSources(tenant, planned, { gone, moved: [] }, author);
  }

  /**
   * Another label or end for an entry. To be {@link guarded}.
   * @throws SallyportError `not_found`, `body_invalid`; ConflictError for another revision than expected
   */
  async planChange(
    tenant: TenantId,
    id: string,
    change: EntryChange,
    author: Author,
    expected?: Expectation,
  ): Promise<Plan<AllowlistEntry>> {
    const planned = await this.#options.entries.planChange(tenant, id, change, author, expected);
    return await this.withSources(tenant, planned, { gone: [], moved: [planned.result] }, author);
  }

  /** The planned change of these entries, with what brought them: it ends or lasts as they do. */
  async withSources<Result>(
    tenant: TenantId,
    planned: Plan<Result>,
    ends: EntryEnds,
    author: Author,
  ): Promise<Plan<Result>> {
    const { store, clock } = this.#options;
    const { change } = planned;
    const uses = await followingUses(store, tenant, ends, clock.nowMs());
    const shortcuts = await followingShortcuts(store, tenant, ends.moved);
    const names = await this.#names.endingWith(tenant, ends.gone, author);
    const sources = [uses, shortcuts, names];
    return {
      ...planned,
      change: {
        ...change,
        writes: [...change.writes, ...sources.flatMap(({ writes }) => writes)],
        preconditions: [...(change.preconditions ?? []), ...sources.flatMap(({ preconditions }) => preconditions)],
        audit: [...change.audit, ...names.audit],
      },
    };
  }

  /**
   * Any planned change of a list, as long as it leaves an owner a way in and does not cut off who asks for it.
   * @throws SallyportError `lockout_refused`, `confirmation_required`
   */
  async guarded<Result>(
    tenant: TenantId,
    planned: Plan<Result>,
    { onBehalfOf, force = false }: Removal,
  ): Promise<Plan<Result>> {
    if (!takesPlaces(planned.change.writes, this.#options.clock.nowMs())) return planned;
    const guarded = force ? planned : await this.#lockout.guard(tenant, {}, planned);
    return onBehalfOf === undefined ? guarded : await this.#sparing(tenant, guarded, onBehalfOf);
  }

  /** The same for rules that commit by themselves, and leave what the aftermath says: see {@link LockoutGuard.committer}. */
  committer(
    tenant: TenantId,
    aftermath: Aftermath,
    { onBehalfOf, force = false }: Removal,
    ledger: ChangeCommitter = this.#options.ledger,
  ): ChangeCommitter {
    const sparing: ChangeCommitter = {
      commit: async (change) => {
        const asked = onBehalfOf !== undefined && takesPlaces(change.writes, this.#options.clock.nowMs());
        const plan = { change, result: undefined };
        return await ledger.commit(asked ? (await this.#sparing(tenant, plan, onBehalfOf)).change : change);
      },
    };
    return force ? sparing : this.#lockout.committer(tenant, aftermath, sparing);
  }

  /**
   * The planned change, unless it cuts the address off: by what it removes, or by what it lets end within a day; on
   * the condition that what is left to the address is there when it is committed.
   * @throws SallyportError `confirmation_required`
   */
  async #sparing<Result>(tenant: TenantId, planned: Plan<Result>, onBehalfOf: Address): Promise<Plan<Result>> {
    const { writes } = planned.change;
    const admits = ({ cidr }: AllowlistEntry) => prefixContains(parsePrefix(cidr), onBehalfOf);
    const left = await remainderOf(this.#options, tenant, admits, writes);
    if (await suffices(left, this.#options.clock.nowMs(), () => remainderOf(this.#options, tenant, admits, [])))
      return { ...planned, change: given(left?.standing ?? [], planned.change) };
    const message = `this takes away what admits ${onBehalfOf.text}, from where it is asked; confirm it`;
    throw new SallyportError("confirmation_required", message);
  }

  async #plan(tenant: TenantId, id: string, author: Author, expected: Expectation): Promise<Plan<Removed>> {
    const { entries } = this.#options;
    const view = await unlessMissing(entries.read(tenant, id));
    if (view === undefined) return await this.#names.planDelete(tenant, id, author, expected);
    const name = await this.#nameOf(tenant, view);
    if (name === undefined) return await entries.planDelete(tenant, id, author, expected);
    expectRevision(expected, { kind: ENTRY_KIND, id: entryDocumentId(tenant, view.entry.id), revision: view.revision });
    return await this.#names.planDelete(tenant, name, author);
  }

  /** The name that answers for an entry. */
  async #nameOf(tenant: TenantId, { entry }: EntryView): Promise<string | undefined> {
    if (entry.kind !== "dns" || entry.sourceId === undefined) return undefined;
    const found = await unlessMissing(this.#names.read(tenant, entry.sourceId));
    return found?.name.entries.some(({ id }) => id === entry.id) === true ? found.name.id : undefined;
  }
}

export function isName(removed: Removed): removed is NameRecord {
  return "hostname" in removed;
}
