/** Takes a removal back: the entry returns as it was, under its own id, so that what brought it still governs it. */
import type { Author, Plan } from "../core/audit.ts";
import { type EntryRules, entryWrite } from "../core/entries.ts";
import type { AllowlistEntry } from "../core/entry.ts";
import { SallyportError } from "../core/errors.ts";
import type { TenantId } from "../core/ids.ts";
import type { Store } from "../core/store.ts";
import type { Tenant } from "../core/tenant.ts";
import { readAudit } from "../observe/audit-log.ts";

/** How long a removal can be taken back. */
const UNDO_MS = 60 * 60_000;

export interface RestoreOptions {
  readonly entries: EntryRules;
  readonly store: Store;
}

/** @throws SallyportError `not_found` when nothing of this id was removed within the hour; on commit `entry_limit`, or a conflict when it is there */
export async function planRestore(
  { entries, store }: RestoreOptions,
  { id: tenant }: Pick<Tenant, "id">,
  id: string,
  author: Author,
  nowMs: number,
): Promise<Plan<AllowlistEntry>> {
  const { standing, room } = await entries.tenantStands(tenant);
  const entry = await removedEntry(store, tenant, id, nowMs);
  const write = entryWrite(tenant, entry);
  return {
    result: entry,
    relieve: () => entries.recount(tenant),
    change: {
      writes: [write],
      preconditions: [standing, { kind: write.kind, id: write.id, revision: 0 }],
      counters: [entries.counter(tenant, 1, room)],
      audit: [{ action: "entry.restored", tenant, ...author, target: entry.id, after: entry }],
    },
  };
}

/** As the newest record of its removal has it. */
async function removedEntry(store: Store, tenant: TenantId, id: string, nowMs: number): Promise<AllowlistEntry> {
  for await (const { record } of readAudit(store, { tenant, sinceMs: nowMs - UNDO_MS })) {
    const { action, target, before } = record;
    if (target !== id || !action.startsWith("entry.")) continue;
    const entry = before as AllowlistEntry | undefined;
    const over = entry?.expiresAt !== undefined && Date.parse(entry.expiresAt) <= nowMs;
    if (action === "entry.deleted" && entry !== undefined && !over) return entry;
    break;
  }
  throw new SallyportError("not_found", "nothing was removed that can be brought back");
}
