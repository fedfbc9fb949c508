/** The answer to a plain request, written straight to the client's socket. */
import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import type { ClientResponse, Written } from "./client-message.ts";
import { linesOf } from "./header-rules.ts";

type Listener = (this: ClientResponse) => void;

const LAST_CHUNK = "0\r\n";
const CRLF = "\r\n";

/** Who carries an answer on its connection. */
export interface PlainResponseHost {
  readonly socket: Socket;
  /** The `Keep-Alive` field of answers after which the connection stays. */
  readonly keepAlive: string;
  /** Given to the last write of each answer. */
  readonly flushed: () => void;
}

/**
 * Frames as Node's `ServerResponse` does, for HTTP/1.1: by the length where the fields state one, else in chunks;
 * adds `Date` where there is none. The fields come from a strict parser or are our own.
 *
 * Hot path: head and small body leave in one write.
 */
export class PlainResponse implements ClientResponse {
  statusCode = 200;
  headersSent = false;
  /** The connection ends with it. */
  closes: boolean;
  /** Its last byte was given to the socket. */
  ended = false;
  readonly #host: PlainResponseHost;
  readonly #toHead: boolean;
  #bodiless = false;
  #chunked = false;
  /** The head, until it goes out. */
  #head = "";
  #trailers = "";
  #onClose: Listener | undefined;
  #onDrain: Listener | undefined;

  constructor(host: PlainResponseHost, toHead: boolean, closes: boolean) {
    this.#host = host;
    this.#toHead = toHead;
    this.closes = closes;
  }

  on(event: "close" | "drain", listener: Listener): void {
    if (event === "close") this.#onClose = listener;
    else this.#onDrain = listener;
  }

  setHeader(_name: "Connection", _value: "close"): void {
    this.closes = true;
  }

  writeHead(status: number, reason: string | undefined, fields: string[] | Record<string, string>): this {
    this.statusCode = status;
    this.headersSent = true;
    let head = `HTTP/1.1 ${status} ${reason ?? STATUS_CODES[status] ?? "unknown"}\r\n`;
    let dated = false;
    let counted = false;
    const pairs = Array.isArray(fields) ? fields : Object.entries(fields).flat();
    for (let index = 0; index + 1 < pairs.length; index += 2) {
      const name = pairs[index] ?? "";
      if (name.length === 4 && name.toLowerCase() === "date") dated = true;
      else if (name.length === 14 && name.toLowerCase() === "content-length") counted = true;
      else if (name.length === 10 && name.toLowerCase() === "connection") {
        this.closes = true;
        continue;
      }
      head += `${name}: ${pairs[index + 1]}\r\n`;
    }
    if (!dated) head += `Date: ${httpDate()}\r\n`;
    this.#bodiless = this.#toHead || status === 204 || status === 304;
    this.#chunked = !counted && !this.#bodiless;
    if (this.#chunked) head += "Transfer-Encoding: chunked\r\n";
    head += this.closes ? "Connection: close\r\n" : this.#host.keepAlive;
    this.#head = head + CRLF;
    return this;
  }

  writeInformation(status: number, fields: string[]): void {
    const line = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? "unknown"}\r\n`;
    this.#host.socket.write(line + linesOf(fields) + CRLF, "latin1");
  }

  write(bytes: Buffer | "", _encoding: "latin1", written?: Written): boolean {
    const { socket } = this.#host;
    if (this.#bodiless) return true;
    // A chunk of nothing would be the last.
    if (bytes.length === 0) return this.#head === "" || socket.write(this.#takeHead(), "latin1");
    if (this.#head === "" && !this.#chunked) return socket.write(bytes, written);
    socket.cork();
    const before = this.#chunked ? `${bytes.length.toString(16)}\r\n` : "";
    socket.write(this.#takeHead() + before, "latin1");
    let taken = socket.write(bytes, written);
    if (this.#chunked) taken = socket.write(CRLF, "latin1");
    socket.uncork();
    return taken;
  }

  addTrailers(trailers: [string, string][]): void {
    for (const [name, value] of trailers) this.#trailers += `${name}: ${value}\r\n`;
  }

  end(body?: Buffer | string, _encoding?: "latin1"): void {
    const { socket, flushed } = this.#host;
    if (Buffer.isBuffer(body)) this.write(body, "latin1");
    const text = typeof body === "string" && !this.#bodiless ? body : "";
    const last = this.#chunked ? LAST_CHUNK + this.#trailers + CRLF : "";
    this.ended = true;
    socket.write(this.#takeHead() + text + last, "latin1", flushed);
  }

  destroy(): void {
    this.#host.socket.destroy();
  }

  /** The client takes more again. */
  drained(): void {
    this.#onDrain?.call(this);
  }

  /** All of it is with the client, or the connection is gone. */
  closed(): void {
    this.#onClose?.call(this);
  }

  #takeHead(): string {
    const head = this.#head;
    this.#head = "";
    return head;
  }
}

let dateText = "";
let dateSecond = 0;

/** Now, as `Date` states it (RFC 9110, 6.6.1). */
function httpDate(): string {
  const second = Math.floor(Date.now() / 1000);
  if (second !== dateSecond) {
    dateSecond = second;
    dateText = new Date(second * 1000).toUTCString();
  }
  return dateText;
}
