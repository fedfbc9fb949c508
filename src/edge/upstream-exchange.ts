/** One forwarded request from its admission to its last byte: finds a connection, sends, streams the answer back. */
import type { IncomingMessage } from "node:http";
import type { ClientResponse } from "./client-message.ts";
import { writeCopy } from "./copies.ts";
import { answerFault, codeOf, type Fault, noteFault } from "./fault-answer.ts";
import type { Lane, Order } from "./forward-order.ts";
import { NO_LENGTH, passedTrailers } from "./header-rules.ts";
import type { ResponseHead } from "./response-head.ts";
import { RichRequest } from "./rich-request.ts";
import type { Upstream, Waiter } from "./upstream.ts";
import type { ResponseListener, UpstreamConnection } from "./upstream-connection.ts";

/** Bodies up to this length go out in one piece with their head, if they arrived with it. */
const SMALL_BODY_BYTES = 16 * 1024;
/** Reused connections may turn out closed; more than this in a row means something else. */
const MAX_REPEATS = 2;
const REPEATABLE: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"]);
const CLOSED: ReadonlySet<string> = new Set(["EDGE_CLOSED", "ECONNRESET", "EPIPE"]);
/** A request line has room for nothing else. */
const ORIGIN_FORM = /^\/[\x21-\xff]*$/;

const NO_TRAILERS: readonly [string, string][] = [];

const EXCHANGE = Symbol("exchange");
interface Carrier extends ClientResponse {
  [EXCHANGE]?: UpstreamExchange | undefined;
}

/** Hot path: one object per request; nothing here waits for anything but the two peers. */
export class UpstreamExchange implements Waiter, ResponseListener {
  readonly #order: Order;
  readonly #lane: Lane;
  #upstream: Upstream | undefined;
  #tried: Upstream[] | undefined;
  #connection: UpstreamConnection | undefined;
  #rich: RichRequest | undefined;
  #body: Buffer | IncomingMessage | undefined;
  #response: ResponseHead | undefined;
  /** The answer's small body, whole, until it goes out with the head. */
  #held: string | undefined;
  #repeats = 0;
  #awaitsDrain = false;
  #done = false;

  constructor(order: Order, lane: Lane) {
    this.#order = order;
    this.#lane = lane;
  }

  start(): void {
    const { res, head, body } = this.#order;
    (res as Carrier)[EXCHANGE] = this;
    res.on("close", onClientClose);
    // A small body is usually in the packet that brought the head: once that is read it is here, whole.
    const soon = body === undefined && head.hasBody && head.contentLength <= SMALL_BODY_BYTES;
    if (soon) setImmediate(approach, this);
    else this.approach();
  }

  /** See {@link Waiter.uploads}. */
  get uploads(): boolean {
    const { node, head, body } = this.#order;
    return head.hasBody && body === undefined && node?.req.complete === false;
  }

