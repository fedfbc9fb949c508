/** HTTP/1.1 responses, read as strictly as RFC 9112 lets one: what is ambiguous is refused, never repaired. */
import { fieldsOf, NO_LENGTH } from "./header-rules.ts";
import { ResponseHead } from "./response-head.ts";

/** What one connection's responses are told to. Bytes are lent: they are others' once the call returns. */
export interface ResponseSink {
  /** An interim answer (1xx), or the final one. */
  head(head: ResponseHead): void;
  /** A piece of the body: what lies between `start` and `end`, never nothing. */
  body(bytes: Buffer, start: number, end: number): void;
  /** The message is whole. @param trailers names and values in turn */
  end(trailers: readonly string[]): void;
}

export class ResponseSyntaxError extends Error {
  readonly code = "EDGE_RESPONSE_SYNTAX";
}

/** A response head, or the trailers, may have this many bytes. */
export const RESPONSE_HEAD_BYTES = 64 * 1024;
/** Heads are usually short: this much of a read is looked at first. */
const FIRST_LOOK_BYTES = 8 * 1024;
const CHUNK_LINE_BYTES = 1024;
/** Interim answers to one request. */
const MAX_INTERIM = 32;

const CR = 13;
const LF = 10;
const STATUS_LINE = /^HTTP\/1\.([01]) ([1-9][0-9]{2})(?: ([\t\x20-\x7e\x80-\xff]*))?$/;
const FIELD_LINES = /^(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t\x20-\x7e\x80-\xff]*\r\n)*$/;
const CHUNK_LINE =
  /^([0-9A-Fa-f]{1,12})(?:;[!#$%&'*+\-.^_`|~0-9A-Za-z]+(?:=(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+|"[\t !#-[\]-~\x80-\xff]*"))?)*$/;
/** A line break that is not CR LF, or a CR that begins none; the last character may be half of one. */
const ODD_BREAK = /(?:^|[^\r])\n|\r[^\n]/;

const NO_FIELDS: readonly string[] = [];

type Phase = "idle" | "head" | "length" | "chunk-line" | "chunk" | "chunk-end" | "trailers" | "until-close";

/** One response after another; {@link expect} says for which request the next one is. */
export class ResponseParser {
  readonly #keepsOurCookies: boolean;
  #phase: Phase = "idle";
  #sink: ResponseSink | undefined;
  #toHead = false;
  #keepsAlive = true;
  #interim = 0;
  /** Bytes of the body, or of the chunk, that are yet to come. */
  #left = 0;
  /** The beginning of a line, or of a section, that the next read goes on with. */
  #begun: Buffer | undefined;

  /** @param keepsOurCookies see {@link ResponseHead} */
  constructor(keepsOurCookies: boolean) {
    this.#keepsOurCookies = keepsOurCookies;
  }

  /** Whether the last response has ended, so that the next request may go out. */
  get idle(): boolean {
    return this.#phase === "idle";
  }

  /** Whether the last response left the connection fit for another. */
  get keepsAlive(): boolean {
    return this.#keepsAlive;
  }

  /** @param toHead the request is a HEAD, whose answer has no body whatever its fields say */
  expect(sink: ResponseSink, toHead: boolean): void {
    this.#sink = sink;
    this.#toHead = toHead;
    this.#interim = 0;
    this.#phase = "head";
  }

  /**
   * Reads the first `length` bytes. Hot path: no view of them is made, and no copy unless they end amidst a line.
   * @throws ResponseSyntaxError; then nothing more may be read
   */
  read(bytes: Buffer, length: number): void {
    if (this.#begun === undefined) this.#readAll(bytes, length);
    else {
      const all = Buffer.concat([this.#begun, bytes.subarray(0, length)]);
      this.#begun = undefined;
      this.#readAll(all, all.length);
    }
  }

  /** The upstream says that nothing more will come. @throws ResponseSyntaxError when something was due */
  finish(): void {
    if (this.#phase === "until-close") this.#end(NO_FIELDS);
    else if (this.#phase !== "idle") throw new ResponseSyntaxError("the response was cut off");
  }

  #readAll(bytes: Buffer, length: number): void {
    let at = 0;
    while (at < length) {
      const next = this.#step(bytes, at, length);
      if (next < 0) {
        this.#begun = Buffer.from(bytes.subarray(at, length));
        return;
      }
      at = next;
    }
  }

  /** @returns where to go on, or -1 when more bytes are needed */
  #step(bytes: Buffer, at: number, length: number): number {
    switch (this.#phase) {
      case "head":
        return this.#readHead(bytes, at, length);
      case "length":
      case "chunk":
        return this.#readCounted(bytes, at, length);
      case "chunk-line":
        return this.#readChunkLine(bytes, at, length);
      case "chunk-end":
        return this.#readChunkEnd(bytes, at, length);
      case "trailers":
        return this.#readTrailers(bytes, at, length);
      case "until-close":
        this.#sink?.body(bytes, at, length);
        return length;
      case "idle":
        throw new ResponseSyntaxError("bytes that belong to no response");
    }
  }

  #readHead(bytes: Buffer, at: number, length: number): number {
    const text =
      section(bytes, at, length, "\r\n\r\n", FIRST_LOOK_BYTES) ??
      section(bytes, at, length, "\r\n\r\n", RESPONSE_HEAD_BYTES);
    if (text === undefined) return -1;
    const lineEnd = text.indexOf("\r\n");
    const [, minor, status, reason = ""] = STATUS_LINE.exec(text.slice(0, lineEnd)) ?? [];
    if (status === undefined) throw new ResponseSyntaxError("not a status line");
    const raw = parseFields(text.slice(lineEnd + 2));
    const head = new ResponseHead(Number(status), reason, raw, this.#keepsOurCookies);
    this.#frame(head, minor === "0");
    return at + text.length + 2;
  }

  /** Where the message ends (RFC 9112, 6.3). */
  #frame(head: ResponseHead, http10: boolean): void {
    const { status, contentLength, chunked } = head;
    if (head.malformed || (chunked && http10)) throw new ResponseSyntaxError("the framing is not well-formed");
    if (status === 101) throw new ResponseSyntaxError("nobody asked to switch protocols");
    if (status < 200) {
      this.#interim += 1;
      if (this.#interim > MAX_INTERIM) throw new ResponseSyntaxError("interim answers without end");
      if (head.closes || chunked || contentLength !== NO_LENGTH) throw new ResponseSyntaxError("not an interim answer");
      this.#sink?.head(head);
      return;
    }
    this.#keepsAlive = !http10 && !head.closes && !this.#toHead && !claimsForbiddenBody(head);
    const bodiless = this.#toHead || status === 204 || status === 304;
    const empty = bodiless || contentLength === 0;
    this.#left = contentLength;
    if (chunked && !bodiless) this.#phase = "chunk-line";
    else if (contentLength !== NO_LENGTH || bodiless) this.#phase = "length";
    else {
      this.#phase = "until-close";
      this.#keepsAlive = false;
    }
    this.#sink?.head(head);
    if (empty) this.#end(NO_FIELDS);
  }

  #readCounted(bytes: Buffer, at: number, length: number): number {
    const end = Math.min(length, at + this.#left);
    this.#left -= end - at;
    this.#sink?.body(bytes, at, end);
    if (this.#left > 0) return end;
    if (this.#phase === "chunk") this.#phase = "chunk-end";
    else this.#end(NO_FIELDS);
    return end;
  }

  #readChunkLine(bytes: Buffer, at: number, length: number): number {
    const line = section(bytes, at, length, "\r\n", CHUNK_LINE_BYTES);
    if (line === undefined) return -1;
    const [, size] = CHUNK_LINE.exec(line.slice(0, -2)) ?? [];
    if (size === undefined) throw new ResponseSyntaxError("not a chunk size");
    this.#left = Number.parseInt(size, 16);
    this.#phase = this.#left === 0 ? "trailers" : "chunk";
    return at + line.length;
  }

  #readChunkEnd(bytes: Buffer, at: number, length: number): number {
    const partial = at + 1 === length;
    if (bytes[at] !== CR || (!partial && bytes[at + 1] !== LF)) throw new ResponseSyntaxError("a chunk too long");
    if (partial) return -1;
    this.#phase = "chunk-line";
    return at + 2;
  }

  #readTrailers(bytes: Buffer, at: number, length: number): number {
    if (length > at + 1 && bytes[at] === CR && bytes[at + 1] === LF) {
      this.#end(NO_FIELDS);
      return at + 2;
    }
    const text = section(bytes, at, length, "\r\n\r\n", RESPONSE_HEAD_BYTES);
    if (text === undefined) return -1;
    this.#end(parseFields(text));
    return at + text.length + 2;
  }

  #end(trailers: readonly string[]): void {
    this.#phase = "idle";
    this.#left = 0;
    const sink = this.#sink;
    this.#sink = undefined;
    sink?.end(trailers);
  }
}

/**
 * The text up to and with the first CR LF of `terminator`, which ends the section; `undefined` while it has not
 * come. @throws ResponseSyntaxError when it cannot come any more, because of an odd line break or for its length
 */
function section(bytes: Buffer, at: number, length: number, terminator: string, limit: number): string | undefined {
  const text = bytes.toString("latin1", at, Math.min(length, at + limit + terminator.length));
  const end = text.indexOf(terminator);
  if (end >= 0) return text.slice(0, end + 2);
  if (limit === FIRST_LOOK_BYTES && text.length > limit) return undefined;
  if (text.length > limit) throw new ResponseSyntaxError("a head, a chunk size or trailers that are too long");
  if (ODD_BREAK.test(text)) throw new ResponseSyntaxError("a line that does not end in CR LF");
  return undefined;
}

/** @param lines whole lines, each with its CR LF. @returns names and values in turn */
function parseFields(lines: string): string[] {
  if (!FIELD_LINES.test(lines)) throw new ResponseSyntaxError("a field that is not well-formed");
  return fieldsOf(lines);
}

/**
 * Whether an answer that cannot have a body says that it has one (RFC 9110, 15.3.5 and 15.4.5). If the body
 * does come, it would be taken for the next person's answer. A 304 may repeat the length of what it stands for.
 */
function claimsForbiddenBody({ status, contentLength, chunked }: ResponseHead): boolean {
  return status === 204 ? chunked || contentLength > 0 : status === 304 && chunked;
}
