/** What the pages by which places get onto the list, and the portal that manages it, are made from. */
import type { Address } from "../core/address.ts";
import type { EntryRules } from "../core/entries.ts";
import type { Explanation } from "../core/explain.ts";
import type { CanonicalHost, TenantId } from "../core/ids.ts";
import type { Store } from "../core/store.ts";
import type { LiveSession } from "../person/session-record.ts";
import type { Whitelist } from "../whitelist/whitelist.ts";
import type { PersonPages } from "./person-pages.ts";

/** A clinic that a login belongs to, and whether an address is on its list. */
export interface OwnClinic {
  readonly id: TenantId;
  readonly name: string;
  readonly host: CanonicalHost;
  readonly admitted: boolean;
}

export interface OwnClinics {
  /** The one that the session belongs to among them, by their names. */
  readonly clinics: readonly OwnClinic[];
  /** Whether others were looked for: only for somebody who was seen to read the login's mailbox. */
  readonly mailboxProven: boolean;
}

export interface PlacePages extends PersonPages {
  readonly whitelist: Whitelist;
  readonly entries: EntryRules;
  readonly store: Store;
  /** Whether invitations and links go out by mail. */
  readonly sendsMail: boolean;
  /** Resolves once every edge has applied what was committed so far, or soon if one does not get on. */
  readonly inForce: () => Promise<void>;
  /** @throws SallyportError `not_found`, `not_ready` */
  readonly explain: (
    tenant: TenantId,
    request: { address: Address; user?: string; method: string },
  ) => Promise<Explanation>;
  readonly clinicsOf: (session: LiveSession, address: Address) => Promise<OwnClinics>;
}
