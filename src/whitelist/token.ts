/** The signed tokens in the addresses of links and shortcuts (JWS HS256, RFC 7515; pinned as RFC 8725 asks). */
import { decodeProtectedHeader, jwtVerify, SignJWT } from "jose";
import type { Keyring } from "../core/keyring.ts";

/** `companion`: lets a link or shortcut that was just used enrol the visitor's address of the other family too. */
export type TokenKind = "link" | "shortcut" | "companion";

export interface TokenFacts {
  readonly kind: TokenKind;
  readonly tenant: string;
  /** The link or shortcut. */
  readonly id: string;
  /** Of a companion: the entry that the use has made. */
  readonly entry?: string;
  /** Seconds since 1970; a shortcut's token ends when its record does. */
  readonly expiresAtSeconds?: number;
}

const ISSUER = "sallyport";
const LONGEST = 1024;
const KINDS: readonly TokenKind[] = ["link", "shortcut", "companion"];
const typeOf = (kind: TokenKind) => `sallyport-${kind}+jwt`;
const purposeOf = (kind: TokenKind) => `whitelist/${kind}`;

/**
 * Each kind has a type and a key of its own, and each tenant is an audience, so that no token passes for another.
 * The same facts give the same token: it need not be stored to be shown again.
 */
export async function signToken(keyring: Pick<Keyring, "deriveKey">, facts: TokenFacts): Promise<string> {
  const { kind, tenant, id, entry, expiresAtSeconds } = facts;
  const token = new SignJWT(entry === undefined ? {} : { entry })
    .setProtectedHeader({ alg: "HS256", typ: typeOf(kind) })
    .setIssuer(ISSUER)
    .setAudience(tenant)
    .setJti(id);
  if (expiresAtSeconds !== undefined) token.setExpirationTime(expiresAtSeconds);
  return await token.sign(keyring.deriveKey(purposeOf(kind)));
}

/** `undefined` for anything that {@link signToken} did not make for this tenant, whatever is wrong with it, and once expired. */
export async function readToken(
  keyring: Pick<Keyring, "deriveKeys">,
  tenant: string,
  token: string,
  nowMs: number,
): Promise<TokenFacts | undefined> {
  const kind = token.length > LONGEST || !isCanonical(token) ? undefined : kindOf(token);
  if (kind === undefined) return undefined;
  const pinned = {
    algorithms: ["HS256"],
    typ: typeOf(kind),
    issuer: ISSUER,
    audience: tenant,
    requiredClaims: kind === "shortcut" ? ["jti"] : ["jti", "exp"],
    currentDate: new Date(nowMs),
  };
  for (const key of keyring.deriveKeys(purposeOf(kind))) {
    const payload = await jwtVerify(token, key, pinned).then(
      (verified) => verified.payload,
      () => undefined,
    );
    if (payload?.jti === undefined) continue;
    const entry = payload["entry"];
    return { kind, tenant, id: payload.jti, ...(typeof entry === "string" ? { entry } : {}) };
  }
  return undefined;
}

function kindOf(token: string): TokenKind | undefined {
  try {
    const { typ } = decodeProtectedHeader(token);
    return KINDS.find((kind) => typeOf(kind) === typ);
  } catch {
    return undefined;
  }
}

/** The last digit of a signature has bits that mean nothing: only one spelling is ours. */
function isCanonical(token: string): boolean {
  const parts = token.split(".");
  return parts.length === 3 && parts.every((part) => Buffer.from(part, "base64url").toString("base64url") === part);
}
