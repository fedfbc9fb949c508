/**
 * Where in a segment to look for a network: interpolation over its first 64 bits. Where the networks are
 * unevenly spread, as they are in practice, the interpolation is piecewise, between networks of equally spaced
 * ranks. However badly it fits, the answer is only a wider range, never a wrong one.
 */
import { type KeyWords, strideOf } from "./matcher-records.ts";

const RECORDS_PER_BUCKET = 2;
const RECORDS_PER_PIECE = 128;
const MAX_PIECES = 256;
/** How far, as a share of all, ranks may be off for one straight line to do. */
const TOLERANCE = 0.01;

/** The first 64 bits of a network as a double: rounded, but never out of order, which is all that is asked of it. */
export function networkNumber(a: number, b: number): number {
  return a * 2 ** 32 + b;
}

/** Networks at equally spaced ranks of the first `count` sorted records, lowest and highest included: at least two. */
export function knotsOf(records: Uint32Array, count: number, keyWords: KeyWords): Float64Array {
  if (count === 0) return Float64Array.of(0, 0);
  const stride = strideOf(keyWords);
  const pieces = Math.min(MAX_PIECES, Math.max(1, Math.floor(count / RECORDS_PER_PIECE)));
  const knots = new Float64Array(pieces + 1).map((_, piece) => {
    const at = Math.floor(((count - 1) * piece) / pieces) * stride;
    return networkNumber(records[at] as number, keyWords === 1 ? 0 : (records[at + 1] as number));
  });
  const lowest = knots[0] as number;
  const highest = knots[pieces] as number;
  const straight = knots.every(
    (knot, piece) => Math.abs(knot - lowest - ((highest - lowest) * piece) / pieces) <= (highest - lowest) * TOLERANCE,
  );
  return straight ? Float64Array.of(lowest, highest) : knots;
}

/** Filled in the order of the records, then sealed. */
export class RankIndex {
  readonly #knots: Float64Array;
  /** Buckets per unit of each piece. */
  readonly #scales: Float64Array;
  readonly #bucketsPerPiece: number;
  /** For each bucket the rank of the first record in it or after it; one more at the end. */
  readonly #starts: Uint32Array<ArrayBuffer>;
  #filled = 0;

  /** @param knots as `knotsOf` gives them, from records spread more or less like the ones to come */
  constructor(capacity: number, knots: Float64Array) {
    const pieces = knots.length - 1;
    const buckets = Math.ceil(capacity / RECORDS_PER_BUCKET / pieces);
    this.#knots = knots.subarray(0, pieces);
    this.#scales = this.#knots.map((knot, piece) => {
      const width = (knots[piece + 1] as number) - knot;
      return width > 0 ? buckets / width : 0;
    });
    this.#bucketsPerPiece = buckets;
    this.#starts = new Uint32Array(buckets * pieces + 1);
  }

  get byteLength(): number {
    return this.#starts.byteLength + this.#knots.byteLength + this.#scales.byteLength;
  }

  /** The bucket that a network belongs to; it ascends with the network. Hot path. */
  bucketOf(network: number): number {
    const knots = this.#knots;
    let piece = 0;
    for (let high = knots.length; high - piece > 1; ) {
      const middle = (piece + high) >>> 1;
      if ((knots[middle] as number) <= network) piece = middle;
      else high = middle;
    }
    const position = (network - (knots[piece] as number)) * (this.#scales[piece] as number);
    const last = this.#bucketsPerPiece - 1;
    return piece * this.#bucketsPerPiece + (position > 0 ? Math.trunc(Math.min(position, last)) : 0);
  }

  /** The rank at which a bucket starts, and the one before it ends. */
  start(bucket: number): number {
    return this.#starts[bucket] as number;
  }

  /** Tells of the next record. */
  add(network: number, rank: number): void {
    this.#fill(this.bucketOf(network), rank);
  }

  seal(count: number): void {
    this.#fill(this.#starts.length - 1, count);
  }

  #fill(bucket: number, rank: number): void {
    while (this.#filled <= bucket) this.#starts[this.#filled++] = rank;
  }

  /** Gives the memory back at once; the index is not to be used afterwards. */
  release(): void {
    this.#starts.buffer.transfer(0);
  }
}
