/** What is stored of a whitelist link and of its uses. */
import type { EntryId, TenantId } from "../core/ids.ts";
import type { StoredDocument, Write } from "../core/store.ts";

/** `{tenant}/{link}` → {@link LinkRecord}; kept for as long as an entry of it may live. */
export const LINK_KIND = "link";
/** `{tenant}/{link}/{network}` → {@link LinkUse}: one for each network that the link admitted. */
export const LINK_USE_KIND = "linkuse";

/** Times are ISO 8601 in UTC. */
export interface LinkRecord {
  readonly id: string;
  readonly label: string;
  readonly recipient?: string;
  /** As an entry's. */
  readonly createdBy: string;
  readonly createdAt: string;
  readonly expiresAt: string;
  readonly maxUses: number;
  readonly entryTtlSeconds: number;
  /** Canonical CIDR from which it must be used. */
  readonly allowedNetwork?: string;
  /** How many networks it admitted. */
  readonly uses: number;
  readonly lastUsedAt?: string;
  /** Until when an entry of it lasts that was given a later end than the link gives. */
  readonly keptUntil?: string;
}

export interface LinkUse {
  readonly id: string;
  readonly cidr: string;
  readonly address: string;
  readonly userAgent: string;
  readonly firstAt: string;
  readonly lastAt: string;
  /** How often it was opened and confirmed from this network. */
  readonly clicks: number;
  readonly entry: EntryId;
  /** When the entry ends by itself: one that is gone before was removed by somebody. */
  readonly entryUntil: string;
  /** The entry of the address of the other family, enrolled in the same click. */
  readonly companion?: { readonly entry: EntryId; readonly cidr: string; readonly address: string };
  /** What it admitted was taken off the list before its time: the link admits this network no more. */
  readonly removedAt?: string;
  /** An owner has said that this was not them, which no undo of a removal takes back. */
  readonly notUs?: true;
}

export function isLinkId(text: string): boolean {
  return /^lnk_[0-9a-z]{26}$/.test(text);
}

/** When nothing of the link can live any more. */
function linkEndMs({ expiresAt, entryTtlSeconds, keptUntil = expiresAt }: LinkRecord): number {
  return Math.max(Date.parse(expiresAt) + entryTtlSeconds * 1000, Date.parse(keptUntil));
}

export function linkWrite(tenant: TenantId, link: LinkRecord): Write {
  return { kind: LINK_KIND, id: `${tenant}/${link.id}`, value: link, expiresAtMs: linkEndMs(link) };
}

export function useWrite(tenant: TenantId, link: LinkRecord, use: LinkUse): Write {
  const id = `${tenant}/${link.id}/${use.id}`;
  return { kind: LINK_USE_KIND, id, value: use, expiresAtMs: linkEndMs(link), quiet: true };
}

export function entriesOf(use: LinkUse): EntryId[] {
  return use.companion === undefined ? [use.entry] : [use.entry, use.companion.entry];
}

export const useOf = ({ value }: StoredDocument) => value as LinkUse;
