/** What is stored of a session, and what the rest of the system learns of it. */
import { type CanonicalIp, newSecret, type SessionHash, type TenantId } from "../core/ids.ts";
import { isEnough, type SessionProofs } from "../core/second-factor.ts";
import { hashSessionSecret, SESSION_KIND, type SessionFacts } from "../core/session.ts";
import type { StoredDocument, Write } from "../core/store.ts";
import type { Policy } from "../core/tenant.ts";
import type { Account, Role, UserRecord } from "./account.ts";
import type { Visit } from "./visit.ts";

/** `{tenant}/{user}/{hash}` → 1: the sessions of one user. Quiet. */
export const USER_SESSION_KIND = "usersession";
/** `{tenant}/{hash}` → `{atMs}`: when a session was last used. Quiet, apart from the session, so that it revives none. */
export const SESSION_USE_KIND = "sessionuse";

/** A document of `SESSION_KIND`. */
export interface SessionRecord extends SessionProofs {
  readonly user: string;
  /** The user's epoch at its start; void when theirs has risen. */
  readonly epoch: number;
  readonly startedAtMs: number;
  /** Address and browser at its start. */
  readonly address: CanonicalIp;
  readonly userAgent: string;
}

/** A live session as the pages and the API see it, and more than the edge needs. Nothing in it opens a door. */
export interface LiveSession extends SessionFacts {
  readonly tenant: TenantId;
  readonly name?: string;
  readonly role: Role;
  /** When the person proved who they are. */
  readonly startedAtMs: number;
  readonly lastSeenAtMs: number;
  /** Without a request until then it ends. */
  readonly idleExpiresAtMs: number;
  /** Address and browser at its start. */
  readonly address: CanonicalIp;
  readonly userAgent: string;
}

/** A session that has been worked out: once the writes are committed, the secret opens the door. */
export interface NewSession {
  /** 256 random bits for the cookie; held nowhere else. */
  readonly secret: string;
  readonly hash: SessionHash;
  readonly expiresAtMs: number;
  readonly writes: readonly Write[];
}

/** The first 120 bits of the hash: enough to be unique, and to find the document by, but not to be the hash. */
export function sessionIdOf(hash: SessionHash): string {
  return `ses_${hash.slice(0, 20)}`;
}

/** @param provenAtMs when its person proved who they are: the absolute limit counts from there */
export function newSession(
  visit: Visit,
  account: Account,
  { amr, remembered }: SessionProofs,
  nowMs: number,
  provenAtMs: number = nowMs,
): NewSession {
  const secret = newSecret();
  const hash = hashSessionSecret(secret);
  const expiresAtMs = provenAtMs + visit.tenant.policy.session.maxSeconds * 1000;
  const record: SessionRecord = {
    user: account.id,
    epoch: account.user.epoch,
    amr,
    ...(remembered === undefined ? {} : { remembered }),
    startedAtMs: provenAtMs,
    address: visit.address.text,
    userAgent: visit.userAgent.slice(0, 400),
  };
  const id = `${account.tenant}/${hash}`;
  const writes = [
    { kind: SESSION_KIND, id, value: record, expiresAtMs, quiet: true },
    { kind: USER_SESSION_KIND, id: `${account.tenant}/${account.id}/${hash}`, value: 1, expiresAtMs, quiet: true },
  ];
  return { secret, hash, expiresAtMs, writes };
}

/** The writes that end a session; the first one reaches every edge. */
export function endSession(tenant: TenantId, user: string, hash: string): Write[] {
  return [
    { kind: SESSION_KIND, id: `${tenant}/${hash}`, value: null },
    { kind: USER_SESSION_KIND, id: `${tenant}/${user}/${hash}`, value: null, quiet: true },
    { kind: SESSION_USE_KIND, id: `${tenant}/${hash}`, value: null, quiet: true },
  ];
}

/**
 * The facts if the session is live: its user exists, is not disabled and has had nothing revoked since, its
 * proofs are enough for today's policy, and neither of that policy's limits has passed. Anything missing or in
 * doubt: `undefined`.
 */
export function describeSession(
  tenant: TenantId,
  policy: Policy,
  session: StoredDocument,
  user: UserRecord | undefined,
  lastSeenAtMs: number,
  nowMs: number,
): LiveSession | undefined {
  const record = session.value as SessionRecord;
  if (!isEnough(policy, record)) return undefined;
  if (user === undefined || user.state === "disabled" || user.epoch !== record.epoch) return undefined;
  const seenAtMs = Math.max(lastSeenAtMs, record.startedAtMs);
  const idleExpiresAtMs = seenAtMs + policy.session.idleSeconds * 1000;
  const expiresAtMs = record.startedAtMs + policy.session.maxSeconds * 1000;
  if (nowMs >= idleExpiresAtMs || nowMs >= expiresAtMs) return undefined;
  return {
    tenant,
    id: sessionIdOf(session.id.slice(tenant.length + 1) as SessionHash),
    user: record.user,
    email: user.email,
    ...(user.name === undefined ? {} : { name: user.name }),
    role: user.role,
    amr: record.amr,
    ...(record.remembered === undefined ? {} : { remembered: record.remembered }),
    startedAtMs: record.startedAtMs,
    lastSeenAtMs: seenAtMs,
    idleExpiresAtMs,
    expiresAtMs,
    address: record.address,
    userAgent: record.userAgent,
  };
}
