/**
 * The reader of plain requests: whole in one read, without a body, and of such a form that no two readers could
 * differ about them. Everything else is left to Node's parser.
 */
import type { IncomingHttpHeaders } from "node:http";
import type { ClientRequest } from "./client-message.ts";
import { type FieldRule, fieldsOf, requestRule } from "./header-rules.ts";

/** Longer heads are rare, and Node's to read. */
const PLAIN_HEAD_BYTES = 8 * 1024;
const HEAD_END = "\r\n\r\n";
const REQUEST_LINE = /^(GET|HEAD) (\/[!-~]*) HTTP\/1\.1$/;
/** Stricter than RFC 9110, 5.5: visible ASCII and blanks, so that no character can be read in two ways. */
const FIELD_LINES = /^(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t\x20-\x7e]*\r\n)+$/;
/** Fields that frame the message, or ask for more than an answer. */
const NOT_PLAIN: ReadonlySet<FieldRule> = new Set([
  "content-length",
  "transfer-encoding",
  "te",
  "trailer",
  "expect",
  "upgrade",
]);

/** A GET or HEAD of HTTP/1.1 that ends with its head. */
export class PlainRequest implements ClientRequest {
  readonly httpVersionMajor = 1;
  readonly httpVersionMinor = 1;
  readonly method: string;
  readonly url: string;
  readonly rawHeaders: string[];
  /** The client sends no other request on its connection. */
  readonly closes: boolean;

  constructor(method: string, url: string, fields: PlainFields) {
    this.method = method;
    this.url = url;
    this.rawHeaders = fields.raw;
    this.closes = fields.closes;
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

interface PlainFields {
  /** Names and values in turn. */
  readonly raw: string[];
  readonly closes: boolean;
}

/** One for each connection, which usually repeats its fields from request to request. */
export class PlainReader {
  #lines = "";
  #fields: PlainFields | undefined;

  /**
   * Hot path: one pass over the request line, and one over the fields if they are other than before.
   * @returns the one request that these bytes are, or `undefined` where Node should read them
   */
  read(bytes: Buffer): PlainRequest | undefined {
    if (bytes.length > PLAIN_HEAD_BYTES) return undefined;
    const text = bytes.toString("latin1");
    const lineEnd = text.indexOf("\r\n");
    // Bytes after the head would be another request, or a body that nothing announced.
    if (lineEnd < 0 || text.indexOf(HEAD_END, lineEnd) !== text.length - HEAD_END.length) return undefined;
    const [, method, url] = REQUEST_LINE.exec(text.slice(0, lineEnd)) ?? [];
    if (method === undefined || url === undefined) return undefined;
    const fields = this.#fieldsOf(text.slice(lineEnd + 2, -2));
    return fields === undefined ? undefined : new PlainRequest(method, url, fields);
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
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const rule = requestRule(raw[index] ?? "");
    if (NOT_PLAIN.has(rule)) return undefined;
    if (rule !== "connection") continue;
    const option = raw[index + 1]?.toLowerCase();
    if (option === "close") closes = true;
    else if (option !== "keep-alive") return undefined;
  }
  return { raw, closes };
}
