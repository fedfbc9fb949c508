/** Branded identifiers and the one place that makes them; secrets and their digests beside them. */
import { hash, randomBytes, randomInt } from "node:crypto";
import { SallyportError } from "./errors.ts";

declare const brand: unique symbol;
type Brand<T, Name extends string> = T & { readonly [brand]: Name };

/** A tenant's id: lower-case letters, digits and hyphens, 1 to 63 characters, as in a DNS label. */
export type TenantId = Brand<string, "TenantId">;
/** An allowlist entry's id: `e` and 13 Crockford base-32 digits that carry 64 bits. */
export type EntryId = Brand<string, "EntryId">;
/** A DNS name as `canonicalHost` returns it: lower case, no trailing dot, no port. */
export type CanonicalHost = Brand<string, "CanonicalHost">;
/** An IP address as `formatAddress` writes it: dotted decimal, or RFC 5952; never IPv4-mapped. */
export type CanonicalIp = Brand<string, "CanonicalIp">;
/** SHA-256 of a session secret, base64url. Never the secret itself. */
export type SessionHash = Brand<string, "SessionHash">;

const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";
const NOT_A_DIGIT = 255;
/** Character code → value of the digit. */
const DIGITS = new Uint8Array(128).fill(NOT_A_DIGIT);
for (let value = 0; value < 32; value++) DIGITS[ALPHABET.charCodeAt(value)] = value;
const SEQUENCE_BITS = 22n;
const SEQUENCE_MASK = (1n << SEQUENCE_BITS) - 1n;

/** 64 bits as 13 Crockford base-32 digits, most significant first, so that text order is number order. */
export function encodeBase32(bits: bigint): string {
  let text = "";
  for (let shift = 60n; shift >= 0n; shift -= 5n) text += ALPHABET[Number((bits >> shift) & 31n)];
  return text;
}

/**
 * Writes the 64 bits of an entry id to `into[at]` (high word) and `into[at + 1]`.
 * Hot path of compiling: no BigInt.
 * @throws SallyportError `internal` for a text that {@link newEntryId} could not have made.
 */
export function packEntryId(id: EntryId, into: Uint32Array, at: number): void {
  let high = 0;
  let low = 0;
  let sound = id.length === 14 && id[0] === "e";
  for (let i = 1; sound && i < 14; i++) {
    const value = DIGITS[id.charCodeAt(i)] ?? NOT_A_DIGIT;
    sound = value < (i === 1 ? 16 : 32);
    high = ((high << 5) | (low >>> 27)) >>> 0;
    low = ((low << 5) | value) >>> 0;
  }
  if (!sound) throw new SallyportError("internal", "an allowlist entry id is malformed");
  into[at] = high;
  into[at + 1] = low;
}

/** The inverse of {@link packEntryId}. */
export function unpackEntryId(from: Uint32Array, at: number): EntryId {
  let high = from[at] as number;
  let low = from[at + 1] as number;
  let text = "";
  for (let i = 0; i < 13; i++) {
    text = ALPHABET[low & 31] + text;
    low = ((low >>> 5) | (high << 27)) >>> 0;
    high >>>= 5;
  }
  return `e${text}` as EntryId;
}

let lastMs = 0n;
let sequence = 0n;

/** 64 bits: 42 of milliseconds since 1970, then 22 that start at random and count up within a millisecond. */
function nextOrderedBits(nowMs: number): bigint {
  const ms = BigInt(nowMs);
  if (ms > lastMs) {
    lastMs = ms;
    sequence = BigInt(randomInt(1 << 21));
  } else if (sequence++ === SEQUENCE_MASK) {
    lastMs += 1n;
    sequence = 0n;
  }
  return ((lastMs & ((1n << 42n) - 1n)) << SEQUENCE_BITS) | sequence;
}

/**
 * A new allowlist entry id. Ids of one process ascend in the order of their making. Two nodes can make
 * the same id in the same millisecond, so a create states the precondition that its id is absent.
 */
export function newEntryId(nowMs: number): EntryId {
  return `e${encodeBase32(nextOrderedBits(nowMs))}` as EntryId;
}

/** A new id for any other document: `prefix_` and 26 base-32 digits (42 bits of time, then 88 at random). */
export function newId(prefix: string, nowMs: number): string {
  const random = randomBytes(8).readBigUInt64BE();
  return `${prefix}_${encodeBase32(nextOrderedBits(nowMs))}${encodeBase32(random)}`;
}

/** A secret of 256 random bits, base64url (43 characters). */
export function newSecret(): string {
  return randomBytes(32).toString("base64url");
}

const SECRET = /^[A-Za-z0-9_-]{43}$/;

/** Whether it has the form of what {@link newSecret} makes. */
export function isSecret(value: unknown): value is string {
  return typeof value === "string" && SECRET.test(value);
}

/** SHA-256, base64url: what is stored of a secret, or in place of what is not to be read back. */
export function digest(text: string): string {
  return hash("sha256", text, "base64url");
}
