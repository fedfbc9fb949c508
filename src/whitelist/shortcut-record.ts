/** What is stored of a shortcut. */
import { at } from "../core/entries.ts";
import type { AllowlistEntry } from "../core/entry.ts";
import type { EntryId, TenantId } from "../core/ids.ts";
import type { Precondition, Store, StoredDocument, Write } from "../core/store.ts";
import { later } from "./lifetime.ts";

/** `{tenant}/{shortcut}` → {@link ShortcutRecord}; ends by itself when it is not used for long. */
export const SHORTCUT_KIND = "shortcut";

/** Times are ISO 8601 in UTC. */
export interface ShortcutRecord {
  readonly id: string;
  /** The device or the person, as people call it. */
  readonly label: string;
  /** Whose it is; without it, the clinic's own (a router, a script). */
  readonly user?: string;
  readonly createdBy: string;
  readonly createdAt: string;
  /** It ends when it is not run for so long. */
  readonly idleSeconds: number;
  /** Never before an entry of it, which may have been given a later end. */
  readonly expiresAt: string;
  readonly runs: number;
  readonly lastRun?: {
    readonly at: string;
    readonly address: string;
    readonly cidr: string;
    readonly userAgent: string;
  };
  /** The entry of the last run, and that of the address of the other family. */
  readonly entries: readonly EntryId[];
  /** Networks, as `networkId` names them, from which it ran with all that was asked; the newest first. */
  readonly networks: readonly string[];
}

export function isShortcutId(text: string): boolean {
  return /^sct_[0-9a-z]{26}$/.test(text);
}

export function shortcutWrite(tenant: TenantId, shortcut: ShortcutRecord): Write {
  const id = `${tenant}/${shortcut.id}`;
  return { kind: SHORTCUT_KIND, id, value: shortcut, expiresAtMs: Date.parse(shortcut.expiresAt) };
}

/** What a change adds that gives these entries another end: their shortcuts last as long as they do. */
export async function followingShortcuts(store: Store, tenant: TenantId, moved: readonly AllowlistEntry[]) {
  const ends = { writes: [] as Write[], preconditions: [] as Precondition[] };
  const brought = moved.filter(({ kind }) => kind === "shortcut");
  for (const source of new Set(brought.map(({ sourceId }) => sourceId))) {
    const document = await store.get(SHORTCUT_KIND, `${tenant}/${source}`);
    if (document === undefined) continue;
    const shortcut = shortcutOf(document);
    const own = brought.filter(({ id }) => shortcut.entries.includes(id));
    const expiresAt = own.map((entry) => entry.expiresAt ?? "").reduce(later, shortcut.expiresAt);
    ends.preconditions.push(at(document));
    if (expiresAt !== shortcut.expiresAt) ends.writes.push(shortcutWrite(tenant, { ...shortcut, expiresAt }));
  }
  return ends;
}

export const shortcutOf = ({ value }: StoredDocument) => value as ShortcutRecord;
