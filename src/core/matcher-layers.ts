/**
 * One family's allowlist records, changing without long pauses: a large base, a small segment of recent
 * additions that is rebuilt at each change, and between them a segment that was recent and is being merged into
 * the base, a slice at each change. Lookups ask all three.
 */
import { linesOf } from "./matcher-index.ts";
import { EXPIRY_WORD, type KeyWords, REMOVED, sortRecords } from "./matcher-records.ts";
import { Segment } from "./matcher-segment.ts";

/** Recent or removed records that are left as they are, however small the base is. */
const MIN_UNMERGED = 64;
/** Records merged at each call, and more where a call brings many changes: a tenth of a millisecond or so. */
const MERGED_PER_CALL = 4096;
const MERGED_PER_CHANGE = 32;
/** How many times as many as one call brings may be left unmerged: a bulk is not merged into a long list call by call. */
const UNMERGED_PER_CHANGE = 8;

/** Low bits of a slot; 0 is the base. */
const SETTLING = 1;
const RECENT = 2;
const SMALLER_LAYERS = [SETTLING, RECENT] as const;

const NOTHING = new Uint32Array(0);
const EMPTY = {
  1: new Segment(1, 0, linesOf(NOTHING, 0, 1)).seal(),
  4: new Segment(4, 0, linesOf(NOTHING, 0, 4)).seal(),
};

export class LayeredRecords {
  readonly #empty: Segment;
  #base: Segment;
  #settling: Segment;
  #recent: Segment;
  #merge: SegmentMerge | undefined;

  /** @param sorted records in the order of (network, length) */
  constructor(keyWords: KeyWords, sorted: Uint32Array) {
    this.#empty = EMPTY[keyWords];
    this.#base = segmentOf(keyWords, sorted);
    this.#settling = this.#empty;
    this.#recent = this.#empty;
  }

  get size(): number {
    return this.#base.live + this.#settling.live + this.#recent.live;
  }

  get byteLength(): number {
    const merged = this.#merge?.out.byteLength ?? 0;
    return this.#base.byteLength + this.#settling.byteLength + this.#recent.byteLength + merged;
  }

