/** Takes a removal back: the entry returns as it was, under its own id, so that what brought it still governs it. */
import type { Author, Plan } from "../core/audit.ts";
import { at, entryWrite } from "../core/entries.ts";
import type { AllowlistEntry } from "../core/entry.ts";
import { SallyportError } from "../core/errors.ts";
import type { TenantId } from "../core/ids.ts";
import type { Store, StoredDocument } from "../core/store.ts";
import type { Tenant } from "../core/tenant.ts";
import { loadTenant } from "../core/tenant-lookup.ts";
import { readAudit } from "../observe/audit-log.ts";
import type { UserDirectory, WhitelistOptions } from "./dependencies.ts";
import { LINK_KIND } from "./link-record.ts";
import { resumingUse, type UseEnds } from "./link-use-end.ts";
import type { Names } from "./names.ts";
import { isName, type Removed } from "./removals.ts";
import { endsWithPerson, ownPlaceWrite } from "./self-allow.ts";
import { SHORTCUT_KIND, shortcutOf } from "./shortcut-record.ts";

/** How long a removal can be taken back. */
const UNDO_MS = 60 * 60_000;

export interface RestoreOptions extends Pick<WhitelistOptions, "store" | "entries" | "users" | "clock"> {
  readonly names: Names;
}

/**
 * An entry only while what brought it still answers for it: one whose link or shortcut has ended or moved on, whose
 * use was "not us", or whose person has ended, would stay when they go. A name is followed again, and brings its places itself.
 * @throws SallyportError `not_found` then, and when nothing of this id was removed within the hour; on commit
 * `entry_limit`, or a conflict when it is there
 */
export async function planRestore(
  options: RestoreOptions,
  tenant: TenantId,
  id: string,
  author: Author,
): Promise<Plan<Removed>> {
  const removed = await removedUnder(options.store, tenant, id, options.clock.nowMs());
  return isName(removed)
    ? await options.names.planRestore(tenant, removed, author)
    : await planEntry(options, tenant, removed, author);
}

async function planEntry(
  { entries, store, users }: RestoreOptions,
  tenant: TenantId,
  entry: AllowlistEntry,
  author: Author,
): Promise<Plan<AllowlistEntry>> {
  const { standing, room } = await entries.tenantStands(tenant);
  const { tenant: now } = await loadTenant(store, tenant);
  const source = endsWithPerson(entry, now.policy)
    ? await resumingPerson(users, now, entry)
    : await resumingSource(store, tenant, entry);
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

/** The person who added the entry themselves. */
async function resumingPerson(users: UserDirectory, tenant: Tenant, entry: AllowlistEntry): Promise<UseEnds> {
  const user = await users.find(tenant, entry.createdBy.slice("user:".length));
  if (user === undefined || user.disabled) throw nothingToRestore();
  const write = ownPlaceWrite(tenant.id, user.id, Date.parse(entry.expiresAt ?? ""));
  return { writes: [write], preconditions: [user.standing] };
}

/** What brings entries and takes them away again. */
const SOURCES: Readonly<Record<string, string>> = { link: LINK_KIND, shortcut: SHORTCUT_KIND };

function nothingToRestore(): SallyportError {
  return new SallyportError("not_found", "nothing was removed that can be brought back");
}
