/**
 * A connection as long as its requests are plain: each is read, judged and answered without Node's HTTP server.
 * With the first that is not, Node's server gets the connection for good, and the request's bytes untouched.
 */
import type { Socket } from "node:net";
import type { AwaitedBodies, Awaiting } from "./awaited-bodies.ts";
import type { Connection } from "./connection.ts";
import type { Exchange } from "./exchange.ts";
import { deliverTo, lendFrom } from "./lending.ts";
import { PLAIN_REQUEST_BYTES, PlainReader, type PlainRequest } from "./plain-request.ts";
import { PlainResponse, type PlainResponseHost } from "./plain-response.ts";

/** Who judges plain requests and has them answered. */
export interface PlainReceiver {
  /** Answers now or later, or calls {@link PlainConnection.decline} when it takes more than forwarding. */
  receive(req: PlainRequest, res: PlainResponse, plain: PlainConnection): void;
  /** An answer that was begun is with the client, or will never be. */
  finished(res: PlainResponse, plain: PlainConnection, nowMs: number): void;
  /** Nothing came in time on a new connection. */
  late(socket: Socket): void;
  /** The client ended amidst a request. */
  cutOff(socket: Socket): void;
}

export interface PlainOptions {
  readonly receiver: PlainReceiver;
  readonly headersMs: number;
  readonly keepAliveMs: number;
  readonly awaited: AwaitedBodies;
  /** Makes it a connection of Node's server. */
  readonly handOver: (socket: Socket) => void;
}

const NOTHING = Buffer.alloc(0);
/** Each piece of a body in chunks is looked at together with those before it. */
const MOST_PIECES = 32;
/** As Node's server, which closes this long after it said that it would. */
const KEEP_ALIVE_GRACE_MS = 1_000;

export class PlainConnection implements PlainResponseHost, Awaiting {
  readonly connection: Connection;
  readonly socket: Socket;
  readonly keepAlive: string;
  /** What the gate established about the request that is being answered. */
  exchange: Exchange | undefined;
  /** When the request that is being answered came, by `performance.now()`. */
  startedAtMs = 0;
  readonly #options: PlainOptions;
  readonly #reader = new PlainReader();
  /** The answer under way. */
  #response: PlainResponse | undefined;
  /** The bytes of the request that comes in or is being answered, until it is certain that Node need not read them. */
  #request: Buffer[] = [];
  /** A request of whose body some is missing. */
  #incoming: PlainRequest | undefined;
  #pieces = 0;
  /** How much room that takes among all that are awaited. */
  #held = 0;
  /** What came meanwhile. */
  #early: Buffer | undefined;
  /** When an idle connection ends, by `performance.now()`. */
  #dueAtMs: number;

