/** The arithmetic of an audit chain: ids, hashes, the head and its seal. Pure. */
import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { AUDIT_HEAD_KIND, type AuditInput, type AuditRecord } from "../core/audit.ts";
import { SallyportError } from "../core/errors.ts";
import { encodeBase32 } from "../core/ids.ts";
import type { Keyring } from "../core/keyring.ts";
import type { SealedKind } from "../core/reseal.ts";
import { canonicalJson } from "./canonical-json.ts";

/** What the first record of a chain holds as its previous hash. */
export const GENESIS = "0".repeat(64);

/** Where a chain ends. Its seal needs a key that is not in the store, so that nobody with the store alone can shorten or rewrite the chain. */
export interface ChainHead {
  readonly seq: number;
  readonly hash: string;
  readonly atMs: number;
  /** HMAC-SHA-256 over the chain's name and the fields above, base64url. */
  readonly seal: string;
}

/** The heads, those of chains that nobody goes on with too, for a rotation of what seals them. */
export const SEALED_HEADS: SealedKind = {
  kind: AUDIT_HEAD_KIND,
  quiet: true,
  reseal(keyring, { id, value }) {
    const keys = auditKeys(keyring);
    const head = value as ChainHead;
    // Sealing a forged head would vouch for it.
    if (!isSealed(keys, id, head)) throw new SallyportError("seal_invalid", "the audit chain's head was changed");
    return sealHead(keys, id, head);
  },
};

export function emptyHead(): Omit<ChainHead, "seal"> {
  return { seq: 0, hash: GENESIS, atMs: 0 };
}

/** The id under which a record is stored: ascending ids are descending times, and within a chain descending numbers. */
export function auditId(chain: string, atMs: number, seq: number): string {
  const time = (1n << 42n) - 1n - BigInt(atMs);
  const number = (1n << 22n) - 1n - (BigInt(seq) & ((1n << 22n) - 1n));
  return `${encodeBase32((time << 22n) | number)}-${chain}`;
}

/** The first id of the records made at or before this time. */
export function auditIdAt(atMs: number): string {
  return auditId("", atMs, (1 << 22) - 1);
}

export function hashRecord(record: Omit<AuditRecord, "hash">): string {
  return createHash("sha256").update(canonicalJson(record)).digest("hex");
}

/** The record that comes after `head`. */
export function appendRecord(chain: string, head: Omit<ChainHead, "seal">, input: AuditInput, nowMs: number) {
  const atMs = Math.max(nowMs, head.atMs);
  const body = { ...input, chain, seq: head.seq + 1, at: new Date(atMs).toISOString(), prevHash: head.hash };
  const record: AuditRecord = { ...body, hash: hashRecord(body) };
  return { id: auditId(chain, atMs, record.seq), record, head: { seq: record.seq, hash: record.hash, atMs } };
}

/** The keys that seal heads, the present one first and then those from before a rotation. */
export function auditKeys(keyring: Pick<Keyring, "deriveKeys">): readonly Uint8Array[] {
  return keyring.deriveKeys("audit");
}

export function sealHead([key]: readonly Uint8Array[], chain: string, head: Omit<ChainHead, "seal">): ChainHead {
  if (key === undefined) throw new RangeError("no key");
  return { seq: head.seq, hash: head.hash, atMs: head.atMs, seal: seal(key, chain, head) };
}

export function isSealed(keys: readonly Uint8Array[], chain: string, head: ChainHead): boolean {
  const given = Buffer.from(String(head.seal));
  return keys.some((key) => {
    const expected = Buffer.from(seal(key, chain, head));
    return expected.length === given.length && timingSafeEqual(expected, given);
  });
}

function seal(key: Uint8Array, chain: string, { seq, hash, atMs }: Omit<ChainHead, "seal">): string {
  return createHmac("sha256", key)
    .update(canonicalJson([chain, seq, hash, atMs]))
    .digest("base64url");
}