  /** Looks for an upstream that can take the request. */
  approach(): void {
    if (this.#done) return;
    const { req, node, head, body, owner, target } = this.#order;
    const upstream = this.#lane.upstreams.choose(owner, this.#tried);
    if (upstream === undefined || !ORIGIN_FORM.test(target)) {
      this.#refuse(this.#lane.unreachable);
      return;
    }
    this.#upstream = upstream;
    upstream.active += 1;
    // HTTP/1.0 knows no expectations (RFC 9110, 10.1.1).
    if (head.expectsContinue && node !== undefined && body === undefined && req.httpVersionMinor > 0) {
      this.#rich = new RichRequest(this.#order, node, this.#lane, this);
      this.#rich.start(upstream);
    } else upstream.acquire(this);
  }

  connected(connection: UpstreamConnection): void {
    this.#connection = connection;
    const { req, node, target, lines, head, body, chunked } = this.#order;
    this.#body ??= body ?? bodyOf(node?.req, head);
    const { method = "GET" } = req;
    const trailers = head.passesTrailers ? (req.passedTrailers ?? NO_TRAILERS) : undefined;
    connection.send({ method, target, lines, body: this.#body, chunked, trailer: head.trailer, trailers }, this);
  }

  /** Nothing was sent: the next upstream, if there is one. */
  unavailable(error: Error): void {
    if (this.#done) return;
    if (this.#upstream !== undefined) {
      this.#upstream.active -= 1;
      this.#tried = [...(this.#tried ?? []), this.#upstream];
      this.#upstream = undefined;
    }
    if (this.#lane.upstreams.choose(this.#order.owner, this.#tried) === undefined) this.#fault(error);
    else this.approach();
  }

  /** The connection failed. */
  fail(error: Error): void {
    if (this.#done) return;
    if (this.#mayRepeat(error)) {
      this.#repeats += 1;
      this.#upstream?.acquire(this);
    } else this.#fault(error);
  }

  /** The head of an answer: an interim one goes straight through, the final one with the first of its body. */
  answer(head: ResponseHead): void {
    if (this.#done) return;
    try {
      this.#answer(head);
    } catch (error) {
      this.#fault(error instanceof Error ? error : new Error("not a response"));
      this.#connection?.destroy();
    }
  }

  /** @returns false when the client is slower than the upstream, which is then held back */
  data(bytes: Buffer, start: number, end: number): boolean {
    if (this.#done) return true;
    if (end - start === this.#response?.contentLength && end - start <= SMALL_BODY_BYTES) {
      this.#held = bytes.toString("latin1", start, end);
      return true;
    }
    // The bytes are lent, and the client may not take them at once.
    if (writeCopy(this.#order.res, bytes, start, end)) return true;
    if (!this.#awaitsDrain) {
      this.#awaitsDrain = true;
      this.#order.res.on("drain", onClientDrain);
    }
    return false;
  }

  end(rawTrailers: readonly string[]): void {
    if (this.#done) return;
    const { res } = this.#order;
    this.#finish();
    if (rawTrailers.length > 0) res.addTrailers(passedTrailers(rawTrailers));
    // As text the body goes out together with the head, in one piece.
    if (this.#held === undefined) res.end();
    else res.end(this.#held, "latin1");
  }

  /** Sends a head that came without its body. */
  flush(): void {
    if (!this.#done && this.#response !== undefined) this.#order.res.write("", "latin1");
  }

  /** The client takes more. */
  resume(): void {
    if (this.#done) return;
    this.#connection?.resume();
    this.#rich?.resume();
  }

  /** The upstream's request ends, since the client's did. */
  clientGone(): void {
    if (this.#done) return;
    this.#finish();
    this.#upstream?.cancel(this);
    this.#connection?.destroy();
    this.#rich?.abort();
  }

  /** An answer that says so, or, if one was begun, a broken connection. */
  #fault(error: Error): void {
    this.#refuse(noteFault(error, this.#order, this.#lane));
    this.#rich?.abort();
  }

  #answer(head: ResponseHead): void {
    const { req, res } = this.#order;
    const { status } = head;
    if (status < 200) {
      // The client did not ask for 100, which is the upstream's word to us.
      if (req.httpVersionMinor > 0 && status !== 100) res.writeInformation(status, head.fields);
      return;
    }
    if (head.malformed) throw new Error("unknown transfer coding");
    this.#response = head;
    if (head.trailer !== "" && this.#sendsChunks(head)) head.fields.push("Trailer", head.trailer);
    res.writeHead(status, head.reason === "" ? undefined : head.reason, head.fields);
  }

  #sendsChunks(head: ResponseHead): boolean {
    const { req } = this.#order;
    const bodiless = req.method === "HEAD" || head.status === 204 || head.status === 304;
    return !bodiless && req.httpVersionMinor > 0 && head.contentLength === NO_LENGTH;
  }

  #refuse(fault: Fault): void {
    this.#finish();
    const { req, res } = this.#order;
    answerFault(req, res, fault, this.#order);
  }

  #finish(): void {
    this.#done = true;
    if (this.#upstream !== undefined) this.#upstream.active -= 1;
  }

  /**
   * Whether sending the request again is safe: it changes nothing, has no body, and the connection was an old one
   * that the upstream closed as we sent (RFC 9110, 9.2.2; RFC 9112, 9.3.1).
   */
  #mayRepeat(error: Error): boolean {
    const connection = this.#connection;
    if (connection === undefined || connection.answered || this.#repeats >= MAX_REPEATS) return false;
    const { head, req } = this.#order;
    if (head.hasBody || !REPEATABLE.has(req.method ?? "")) return false;
    return connection.uses > 1 && CLOSED.has(codeOf(error));
  }
}

/** The whole body if it is here already; the request itself where it is yet to come. */
function bodyOf(req: IncomingMessage | undefined, head: Order["head"]): Buffer | IncomingMessage | undefined {
  if (req === undefined || !head.hasBody) return undefined;
  if (!req.complete || head.chunked || req.readableLength !== head.contentLength) return req;
  // Without a size it would be only the first of the pieces in which it came.
  return req.read(head.contentLength);
}

function approach(exchange: UpstreamExchange): void {
  exchange.approach();
}

function onClientClose(this: ClientResponse): void {
  (this as Carrier)[EXCHANGE]?.clientGone();
}

function onClientDrain(this: ClientResponse): void {
  (this as Carrier)[EXCHANGE]?.resume();
}