  /**
   * The slot of the most specific record that covers the address and expires after `nowSeconds`, or -1.
   * Hot path: no allocation, no throw.
   */
  find(a: number, b: number, c: number, d: number, nowSeconds: number): number {
    const index = this.#base.find(a, b, c, d, nowSeconds);
    const slot = index < 0 ? -1 : index * 4;
    if (this.#recent.count === 0 && this.#settling.count === 0) return slot;
    return this.#findCloser(slot, a, b, c, d, nowSeconds);
  }

  /** Whether the entries of all these records are there, expired or not. */
  has(records: Uint32Array): boolean {
    const segments = [this.#base, this.#settling, this.#recent];
    for (let at = 0; at < records.length; at += this.#empty.stride) {
      if (!segments.some((segment) => segment.indexOf(records, at) >= 0)) return false;
    }
    return true;
  }

  /** The segment of a slot that `find` gave. The record's index in it is a quarter of the slot. */
  segmentOf(slot: number): Segment {
    const layer = slot & 3;
    if (layer === RECENT) return this.#recent;
    return layer === SETTLING ? this.#settling : this.#base;
  }

  /**
   * Carries out removals, then additions. An addition of an entry that is there with the same prefix gives it the
   * new expiry. Slots change their meaning.
   * @returns how many removals named an entry that is not there
   */
  change(removals: Uint32Array, upserts: Uint32Array): number {
    const { stride, keyWords } = this.#empty;
    let missed = 0;
    for (let at = 0; at < removals.length; at += stride) if (!this.#setExpiry(removals, at, REMOVED)) missed++;
    const added: number[] = [];
    for (let at = 0; at < upserts.length; at += stride) {
      const expiry = upserts[at + keyWords + EXPIRY_WORD] as number;
      if (!this.#setExpiry(upserts, at, expiry)) added.push(...upserts.subarray(at, at + stride));
    }
    if (added.length > 0) this.#add(sortRecords(Uint32Array.from(added), keyWords));
    this.#mergeSome((removals.length + upserts.length) / stride);
    return missed;
  }

  /** All records but those of removed entries, in order, in an array of their own. */
  flatten(): Uint32Array {
    const merges = this.#settling.count + this.#recent.count + this.#base.count - this.#base.live;
    if (merges === 0) return this.#base.packed.slice();
    return merged(merged(this.#base, this.#settling), this.#recent).packed;
  }

  /** The slot of a more specific record in the smaller segments, or the one given. */
  #findCloser(slot: number, a: number, b: number, c: number, d: number, nowSeconds: number): number {
    let closest = slot;
    let length = slot < 0 ? -1 : this.#base.prefixLength(slot >>> 2);
    for (const layer of SMALLER_LAYERS) {
      const segment = this.segmentOf(layer);
      const index = segment.find(a, b, c, d, nowSeconds);
      if (index < 0 || segment.prefixLength(index) <= length) continue;
      length = segment.prefixLength(index);
      closest = index * 4 + layer;
    }
    return closest;
  }

  /** Wherever the entry's record is, so also where the merge has copied it to. */
  #setExpiry(from: Uint32Array, at: number, expiry: number): boolean {
    let found = false;
    for (const segment of [this.#base, this.#settling, this.#recent]) {
      if (segment.setExpiry(from, at, expiry)) found = true;
    }
    this.#merge?.out.setExpiry(from, at, expiry);
    return found;
  }

  #add(sorted: Uint32Array): void {
    const former = this.#recent;
    this.#recent = merged(former, segmentOf(this.#empty.keyWords, sorted));
    former.release();
  }

  #mergeSome(changes: number): void {
    if (this.#merge === undefined) {
      const unmerged = this.#recent.count + this.#base.count - this.#base.live;
      const left = Math.max(MIN_UNMERGED, 2 * Math.sqrt(this.#base.count), UNMERGED_PER_CHANGE * changes);
      if (unmerged <= left) return;
      this.#settling = this.#recent;
      this.#recent = this.#empty;
      this.#merge = new SegmentMerge(this.#base, this.#settling);
    }
    if (!this.#merge.step(Math.max(MERGED_PER_CALL, changes * MERGED_PER_CHANGE))) return;
    this.#base.release();
    this.#settling.release();
    this.#base = this.#merge.out;
    this.#settling = this.#empty;
    this.#merge = undefined;
  }
}

/** A segment of sorted records. */
function segmentOf(keyWords: KeyWords, sorted: Uint32Array): Segment {
  if (sorted.length === 0) return EMPTY[keyWords];
  const { stride } = EMPTY[keyWords];
  const count = sorted.length / stride;
  const segment = new Segment(keyWords, count, linesOf(sorted, count, keyWords));
  for (let at = 0; at < sorted.length; at += stride) segment.append(sorted, at);
  return segment.seal();
}

function merged(left: Segment, right: Segment): Segment {
  const merge = new SegmentMerge(left, right);
  merge.step(Number.POSITIVE_INFINITY);
  return merge.out;
}

/** Two segments becoming one, in order and without removed records, as many records at a time as is asked. */
class SegmentMerge {
  readonly out: Segment;
  readonly #left: Segment;
  readonly #right: Segment;
  #leftAt = 0;
  #rightAt = 0;

  constructor(left: Segment, right: Segment) {
    this.#left = left;
    this.#right = right;
    const { records, count, keyWords } = left.count < right.count ? right : left;
    this.out = new Segment(keyWords, left.live + right.live, linesOf(records, count, keyWords));
  }

  /** Takes up to `limit` records. @returns whether it is done. */
  step(limit: number): boolean {
    const left = this.#left;
    const right = this.#right;
    for (let taken = 0; taken < limit; taken++) {
      const rightDone = this.#rightAt === right.count;
      if (this.#leftAt === left.count && rightDone) {
        this.out.seal();
        return true;
      }
      const takeLeft =
        rightDone ||
        (this.#leftAt < left.count && left.compare(this.#leftAt, right.records, this.#rightAt * right.stride) <= 0);
      if (takeLeft) this.#take(left, this.#leftAt++);
      else this.#take(right, this.#rightAt++);
    }
    return false;
  }

  #take(segment: Segment, index: number): void {
    if (segment.expiry(index) !== REMOVED) this.out.append(segment.records, index * segment.stride);
  }
}
