/** One keep-alive connection to an upstream: one request at a time, and its answer. */
import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { deliverTo } from "./lending.ts";
import { lastChunk, RequestBody } from "./request-body.ts";
import type { ResponseHead } from "./response-head.ts";
import { ResponseParser, type ResponseSink } from "./response-parser.ts";
import type { Ticker, Timed } from "./ticker.ts";

export interface ConnectionOptions {
  readonly keepAliveMs: number;
  readonly responseHeadersMs: number;
  readonly responseIdleMs: number;
  /** Only control's pages may set our cookies. */
  readonly keepsOurCookies: boolean;
  readonly ticker: Ticker;
}

export interface ConnectionEvents {
  /** A request is sent whose body is still coming in. */
  uploadBegan(): void;
  /** That body is out, or is not wanted any more. */
  uploadEnded(): void;
  /** It can carry the next request. */
  free(connection: UpstreamConnection): void;
  /** It is gone; the request on it, if any, has been told. */
  gone(connection: UpstreamConnection): void;
}

/** A request as it is sent. The caller vouches that `lines` came from a strict parser or are of its own making. */
export interface UpstreamRequest {
  readonly method: string;
  /** In origin form, without white space. */
  readonly target: string;
  /** The fields, each with its CR LF, `Content-Length` included where there is one. */
  readonly lines: string;
  /** The whole body, or the message that it still comes in with; absent: none. */
  readonly body: Buffer | IncomingMessage | undefined;
  /** The body's length is not known beforehand. */
  readonly chunked: boolean;
  /** The `Trailer` field, which announces some. */
  readonly trailer: string;
  /** Those of a body that is whole; `undefined` where none may pass. */
  readonly trailers: readonly [string, string][] | undefined;
}

/** Who sent a request hears of its answer. */
export interface ResponseListener {
  answer(head: ResponseHead): void;
  /**
   * A piece of the body: what lies between `start` and `end` of bytes that are lent until this returns.
   * @returns false to be sent no more before {@link UpstreamConnection.resume}
   */
  data(bytes: Buffer, start: number, end: number): boolean;
  /** All that has come for now has been told. */
  flush(): void;
  end(trailers: readonly string[]): void;
  /** The last that is heard. */
  fail(error: Error): void;
}

/** The upstream closed the connection without a byte of an answer. */
export class ClosedError extends Error {
  readonly code = "EDGE_CLOSED";
}

export class UpstreamTimeoutError extends Error {
  readonly code = "EDGE_TIMEOUT";
}

/** How long before the upstream closes an idle connection it is better not to use it any more. */
const KEEP_ALIVE_MARGIN_MS = 1_000;

export class UpstreamConnection implements ResponseSink, Timed {
  readonly #socket: Socket;
  readonly #options: ConnectionOptions;
  readonly #events: ConnectionEvents;
  readonly #parser: ResponseParser;
  #listener: ResponseListener | undefined;
  #upload: RequestBody | undefined;
  #paused = false;
  /** The final answer's head has come. */
  #begun = false;
  #error: Error | undefined;
  #idleMs: number;
  /** Until when something must have happened, in ticks of the ticker. */
  dueTick = 0;
  /** Requests given to it so far. */
  uses = 0;
  /** A byte of the current request's answer has come. */
  answered = false;
  /** The pool's mark: it lies ready. */
  idle = false;