  /** From now on it reads what comes. */
  constructor(connection: Connection, options: PlainOptions) {
    this.connection = connection;
    this.socket = connection.socket;
    this.#options = options;
    this.keepAlive = `Connection: keep-alive\r\nKeep-Alive: timeout=${Math.floor(options.keepAliveMs / 1000)}\r\n`;
    this.#dueAtMs = performance.now() + options.headersMs;
    connection.plain = this;
    lendFrom(this.socket, (bytes, length) => this.#onData(Buffer.from(bytes.subarray(0, length))));
    this.socket.on("data", this.#onData).on("end", this.#onEnd).on("drain", this.#onDrain).on("close", this.#onClose);
  }

  /** Some of a request has come, but not all. */
  get receives(): boolean {
    return this.#incoming !== undefined;
  }

  /** Called once a second. */
  tick(nowMs: number): void {
    if (this.#response !== undefined) return;
    this.#reader.forget();
    if (this.#incoming !== undefined) {
      this.#options.awaited.takesLong(this);
      return;
    }
    if (nowMs < this.#dueAtMs) return;
    // Every answer has gone out, so nothing is lost; a last word to who reads no more would never go.
    if (this.connection.used) this.socket.destroy();
    else {
      this.#release();
      this.#options.receiver.late(this.socket);
    }
  }

  /** A slow body is passed on as it comes, which is Node's to do. */
  passOn(): void {
    if (this.#incoming !== undefined) this.#handOver();
  }

  /** The request needs more than forwarding: Node's server reads it anew. */
  decline(): void {
    this.#response = undefined;
    this.#handOver();
  }

  readonly flushed = (): void => {
    const response = this.#response;
    if (response?.ended !== true || this.socket.destroyed) return;
    this.#finish(response);
    if (response.closes) this.#close();
    else if (this.#early !== undefined) this.#handOver();
  };

  readonly #onData = (bytes: Buffer): void => {
    if (this.socket.writableEnded) return;
    if (this.#response !== undefined) {
      this.#early = this.#early === undefined ? bytes : Buffer.concat([this.#early, bytes]);
      // As long as it reads, it sees the client go.
      if (this.#early.length > PLAIN_REQUEST_BYTES) this.socket.pause();
      return;
    }
    if (this.#incoming !== undefined) {
      this.#readOn(this.#incoming, bytes);
      return;
    }
    this.#request = [bytes];
    const request = this.#reader.read(bytes);
    if (request === undefined) this.#handOver();
    else if (request.missing === 0) this.#receive(request);
    else this.#await(request, request.chunks === undefined ? bytes.length + request.missing : PLAIN_REQUEST_BYTES);
  };

  /** As Node's server: who has sent all that it will, and so cannot be told apart from who has gone, is let go. */
  readonly #onEnd = (): void => {
    if (this.#incoming === undefined) {
      this.socket.end();
      return;
    }
    this.#release();
    this.#options.receiver.cutOff(this.socket);
  };

  readonly #onDrain = (): void => {
    this.#response?.drained();
  };

  readonly #onClose = (): void => {
    const response = this.#response;
    this.#awaitNoMore();
    if (response !== undefined) this.#finish(response);
  };

  /**
   * The kernel has the whole answer and delivers it, then its own end; that of TLS must be said before. Who sent
   * more than it should have is let go as Node's server does.
   */
  #close(): void {
    if (this.connection.facts.tls || this.#early !== undefined) this.socket.destroySoon();
    else this.socket.destroy();
  }

  /** @param bytes of the whole request */
  #await(request: PlainRequest, bytes: number): void {
    if (!this.#options.awaited.hold(bytes)) {
      this.#handOver();
      return;
    }
    this.#incoming = request;
    this.#pieces = 0;
    this.#held = bytes;
  }

  #awaitNoMore(): void {
    this.#incoming = undefined;
    this.#options.awaited.release(this.#held);
    this.#held = 0;
  }

  #readOn(request: PlainRequest, bytes: Buffer): void {
    this.#request.push(bytes);
    request.missing -= bytes.length;
    if (request.chunks === undefined && request.missing > 0) return;
    const whole = Buffer.concat(this.#request);
    this.#request = [whole];
    this.#pieces += 1;
    if (whole.length > PLAIN_REQUEST_BYTES || this.#pieces > MOST_PIECES) request.missing = -1;
    else request.readBody(whole);
    if (request.missing > 0) return;
    this.#awaitNoMore();
    if (request.missing < 0) this.#handOver();
    else this.#receive(request);
  }

  #receive(request: PlainRequest): void {
    const response = new PlainResponse(this, request.method === "HEAD", request.closes);
    this.#response = response;
    this.#options.receiver.receive(request, response, this);
  }

  #finish(response: PlainResponse): void {
    this.#response = undefined;
    this.#request = [];
    const nowMs = performance.now();
    this.#dueAtMs = nowMs + this.#options.keepAliveMs + KEEP_ALIVE_GRACE_MS;
    response.closed();
    this.#options.receiver.finished(response, this, nowMs);
  }

  #handOver(): void {
    const { socket } = this;
    // What nobody can answer any more must not be carried out.
    if (socket.destroyed || socket.writableEnded) return;
    this.#release();
    socket.pause();
    const bytes = [...this.#request, this.#early ?? NOTHING];
    socket.unshift(Buffer.concat(bytes));
    this.#options.handOver(socket);
    socket.resume();
  }

  #release(): void {
    this.#awaitNoMore();
    this.connection.plain = undefined;
    deliverTo(this.socket, undefined);
    this.socket
      .off("data", this.#onData)
      .off("end", this.#onEnd)
      .off("drain", this.#onDrain)
      .off("close", this.#onClose);
  }
}
