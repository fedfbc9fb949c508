/** Passkeys and security keys (WebAuthn level 3): the two ceremonies, judged strictly. */
import {
  type AuthenticationResponseJSON,
  generateAuthenticationOptions,
  generateRegistrationOptions,
  type PublicKeyCredentialCreationOptionsJSON,
  type PublicKeyCredentialRequestOptionsJSON,
  type RegistrationResponseJSON,
  verifyAuthenticationResponse,
  verifyRegistrationResponse,
} from "@simplewebauthn/server";
import { decodeAttestationObject, decodeClientDataJSON, isoBase64URL } from "@simplewebauthn/server/helpers";
import { newId } from "../core/ids.ts";
import { type Account, isUserId } from "./account.ts";
import { NO_PART } from "./commit-part.ts";
import { type PasskeyFactor, type Spent, withUsedFactor } from "./factor.ts";
import type { Visit } from "./visit.ts";

const TIMEOUT_MS = 5 * 60_000;
const MAX_RESPONSE = 16 * 1024;

/**
 * What the browser is asked to make. Attestation is not asked for: which make of key it is does not matter.
 * The relying party is the host of the request, so that a passkey of one host never works on another.
 */
export async function passkeyCreation(visit: Visit, account: Account): Promise<PublicKeyCredentialCreationOptionsJSON> {
  return await generateRegistrationOptions({
    rpName: visit.tenant.name,
    rpID: visit.host,
    userID: new TextEncoder().encode(account.id),
    userName: account.user.email,
    userDisplayName: account.user.name ?? account.user.email,
    timeout: TIMEOUT_MS,
    excludeCredentials: passkeysOn(visit, account).map(({ credentialId, transports }) =>
      descriptor(credentialId, transports),
    ),
    authenticatorSelection: {
      // Where nothing is proven before it, the key must find the account by itself.
      residentKey: visit.tenant.policy.firstFactor === "none" ? "required" : "preferred",
      userVerification: "preferred",
    },
  });
}

/** The factor that the response makes, or `undefined` for whatever is wrong with it. */
export async function readPasskeyCreation(
  visit: Visit,
  expectedChallenge: string,
  input: unknown,
  name: string,
  nowMs: number,
): Promise<PasskeyFactor | undefined> {
  const response = asResponse<RegistrationResponseJSON>(input, "attestationObject");
  if (response === undefined) return undefined;
  try {
    if (!isUnattested(response.response.attestationObject) || isCrossOrigin(response.response.clientDataJSON))
      return undefined;
    const { verified, registrationInfo } = await verifyRegistrationResponse({
      response,
      expectedChallenge,
      expectedOrigin: visit.origin,
      expectedRPID: visit.host,
      requireUserVerification: false,
    });
    if (!verified) return undefined;
    const { credential, credentialBackedUp } = registrationInfo;
    return {
      kind: "passkey",
      id: newId("fac", nowMs),
      name,
      createdAt: new Date(nowMs).toISOString(),
      credentialId: credential.id,
      publicKey: isoBase64URL.fromBuffer(credential.publicKey),
      counter: credential.counter,
      transports: (credential.transports ?? []).filter((transport) => /^[a-z-]{1,20}$/.test(transport)).slice(0, 8),
      rpId: visit.host,
      backedUp: credentialBackedUp,
    };
  } catch {
    return undefined;
  }
}

/**
 * What the browser is asked to sign.
 * @param account whose keys may answer; `undefined`: any key that finds its account by itself, so that nothing
 * is told of who has one
 * @param alone the passkey is the only step, so that the key must verify its user
 */
export async function passkeyRequest(
  visit: Visit,
  account: Account | undefined,
  alone: boolean,
): Promise<PublicKeyCredentialRequestOptionsJSON> {
  const allow = account === undefined ? [] : passkeysOn(visit, account);
  return await generateAuthenticationOptions({
    rpID: visit.host,
    timeout: TIMEOUT_MS,
    allowCredentials: allow.map(({ credentialId, transports }) => descriptor(credentialId, transports)),
    userVerification: alone ? "required" : "preferred",
  });
}

