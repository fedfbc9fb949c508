/** One client connection: what is known of it for its whole life, and whether it makes progress. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Address } from "../core/address.ts";
import type { Authority } from "../core/host.ts";
import type { CanonicalHost, SessionHash } from "../core/ids.ts";
import type { ClientResponse } from "./client-message.ts";
import type { Exchange } from "./exchange.ts";
import type { SessionQuestion } from "./gate.ts";
import type { PlainConnection } from "./plain-connection.ts";
import type { Refusal, RefusalCode } from "./refusals.ts";
import type { CachedSession } from "./sessions.ts";

const CONNECTION = Symbol("connection");

interface ConnectedSocket extends Socket {
  [CONNECTION]?: Connection;
}

/** A body that brings fewer bytes than this in its allotted time is one of those that only hold a connection. */
const LEAST_PROGRESS_BYTES = 1024;

/** What the listener found out when the connection came. */
export interface ConnectionFacts {
  /** The socket's other end, or whom the PROXY header named. */
  readonly peer: Address;
  /** The peer is a trusted proxy: its `X-Forwarded-Proto` counts. */
  readonly trusted: boolean;
  /** The peer is a trusted proxy that names its client in `X-Forwarded-For`. */
  readonly forwards: boolean;
  readonly tls: boolean;
  /** The TCP socket: beneath TLS, another than the one that carries HTTP. */
  readonly transport: Socket;
  /** The TLS server name (SNI): `undefined` when none was sent, or none that can be a host. */
  readonly serverName: CanonicalHost | undefined;
}

/** More requests than this no client sends ahead of their answers; more bytes none should. */
const MOST_PIPELINED = 100;
const MOST_PIPELINED_BYTES = 256 * 1024;

export interface PipelinedRequest {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  /** What is already known to become of it. */
  readonly refusal: Refusal | undefined;
}

export class Connection {
  readonly socket: Socket;
  readonly facts: ConnectionFacts;
  /** A request has come. */
  used = false;
  /** The answer under way: one at a time, in the order of the requests. */
  answer: Pick<ClientResponse, "headersSent" | "setHeader"> | undefined;
  /** Requests that wait until those before them are answered. */
  readonly pipelined: PipelinedRequest[] = [];
  /** The last request that Node's server read, whose body may still be coming in. */
  receiving: IncomingMessage | undefined;
  /** Who reads it, until Node's server does. */
  plain: PlainConnection | undefined;
  /** What became of the plain request that Node's server now reads and answers. */
  refusal: Refusal | undefined;
  /** A tunnel that the gate has let through and Node is about to hand over. */
  tunnel: Exchange | SessionQuestion | undefined;
  /** More requests came than may wait: those are dropped, and the connection ends behind the others. */
  full = false;
  /** How what came last is refused: nothing that still comes in means anything. */
  broken: RefusalCode | undefined;

  /** The last Host field and what it means: a connection rarely changes it. */
  hostText = "";
  authority: Authority | undefined;
  /** The last `X-Forwarded-For` and the client that it names. */
  forwardedFor: string | undefined;
  client: Address | undefined;
  /** The last `Cookie` field, whether it came over TLS (which names our cookie), the session secret's hash in it, and what is known of that session. */
  cookie: string | undefined;
  cookieTls = false;
  sessionHash: SessionHash | undefined;
  session: CachedSession | undefined;

  #receivedBytes = 0;
  #receivingTicks = 0;
  #takenBytes = 0;
  #takingTicks = 0;

  constructor(socket: Socket, facts: ConnectionFacts) {
    this.socket = socket;
    this.facts = facts;
    (socket as ConnectedSocket)[CONNECTION] = this;
    // Node takes its own listener away when a connection leaves HTTP, and an error that nobody hears ends the process.
    socket.on("error", ignore);
  }

  /** The connection behind a request's socket. */
  static of(socket: Socket): Connection | undefined {
    return (socket as ConnectedSocket)[CONNECTION];
  }

  /** A request that came before the answer to the one before it. */
  defer(request: PipelinedRequest): void {
    const bytes = this.pipelined.reduce((sum, { req }) => sum + heldBy(req), heldBy(request.req));
    if (this.pipelined.length < MOST_PIPELINED && bytes < MOST_PIPELINED_BYTES) {
      this.pipelined.push(request);
      return;
    }
    this.full = true;
    this.dropRest();
  }

  /** Nothing that still comes in means anything: it is read, so that the client is seen to go, but not by Node's parser. */
  dropRest(): void {
    this.socket.removeAllListeners("data").on("data", ignore);
  }

  expectBody(req: IncomingMessage): void {
    this.receiving = req;
    this.#receivedBytes = this.socket.bytesRead;
    this.#receivingTicks = 0;
  }

  /**
   * Called once a second. @returns whether the client has for too long sent too little of the body that it
   * announced, or taken nothing of what was written to it, its end included. Waiting for somebody else is not its fault.
   */
  isStuck(requestIdleSeconds: number, writeIdleSeconds: number): boolean {
    return this.#isReceivingTooSlowly(requestIdleSeconds) || this.#isTakenTooSlowly(writeIdleSeconds);
  }

  #isReceivingTooSlowly(limitSeconds: number): boolean {
    const req = this.receiving;
    if (req === undefined) return false;
    if (req.complete) {
      this.receiving = undefined;
      return false;
    }
    const received = this.socket.bytesRead;
    const waitsForUs = req.readableFlowing !== true || req.readableLength > 0;
    if (waitsForUs || received - this.#receivedBytes >= LEAST_PROGRESS_BYTES) {
      this.#receivedBytes = received;
      this.#receivingTicks = 0;
      return false;
    }
    this.#receivingTicks += 1;
    return this.#receivingTicks > limitSeconds;
  }

  #isTakenTooSlowly(limitSeconds: number): boolean {
    const { socket } = this;
    // Beneath TLS even the end of a connection is something to take.
    const waiting = socket.writableLength + (socket.writableEnded && !socket.writableFinished ? 1 : 0);
    const taken = waiting === 0 ? 0 : socket.bytesWritten - waiting;
    if (taken !== this.#takenBytes || waiting === 0) {
      this.#takenBytes = taken;
      this.#takingTicks = 0;
      return false;
    }
    this.#takingTicks += 1;
    return this.#takingTicks > limitSeconds;
  }

  /** Ends it at once: what is still buffered for the client does not arrive. */
  cut(): void {
    const { transport } = this.facts;
    // While the end of what it sends is on its way, Node cannot reset a socket: it would neither close nor say so.
    if (this.socket.writableEnded && this.socket.writableLength === 0) transport.destroy();
    else transport.resetAndDestroy();
  }
}

/** Bytes: the fields, and as much of the body as Node reads before it is asked for. */
function heldBy({ rawHeaders, headers, readableHighWaterMark }: IncomingMessage): number {
  const fields = rawHeaders.reduce((sum, text) => sum + text.length, 0);
  const body = headers["transfer-encoding"] === undefined ? Number(headers["content-length"] ?? 0) : Infinity;
  return fields + Math.min(body, readableHighWaterMark);
}

function ignore(): void {}
