/** What both adapters share: checked and encoded writes, the text of a feed commit, and how revisions grow. */
import { randomInt, randomUUID } from "node:crypto";
import { setImmediate as nextTurn } from "node:timers/promises";
import { SallyportError } from "../core/errors.ts";
import type { Change, CommitRequest, ListRequest, Precondition, Write } from "../core/store.ts";

/** A write as the adapters store it: the value is opaque JSON text from here on. */
export interface EncodedWrite {
  readonly kind: string;
  readonly id: string;
  /** `undefined` deletes. */
  readonly json: string | undefined;
  /** 0 = never. */
  readonly expiresAtMs: number;
  readonly quiet: boolean;
}

/** A transaction and a script must end in a few seconds. */
const COMMIT_WRITES = 200_000;
const COMMIT_BYTES = 64 * 1024 * 1024;

/** How much of the feed is kept: a reader that is further behind takes a snapshot. The newest commit always stays. */
export interface FeedLimits {
  readonly commits: number;
  /** Of the commits' text. */
  readonly bytes: number;
}

export const DEFAULT_FEED_LIMITS: FeedLimits = { commits: 100_000, bytes: 64 * 1024 * 1024 };

const VALUE_BYTES = 1024 * 1024;
const KIND = /^[a-z][a-z0-9_.-]{0,63}$/;
const ID = /^[\x20-\x7e]{1,512}$/;
/** Past this many items a loop lets the event loop turn. */
export const SLICE = 1_000;

/** @throws RangeError for a kind or id outside the port's alphabet: a fault of the caller. */
export function checkKey(kind: string, id: string): void {
  if (!KIND.test(kind)) throw new RangeError(`not a document kind: ${JSON.stringify(kind)}`);
  if (!ID.test(id)) throw new RangeError(`not a document id of kind ${kind}: ${JSON.stringify(id.slice(0, 80))}`);
}

/** @throws RangeError unless `limit` is a whole number from 1 to 1,000. */
export function checkLimit(limit: number): void {
  if (!Number.isInteger(limit) || limit < 1 || limit > 1_000) throw new RangeError(`limit must be 1 to 1000: ${limit}`);
}

/** The ids of a list request as a half-open range: `after < id`, `from <= id < below`. */
export function idRange(request: ListRequest): { after: string; from: string; below: string } {
  checkLimit(request.limit);
  checkKey(request.kind, request.prefix || "-");
  const prefix = request.prefix ?? "";
  return { after: request.after ?? "", from: prefix, below: `${prefix}\x7f` };
}

function encodeWrite(write: Write): EncodedWrite {
  checkKey(write.kind, write.id);
  const expiresAtMs = write.expiresAtMs ?? 0;
  if (!Number.isSafeInteger(expiresAtMs) || expiresAtMs < 0) throw new RangeError(`not a time: ${expiresAtMs}`);
  const { kind, id, quiet = false } = write;
  if (write.value === null) return { kind, id, json: undefined, expiresAtMs: 0, quiet };
  const json: string | undefined = JSON.stringify(write.value);
  if (json === undefined) throw new RangeError(`${kind} "${id}" is not JSON data`);
  if (json.length > VALUE_BYTES / 3 && Buffer.byteLength(json) > VALUE_BYTES) {
    throw new SallyportError("payload_too_large", `${kind} "${id}" is larger than 1 MiB`);
  }
  return { kind, id, json, expiresAtMs, quiet };
}

/**
 * Checks and encodes a whole commit. A small one is encoded before this returns to the event loop; a large
 * one lets it turn every {@link SLICE} writes, and must not be changed by the caller meanwhile.
 */
export async function encodeCommit(
  request: CommitRequest,
): Promise<{ writes: EncodedWrite[]; preconditions: readonly Precondition[] }> {
  const preconditions = request.preconditions ?? [];
  if (request.writes.length + preconditions.length > COMMIT_WRITES) {
    throw new SallyportError("payload_too_large", `a commit holds at most ${COMMIT_WRITES} writes and preconditions`);
  }
  for (const { kind, id } of preconditions) checkKey(kind, id);
  const writes: EncodedWrite[] = [];
  const keys = new Set<string>();
  let bytes = 0;
  for (const write of request.writes) {
    const encoded = encodeWrite(write);
    bytes += encoded.json?.length ?? 0;
    if (bytes > COMMIT_BYTES) throw new SallyportError("payload_too_large", "a commit holds at most 64 MiB");
    if (keys.size === keys.add(`${write.kind}/${write.id}`).size) {
      throw new RangeError(`a commit writes ${write.kind} "${write.id}" twice`);
    }
    writes.push(encoded);
    if (writes.length % SLICE === 0) await nextTurn();
  }
  return { writes, preconditions };
}

/** `{expiresAtMs}:{quiet}:{json}`. JSON text has no line breaks, so a record fits in a line. */
export function encodeRecord(write: EncodedWrite): string {
  return `${write.expiresAtMs}:${write.quiet ? 1 : 0}:${write.json}`;
}

/** Inverse of {@link encodeRecord}. */
export function decodeRecord(record: string): { value: unknown; expiresAtMs: number } {
  const colon = record.indexOf(":");
  return { expiresAtMs: Number(record.slice(0, colon)), value: JSON.parse(record.slice(colon + 3)) };
}

/**
 * A feed commit is lines in pairs: `{kind}/{id}`, then the record, or for a deletion `-` and the JSON that was
 * deleted, if any. A kind has no slash, an id no line break.
 */
export function encodeChange(write: EncodedWrite, was: string): string {
  return `${write.kind}/${write.id}\n${write.json === undefined ? `-${was}` : encodeRecord(write)}\n`;
}

/** Inverse of {@link encodeChange} for a whole commit; lets the event loop turn every {@link SLICE} changes. */
export async function decodeChanges(text: string): Promise<Change[]> {
  const changes: Change[] = [];
  for (let at = 0; at < text.length; ) {
    const keyEnd = text.indexOf("\n", at);
    const recordEnd = text.indexOf("\n", keyEnd + 1);
    changes.push(decodeChange(text.slice(at, keyEnd), text.slice(keyEnd + 1, recordEnd)));
    at = recordEnd + 1;
    if (changes.length % SLICE === 0) await nextTurn();
  }
  return changes;
}

function decodeChange(key: string, record: string): Change {
  const slash = key.indexOf("/");
  const kind = key.slice(0, slash);
  const id = key.slice(slash + 1);
  if (record === "-") return { kind, id, value: null };
  if (record.startsWith("-")) return { kind, id, value: null, was: JSON.parse(record.slice(1)) };
  const { value, expiresAtMs } = decodeRecord(record);
  return expiresAtMs === 0 ? { kind, id, value } : { kind, id, value, expiresAtMs };
}

/**
 * The least revision that may follow `last`: microseconds since 1970, so that a store that fell back to an
 * older state (a failover that lost commits, a file copied back) does not give a lost commit's number to
 * another commit; a reader that saw the lost one then finds that `previous` is not what it holds. Some
 * randomness covers clocks that stand or differ. Stays a safe integer beyond the year 2200.
 */
export function revisionFloor(nowMs: number): { floor: number; step: number } {
  return { floor: nowMs * 1_000, step: 1 + randomInt(999) };
}

/** A random id for a store's life from its creation or restoration on. */
export function newEpoch(): string {
  return randomUUID();
}
