/** Trailers that would frame the message or speak for the edge frame nothing, but Node's parser refuses a request for some. */
import { FIELD_LINES, fieldsOf, linesOf, passedTrailers, requestRule } from "./header-rules.ts";

/** As much as is looked at: one read. */
const MOST_BYTES = 64 * 1024;
/** In canonical form, and without extensions (RFC 9112, 7.1). */
const CHUNK_SIZE = /([0-9a-f]{1,5})\r\n/iy;

/**
 * Drops what may not be a trailer (RFC 9110, 6.5.1) before Node's parser reads it, which answers a `Content-Length`
 * there with 400.
 * @returns the bytes as they are, unless they are one whole request in chunks whose trailers are well-formed
 */
export function withoutBarredTrailers(bytes: Buffer): Buffer {
  if (bytes.length > MOST_BYTES) return bytes;
  const text = bytes.toString("latin1");
  const headEnd = text.indexOf("\r\n\r\n");
  if (headEnd < 0 || !isChunked(text.slice(text.indexOf("\r\n") + 2, headEnd + 2))) return bytes;
  const start = endOfChunks(text, headEnd + 4);
  const lines = start === undefined ? "" : text.slice(start, -2);
  if (!FIELD_LINES.test(lines) || !text.endsWith("\r\n\r\n")) return bytes;
  return Buffer.from(`${text.slice(0, start)}${linesOf(passedTrailers(fieldsOf(lines)).flat())}\r\n`, "latin1");
}

function isChunked(lines: string): boolean {
  if (!FIELD_LINES.test(lines)) return false;
  let codings = 0;
  const fields = fieldsOf(lines);
  for (let index = 0; index + 1 < fields.length; index += 2) {
    const rule = requestRule(fields[index] ?? "");
    if (rule === "content-length") return false;
    if (rule !== "transfer-encoding") continue;
    if (fields[index + 1]?.toLowerCase() !== "chunked") return false;
    codings += 1;
  }
  return codings === 1;
}

/** @returns where the trailers begin; `undefined` where the body is not whole, or not plain */
function endOfChunks(text: string, from: number): number | undefined {
  for (let at = from; ; ) {
    CHUNK_SIZE.lastIndex = at;
    const size = CHUNK_SIZE.exec(text)?.[1];
    if (size === undefined) return undefined;
    const length = Number.parseInt(size, 16);
    if (length === 0) return CHUNK_SIZE.lastIndex;
    const end = CHUNK_SIZE.lastIndex + length;
    if (!text.startsWith("\r\n", end)) return undefined;
    at = end + 2;
  }
}
