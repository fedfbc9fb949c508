/** Reads a small body in chunks (RFC 9112, 7.1), of such a form that no two readers could differ about it. */
import { FIELD_LINES, fieldsOf, passedTrailers } from "./header-rules.ts";

/** One spelling for each size, but for the case of its letters; no extensions. */
const CHUNK_SIZE = /^(?:0|[1-9a-f][0-9a-f]{0,4})$/i;
/** As long as that, with its end. */
const SIZE_LINE_BYTES = 7;
const CR = 13;
const LF = 10;

export class PlainChunks {
  /** Those trailers that may pass, once the body is whole. */
  trailers: [string, string][] = [];
  /** Where the next chunk begins. */
  #at: number;
  /** Where the data of each chunk begins and ends. */
  readonly #data: [number, number][] = [];

  /** @param start where the body begins in the bytes of the request */
  constructor(start: number) {
    this.#at = start;
  }

  /**
   * @param bytes all of the request that has come so far
   * @returns the body, once nothing is missing; `undefined` where Node should read it
   */
  read(bytes: Buffer): Buffer | "more" | undefined {
    for (;;) {
      const lineEnd = bytes.indexOf("\r\n", this.#at, "latin1");
      if (lineEnd < 0) return bytes.length - this.#at < SIZE_LINE_BYTES ? "more" : undefined;
      const size = bytes.toString("latin1", this.#at, Math.min(lineEnd, this.#at + SIZE_LINE_BYTES));
      if (!CHUNK_SIZE.test(size)) return undefined;
      const start = lineEnd + 2;
      if (size === "0") return this.#end(bytes, start);
      const end = start + Number.parseInt(size, 16);
      if (bytes.length < end + 2) return "more";
      if (bytes[end] !== CR || bytes[end + 1] !== LF) return undefined;
      this.#data.push([start, end]);
      this.#at = end + 2;
    }
  }

  #end(bytes: Buffer, start: number): Buffer | "more" | undefined {
    const text = bytes.toString("latin1", start);
    const end = text.startsWith("\r\n") ? 0 : text.indexOf("\r\n\r\n") + 2;
    if (end === 1 || text.length < 2) return "more";
    const lines = text.slice(0, end);
    // More than the end would be another request.
    if (text.length !== end + 2 || (lines !== "" && !FIELD_LINES.test(lines))) return undefined;
    this.trailers = passedTrailers(fieldsOf(lines));
    return Buffer.concat(this.#data.map(([from, to]) => bytes.subarray(from, to)));
  }
}
