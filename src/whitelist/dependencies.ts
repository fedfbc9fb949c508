/** What the rules of this room are given. */
import type { ChangeCommitter } from "../core/audit.ts";
import type { Clock } from "../core/clock.ts";
import type { EntryRules } from "../core/entries.ts";
import type { Keyring } from "../core/keyring.ts";
import type { Precondition, Store } from "../core/store.ts";
import type { Tenant } from "../core/tenant.ts";
import type { Outbox } from "../notify/outbox.ts";

/** A user as these rules need one; the person door's, behind a narrow door. */
export interface KnownUser {
  readonly id: string;
  readonly email: string;
  readonly name?: string;
  readonly role: "owner" | "user";
  readonly disabled: boolean;
  /** Nothing but their own proofs stands between them and a session. */
  readonly canSignIn: boolean;
  /** That they stay as they are: neither disabled nor deleted. */
  readonly standing: Precondition;
}

export interface UserDirectory {
  find(tenant: Tenant, user: string): Promise<KnownUser | undefined>;
  owners(tenant: Tenant): Promise<readonly KnownUser[]>;
  /** An owner other than `without` who can sign in, as what must stay so that they can; `undefined` where there is none. */
  ableOwner(tenant: Tenant, without?: string): Promise<readonly Precondition[] | undefined>;
}

export interface WhitelistOptions {
  readonly store: Store;
  readonly ledger: ChangeCommitter;
  readonly keyring: Pick<Keyring, "deriveKey" | "deriveKeys">;
  readonly clock: Clock;
  readonly entries: EntryRules;
  readonly outbox: Pick<Outbox, "write">;
  readonly users: UserDirectory;
  /** `scheme://host[:port]` of the first of these hosts. */
  readonly siteOrigin: (tenant: Pick<Tenant, "hosts">) => string;
}
