/**
 * The reader of plain requests: a head whole in one read, a small body of stated length or none, and all of such a
 * form that no two readers could differ about it. Everything else is left to Node's parser.
 */
import type { IncomingHttpHeaders } from "node:http";
import type { ClientRequest } from "./client-message.ts";
import { FIELD_LINES, type FieldRule, fieldsOf, requestRule } from "./header-rules.ts";
import type { SentHead } from "./request-head.ts";

/** Longer heads are rare, and Node's to read. */
const PLAIN_HEAD_BYTES = 8 * 1024;
/** Longer bodies are passed on as they come, by Node's server. */
const PLAIN_BODY_BYTES = 64 * 1024;
const HEAD_END = "\r\n\r\n";
const REQUEST_LINE = /^(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) (\/[!-~]*) HTTP\/1\.1$/;
/** One spelling for each length. */
const PLAIN_LENGTH = /^(?:0|[1-9][0-9]{0,4})$/;
/** Fields that frame the message, or ask for more than an answer. */
const NOT_PLAIN: ReadonlySet<FieldRule> = new Set(["transfer-encoding", "te", "trailer", "expect", "upgrade"]);

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
  /** How many of them are yet to come. */
  missing = 0;

  constructor(method: string, url: string, fields: PlainFields) {
    this.method = method;
    this.url = url;
    this.rawHeaders = fields.raw;
    this.fields = fields;
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
    if (fields.length !== undefined && (method === "GET" || method === "HEAD")) return undefined;
    const { length = 0 } = fields;
    const missing = bodyStart + length - bytes.length;
    // More than was announced would be another request.
    if (length > PLAIN_BODY_BYTES || missing < 0) return undefined;
    const request = new PlainRequest(method, url, fields);
    request.bodyStart = bodyStart;
    request.missing = missing;
    if (length > 0 && missing === 0) request.body = bytes.subarray(bodyStart);
    return request;
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
  let closes = false;
  let length: number | undefined;
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const rule = requestRule(raw[index] ?? "");
    const value = raw[index + 1] ?? "";
    if (NOT_PLAIN.has(rule)) return undefined;
    if (rule === "content-length") {
      if (length !== undefined || !PLAIN_LENGTH.test(value)) return undefined;
      length = Number(value);
    } else if (rule === "connection") {
      const option = value.toLowerCase();
      if (option === "close") closes = true;
      else if (option !== "keep-alive") return undefined;
    }
  }
  return { raw, sent: undefined, closes, length };
}
