/** Recovery codes: ten at a time, shown once, stored hashed, each good for one sign-in. */
import { createHash, randomBytes } from "node:crypto";
import { encodeBase32 } from "../core/ids.ts";
import type { CredentialRecord } from "./account.ts";
import { NO_PART } from "./commit-part.ts";
import type { Spent } from "./factor.ts";

const CODES = 10;
/** At this many left the user is told. */
export const FEW_CODES = 3;

export interface StoredRecoveryCodes {
  readonly salt: string;
  /** SHA-256 over salt and code; 80 random bits each, so that a slow hash adds nothing. */
  readonly hashes: readonly string[];
  readonly createdAt: string;
  readonly lastUsedAt?: string;
}

/** Ten new codes, as shown (`xxxx-xxxx-xxxx-xxxx`), and what is stored of them. */
export function newRecoveryCodes(nowMs: number): { codes: readonly string[]; stored: StoredRecoveryCodes } {
  const plain = Array.from({ length: CODES }, newCode);
  const salt = randomBytes(16).toString("base64url");
  const stored = { salt, hashes: plain.map((code) => hashCode(salt, code)), createdAt: new Date(nowMs).toISOString() };
  return { codes: plain.map((code) => code.replace(/(.{4})(?=.)/g, "$1-")), stored };
}

/**
 * Spends a code: its hash is gone from the credential, which the caller commits under the condition that the
 * credential has not changed since it was read.
 * @param code as `parseRecoveryCode` returns it
 */
export function spendRecoveryCode(credential: CredentialRecord, code: string, nowMs: number): Spent | undefined {
  const recovery = credential.recovery;
  if (recovery === undefined) return undefined;
  // The comparison is of hashes of high-entropy codes: its timing says nothing about a code.
  const hash = hashCode(recovery.salt, code);
  if (!recovery.hashes.includes(hash)) return undefined;
  const hashes = recovery.hashes.filter((other) => other !== hash);
  const lastUsedAt = new Date(nowMs).toISOString();
  return {
    ...NO_PART,
    credential: { ...credential, recovery: { ...recovery, hashes, lastUsedAt } },
    amr: ["recovery"],
  };
}

/** Sixteen base-32 digits: 80 random bits. */
function newCode(): string {
  const digits = () => encodeBase32(randomBytes(8).readBigUInt64BE()).slice(-8);
  return digits() + digits();
}

function hashCode(salt: string, code: string): string {
  return createHash("sha256").update(`${salt}/${code}`).digest("base64url");
}
