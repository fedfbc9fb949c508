/** What is stored of a shortcut. */
import type { EntryId, TenantId } from "../core/ids.ts";
import type { StoredDocument, Write } from "../core/store.ts";

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

export const shortcutOf = ({ value }: StoredDocument) => value as ShortcutRecord;
