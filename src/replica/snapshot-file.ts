/**
 * The policy snapshot on disk: lets a node start while the store is away. A full state, then every change
 * since, appended before any edge applies it, so that a restart never undoes what was acknowledged.
 *
 * Records are feed frames, each followed by a 16-byte tag: HMAC-SHA-256 over the tag before it and the frame.
 * A torn last record (the process died while it wrote) was never acknowledged and is cut off.
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import { closeSync, mkdirSync, openSync, readFileSync, renameSync, unlinkSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import type { Clock } from "../core/clock.ts";
import type { Logger } from "../core/log.ts";
import { encodeFrame, FrameReader } from "./frames.ts";
import type { PolicyFrame, PolicyMessage } from "./messages.ts";
import type { PolicyReplica } from "./policy.ts";

const MAGIC = Buffer.from("sallyport policy 1\n");
const TAG_BYTES = 16;
const MAX_FRAME_BYTES = 1 << 28;
/** Heartbeats only move the time of confirmation; one in this long is kept. */
const HEARTBEAT_EVERY_MS = 5_000;
const COMPACT_AFTER_BYTES = 4 << 20;

export interface SnapshotFileOptions {
  readonly path: string;
  /** 32 bytes, derived from the secret key. */
  readonly macKey: Uint8Array;
  readonly clock: Clock;
  readonly log: Logger;
  /** The full state, for the first write and each compaction. */
  readonly fullState: () => readonly PolicyFrame[];
}

/**
 * One writer per file. When a change cannot be written, the file is removed: an outdated snapshot could
 * admit somebody who was shut out. The next heartbeat tries to write a whole one again.
 */
export class SnapshotFile {
  readonly #options: SnapshotFileOptions;
  #descriptor: number | undefined;
  #tag: Uint8Array = Buffer.alloc(TAG_BYTES);
  #bytes = 0;
  #fullBytes = 0;
  #heartbeatAtMs = 0;
  #failing = false;

  constructor(options: SnapshotFileOptions) {
    this.#options = options;
  }

  /**
   * Loads what is on disk into the replica. @returns false where there is none, or one that was not written
   * with this key or is damaged before its end; the replica is then left as it was.
   */
  load(replica: PolicyReplica): boolean {
    let file: Buffer;
    try {
      file = readFileSync(this.#options.path);
    } catch {
      return false;
    }
    if (!file.subarray(0, MAGIC.byteLength).equals(MAGIC)) return false;
    const records = this.#verifiedRecords(file);
    const reader = new FrameReader(MAX_FRAME_BYTES);
    for (const record of records) {
      reader.push(record, ({ message, bytes }) => replica.apply(message as PolicyMessage, bytes));
    }
    replica.abandonReset();
    return replica.epoch !== "";
  }

  /** Appends one batch of frames; to be called before anybody else hears of them. */
  append(frames: readonly PolicyFrame[]): void {
    const heartbeat = frames.length === 1 && frames[0]?.message.type === "at";
    const nowMs = this.#options.clock.nowMs();
    if (heartbeat && nowMs - this.#heartbeatAtMs < HEARTBEAT_EVERY_MS) return;
    this.#heartbeatAtMs = nowMs;
    try {
      const whole = frames[0]?.message.type === "reset";
      if (whole || this.#descriptor === undefined || this.#bytes > 2 * this.#fullBytes + COMPACT_AFTER_BYTES) {
        this.#writeWhole(this.#options.fullState());
      } else {
        this.#bytes += this.#write(this.#descriptor, frames);
      }
      if (this.#failing) this.#options.log.info({ path: this.#options.path }, "the policy snapshot is written again");
      this.#failing = false;
    } catch (error) {
      this.#discard(error);
    }
  }

  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }

  #writeWhole(frames: readonly PolicyFrame[]): void {
    const { path } = this.#options;
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const temporary = `${path}.new`;
    this.close();
    const descriptor = openSync(temporary, "w", 0o600);
    try {
      this.#tag = Buffer.alloc(TAG_BYTES);
      writeAll(descriptor, [MAGIC]);
      this.#fullBytes = this.#write(descriptor, frames);
      this.#bytes = this.#fullBytes;
      renameSync(temporary, path);
    } catch (error) {
      closeSync(descriptor);
      throw error;
    }
    this.#descriptor = descriptor;
  }

  #write(descriptor: number, frames: readonly PolicyFrame[]): number {
    let bytes = 0;
    for (const { message, parts } of frames) {
      const record = encodeFrame(message, parts);
      const tag = this.#nextTag(this.#tag, record);
      bytes += writeAll(descriptor, [...record, tag]);
      this.#tag = tag;
    }
    return bytes;
  }

  #discard(error: unknown): void {
    const { path, log } = this.#options;
    if (!this.#failing) log.error({ err: error, path }, "the policy snapshot cannot be written and is removed");
    this.#failing = true;
    this.close();
    for (const file of [path, `${path}.new`]) {
      try {
        unlinkSync(file);
      } catch {
        // It was not there.
      }
    }
  }

  /** All records but a torn last one; none at all where one does not verify, since those after it are missing too. */
  #verifiedRecords(file: Buffer): Buffer[] {
    const records: Buffer[] = [];
    let tag: Uint8Array = Buffer.alloc(TAG_BYTES);
    let at = MAGIC.byteLength;
    while (at + 4 <= file.byteLength) {
      const end = at + 4 + file.readUInt32BE(at);
      if (end + TAG_BYTES > file.byteLength) break;
      const record = file.subarray(at, end);
      tag = this.#nextTag(tag, [record]);
      if (!timingSafeEqual(tag, file.subarray(end, end + TAG_BYTES))) {
        this.#options.log.error({ path: this.#options.path, at }, "the policy snapshot is damaged and is not used");
        return [];
      }
      records.push(record);
      at = end + TAG_BYTES;
    }
    return records;
  }

  #nextTag(earlier: Uint8Array, record: readonly Uint8Array[]): Buffer {
    const mac = createHmac("sha256", this.#options.macKey).update(earlier);
    for (const part of record) mac.update(part);
    return mac.digest().subarray(0, TAG_BYTES);
  }
}

/** `write` may write less than asked on a full disk; the rest is then tried once more and its error thrown. */
function writeAll(descriptor: number, parts: readonly Uint8Array[]): number {
  let rest = Buffer.concat(parts);
  const total = rest.byteLength;
  while (rest.byteLength > 0) rest = rest.subarray(writeSync(descriptor, rest));
  return total;
}
