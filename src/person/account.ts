/** The two documents of a user: who they are (`user`), and what proves it (`credential`). */
import { digest, type TenantId } from "../core/ids.ts";
import type { Precondition, Store, Write } from "../core/store.ts";
import type { StoredFactor } from "./factor.ts";
import type { StoredRecoveryCodes } from "./recovery.ts";

/** `{tenant}/{user}` → {@link UserRecord}. Its revision is the one on the wire: it changes by management only. */
export const USER_KIND = "user";
/** `{tenant}/{user}` → {@link CredentialRecord}. Every proof rewrites it, so that none counts twice. */
export const CREDENTIAL_KIND = "credential";
/** `{tenant}/{digest of the e-mail}` → `{user}`; its existence is what keeps a login with one user of a tenant. */
export const LOGIN_KIND = "login";

export type Role = "owner" | "user";

export interface UserRecord {
  /** As `normaliseEmail` returns it. */
  readonly email: string;
  readonly name?: string;
  readonly role: Role;
  readonly state: "invited" | "active" | "disabled";
  /** Sessions, remembered devices, challenges and tokens of an earlier epoch are void: raising it revokes them all. */
  readonly epoch: number;
  readonly createdAt: string;
}

export interface CredentialRecord {
  /** PHC string of argon2id. */
  readonly password?: string;
  readonly factors: readonly StoredFactor[];
  readonly recovery?: StoredRecoveryCodes;
  /** The kind of factor used last, offered first. */
  readonly lastFactor?: string;
  readonly lastSignInAt?: string;
  /** The e-mail address whose mailbox the person was seen to read; see `mailbox.ts`. Absent: none. */
  readonly mailbox?: string;
}

export interface Account {
  readonly tenant: TenantId;
  readonly id: string;
  readonly user: UserRecord;
  readonly userRevision: number;
  readonly credential: CredentialRecord;
  readonly credentialRevision: number;
}

export const NO_CREDENTIAL: CredentialRecord = { factors: [] };
/** An id that no user has, so that looking for nobody costs what looking for somebody does. */
const NOBODY = "usr_nobody";

export function userDocumentId(tenant: TenantId, user: string): string {
  return `${tenant}/${user}`;
}

export function loginDocumentId(tenant: TenantId, email: string): string {
  return `${tenant}/${digest(email)}`;
}

/** Whether a text has the form of a user id; anything else is never asked of the store. */
export function isUserId(text: string): boolean {
  return /^usr_[0-9a-z]{26}$/.test(text);
}

export async function loadAccount(store: Store, tenant: TenantId, id: string): Promise<Account | undefined> {
  if (!isUserId(id) && id !== NOBODY) return undefined;
  const key = userDocumentId(tenant, id);
  const [user, credential] = await Promise.all([store.get(USER_KIND, key), store.get(CREDENTIAL_KIND, key)]);
  if (user === undefined) return undefined;
  return {
    tenant,
    id,
    user: user.value as UserRecord,
    userRevision: user.revision,
    credential: (credential?.value as CredentialRecord | undefined) ?? NO_CREDENTIAL,
    credentialRevision: credential?.revision ?? 0,
  };
}

/** The user with this (normalised) e-mail; takes the same reads whether or not there is one. */
export async function findAccount(store: Store, tenant: TenantId, email: string): Promise<Account | undefined> {
  const login = await store.get(LOGIN_KIND, loginDocumentId(tenant, email));
  return await loadAccount(store, tenant, (login?.value as { user: string } | undefined)?.user ?? NOBODY);
}

/** In the feed, so that no acknowledged revocation is lost when a store comes back older. */
export function writeUser(account: Pick<Account, "tenant" | "id">, user: UserRecord): Write {
  return { kind: USER_KIND, id: userDocumentId(account.tenant, account.id), value: user };
}

/** Quiet when it only spends a proof; a changed password or factor is in the feed for the same reason. */
export function writeCredential(
  account: Pick<Account, "tenant" | "id">,
  credential: CredentialRecord,
  quiet: boolean,
): Write {
  return { kind: CREDENTIAL_KIND, id: userDocumentId(account.tenant, account.id), value: credential, quiet };
}

/** Both documents must still be as they were read: nothing that was decided on them has changed meanwhile. */
export function unchanged(account: Account): Precondition[] {
  const id = userDocumentId(account.tenant, account.id);
  return [
    { kind: USER_KIND, id, revision: account.userRevision },
    { kind: CREDENTIAL_KIND, id, revision: account.credentialRevision },
  ];
}
