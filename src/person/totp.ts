/** The authenticator app (RFC 6238): secrets, the text and address that enrol them, and codes that count once. */
import { generateSecret, generateURI, verifySync } from "otplib";
import type { Keyring } from "../core/keyring.ts";
import type { SealedKind } from "../core/reseal.ts";
import { CREDENTIAL_KIND, type CredentialRecord } from "./account.ts";
import { NO_PART } from "./commit-part.ts";
import { type Spent, type TotpFactor, withUsedFactor } from "./factor.ts";

const STEP_SECONDS = 30;
/** One step either side: a code is good for up to 90 seconds. */
const TOLERANCE_SECONDS = 30;
const REMEMBERED_STEPS = 20;
const SECRET_BYTES = 20;

/** Everybody's authenticators, for a rotation of what seals them. In the feed, like every change of a factor. */
export const SEALED_CREDENTIALS: SealedKind = {
  kind: CREDENTIAL_KIND,
  quiet: false,
  reseal(keyring, { id, value }) {
    const credential = value as CredentialRecord;
    const [tenant = "", user = ""] = id.split("/");
    const factors = credential.factors.map((factor) =>
      factor.kind === "totp" ? { ...factor, secret: keyring.reseal(factor.secret, totpContext(tenant, user)) } : factor,
    );
    return { ...credential, factors };
  },
};

/** What a person needs to enrol an authenticator; shown until the enrolment is confirmed. */
export interface TotpOffer {
  /** `otpauth://` address for the QR code. */
  readonly uri: string;
  /** Base32 in groups of four, to type into a desktop authenticator. */
  readonly secretText: string;
}

/** A new secret of 160 bits, base32. */
export function newTotpSecret(): string {
  return generateSecret({ length: SECRET_BYTES });
}

/** @param issuer the clinic's name, so that several clinics stay apart in one authenticator */
export function totpOffer(issuer: string, email: string, secret: string): TotpOffer {
  // The Key URI format separates issuer and account by a colon and allows neither to hold one.
  const uri = generateURI({ issuer: issuer.replaceAll(":", " "), label: email, secret });
  return { uri, secretText: secret.replace(/(.{4})(?=.)/g, "$1 ") };
}

/**
 * The time step whose code this is, within one step of now.
 * @param code as `parseCode` returns it
 */
export function matchTotp(secret: string, code: string, nowMs: number): number | undefined {
  const epoch = Math.floor(nowMs / 1000);
  const result = verifySync({ secret, token: code, epoch, period: STEP_SECONDS, epochTolerance: TOLERANCE_SECONDS });
  return result.valid && "timeStep" in result ? result.timeStep : undefined;
}

export function totpContext(tenant: string, user: string): string {
  return `totp/${tenant}/${user}`;
}

/**
 * Spends a code: the step is added to the steps that the factor accepts no more, which the caller commits under
 * the condition that the credential has not changed since it was read; two nodes cannot both succeed.
 * @returns `undefined` when no authenticator of this user shows that code, or its step was used.
 */
export function spendTotp(
  keyring: Keyring,
  context: string,
  credential: CredentialRecord,
  code: string,
  nowMs: number,
): Spent | undefined {
  for (const factor of credential.factors) {
    if (factor.kind !== "totp") continue;
    const step = matchTotp(keyring.open(factor.secret, context).toString(), code, nowMs);
    if (step === undefined || isUsed(factor, step, nowMs)) continue;
    const usedSteps = [step, ...factor.usedSteps].slice(0, REMEMBERED_STEPS);
    const used: TotpFactor = { ...factor, usedSteps, lastUsedAt: new Date(nowMs).toISOString() };
    return { ...NO_PART, credential: withUsedFactor(credential, used), amr: ["otp"] };
  }
  return undefined;
}

/**
 * A step is used when its code was accepted, or a later one was. If the newest used step lies in the future, the
 * clock has been put back since; then only exact steps count, so that nobody waits until the old time returns.
 */
function isUsed(factor: TotpFactor, step: number, nowMs: number): boolean {
  if (factor.usedSteps.includes(step)) return true;
  const newest = Math.max(...factor.usedSteps, Number.NEGATIVE_INFINITY);
  const present = Math.floor(nowMs / 1000 / STEP_SECONDS);
  return step < newest && newest <= present + 1;
}
