/** Single allowlist entries: reading them, and the rules by which they come, change and go. */
import type { Author, CounterChange, Plan } from "./audit.ts";
import { type Expectation, expectRevision } from "./change.ts";
import type { Clock } from "./clock.ts";
import { type AllowlistEntry, ENTRY_KIND, type EntryKind, entryDocumentId, SEEN_KIND } from "./entry.ts";
import { type EntryFacts, type EntryInput, readEntryInput, readExpiry, readLabel } from "./entry-input.ts";
import { endRefused, mayEnd } from "./entry-lifetime.ts";
import { ConflictError, SallyportError } from "./errors.ts";
import { newEntryId, type TenantId } from "./ids.ts";
import { readPages } from "./read-all.ts";
import type { Precondition, Store, StoredDocument, Write } from "./store.ts";
import type { TenantLimits } from "./tenant.ts";
import { loadTenant } from "./tenant-lookup.ts";

/**
 * `{tenant}` → `{count}`: how many entries the allowlist holds, at least. Its revision rises with every change
 * to the list, so that it is also the revision of the list as a whole. Whoever writes an entry names it as a
 * counter of the change.
 */
export const ALLOWLIST_KIND = "allowlist";

export interface EntryRulesOptions {
  readonly store: Store;
  readonly clock: Clock;
  /** The most that one tenant's allowlist may hold. */
  readonly entriesPerTenant: number;
}

/** Where an entry comes from. */
export interface Origin {
  readonly kind: EntryKind;
  /** As {@link AllowlistEntry.createdBy}. */
  readonly createdBy: string;
  readonly sourceId?: string;
}

/** An entry with what the store knows of it besides. */
export interface EntryView {
  readonly entry: AllowlistEntry;
  readonly revision: number;
  readonly lastSeenAt?: string;
}

export interface EntryChange {
  readonly label?: string;
  /** `null`: no longer expires. */
  readonly expiresAt?: string | null;
  readonly ttlSeconds?: number;
}

export interface TenantStanding {
  readonly standing: Precondition;
  /** How many entries its list may hold. */
  readonly room: number;
  readonly limits: TenantLimits | undefined;
}

/** A list that was found full is counted anew at most this often. */
const RECOUNT_INTERVAL_MS = 60_000;

export class EntryRules {
  readonly #options: EntryRulesOptions;
  readonly #fullAtMs = new Map<TenantId, number>();
  readonly #recounts = new Map<TenantId, Promise<boolean>>();

  constructor(options: EntryRulesOptions) {
    this.#options = options;
  }

  /** @throws SallyportError `not_found` */
  async read(tenant: TenantId, id: string): Promise<EntryView> {
    const document = await this.#document(tenant, id);
    const [view] = await this.withLastSeen(tenant, [document]);
    return view ?? { entry: document.value as AllowlistEntry, revision: document.revision };
  }

  /** One page in order of creation. */
  async list(tenant: TenantId, limit: number, after?: string): Promise<EntryView[]> {
    const prefix = `${tenant}/`;
    const last = after === undefined ? undefined : prefix + after;
    const page = await this.#options.store.list({ kind: ENTRY_KIND, prefix, limit, after: last });
    return await this.withLastSeen(tenant, page);
  }

  /** Joins the time at which each entry last admitted somebody. */
  async withLastSeen(tenant: TenantId, documents: readonly StoredDocument[]): Promise<EntryView[]> {
    const ids = documents.map(({ value }) => entryDocumentId(tenant, (value as AllowlistEntry).id));
    const seen = ids.length === 0 ? [] : await this.#options.store.getMany(SEEN_KIND, ids);
    return documents.map(({ value, revision }, index) => {
      const at = (seen[index]?.value as { at: number } | undefined)?.at;
      const entry = value as AllowlistEntry;
      return { entry, revision, ...(at === undefined ? {} : { lastSeenAt: lastSeenAt(at, entry) }) };
    });
  }