/** The user whom a discoverable passkey names; proof of nothing yet. */
export function passkeyUser(input: unknown): string | undefined {
  const handle = asResponse<AuthenticationResponseJSON>(input, "signature")?.response.userHandle;
  if (typeof handle !== "string") return undefined;
  const user = Buffer.from(handle, "base64url").toString();
  return isUserId(user) ? user : undefined;
}

/**
 * Judges a signature: type, challenge, origin, relying party, presence, verification where it is the only
 * step, a counter that rises, the account it names, and the key itself. The risen counter is in the spent
 * credential, committed under the condition that nobody else has used the credential meanwhile.
 */
export async function spendPasskey(
  visit: Visit,
  account: Account,
  ceremony: { readonly challenge: string; readonly alone: boolean },
  input: unknown,
  nowMs: number,
): Promise<Spent | undefined> {
  const response = asResponse<AuthenticationResponseJSON>(input, "signature");
  if (response === undefined) return undefined;
  const named = passkeyUser(response);
  if (named !== account.id && response.response.userHandle !== undefined) return undefined;
  const factor = passkeysOn(visit, account).find(({ credentialId }) => credentialId === response.id);
  if (factor === undefined) return undefined;
  try {
    if (isCrossOrigin(response.response.clientDataJSON)) return undefined;
    const { verified, authenticationInfo } = await verifyAuthenticationResponse({
      response,
      expectedChallenge: ceremony.challenge,
      expectedOrigin: visit.origin,
      expectedRPID: visit.host,
      credential: {
        id: factor.credentialId,
        publicKey: isoBase64URL.toBuffer(factor.publicKey),
        counter: factor.counter,
      },
      requireUserVerification: ceremony.alone,
    });
    if (!verified) return undefined;
    const { newCounter, credentialBackedUp, userVerified } = authenticationInfo;
    const lastUsedAt = new Date(nowMs).toISOString();
    const used: PasskeyFactor = { ...factor, counter: newCounter, backedUp: credentialBackedUp, lastUsedAt };
    const amr = [credentialBackedUp ? "swk" : "hwk", ...(userVerified ? ["user"] : [])];
    return { ...NO_PART, credential: withUsedFactor(account.credential, used), amr };
  } catch {
    return undefined;
  }
}

function passkeysOn(visit: Visit, account: Account): PasskeyFactor[] {
  return account.credential.factors.filter(
    (factor) => factor.kind === "passkey" && factor.rpId === visit.host,
  ) as PasskeyFactor[];
}

function descriptor(id: string, transports: readonly string[]) {
  return { id, ...(transports.length === 0 ? {} : { transports: [...transports] }) };
}

/** The outer shape of a ceremony's response; the library judges the rest. */
function asResponse<T extends { readonly response: object }>(input: unknown, field: string): T | undefined {
  if (typeof input !== "object" || input === null) return undefined;
  const { id, response } = input as Readonly<Record<string, unknown>>;
  if (typeof id !== "string" || typeof response !== "object" || response === null) return undefined;
  const fields = response as Readonly<Record<string, unknown>>;
  if (typeof fields["clientDataJSON"] !== "string" || typeof fields[field] !== "string") return undefined;
  return JSON.stringify(input).length <= MAX_RESPONSE ? (input as T) : undefined;
}

/**
 * Attestation that was not asked for is refused, save self-attestation: judging certificates would have us
 * fetch revocation lists from addresses that the sender chose.
 */
function isUnattested(attestationObject: string): boolean {
  const attestation = decodeAttestationObject(isoBase64URL.toBuffer(attestationObject));
  const format = attestation.get("fmt");
  if (format === "none") return true;
  return format === "packed" && attestation.get("attStmt").get("x5c") === undefined;
}

/** Framed by another site: our pages refuse frames, so that such a response is not ours. */
function isCrossOrigin(clientDataJson: string): boolean {
  return decodeClientDataJSON(clientDataJson).crossOrigin === true;
}
