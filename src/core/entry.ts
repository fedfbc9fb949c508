/** What an allowlist entry is. The strict parser is `address.ts`, the compiled form `matcher.ts`. */
import type { EntryId, TenantId } from "./ids.ts";

export type EntryKind = "static" | "link" | "shortcut" | "self" | "dns";

/** A stored allowlist entry. Times are ISO 8601 in UTC. */
export interface AllowlistEntry {
  readonly id: EntryId;
  /** Canonical, as `formatPrefix` writes it. */
  readonly cidr: string;
  readonly label: string;
  readonly kind: EntryKind;
  /** Who or what brought it: `key:{id}`, `user:{id}`, `link:{id}`, `shortcut:{id}`, `config`, `break-glass`. */
  readonly createdBy: string;
  readonly createdAt: string;
  readonly expiresAt?: string;
  /** The link, shortcut or DNS name it came from. */
  readonly sourceId?: string;
}

/** Kind of the entry documents; id `{tenant}/{entry}`. */
export const ENTRY_KIND = "entry";
/** Quiet documents `{tenant}/{entry}` → `{at: seconds}`: when the entry last admitted somebody. */
export const SEEN_KIND = "seen";
/** How long that is remembered: also that of an entry which has gone since, or goes before the edges have told of it. */
export const KEEP_SEEN_MS = 400 * 86_400_000;

export function entryDocumentId(tenant: TenantId, entry: EntryId): string {
  return `${tenant}/${entry}`;
}