  /** Every entry, a page at a time, letting the event loop turn in between. */
  pages(tenant: TenantId): AsyncIterable<readonly StoredDocument[]> {
    return readPages(this.#options.store, { kind: ENTRY_KIND, prefix: `${tenant}/` });
  }

  /** @throws SallyportError `not_found`, `address_invalid`, `broad_prefix`, `body_invalid`; on commit `entry_limit` */
  async planCreate(
    tenant: TenantId,
    input: EntryInput & { readonly allowBroad?: boolean },
    origin: Origin,
    author: Author,
  ) {
    const facts = readEntryInput(input, this.#options.clock.nowMs(), input.allowBroad ?? false);
    return await this.planCreateFrom(tenant, facts, origin, author);
  }

  /** {@link planCreate} from facts that are already checked. */
  async planCreateFrom(
    tenant: TenantId,
    facts: EntryFacts,
    origin: Origin,
    author: Author,
  ): Promise<Plan<AllowlistEntry>> {
    const { standing, room } = await this.tenantStands(tenant);
    const entry = this.makeEntry(facts, origin);
    const write = entryWrite(tenant, entry);
    const after = facts.broad ? { ...entry, allowBroad: true } : entry;
    return {
      result: entry,
      relieve: () => this.recount(tenant),
      change: {
        writes: [write],
        preconditions: [standing, { kind: write.kind, id: write.id, revision: 0 }],
        counters: [this.counter(tenant, 1, room)],
        audit: [{ action: "entry.created", tenant, ...author, target: entry.id, after }],
      },
    };
  }

  /**
   * Rename, extend, or take the expiry away. The CIDR never changes: another place is another entry.
   * @throws SallyportError `not_found`, `body_invalid`; ConflictError for another revision than expected
   */
  async planChange(
    tenant: TenantId,
    id: string,
    change: EntryChange,
    author: Author,
    expected?: Expectation,
  ): Promise<Plan<AllowlistEntry>> {
    const document = await this.#document(tenant, id);
    expectRevision(expected, document);
    const before = document.value as AllowlistEntry;
    const { expiresAt: oldExpiry, ...rest } = before;
    const entry = { ...rest, label: change.label === undefined ? rest.label : readLabel(change.label, "/label") };
    const expiresAt = this.#changedExpiry(oldExpiry, change);
    const tenantStands = await this.tenantStands(tenant);
    if (!this.mayEnd(before, tenantStands, expiresAt))
      throw endRefused(
        before.kind,
        tenantStands.limits,
        change.ttlSeconds === undefined ? "/expiresAt" : "/ttlSeconds",
      );
    const after: AllowlistEntry = expiresAt === undefined ? entry : { ...entry, expiresAt };
    return {
      result: after,
      change: {
        writes: [entryWrite(tenant, after)],
        preconditions: [at(document)],
        counters: [this.counter(tenant, 0)],
        audit: [{ action: "entry.changed", tenant, ...author, target: before.id, before, after }],
      },
    };
  }

  #changedExpiry(old: string | undefined, { expiresAt, ttlSeconds }: EntryChange): string | undefined {
    const asked = {
      ...(typeof expiresAt === "string" ? { expiresAt } : {}),
      ...(ttlSeconds === undefined ? {} : { ttlSeconds }),
    };
    return readExpiry(asked, this.#options.clock.nowMs(), "/") ?? (expiresAt === null ? undefined : old);
  }

  /** @throws SallyportError `not_found`; ConflictError for another revision than expected */
  async planDelete(
    tenant: TenantId,
    id: string,
    author: Author,
    expected?: Expectation,
  ): Promise<Plan<AllowlistEntry>> {
    const document = await this.#document(tenant, id);
    expectRevision(expected, document);
    const before = document.value as AllowlistEntry;
    return {
      result: before,
      change: {
        writes: [
          { kind: ENTRY_KIND, id: document.id, value: null },
          { kind: SEEN_KIND, id: document.id, value: null, quiet: true },
        ],
        preconditions: [at(document)],
        counters: [this.counter(tenant, -1)],
        audit: [{ action: "entry.deleted", tenant, ...author, target: before.id, before }],
      },
    };
  }

  /** Whether an entry may be given this end. */
  mayEnd(entry: AllowlistEntry, { limits }: TenantStanding, expiresAt: string | undefined): boolean {
    return mayEnd(entry, expiresAt, this.#options.clock.nowMs(), limits);
  }

  makeEntry(facts: EntryFacts, origin: Origin): AllowlistEntry {
    const nowMs = this.#options.clock.nowMs();
    const { cidr, label, expiresAt } = facts;
    return {
      id: newEntryId(nowMs),
      cidr,
      label,
      kind: origin.kind,
      createdBy: origin.createdBy,
      createdAt: new Date(nowMs).toISOString(),
      ...(expiresAt === undefined ? {} : { expiresAt }),
      ...(origin.sourceId === undefined ? {} : { sourceId: origin.sourceId }),
    };
  }

  /** @param room the tenant's own limit, where it has one */
  counter(tenant: TenantId, by: number, room = Infinity): CounterChange {
    return { kind: ALLOWLIST_KIND, id: tenant, by, limit: Math.min(room, this.#options.entriesPerTenant) };
  }

  /** The precondition that the tenant is there and stays, and what it allows itself. @throws SallyportError `not_found` */
  async tenantStands(tenant: TenantId): Promise<TenantStanding> {
    const { tenant: found, standing } = await loadTenant(this.#options.store, tenant);
    return { standing, room: found.limits?.entries ?? Infinity, limits: found.limits };
  }

  async #document(tenant: TenantId, id: string): Promise<StoredDocument> {
    const known = /^e[0-9a-z]{13}$/.test(id) ? await this.#options.store.get(ENTRY_KIND, `${tenant}/${id}`) : undefined;
    if (known === undefined) throw new SallyportError("not_found", "there is no such allowlist entry");
    return known;
  }

  /**
   * Entries that expired are still counted; when the limit is hit, the count is put right, once for all who meet it
   * at the same time. @returns whether that may have made room
   */
  async recount(tenant: TenantId): Promise<boolean> {
    const { clock } = this.#options;
    const underWay = this.#recounts.get(tenant);
    if (underWay !== undefined) return await underWay;
    if (clock.nowMs() - (this.#fullAtMs.get(tenant) ?? -Infinity) < RECOUNT_INTERVAL_MS) return false;
    const recount = this.#recount(tenant).finally(() => this.#recounts.delete(tenant));
    this.#recounts.set(tenant, recount);
    const room = await recount;
    if (room) return true;
    if (this.#fullAtMs.size >= 10_000) this.#fullAtMs.clear();
    this.#fullAtMs.set(tenant, clock.nowMs());
    return false;
  }

  async #recount(tenant: TenantId): Promise<boolean> {
    const { store } = this.#options;
    const counted = await store.get(ALLOWLIST_KIND, tenant);
    if (counted === undefined) return false;
    let count = 0;
    for await (const page of this.pages(tenant)) count += page.length;
    if (count >= (counted.value as { count: number }).count) return false;
    const writes = [{ kind: ALLOWLIST_KIND, id: tenant, value: { count }, quiet: true }];
    return await store.commit({ writes, preconditions: [at(counted)] }).then(
      () => true,
      (error: unknown) => {
        // Somebody changed the list meanwhile, which also changed the count: worth another try.
        if (error instanceof ConflictError) return true;
        throw error;
      },
    );
  }
}

/** Whole seconds are counted, so that an entry used at once would seem to have been before it was there. */
function lastSeenAt(seconds: number, { createdAt }: AllowlistEntry): string {
  const at = new Date(seconds * 1000).toISOString();
  return at < createdAt ? createdAt : at;
}

export function entryWrite(tenant: TenantId, entry: AllowlistEntry): Write {
  const write = { kind: ENTRY_KIND, id: entryDocumentId(tenant, entry.id), value: entry };
  return entry.expiresAt === undefined ? write : { ...write, expiresAtMs: Date.parse(entry.expiresAt) };
}

/** The precondition that a document is still as it was read. */
export function at({ kind, id, revision }: StoredDocument): Precondition {
  return { kind, id, revision };
}
