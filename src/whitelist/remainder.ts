/** How long a list goes on admitting somebody once a change of it is carried out. */
import type { AuditedChange } from "../core/audit.ts";
import type { Clock } from "../core/clock.ts";
import { at, type EntryRules } from "../core/entries.ts";
import { type AllowlistEntry, ENTRY_KIND } from "../core/entry.ts";
import type { TenantId } from "../core/ids.ts";
import type { Precondition, Store, Write } from "../core/store.ts";
import { NAME_KIND, nameOf } from "./name-record.ts";

/** What ends sooner is as good as gone: nobody can be counted on to notice in time. */
const SOON_MS = 24 * 3_600_000;
/** More than a tenant has names. */
const MANY = 1000;

export interface RemainderOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly entries: Pick<EntryRules, "pages">;
}

/** The entry that lasts longest: until when, and what must stay as it is for that. */
export interface Remainder {
  readonly untilMs: number;
  readonly standing: readonly Precondition[];
}

/** The change, on the condition that what it relies on stays as it is. */
export function given(standing: readonly Precondition[], change: AuditedChange): AuditedChange {
  return { ...change, preconditions: [...(change.preconditions ?? []), ...standing] };
}

/** Whether what is left lasts a day, or else as long as what there was. @param had asked only if need be */
export async function suffices(
  left: Remainder | undefined,
  nowMs: number,
  had: () => Promise<Remainder | undefined>,
): Promise<boolean> {
  const leftMs = left?.untilMs ?? -Infinity;
  return leftMs >= nowMs + SOON_MS || leftMs >= ((await had())?.untilMs ?? -Infinity);
}

/** Whether a change removes entries, or leaves some that end within a day: no other can cut anybody off. */
export function takesPlaces(writes: readonly Write[], nowMs: number): boolean {
  return writes.some(({ kind, expiresAtMs = Infinity, value }) => {
    return kind === ENTRY_KIND && (value === null || expiresAtMs < nowMs + SOON_MS);
  });
}

/**
 * Of the entries that fit, as they are after these writes, the first that lasts a day, or else the one that lasts
 * longest; `undefined` where there is none. Costs a pass over the list where few last.
 */
export async function remainderOf(
  { store, clock, entries }: RemainderOptions,
  tenant: TenantId,
  fits: (entry: AllowlistEntry) => boolean,
  writes: readonly Write[],
): Promise<Remainder | undefined> {
  const enoughMs = clock.nowMs() + SOON_MS;
  const endMs = await endings(store, tenant);
  let longest: Remainder | undefined;
  const weigh = (entry: AllowlistEntry, standing: () => readonly Precondition[]) => {
    const untilMs = fits(entry) ? endMs(entry) : -Infinity;
    if (untilMs > (longest?.untilMs ?? -Infinity)) longest = { untilMs, standing: standing() };
    return untilMs >= enoughMs;
  };
  const written = writes.filter(({ kind }) => kind === ENTRY_KIND);
  for (const { value } of written) if (value !== null && weigh(value as AllowlistEntry, () => [])) return longest;
  const ids = new Set(written.map(({ id }) => id));
  for await (const page of entries.pages(tenant)) {
    for (const document of page) {
      if (!ids.has(document.id) && weigh(document.value as AllowlistEntry, () => [at(document)])) return longest;
    }
  }
  return longest;
}

/** When an entry ends. What a name brought lasts anew for as long as the name does, and gives answers. */
async function endings(store: Store, tenant: TenantId): Promise<(entry: AllowlistEntry) => number> {
  const names = (await store.list({ kind: NAME_KIND, prefix: `${tenant}/`, limit: MANY })).map(nameOf);
  const followed = new Map<string | undefined, string | undefined>(
    names.filter((name) => name.failingSince === undefined).map((name) => [name.id, name.expiresAt]),
  );
  return ({ sourceId, kind, expiresAt }) => {
    const end = kind === "dns" && followed.has(sourceId) ? followed.get(sourceId) : expiresAt;
    return end === undefined ? Infinity : Date.parse(end);
  };
}
