/** What is stored of an enrolled factor, which of them a tenant and a host accept, and what a proof of one yields. */
import type { CanonicalHost } from "../core/ids.ts";
import type { Policy } from "../core/tenant.ts";
import type { CredentialRecord } from "./account.ts";
import type { CommitPart } from "./commit-part.ts";

interface FactorBase {
  readonly id: string;
  /** As the user calls it. */
  readonly name: string;
  readonly createdAt: string;
  readonly lastUsedAt?: string;
}

export interface TotpFactor extends FactorBase {
  readonly kind: "totp";
  /** Base32, sealed. */
  readonly secret: string;
  /** The newest time steps whose code was accepted; never accepted again. */
  readonly usedSteps: readonly number[];
}

export interface SmsFactor extends FactorBase {
  readonly kind: "sms";
  /** E.164, confirmed at enrolment. */
  readonly number: string;
}

export interface PasskeyFactor extends FactorBase {
  readonly kind: "passkey";
  readonly credentialId: string;
  /** COSE key, base64url. */
  readonly publicKey: string;
  readonly counter: number;
  readonly transports: readonly string[];
  /** The host it was made on; it works on no other. */
  readonly rpId: CanonicalHost;
  /** Synchronised between devices by its provider. */
  readonly backedUp: boolean;
}

export type StoredFactor = TotpFactor | SmsFactor | PasskeyFactor;
export type ProofKind = StoredFactor["kind"] | "recovery";

/** A proof that holds, and the writes that spend it: it has counted once they are committed, and not before. */
export interface Spent extends CommitPart {
  readonly credential: CredentialRecord;
  /** RFC 8176 where there is a word, else ours. */
  readonly amr: readonly string[];
}

/** How many factors one user may have enrolled; each accepted authenticator is one more code that would be right. */
export const MAX_FACTORS = 10;

/** A factor that is as strong without the telephone network. */
function isStrong(kind: StoredFactor["kind"]): boolean {
  return kind !== "sms";
}

/**
 * Whether SMS may be used: only beside a stronger factor, unless the tenant's policy accepts nothing stronger.
 */
export function smsAllowed(policy: Policy, factors: readonly StoredFactor[]): boolean {
  if (!policy.factors.includes("sms")) return false;
  return !policy.factors.some(isStrong) || factors.some((factor) => isStrong(factor.kind));
}

/** The factors that count for this tenant on this host now. */
export function usableFactors(
  policy: Policy,
  factors: readonly StoredFactor[],
  host: CanonicalHost,
): readonly StoredFactor[] {
  return factors.filter((factor) => {
    if (!policy.factors.includes(factor.kind)) return false;
    if (factor.kind === "passkey") return factor.rpId === host;
    return factor.kind !== "sms" || smsAllowed(policy, factors);
  });
}

/** The credential with one factor replaced by its used form. */
export function withUsedFactor(credential: CredentialRecord, used: StoredFactor): CredentialRecord {
  const factors = credential.factors.map((factor) => (factor.id === used.id ? used : factor));
  return { ...credential, factors, lastFactor: used.kind };
}
