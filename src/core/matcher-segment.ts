/**
 * A sorted run of allowlist records of one family, in one typed array.
 *
 * CIDR prefixes either nest or are disjoint. So with records in the order of (network, length), the most
 * specific prefix around an address is the last record that starts at or before it, or one of that record's
 * ancestors; each record knows its parent, the closest one around it. Records of the same prefix stand side
 * by side and have one parent, so that a prefix with many owners is passed in one step.
 */
import { SallyportError } from "./errors.ts";
import { type Line, networkNumber, RankIndex } from "./matcher-index.ts";
import {
  compareRecords,
  covers,
  EXPIRY_WORD,
  ID_WORD,
  type KeyWords,
  LENGTH_MASK,
  REMOVED,
  startsAfter,
  strideOf,
} from "./matcher-records.ts";

/** Parents are kept in 24 bits. */
const MAX_RECORDS = 0xff_ffff;
const PARENT_SHIFT = 8;
/** Below this an index costs more than it saves. */
const MIN_INDEXED = 64;
/** So few records are faster read one after the other than searched. */
const SCANNED = 4;

/** Filled by `append` in order, then sealed; after that only expiries change. */
export class Segment {
  readonly keyWords: KeyWords;
  readonly stride: number;
  readonly records: Uint32Array<ArrayBuffer>;
  /** When each record was last noted as seen: a minute, modulo 65,535, plus 1. Made when first needed. */
  seen: Uint16Array | undefined;
  #count = 0;
  #live = 0;
  #sealed = false;
  readonly #index: RankIndex | undefined;

  /** @param lines as `linesOf` gives them, from records spread more or less like the ones to come */
  constructor(keyWords: KeyWords, capacity: number, lines: readonly Line[]) {
    if (capacity > MAX_RECORDS) throw new SallyportError("entry_limit", `an allowlist holds at most ${MAX_RECORDS}`);
    this.keyWords = keyWords;
    this.stride = strideOf(keyWords);
    this.records = new Uint32Array(capacity * this.stride);
    this.#index = capacity < MIN_INDEXED ? undefined : new RankIndex(capacity, lines);
  }

  /** Records, those of removed entries included. */
  get count(): number {
    return this.#count;
  }

  /** Records of entries that are there, expired or not. */
  get live(): number {
    return this.#live;
  }

