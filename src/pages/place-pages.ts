/** What the pages by which places get onto the list are made from. */
import type { ChangeCommitter } from "../core/audit.ts";
import type { EntryRules } from "../core/entries.ts";
import type { Store } from "../core/store.ts";
import type { Whitelist } from "../whitelist/whitelist.ts";
import type { PersonPages } from "./person-pages.ts";

export interface PlacePages extends PersonPages {
  readonly whitelist: Whitelist;
  readonly entries: EntryRules;
  readonly ledger: ChangeCommitter;
  readonly store: Store;
  /** Resolves once every edge has applied what was committed so far, or soon if one does not get on. */
  readonly inForce: () => Promise<void>;
}
