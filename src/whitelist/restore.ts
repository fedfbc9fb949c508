/** Takes a removal back: the entry returns as it was, under its own id, so that what brought it still governs it. */
import type { Author, Plan } from "../core/audit.ts";
import { at, type EntryRules, entryWrite } from "../core/entries.ts";
import type { AllowlistEntry } from "../core/entry.ts";
import { SallyportError } from "../core/errors.ts";
import type { TenantId } from "../core/ids.ts";
import type { Store, StoredDocument } from "../core/store.ts";
import type { Tenant } from "../core/tenant.ts";
import { readAudit } from "../observe/audit-log.ts";
import { LINK_KIND } from "./link-record.ts";
import { resumingUse, type UseEnds } from "./link-use-end.ts";
import type { Names } from "./names.ts";
import { isName, type Removed } from "./removals.ts";
import { SHORTCUT_KIND, shortcutOf } from "./shortcut-record.ts";

/** How long a removal can be taken back. */
const UNDO_MS = 60 * 60_000;

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
  const source = await resumingSource(store, tenant, entry);
  const write = entryWrite(tenant, entry);
  return {
    result: entry,
    relieve: () => entries.recount(tenant),
    change: {
      writes: [write, ...source.writes],
      preconditions: [standing, ...source.preconditions, { kind: write.kind, id: write.id, revision: 0 }],
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

/** What the return of an entry takes of what brought it, which stays as it is until then, so that nobody ends it meanwhile. */
async function resumingSource(store: Store, tenant: TenantId, entry: AllowlistEntry): Promise<UseEnds> {
  // What a name brought goes and returns with the name.
  if (entry.kind === "dns") throw nothingToRestore();
  const kind = SOURCES[entry.kind];
  if (kind === undefined) return { writes: [], preconditions: [] };
  const document = await store.get(kind, `${tenant}/${entry.sourceId}`);
  const resuming =
    document?.kind === LINK_KIND ? await resumingUse(store, tenant, document, entry.id) : runsOn(document, entry);
  if (resuming === undefined) throw nothingToRestore();
  return resuming;
}

function runsOn(shortcut: StoredDocument | undefined, { id }: AllowlistEntry): UseEnds | undefined {
  if (shortcut === undefined || !shortcutOf(shortcut).entries.includes(id)) return undefined;
  return { writes: [], preconditions: [at(shortcut)] };
}

/** What brings entries and takes them away again. */
const SOURCES: Readonly<Record<string, string>> = { link: LINK_KIND, shortcut: SHORTCUT_KIND };

function nothingToRestore(): SallyportError {
  return new SallyportError("not_found", "nothing was removed that can be brought back");
}
