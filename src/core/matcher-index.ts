/**
 * Where in a segment to look for a network: interpolation over its first 64 bits. Networks are unevenly spread
 * in practice, in a few dense blocks, so that there is one straight line for each. However badly the lines fit,
 * the answer is only a wider range, never a wrong one.
 */
import { type KeyWords, strideOf } from "./matcher-records.ts";

const MAX_SAMPLES = 4096;
/** How far ranks may be off their line, as a share of all. There are as many lines as it takes: rarely fifty. */
const TOLERANCE = 0.01;
/** Divided by the square root of their number: as far as chance alone sets evenly spread records off, and hardly further. */
const CHANCE = 2;

/** The first 64 bits of a network as a double: rounded, but never out of order, which is all that is asked of it. */
export function networkNumber(a: number, b: number): number {
  return a * 2 ** 32 + b;
}

/** A stretch of the address space over which networks are spread evenly. */
export interface Line {
  readonly from: number;
  readonly to: number;
  /** How many of all records lie on it. */
  readonly share: number;
}

/** The lines of the first `count` sorted records, or of a few thousand of them: at least one, in ascending order. */
export function linesOf(records: Uint32Array, count: number, keyWords: KeyWords): Line[] {
  const stride = strideOf(keyWords);
  const last = Math.min(count, MAX_SAMPLES) - 1;
  if (last <= 0) return [{ from: 0, to: 0, share: 1 }];
  const samples = new Float64Array(last + 1).map((_, sample) => {
    const at = Math.floor((sample * (count - 1)) / last) * stride;
    return networkNumber(records[at] as number, keyWords === 1 ? 0 : (records[at + 1] as number));
  });
  const lines: Line[] = [];
  addLines(lines, samples, 0, last, last * Math.max(TOLERANCE, CHANCE / Math.sqrt(count)));
  return lines.length > 0 ? lines : [{ from: samples[0] as number, to: samples[last] as number, share: 1 }];
}

/**
 * A line that does not fit is divided at the sample furthest from it (Ramer, Douglas and Peucker). From one
 * sample to the next there is a gap rather than a line.
 */
function addLines(lines: Line[], samples: Float64Array, first: number, last: number, tolerance: number): void {
  if (last - first < 2) return;
  const from = samples[first] as number;
  const to = samples[last] as number;
  const ranksPerUnit = to > from ? (last - first) / (to - from) : 0;
  let corner = first;
  let furthest = tolerance;
  for (let sample = first + 1; sample < last && to > from; sample++) {
    const off = Math.abs(sample - first - ((samples[sample] as number) - from) * ranksPerUnit);
    if (off <= furthest) continue;
    furthest = off;
    corner = sample;
  }
  if (corner === first) {
    lines.push({ from, to, share: (last - first) / (samples.length - 1) });
    return;
  }
  addLines(lines, samples, first, corner, tolerance);
  addLines(lines, samples, corner, last, tolerance);
}

/** Filled in the order of the records, then sealed. There is a bucket for each record, more or less. */
export class RankIndex {
  /** For each line where it starts, its buckets per unit and its first bucket; of the latter one more at the end. */
  readonly #froms: Float64Array;
  readonly #scales: Float64Array;
  readonly #firsts: Uint32Array;
  /** For each bucket the rank of the first record in it or after it; one more at the end. */
  readonly #starts: Uint32Array<ArrayBuffer>;
  #filled = 0;

  /** @param lines as `linesOf` gives them, from records spread more or less like the ones to come */
  constructor(capacity: number, lines: readonly Line[]) {
    this.#froms = Float64Array.from(lines, (line) => line.from);
    this.#scales = new Float64Array(lines.length);
    this.#firsts = new Uint32Array(lines.length + 1);
    let buckets = 0;
    lines.forEach(({ from, to, share }, line) => {
      const own = Math.ceil(share * capacity);
      this.#scales[line] = to > from ? own / (to - from) : 0;
      buckets += own;
      this.#firsts[line + 1] = buckets;
    });
    this.#starts = new Uint32Array(buckets + 1);
  }

  get byteLength(): number {
    return this.#starts.byteLength + this.#froms.byteLength + this.#scales.byteLength + this.#firsts.byteLength;
  }

  /**
   * The bucket that a network belongs to; it ascends with the network.
   * Hot path: the line is found by counting, since a search would mispredict every other step of it.
   */
  bucketOf(network: number): number {
    const froms = this.#froms;
    let line = 0;
    for (let next = 1; next < froms.length; next++) line += Number((froms[next] as number) <= network);
    const first = this.#firsts[line] as number;
    const last = (this.#firsts[line + 1] as number) - 1;
    const position = (network - (froms[line] as number)) * (this.#scales[line] as number);
    return first + (position > 0 ? Math.min(position, last - first) | 0 : 0);
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
