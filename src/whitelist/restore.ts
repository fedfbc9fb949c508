/** Takes a removal back: the entry returns as it was, under its own id, so that what brought it still governs it. */
import type { Author, Plan } from "../core/audit.ts";
import { at, type EntryRules, entryWrite } from "../core/entries.ts";
import type { AllowlistEntry } from "../core/entry.ts";
import { SallyportError } from "../core/errors.ts";
import type { EntryId, TenantId } from "../core/ids.ts";
import type { Precondition, Store, StoredDocument } from "../core/store.ts";
import type { Tenant } from "../core/tenant.ts";
import { readAudit } from "../observe/audit-log.ts";
import { entriesOf, LINK_KIND, LINK_USE_KIND, useOf } from "./link-record.ts";
import type { Names } from "./names.ts";
import { isName, type Removed } from "./removals.ts";
import { SHORTCUT_KIND, shortcutOf } from "./shortcut-record.ts";

/** How long a removal can be taken back. */
const UNDO_MS = 60 * 60_000;
const MANY = 1000;

export interface RestoreOptions {
  readonly entries: EntryRules;
  readonly names: Names;
  readonly store: Store;
}

/**
 * An entry only while what brought it still answers for it: one whose link or shortcut has ended or moved on, or
 * whose use was "not us", would stay when they go. A name is followed again, and brings its places itself.
 * @throws SallyportError `not_found` then, and when nothing of this id was removed within the hour; on commit
 * `entry_limit`, or a conflict when it is there
 */
export async function planRestore(
  options: RestoreOptions,
  { id: tenant }: Pick<Tenant, "id">,
  id: string,
  author: Author,
  nowMs: number,
): Promise<Plan<Removed>> {
  const removed = await removedUnder(options.store, tenant, id, nowMs);
  return isName(removed)
    ? await options.names.planRestore(tenant, removed, author)
    : await planEntry(options, tenant, removed, author);
}

async function planEntry(
  { entries, store }: RestoreOptions,
  tenant: TenantId,
  entry: AllowlistEntry,
  author: Author,
): Promise<Plan<AllowlistEntry>> {
  const { standing, room } = await entries.tenantStands(tenant);
  const source = await standingSource(store, tenant, entry);
  const write = entryWrite(tenant, entry);
  return {
    result: entry,
    relieve: () => entries.recount(tenant),
    change: {
      writes: [write],
      preconditions: [standing, ...source, { kind: write.kind, id: write.id, revision: 0 }],
      counters: [entries.counter(tenant, 1, room)],
      audit: [{ action: "entry.restored", tenant, ...author, target: entry.id, after: entry }],
    },
  };
}

/** What the newest record of this id says was removed, as long as its own time is not over. */
async function removedUnder(store: Store, tenant: TenantId, id: string, nowMs: number): Promise<Removed> {
  for await (const { record } of readAudit(store, { tenant, sinceMs: nowMs - UNDO_MS })) {
    const { action, target, before } = record;
    if (target !== id || !/^(?:entry|name)\./.test(action)) continue;
    const removed = before as Removed | undefined;
    const over = removed?.expiresAt !== undefined && Date.parse(removed.expiresAt) <= nowMs;
    if (/^(?:entry|name)\.deleted$/.test(action) && removed !== undefined && !over) return removed;
    break;
  }
  throw nothingToRestore();
}

/** Stays as it is until the entry is back, so that nobody ends it meanwhile. */
async function standingSource(store: Store, tenant: TenantId, entry: AllowlistEntry): Promise<Precondition[]> {
  // What a name brought goes and returns with the name.
  if (entry.kind === "dns") throw nothingToRestore();
  const source = SOURCES[entry.kind];
  if (source === undefined) return [];
  const document = await store.get(source.kind, `${tenant}/${entry.sourceId}`);
  if (document === undefined || !(await source.entries(document, store)).includes(entry.id)) throw nothingToRestore();
  return [at(document)];
}

/** What brings entries and takes them away again, and which it answers for. */
const SOURCES: Readonly<Record<string, Source>> = {
  link: {
    kind: LINK_KIND,
    entries: async ({ id }, store) => {
      const uses = await store.list({ kind: LINK_USE_KIND, prefix: `${id}/`, limit: MANY });
      return uses.map(useOf).flatMap((use) => (use.removedAt === undefined ? entriesOf(use) : []));
    },
  },
  shortcut: { kind: SHORTCUT_KIND, entries: async (document) => shortcutOf(document).entries },
};

interface Source {
  readonly kind: string;
  readonly entries: (document: StoredDocument, store: Store) => Promise<readonly EntryId[]>;
}

function nothingToRestore(): SallyportError {
  return new SallyportError("not_found", "nothing was removed that can be brought back");
}
