/**
 * The reader of plain requests: a head whole in one read, a small body or none, and all of such a form that no two
 * readers could differ about it. Everything else is left to Node's parser.
 */
import type { IncomingHttpHeaders } from "node:http";
import type { ClientRequest } from "./client-message.ts";
import { FIELD_LINES, type FieldRule, fieldsOf, requestRule } from "./header-rules.ts";
import { PlainChunks } from "./plain-chunks.ts";
import type { SentHead } from "./request-head.ts";

/** Longer heads are rare, and Node's to read. */
const PLAIN_HEAD_BYTES = 8 * 1024;
/** Longer bodies are passed on as they come, by Node's server. */
const PLAIN_BODY_BYTES = 64 * 1024;
export const PLAIN_REQUEST_BYTES = PLAIN_HEAD_BYTES + PLAIN_BODY_BYTES;
const HEAD_END = "\r\n\r\n";
const REQUEST_LINE = /^(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) (\/[!-~]*) HTTP\/1\.1$/;
/** One spelling for each length. */
const PLAIN_LENGTH = /^(?:0|[1-9][0-9]{0,4})$/;

/** A request of HTTP/1.1 whose end is in no doubt. */
export class PlainRequest implements ClientRequest {
  readonly httpVersionMajor = 1;
  readonly httpVersionMinor = 1;
  readonly method: string;
  readonly url: string;
  readonly rawHeaders: string[];
  /** What is known of its fields, and of those before if they were the same. */
  readonly fields: PlainFields;
  /** The body, once it is whole; `undefined` where there is none (RFC 9112, 6.3). */
  body: Buffer | undefined;
  /** Where the body begins in the bytes of the request. */
  bodyStart = 0;
  /** How many of them are yet to come (at least, where the body comes in chunks); negative where Node should read them. */
  missing = 0;
  /** Reads those chunks. */
  chunks: PlainChunks | undefined;

  constructor(method: string, url: string, fields: PlainFields) {
    this.method = method;
    this.url = url;
    this.rawHeaders = fields.raw;
    this.fields = fields;
  }

  /** Takes the body, or says how much of it is missing. @param bytes all of the request so far */
  readBody(bytes: Buffer): void {
    if (this.chunks === undefined) {
      const { length = 0 } = this.fields;
      this.missing = this.bodyStart + length - bytes.length;
      if (this.missing === 0 && length > 0) this.body = bytes.subarray(this.bodyStart);
      return;
    }
    const body = this.chunks.read(bytes);
    if (body === undefined) this.missing = -1;
    else if (body === "more") this.missing = 1;
    else {
      this.missing = 0;
      this.body = body;
    }
  }

  get passedTrailers(): readonly [string, string][] | undefined {
    return this.chunks?.trailers;
  }

  get closes(): boolean {
    return this.fields.closes;
  }

  /** By name in lower case; those that are doubled in one, joined by commas. */
  get headers(): IncomingHttpHeaders {
    const headers = new Map<string, string>();
    for (let index = 0; index + 1 < this.rawHeaders.length; index += 2) {
      const name = this.rawHeaders[index]?.toLowerCase() ?? "";
      const value = this.rawHeaders[index + 1] ?? "";
      const earlier = headers.get(name);
      headers.set(name, earlier === undefined ? value : `${earlier}, ${value}`);
    }
    return Object.fromEntries(headers);
  }
}

export interface PlainFields {
  /** Names and values in turn. */
  readonly raw: string[];
  /** What an upstream was last sent for them. */
  sent: SentHead | undefined;
  /** The client sends no other request on its connection. */
  readonly closes: boolean;
  /** `Content-Length`. */
  readonly length: number | undefined;
  /** `Transfer-Encoding: chunked`. */
  readonly chunked: boolean;
}

/** One for each connection, which usually repeats its fields from request to request. */
export class PlainReader {
  #lines = "";
  #fields: PlainFields | undefined;

  /**
   * Hot path: one pass over the request line, and one over the fields if they are other than before.
   * @returns the one request that these bytes are or begin, of which only the body may still be missing in part;
   * `undefined` where Node should read them
   */
  read(bytes: Buffer): PlainRequest | undefined {
    let text = bytes.toString("latin1", 0, PLAIN_HEAD_BYTES);
    const lineEnd = text.indexOf("\r\n");
    const end = text.indexOf(HEAD_END, lineEnd);
    if (lineEnd < 0 || end < 0) return undefined;
    const bodyStart = end + HEAD_END.length;
    // A part of a string keeps all of it, and fields are kept longer than a body may be.
    if (bodyStart < text.length) text = bytes.toString("latin1", 0, bodyStart);
    const [, method, url] = REQUEST_LINE.exec(text.slice(0, lineEnd)) ?? [];
    if (method === undefined || url === undefined) return undefined;
    const fields = this.#fieldsOf(text.slice(lineEnd + 2, end + 2));
    if (fields === undefined) return undefined;
    const { length, chunked } = fields;
    if ((length !== undefined || chunked) && (method === "GET" || method === "HEAD")) return undefined;
    if (length !== undefined && length > PLAIN_BODY_BYTES) return undefined;
    const request = new PlainRequest(method, url, fields);
    request.bodyStart = bodyStart;
    if (chunked) request.chunks = new PlainChunks(bodyStart);
    request.readBody(bytes);
    // More than was announced would be another request.
    return request.missing < 0 ? undefined : request;
  }

  /** For a connection that lies idle: what is known of the last request may take some 20 KiB. */
  forget(): void {
    this.#lines = "";
    this.#fields = undefined;
  }

  #fieldsOf(lines: string): PlainFields | undefined {
    if (lines === this.#lines) return this.#fields;
    this.#lines = lines;
    this.#fields = FIELD_LINES.test(lines) ? plainFields(fieldsOf(lines)) : undefined;
    return this.#fields;
  }
}

function plainFields(raw: string[]): PlainFields | undefined {
  const found: Framing = { closes: false, length: undefined, chunked: false, announcesTrailers: false };
  for (let index = 0; index + 1 < raw.length; index += 2) {
    if (!note(found, requestRule(raw[index] ?? ""), raw[index + 1] ?? "")) return undefined;
  }
  const { closes, length, chunked, announcesTrailers } = found;
  // Trailers without chunks mean nothing, and whoever announces them means something else.
  if ((chunked && length !== undefined) || (announcesTrailers && !chunked)) return undefined;
  return { raw, sent: undefined, closes, length, chunked };
}

interface Framing {
  closes: boolean;
  length: number | undefined;
  chunked: boolean;
  announcesTrailers: boolean;
}

/** @returns whether a plain request may have such a field */
function note(found: Framing, rule: FieldRule, value: string): boolean {
  switch (rule) {
    case "te":
    case "expect":
    case "upgrade":
      return false;
    case "content-length":
      if (found.length !== undefined || !PLAIN_LENGTH.test(value)) return false;
      found.length = Number(value);
      return true;
    case "transfer-encoding":
      if (found.chunked || value.toLowerCase() !== "chunked") return false;
      found.chunked = true;
      return true;
    case "trailer":
      found.announcesTrailers = true;
      return true;
    case "connection": {
      const option = value.toLowerCase();
      if (option === "close") found.closes = true;
      return option === "close" || option === "keep-alive";
    }
    default:
      return true;
  }
}
