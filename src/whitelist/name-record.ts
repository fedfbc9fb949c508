/** What is stored of a DNS name on an allowlist: kept apart from the entries that its answers come to. */
import type { EntryId, TenantId } from "../core/ids.ts";
import type { StoredDocument, Write } from "../core/store.ts";

/** `{tenant}/{name}` → {@link NameRecord}. Only its making and its end are in the feed. */
export const NAME_KIND = "dnsname";

/** What somebody asked for. Times are ISO 8601 in UTC. */
export interface NameFacts {
  /** Of the form of an entry's, so that one path leads to either. */
  readonly id: EntryId;
  readonly hostname: string;
  readonly label: string;
  readonly createdBy: string;
  readonly createdAt: string;
  readonly expiresAt?: string;
  /** Private and loopback answers count too. */
  readonly allowPrivate: boolean;
}

/** With what came of asking DNS for it. */
export interface NameRecord extends NameFacts {
  readonly entries: readonly { readonly id: EntryId; readonly cidr: string }[];
  /** Until then the entries last if no answer comes. */
  readonly entriesUntil?: string;
  readonly resolvedAt?: string;
  readonly failingSince?: string;
  /** Why the last attempt brought nothing. */
  readonly error?: string;
  /** When it is asked for next, or until when a node has the lease to do so. */
  readonly nextAt: string;
}

export const nameOf = ({ value }: StoredDocument) => value as NameRecord;

export function nameWrite(tenant: TenantId, name: NameRecord, quiet: boolean): Write {
  const write = { kind: NAME_KIND, id: `${tenant}/${name.id}`, value: name, quiet };
  return name.expiresAt === undefined ? write : { ...write, expiresAtMs: Date.parse(name.expiresAt) };
}
