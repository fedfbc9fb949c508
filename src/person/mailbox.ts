/**
 * Whether the person behind a login reads its mailbox. The address proves nothing by itself: whoever manages a tenant
 * may give a user any address, and hand the invitation to somebody else.
 */
import { provesSecondFactor } from "../core/second-factor.ts";
import type { Account, CredentialRecord } from "./account.ts";
import type { ChallengeRecord } from "./challenge.ts";

/** Whether what proves this account was set by somebody who reads the mailbox that it has today. */
export function ownsMailbox({ user, credential }: Account): boolean {
  return credential.mailbox === user.email;
}

/**
 * The credential after a sign-in that is finished: one that began with a link which only the mailbox received proves
 * it, unless a password from before still stands.
 */
export function withProvenMailbox(
  credential: CredentialRecord,
  { mailed }: ChallengeRecord,
  amr: readonly string[],
  email: string,
): CredentialRecord {
  const renewed = amr.includes("pwd") || credential.password === undefined;
  return mailed === true && renewed ? { ...credential, mailbox: email } : credential;
}

/** The credential as a base of changes by somebody for whom a portal's ticket alone speaks: it proves no mailbox. */
export function asChangedBy(amr: readonly string[], credential: CredentialRecord): CredentialRecord {
  return amr.includes("ticket") && !provesSecondFactor(amr) ? withoutMailbox(credential) : credential;
}

export function withoutMailbox({ mailbox: _, ...credential }: CredentialRecord): CredentialRecord {
  return credential;
}
