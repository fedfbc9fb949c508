/** What a change of a user comes to: the record afterwards, the login's index, and who may not do it. */
import type { Actor } from "../core/audit.ts";
import { ConflictError, SallyportError } from "../core/errors.ts";
import type { TenantId } from "../core/ids.ts";
import type { Precondition, Write } from "../core/store.ts";
import {
  type Account,
  LOGIN_KIND,
  loginDocumentId,
  type Role,
  type UserRecord,
  unchanged,
  writeCredential,
} from "./account.ts";
import type { CommitPart } from "./commit-part.ts";
import { parseEmail } from "./email.ts";
import { withoutMailbox } from "./mailbox.ts";
import { readName } from "./plain-name.ts";

export interface UserChange {
  readonly email?: unknown;
  /** `null` takes the name away. */
  readonly name?: string | null;
  readonly role?: Role;
  /** `active` also lifts a lock. */
  readonly state?: "active" | "disabled";
}

/** The record after the change. @throws SallyportError `email_invalid`, `body_invalid` */
export function changedUser(account: Account, change: UserChange): UserRecord {
  const { name: before, ...kept } = account.user;
  const name = change.name === undefined ? before : change.name === null ? undefined : readName(change.name);
  // Enabling gives back what there was: somebody without a password is still invited.
  const enabled =
    account.credential.password === undefined && account.credential.factors.length === 0 ? "invited" : "active";
  const state = change.state === "active" ? (kept.state === "disabled" ? enabled : kept.state) : change.state;
  return {
    ...kept,
    ...(name === undefined ? {} : { name }),
    email: change.email === undefined ? kept.email : parseEmail(change.email),
    role: change.role ?? kept.role,
    state: state ?? kept.state,
  };
}

/** Nobody locks themselves out by mistake. @param after `undefined`: deleted. @throws SallyportError `forbidden` */
export function refuseSelfHarm(account: Account, after: UserRecord | undefined, actor: Actor): void {
  if (actor.kind !== "user" || actor.id !== account.id) return;
  const demoted = account.user.role === "owner" && after?.role !== "owner";
  if (after === undefined || after.state === "disabled" || demoted) {
    throw new SallyportError("forbidden", "nobody takes their own access away; another owner can");
  }
}

/** Claims an e-mail for a user, or (`undefined`) frees it. */
export function writeLogin(tenant: TenantId, email: string, user: string | undefined): Write {
  const value = user === undefined ? null : { user };
  return { kind: LOGIN_KIND, id: loginDocumentId(tenant, email), value };
}

/** What else belongs to a new e-mail address: the earlier one is free, and no mailbox is proven. */
export function moveLogin(account: Account, email: string): CommitPart {
  const { tenant, id, user, credential } = account;
  const claim = writeLogin(tenant, email, id);
  const free = writeLogin(tenant, user.email, undefined);
  return {
    writes: [claim, free, writeCredential(account, withoutMailbox(credential), false)],
    preconditions: [unclaimed(claim), ...unchanged(account).slice(1)],
  };
}

/** The e-mail must be nobody's, under the tenant. */
export function unclaimed(login: Write): Precondition {
  return { kind: login.kind, id: login.id, revision: 0 };
}

/** A lost claim of an e-mail as what it means. */
export function takenOr(error: unknown): never {
  if (error instanceof ConflictError && error.kind === LOGIN_KIND) {
    throw new SallyportError("email_taken", "another user of this clinic signs in with this e-mail", { cause: error });
  }
  throw error;
}

/** What the audit log says of a user. */
export function auditedUser({ email, name, role, state }: UserRecord) {
  return { email, ...(name === undefined ? {} : { name }), role, state };
}
