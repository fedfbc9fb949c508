/** One pending sign-in: kept server-side, found by an opaque id, and worth something in the browser that began it alone. */
import { timingSafeEqual } from "node:crypto";
import { digest, isSecret, newSecret } from "../core/ids.ts";
import type { Precondition, Store } from "../core/store.ts";
import { type Account, findAccount } from "./account.ts";
import type { CommitPart } from "./commit-part.ts";
import type { Share } from "./shares.ts";
import type { Visit } from "./visit.ts";

/** `{tenant}/{digest of the id}` → {@link ChallengeRecord}. Quiet. */
export const CHALLENGE_KIND = "challenge";
const LIFETIME_MS = 10 * 60_000;
/** Proofs that may be tried on one challenge; the count per login goes on beyond it. */
const MAX_TRIES = 10;

/** `identify`: asks who it is. `factor`: asks for a proof. `enrol`: the first step is done and there is no factor yet. */
export type Stage = "identify" | "factor" | "enrol";

export interface ChallengeRecord {
  /** Digest of the secret in the browser's cookie. */
  readonly browser: string;
  readonly stage: Stage;
  /** A path of this host; see `wayBackPath`. */
  readonly wayBack: string;
  /** Asks for every proof again, remembered device or not. */
  readonly fresh: boolean;
  /** What has been proven so far. */
  readonly amr: readonly string[];
  /** The login under way; with `firstFactor: none` it may not exist. */
  readonly email?: string;
  /** The user's epoch when the first step was done; 0 when nothing is proven. A revocation since then voids the challenge. */
  readonly epoch: number;
  readonly tries: number;
  /** A passkey ceremony under way; used up by the next try, whatever comes of it. */
  readonly ceremony?: { readonly challenge: string; readonly alone: boolean };
  /** The number that a code was sent to. */
  readonly smsFactor?: string;
  /** It began with a link that only the login's mailbox received. */
  readonly mailed?: boolean;
  /** What it took of limits; given back when it is finished. */
  readonly shares?: readonly Share[];
}

/** A challenge as read, or about to be written for the first time (revision 0). */
export interface Challenge {
  /** For the page's address; no secret without the cookie. */
  readonly id: string;
  readonly documentId: string;
  readonly revision: number;
  readonly expiresAtMs: number;
  readonly record: ChallengeRecord;
}

/** A new challenge, not yet written, and the cookie value that binds the browser (the present one if it is sound). */
export function newChallenge(
  visit: Visit,
  nowMs: number,
  content: Pick<ChallengeRecord, "stage" | "wayBack" | "fresh" | "amr" | "epoch" | "mailed" | "shares">,
): { challenge: Challenge; browser: string } {
  const present = visit.cookies.browser;
  const browser = isSecret(present) ? present : newSecret();
  const id = newSecret();
  const record = { ...content, browser: digest(browser), tries: 0 };
  const documentId = `${visit.tenant.id}/${digest(id)}`;
  return { challenge: { id, documentId, revision: 0, expiresAtMs: nowMs + LIFETIME_MS, record }, browser };
}

/** The live challenge with this id if this browser began it at this tenant. */
export async function readChallenge(store: Store, visit: Visit, id: unknown): Promise<Challenge | undefined> {
  const browser = visit.cookies.browser;
  if (!isSecret(id) || !isSecret(browser)) return undefined;
  const documentId = `${visit.tenant.id}/${digest(id)}`;
  const document = await store.get(CHALLENGE_KIND, documentId);
  if (document === undefined) return undefined;
  const record = document.value as ChallengeRecord;
  if (!timingSafeEqual(Buffer.from(record.browser), Buffer.from(digest(browser)))) return undefined;
  if (record.tries >= MAX_TRIES) return undefined;
  return { id, documentId, revision: document.revision, expiresAtMs: document.expiresAtMs ?? 0, record };
}

/** The account of a challenge's login, unless it is disabled or something was revoked since the first step. */
export async function accountOf(store: Store, visit: Visit, record: ChallengeRecord): Promise<Account | undefined> {
  const account = await findAccount(store, visit.tenant.id, record.email ?? "");
  if (account === undefined || account.user.state === "disabled") return undefined;
  return record.epoch === 0 || record.epoch === account.user.epoch ? account : undefined;
}

/** The write and the condition that replace a challenge's record; its time does not start anew. */
export function writeChallenge(challenge: Challenge, record: ChallengeRecord): CommitPart {
  const { documentId: id, expiresAtMs } = challenge;
  const write = { kind: CHALLENGE_KIND, id, value: record, expiresAtMs, quiet: true };
  return { writes: [write], preconditions: [unchangedChallenge(challenge)] };
}

/** The write and the condition that use a challenge up, also one that was never written. */
export function closeChallenge(challenge: Challenge): CommitPart {
  const write = { kind: CHALLENGE_KIND, id: challenge.documentId, value: null, quiet: true };
  return { writes: [write], preconditions: [unchangedChallenge(challenge)] };
}

/** The challenge with more shares, for the next write of its record. */
export function withShares(challenge: Challenge, more: readonly Share[]): Challenge {
  const { record } = challenge;
  return more.length === 0
    ? challenge
    : { ...challenge, record: { ...record, shares: [...(record.shares ?? []), ...more] } };
}

/** Counts a try, before it is judged. @returns the challenge as it stands then; the ceremony is its last use. */
export async function countTry(store: Store, challenge: Challenge): Promise<Challenge> {
  const { ceremony: _, ...kept } = challenge.record;
  const record = { ...kept, tries: kept.tries + 1 };
  const revision = await store.commit(writeChallenge(challenge, record));
  return { ...challenge, revision, record };
}

function unchangedChallenge(challenge: Challenge): Precondition {
  return { kind: CHALLENGE_KIND, id: challenge.documentId, revision: challenge.revision };
}
