/** Parts of a commit that add, renew and remove entries, so that a rule can join them with its own documents. */
import type { AuditedChange, AuditInput, Author } from "../core/audit.ts";
import { at, type EntryRules, entryWrite, type Origin } from "../core/entries.ts";
import { type AllowlistEntry, ENTRY_KIND, entryDocumentId, SEEN_KIND } from "../core/entry.ts";
import type { EntryId, TenantId } from "../core/ids.ts";
import type { Precondition, Store, StoredDocument, Write } from "../core/store.ts";
import type { Tenant } from "../core/tenant.ts";
import { later } from "./lifetime.ts";

const PAGE = 1000;

export interface Part {
  readonly writes: readonly Write[];
  readonly preconditions: readonly Precondition[];
  readonly audit: readonly AuditInput[];
  /** By how many entries the list grows. */
  readonly by: number;
}

export interface NewEntry {
  readonly cidr: string;
  readonly label: string;
  readonly expiresAt?: string;
}

/** The parts as one change, counted against the limits of the list. */
export function joined(
  entries: EntryRules,
  tenant: Tenant,
  parts: readonly Part[],
  own: Pick<AuditedChange, "writes" | "audit"> & { readonly preconditions: readonly Precondition[] },
): AuditedChange {
  const by = parts.reduce((sum, part) => sum + part.by, 0);
  return {
    writes: [...parts.flatMap(({ writes }) => writes), ...own.writes],
    preconditions: [...parts.flatMap(({ preconditions }) => preconditions), ...own.preconditions],
    counters: parts.length === 0 ? [] : [entries.counter(tenant.id, by, tenant.limits?.entries)],
    audit: [...parts.flatMap(({ audit }) => audit), ...own.audit],
  };
}

export function adding(
  entries: EntryRules,
  { id: tenant }: Tenant,
  wanted: NewEntry,
  origin: Origin,
  author: Author,
): { readonly entry: AllowlistEntry; readonly part: Part } {
  const entry = entries.makeEntry({ ...wanted, broad: false }, origin);
  const write = entryWrite(tenant, entry);
  const audit = { action: "entry.created", tenant, ...author, target: entry.id, after: entry };
  const absent = { kind: write.kind, id: write.id, revision: 0 };
  return { entry, part: { writes: [write], preconditions: [absent], audit: [audit], by: 1 } };
}

/**
 * Lets entries last longer, as far as they are still there. `undefined` when the first of them is not.
 * @returns the first, and until when the last of them lasts
 */
export async function renewing(
  store: Store,
  { id: tenant }: Tenant,
  ids: readonly EntryId[],
  expiresAt: string,
  author: Author,
): Promise<{ readonly entry: AllowlistEntry; readonly until: string; readonly parts: readonly Part[] } | undefined> {
  const present = await presentOf(store, tenant, ids);
  const [first] = present;
  if (first === undefined || (first.value as AllowlistEntry).id !== ids[0]) return undefined;
  const parts = present.map((document): Part => {
    const before = document.value as AllowlistEntry;
    const preconditions = [at(document)];
    // Somebody who gave it longer, or no end, is not overruled.
    if (before.expiresAt === undefined || before.expiresAt >= expiresAt)
      return { writes: [], preconditions, audit: [], by: 0 };
    const after = { ...before, expiresAt };
    const audit = { action: "entry.changed", tenant, ...author, target: before.id, before, after };
    return { writes: [entryWrite(tenant, after)], preconditions, audit: [audit], by: 0 };
  });
  const entry = first.value as AllowlistEntry;
  const longer = entry.expiresAt !== undefined && entry.expiresAt < expiresAt;
  const until = present.map(({ value }) => (value as AllowlistEntry).expiresAt ?? "").reduce(later, expiresAt);
  return { entry: longer ? { ...entry, expiresAt } : entry, until, parts };
}

/** Removes those of the entries that are still there. */
export async function removing(
  store: Store,
  { id: tenant }: Tenant,
  ids: readonly EntryId[],
  author: Author,
): Promise<{ readonly removed: readonly AllowlistEntry[]; readonly part: Part }> {
  const present = await presentOf(store, tenant, ids);
  const removed = present.map(({ value }) => value as AllowlistEntry);
  const part = {
    writes: present.flatMap(({ id }) => [
      { kind: ENTRY_KIND, id, value: null },
      { kind: SEEN_KIND, id, value: null, quiet: true },
    ]),
    preconditions: present.map(at),
    audit: removed.map((before) => ({ action: "entry.deleted", tenant, ...author, target: before.id, before })),
    by: -removed.length,
  };
  return { removed, part };
}

async function presentOf(store: Store, tenant: TenantId, ids: readonly EntryId[]): Promise<StoredDocument[]> {
  const present: StoredDocument[] = [];
  for (let from = 0; from < ids.length; from += PAGE) {
    const page = ids.slice(from, from + PAGE).map((id) => entryDocumentId(tenant, id));
    for (const document of await store.getMany(ENTRY_KIND, page)) if (document !== undefined) present.push(document);
  }
  return present;
}