  get byteLength(): number {
    return this.records.byteLength + (this.#index?.byteLength ?? 0) + (this.seen?.byteLength ?? 0);
  }

  /** Of the records alone, as `append` takes them. */
  get packed(): Uint32Array {
    return this.records.subarray(0, this.#count * this.stride);
  }

  /** Adds a sound record, one that does not come before the others in the order, and finds its parent. */
  append(from: Uint32Array, at: number): void {
    const { records, stride, keyWords } = this;
    const index = this.#count;
    const target = index * stride;
    for (let i = 0; i < stride; i++) records[target + i] = from[at + i] as number;
    const [a, b, c, d] = this.#networkAt(from, at);
    const length = (from[at + keyWords] as number) & LENGTH_MASK;
    let parent = index - 1;
    while (
      parent >= 0 &&
      (this.prefixLength(parent) >= length || !covers(records, parent * stride, keyWords, a, b, c, d))
    ) {
      parent = this.#parent(parent);
    }
    records[target + keyWords] = ((parent + 1) << PARENT_SHIFT) | length;
    this.#count = index + 1;
    this.#live++;
    this.#index?.add(networkNumber(a, b), index);
  }

  /** No more records come. */
  seal(): this {
    this.#index?.seal(this.#count);
    this.#sealed = true;
    return this;
  }

  /**
   * Gives the memory back at once: left to the garbage collector, segments of megabytes would make it run more
   * often. The segment is not to be used afterwards, unless it has no room for records: those are shared.
   */
  release(): void {
    if (this.records.length === 0) return;
    this.records.buffer.transfer(0);
    this.#index?.release();
  }

  /**
   * The most specific record that covers the address, given as signed or unsigned words, and expires after
   * `nowSeconds`, or -1.
   * Hot path: no allocation, no throw.
   */
  find(a: number, b: number, c: number, d: number, nowSeconds: number): number {
    const { records, stride, keyWords } = this;
    let index = this.#near(a, b, c, d);
    while (index >= 0) {
      const at = index * stride;
      if (covers(records, at, keyWords, a, b, c, d)) {
        if ((records[at + keyWords + EXPIRY_WORD] as number) > nowSeconds) return index;
        const other = this.#otherOwner(index, nowSeconds);
        if (other >= 0) return other;
      } else if (startsAfter(records, at, keyWords, a, b, c, d)) {
        index--;
        continue;
      }
      index = ((records[at + keyWords] as number) >>> PARENT_SHIFT) - 1;
    }
    return -1;
  }

  /** The record of the entry with the prefix and id of the one at `from[at]`, or -1. */
  indexOf(from: Uint32Array, at: number): number {
    for (let index = this.#lastAtOrBefore(...this.#networkAt(from, at)); index >= 0; index--) {
      if (this.compare(index, from, at) < 0) break;
      if (this.#sameEntry(index * this.stride, from, at) && this.expiry(index) !== REMOVED) return index;
    }
    return -1;
  }

  /** Gives the entry's record a new expiry, where it has one. @returns whether it has. */
  setExpiry(from: Uint32Array, at: number, expiry: number): boolean {
    const index = this.indexOf(from, at);
    if (index < 0) return false;
    this.records[index * this.stride + this.keyWords + EXPIRY_WORD] = expiry;
    if (expiry === REMOVED) this.#live--;
    return true;
  }

  /** As {@link compareRecords}: this segment's record against the one at `from[at]`. */
  compare(index: number, from: Uint32Array, at: number): number {
    return compareRecords(this.records, index * this.stride, from, at, this.keyWords);
  }

  prefixLength(index: number): number {
    return (this.records[index * this.stride + this.keyWords] as number) & LENGTH_MASK;
  }

  expiry(index: number): number {
    return this.records[index * this.stride + this.keyWords + EXPIRY_WORD] as number;
  }

  /** Where in `records` the id of a record begins. */
  idOffset(index: number): number {
    return index * this.stride + this.keyWords + ID_WORD;
  }

  #parent(index: number): number {
    return ((this.records[index * this.stride + this.keyWords] as number) >>> PARENT_SHIFT) - 1;
  }

  /** The last record whose network is not above the address, or -1. */
  #lastAtOrBefore(a: number, b: number, c: number, d: number): number {
    const { records, stride, keyWords } = this;
    let index = this.#near(a, b, c, d);
    while (index >= 0 && startsAfter(records, index * stride, keyWords, a, b, c, d)) index--;
    return index;
  }

  /** That record or one up to `SCANNED` after it. */
  #near(a: number, b: number, c: number, d: number): number {
    const { records, stride, keyWords } = this;
    let low = 0;
    let high = this.#count;
    if (this.#index !== undefined && this.#sealed) {
      const bucket = this.#index.bucketOf(networkNumber(a >>> 0, b >>> 0));
      low = this.#index.start(bucket);
      high = this.#index.start(bucket + 1);
    }
    while (high - low > SCANNED) {
      const middle = (low + high) >>> 1;
      if (startsAfter(records, middle * stride, keyWords, a, b, c, d)) high = middle;
      else low = middle;
    }
    return high - 1;
  }

  /** A record of the same prefix before this one that has not expired, or -1. */
  #otherOwner(index: number, nowSeconds: number): number {
    const { records, stride } = this;
    for (let other = index - 1; other >= 0 && this.compare(other, records, index * stride) === 0; other--) {
      if (this.expiry(other) > nowSeconds) return other;
    }
    return -1;
  }

  #networkAt(from: Uint32Array, at: number): [number, number, number, number] {
    const a = from[at] as number;
    if (this.keyWords === 1) return [a, 0, 0, 0];
    return [a, from[at + 1] as number, from[at + 2] as number, from[at + 3] as number];
  }

  #sameEntry(own: number, from: Uint32Array, at: number): boolean {
    const { records, keyWords } = this;
    const id = keyWords + ID_WORD;
    return (
      ((records[own + keyWords] as number) & LENGTH_MASK) === ((from[at + keyWords] as number) & LENGTH_MASK) &&
      records[own + id] === from[at + id] &&
      records[own + id + 1] === from[at + id + 1]
    );
  }
}
