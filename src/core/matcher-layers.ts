/**
 * One family's allowlist records in two layers: a large base, and a small segment of recent additions that is
 * rebuilt at each change. When the recent one has grown, both are merged into a new base, a slice at each
 * change, so that no single change waits for all of it.
 */
import { EXPIRY_WORD, type KeyWords, REMOVED, sortRecords } from "./matcher-records.ts";
import { networkNumber, Segment } from "./matcher-segment.ts";

/** Recent or removed records that are left unmerged, however small the base is. */
const MIN_UNMERGED = 64;
/** Records merged per call, and more where a call brings many changes: a tenth of a millisecond or so. */
const MIN_MERGED_PER_CALL = 4096;
const MERGED_PER_CHANGE = 64;

const EMPTY = {
  1: new Segment(1, 0, { lowest: 0, highest: 0 }).seal(),
  4: new Segment(4, 0, { lowest: 0, highest: 0 }).seal(),
};

/** Records of removals and of additions, as packed. */
type Change = readonly [removals: Uint32Array, upserts: Uint32Array];

export class LayeredRecords {
  readonly #keyWords: KeyWords;
  #base: Segment;
  #recent: Segment;
  #merge: SegmentMerge | undefined;
  /** What came since the merge began: carried out once more on its result. Each change says how its entries end up, so repeating is harmless. */
  #sinceMerge: Change[] = [];

  /** @param sorted records in the order of (network, length) */
  constructor(keyWords: KeyWords, sorted: Uint32Array) {
    this.#keyWords = keyWords;
    this.#base = segmentOf(keyWords, sorted);
    this.#recent = EMPTY[keyWords];
  }

  get size(): number {
    return this.#base.count - this.#base.removed + this.#recent.count - this.#recent.removed;
  }

  get byteLength(): number {
    return this.#base.byteLength + this.#recent.byteLength + (this.#merge?.byteLength ?? 0);
  }

  /** Hot path: no allocation, no throw. @returns twice the record's index, plus 1 in the recent segment; or -1. */
  find(a: number, b: number, c: number, d: number, nowSeconds: number): number {
    const base = this.#base.find(a, b, c, d, nowSeconds);
    if (this.#recent.count === 0) return base < 0 ? -1 : base * 2;
    const recent = this.#recent.find(a, b, c, d, nowSeconds);
    if (recent < 0) return base < 0 ? -1 : base * 2;
    if (base >= 0 && this.#base.prefixLength(base) >= this.#recent.prefixLength(recent)) return base * 2;
    return recent * 2 + 1;
  }

  /** The segment of a slot that `find` gave; the record's index in it is half the slot. */
  segmentOf(slot: number): Segment {
    return slot % 2 === 0 ? this.#base : this.#recent;
  }

  /**
   * Carries out removals, then additions. An addition of an entry that is there with the same prefix gives it the
   * new expiry. Slots change their meaning.
   * @returns how many removals named an entry that is not there
   */
  change(removals: Uint32Array, upserts: Uint32Array): number {
    if (this.#merge !== undefined) this.#sinceMerge.push([removals, upserts]);
    const missed = this.#carryOut(removals, upserts);
    this.#mergeSome((removals.length + upserts.length) / this.#base.stride);
    return missed;
  }

  /** All records but those of removed entries, in order, in an array of their own. */
  flatten(): Uint32Array {
    const merge = new SegmentMerge(this.#base, this.#recent);
    merge.step(Number.POSITIVE_INFINITY);
    return merge.result.packed;
  }

  /** The earliest expiry after `after`; `NEVER` when there is none. */
  nextExpiry(after: number): number {
    return Math.min(this.#base.nextExpiry(after), this.#recent.nextExpiry(after));
  }

  #carryOut(removals: Uint32Array, upserts: Uint32Array): number {
    const { stride, keyWords } = this.#base;
    let missed = 0;
    for (let at = 0; at < removals.length; at += stride) if (!this.#setExpiry(removals, at, REMOVED)) missed++;
    const added: number[] = [];
    for (let at = 0; at < upserts.length; at += stride) {
      const expiry = upserts[at + keyWords + EXPIRY_WORD] as number;
      if (!this.#setExpiry(upserts, at, expiry)) added.push(...upserts.subarray(at, at + stride));
    }
    if (added.length > 0) {
      const merge = new SegmentMerge(this.#recent, segmentOf(keyWords, sortRecords(Uint32Array.from(added), keyWords)));
      merge.step(Number.POSITIVE_INFINITY);
      this.#recent = merge.result;
    }
    return missed;
  }

  #setExpiry(from: Uint32Array, at: number, expiry: number): boolean {
    const inBase = this.#base.setExpiry(from, at, expiry);
    return this.#recent.setExpiry(from, at, expiry) || inBase;
  }

  #mergeSome(changes: number): void {
    if (this.#merge === undefined) {
      const unmerged = this.#recent.count + this.#base.removed;
      if (unmerged <= Math.max(MIN_UNMERGED, 2 * Math.sqrt(this.#base.count))) return;
      this.#merge = new SegmentMerge(this.#base, this.#recent);
    }
    if (!this.#merge.step(Math.max(MIN_MERGED_PER_CALL, changes * MERGED_PER_CHANGE))) return;
    this.#base = this.#merge.result;
    this.#recent = EMPTY[this.#keyWords];
    this.#merge = undefined;
    const since = this.#sinceMerge;
    this.#sinceMerge = [];
    for (const [removals, upserts] of since) this.#carryOut(removals, upserts);
  }
}

/** A segment of sorted records. */
function segmentOf(keyWords: KeyWords, sorted: Uint32Array): Segment {
  if (sorted.length === 0) return EMPTY[keyWords];
  const stride = EMPTY[keyWords].stride;
  const segment = new Segment(keyWords, sorted.length / stride, {
    lowest: networkNumber(sorted, 0, keyWords),
    highest: networkNumber(sorted, sorted.length - stride, keyWords),
  });
  for (let at = 0; at < sorted.length; at += stride) segment.append(sorted, at);
  return segment.seal();
}

/** Two segments becoming one, in order and without removed records, as many records at a time as is asked. */
class SegmentMerge {
  readonly #left: Segment;
  readonly #right: Segment;
  readonly #out: Segment;
  #leftAt = 0;
  #rightAt = 0;

  constructor(left: Segment, right: Segment) {
    this.#left = left;
    this.#right = right;
    this.#out = new Segment(left.keyWords, left.count - left.removed + right.count - right.removed, {
      lowest: Math.min(left.span.lowest, right.span.lowest),
      highest: Math.max(left.span.highest, right.span.highest),
    });
  }

  get byteLength(): number {
    return this.#out.byteLength;
  }

  get result(): Segment {
    return this.#out;
  }

  /** Takes up to `limit` records. @returns whether it is done. */
  step(limit: number): boolean {
    const left = this.#left;
    const right = this.#right;
    for (let taken = 0; taken < limit; taken++) {
      const rightDone = this.#rightAt === right.count;
      if (this.#leftAt === left.count && rightDone) {
        this.#out.seal();
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
    if (segment.expiry(index) !== REMOVED) this.#out.append(segment.records, index * segment.stride);
  }
}