  constructor(socket: Socket, options: ConnectionOptions, events: ConnectionEvents) {
    this.#socket = socket;
    this.#options = options;
    this.#events = events;
    this.#parser = new ResponseParser(options.keepsOurCookies);
    this.#idleMs = options.keepAliveMs;
    deliverTo(socket, (bytes, length) => this.#receive(bytes, length));
    socket.on("error", (error) => {
      this.#error = error;
    });
    socket.on("end", () => this.#ended());
    socket.on("drain", () => this.#upload?.resume());
    socket.once("close", () => this.#closed());
    options.ticker.add(this);
  }

  /** Sends a request, once the last answer is whole. Hot path: head and whole body leave in one write. */
  send(request: UpstreamRequest, listener: ResponseListener): void {
    const socket = this.#socket;
    this.uses += 1;
    this.answered = false;
    this.#begun = false;
    this.#listener = listener;
    this.#parser.expect(this, request.method === "HEAD");
    this.#expectWithin(this.#options.responseHeadersMs);
    const head = headOf(request);
    const { body } = request;
    if (body === undefined) socket.write(head, "latin1");
    else if (Buffer.isBuffer(body)) socket.write(head + bodyText(body, request), "latin1");
    else {
      socket.write(head, "latin1");
      this.#events.uploadBegan();
      this.#upload = new RequestBody(body, socket, request, () => this.#uploaded());
    }
  }

  /** Whether it can still carry a request, as far as is known here. */
  get usable(): boolean {
    return this.#socket.writable && !this.#socket.readableEnded;
  }

  /** See {@link ResponseListener.data}. */
  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#expectWithin(this.#options.responseIdleMs);
    this.#socket.resume();
  }

  /** Closes at once; nobody hears of a request on it. */
  destroy(): void {
    this.#listener = undefined;
    this.#socket.destroy();
    this.#forget();
  }

  head(head: ResponseHead): void {
    this.#begun = head.status >= 200;
    if (head.keepAliveSeconds !== undefined) {
      const hintMs = head.keepAliveSeconds * 1000 - KEEP_ALIVE_MARGIN_MS;
      this.#idleMs = Math.min(this.#options.keepAliveMs, hintMs);
    }
    this.#listener?.answer(head);
  }

  body(bytes: Buffer, start: number, end: number): void {
    if (this.#listener?.data(bytes, start, end) !== false || this.#paused) return;
    this.#paused = true;
    this.#socket.pause();
  }

  end(trailers: readonly string[]): void {
    const listener = this.#listener;
    this.#listener = undefined;
    listener?.end(trailers);
  }

  /** Called when what was due has not happened. */
  expire(): void {
    if (this.#listener === undefined) this.destroy();
    else if (!this.#paused) this.#fail(new UpstreamTimeoutError("the upstream is silent"));
  }

  #receive(bytes: Buffer, length: number): void {
    this.answered = true;
    try {
      this.#parser.read(bytes, length);
    } catch (error) {
      this.#fail(error instanceof Error ? error : new Error("not a response"));
      return;
    }
    if (this.#parser.idle) this.#finish();
    else if (this.#begun) {
      this.#expectWithin(this.#options.responseIdleMs);
      this.#listener?.flush();
    }
  }

  /** The answer is whole: the connection is free, unless it is spent or its request is still under way. */
  #finish(): void {
    if (this.#socket.destroyed) return;
    if (!this.#parser.keepsAlive || this.#upload !== undefined || this.#idleMs <= 0) {
      this.destroy();
      return;
    }
    this.resume();
    this.#expectWithin(this.#idleMs);
    this.#events.free(this);
  }

  #ended(): void {
    try {
      this.#parser.finish();
      this.destroy();
    } catch (error) {
      this.#fail(this.answered ? (error as Error) : new ClosedError("closed without an answer"));
    }
  }

  #closed(): void {
    this.#fail(this.#error ?? new ClosedError("closed without an answer"));
  }

  #fail(error: Error): void {
    const listener = this.#listener;
    this.destroy();
    listener?.fail(error);
  }

  #forget(): void {
    this.#upload?.drop();
    this.#endUpload();
    this.#options.ticker.delete(this);
    this.#events.gone(this);
  }

  /** Some of the request's body went out. */
  #uploaded(): void {
    if (this.#upload?.done === true) this.#endUpload();
    this.#expectWithin(this.#begun ? this.#options.responseIdleMs : this.#options.responseHeadersMs);
  }

  #endUpload(): void {
    if (this.#upload === undefined) return;
    this.#upload = undefined;
    this.#events.uploadEnded();
  }

  #expectWithin(ms: number): void {
    this.dueTick = this.#options.ticker.tickIn(ms);
  }
}

function headOf({ method, target, lines, chunked, trailer }: UpstreamRequest): string {
  const head = `${method} ${target} HTTP/1.1\r\n${lines}`;
  if (!chunked) return `${head}\r\n`;
  return `${head}Transfer-Encoding: chunked\r\n${trailer === "" ? "" : `Trailer: ${trailer}\r\n`}\r\n`;
}

function bodyText(body: Buffer, { chunked, trailers }: UpstreamRequest): string {
  const text = body.toString("latin1");
  if (!chunked) return text;
  const data = text === "" ? "" : `${body.length.toString(16)}\r\n${text}\r\n`;
  return data + lastChunk(trailers ?? []);
}
