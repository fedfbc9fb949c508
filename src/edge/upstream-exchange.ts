/** One forwarded request from its admission to its last byte: finds a connection, sends, streams the answer back. */
import type { ServerResponse } from "node:http";
import type { Readable } from "node:stream";
import type { Dispatcher } from "undici";
import { answerFault, codeOf, type Fault, faultOf } from "./fault-answer.ts";
import type { Lane, Order } from "./forward-order.ts";
import { NO_LENGTH, passedTrailers } from "./header-rules.ts";
import { RequestBody } from "./request-body.ts";
import { ResponseHead } from "./response-head.ts";
import { RichRequest } from "./rich-request.ts";
import type { Upstream, Waiter } from "./upstream.ts";
import { NothingSentError, type UpstreamConnection } from "./upstream-connection.ts";

/** Bodies up to this length go out in one piece with their head, if they arrived with it. */
const SMALL_BODY_BYTES = 16 * 1024;
/** Reused connections may turn out closed; more than this in a row means something else. */
const MAX_REPEATS = 2;
const REPEATABLE: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"]);
const CLOSED: ReadonlySet<string> = new Set(["UND_ERR_SOCKET", "ECONNRESET", "EPIPE"]);

const EXCHANGE = Symbol("exchange");
interface Carrier extends ServerResponse {
  [EXCHANGE]?: UpstreamExchange | undefined;
}

const CLIENT_GONE = new Error("the client has gone");

/** Hot path: one object per request; nothing here waits for anything but the two peers. */
export class UpstreamExchange implements Waiter, Dispatcher.DispatchHandler {
  readonly #order: Order;
  readonly #lane: Lane;
  #upstream: Upstream | undefined;
  #tried: Upstream[] | undefined;
  #connection: UpstreamConnection | undefined;
  #controller: Dispatcher.DispatchController | undefined;
  #rich: RichRequest | undefined;
  #wholeBody: Buffer | undefined;
  #stream: RequestBody | undefined;
  #response: ResponseHead | undefined;
  #heldChunk: Buffer | undefined;
  #repeats = 0;
  #awaitsDrain = false;
  #done = false;

  constructor(order: Order, lane: Lane) {
    this.#order = order;
    this.#lane = lane;
    this.#wholeBody = order.body;
  }

  start(): void {
    const { res, head } = this.#order;
    (res as Carrier)[EXCHANGE] = this;
    res.on("close", onClientClose);
    // A small body is usually in the packet that brought the head: one turn later it is here, whole.
    if (head.contentLength > 0 && head.contentLength <= SMALL_BODY_BYTES) process.nextTick(approach, this);
    else this.approach();
  }

  /** Looks for an upstream that can take the request. */
  approach(): void {
    if (this.#done) return;
    const { req, head, body, owner } = this.#order;
    const upstream = this.#lane.upstreams.choose(owner, this.#tried);
    if (upstream === undefined) {
      this.#refuse(this.#lane.unreachable);
      return;
    }
    this.#upstream = upstream;
    upstream.active += 1;
    // HTTP/1.0 knows neither expectations nor trailers (RFC 9110, 10.1.1).
    const rich = head.expectsContinue || (head.trailer !== "" && head.chunked);
    if (rich && body === undefined && req.httpVersionMinor > 0) {
      this.#rich = new RichRequest(this.#order, this.#lane, this);
      this.#rich.start(upstream);
    } else upstream.acquire(this);
  }

  connected(connection: UpstreamConnection): void {
    this.#connection = connection;
    this.#controller = undefined;
    const { target, req, fields } = this.#order;
    connection.send({ path: target, method: req.method ?? "GET", headers: fields, body: this.#body() }, this);
  }

  /** Nothing was sent: the next upstream, if there is one. */
  unavailable(error: Error): void {
    if (this.#done) return;
    if (this.#upstream !== undefined) {
      this.#upstream.active -= 1;
      this.#tried = [...(this.#tried ?? []), this.#upstream];
      this.#upstream = undefined;
    }
    if (this.#lane.upstreams.choose(this.#order.owner, this.#tried) === undefined) this.fail(error);
    else this.approach();
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#done) controller.abort(CLIENT_GONE);
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, _fields: unknown, reason?: string): void {
    const raw = controller.rawHeaders;
    this.answer(status, reason ?? "", Array.isArray(raw) ? raw : []);
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (chunk.length === this.#response?.contentLength && chunk.length <= SMALL_BODY_BYTES) this.#heldChunk = chunk;
    else this.data(chunk);
  }

  onResponseEnd(controller: Dispatcher.DispatchController): void {
    const raw = controller.rawTrailers;
    this.end(Array.isArray(raw) ? raw.map((item) => item.toString("latin1")) : []);
  }

  onResponseError(_controller: unknown, error: Error): void {
    // Refused before it was begun: the pool would wait for the connection's next word for ever.
    if (this.#controller === undefined) this.#connection?.destroy();
    if (this.#done) return;
    if (this.#mayRepeat(error)) {
      this.#repeats += 1;
      this.#upstream?.acquire(this);
    } else this.fail(error);
  }

  /** The head of an answer: an interim one goes straight through, the final one with the first of its body. */
  answer(status: number, reason: string, raw: readonly (string | Buffer)[]): void {
    if (this.#done) return;
    try {
      this.#answer(new ResponseHead(status, reason, raw, this.#lane.keepsOurCookies));
    } catch (error) {
      this.#abort(error instanceof Error ? error : new Error("not a response"));
    }
  }

  /** @returns false when the client is slower than the upstream, which is then held back */
  data(chunk: Buffer): boolean {
    if (this.#done || this.#order.res.write(chunk)) return true;
    this.#controller?.pause();
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
    if (this.#heldChunk === undefined) res.end();
    else res.end(this.#heldChunk.toString("latin1"), "latin1");
  }

  /** Sends the head that still waits for its body. */
  flush(): void {
    if (this.#done) return;
    const chunk = this.#heldChunk;
    this.#heldChunk = undefined;
    if (chunk === undefined) this.#order.res.flushHeaders();
    else this.data(chunk);
  }

  resume(): void {
    this.#controller?.resume();
    this.#rich?.resume();
  }

  /** The upstream's request ends, since the client's did. */
  clientGone(): void {
    if (this.#done) return;
    this.#finish();
    this.#upstream?.cancel(this);
    this.#controller?.abort(CLIENT_GONE);
    this.#rich?.abort();
  }

  /** An answer that says so, or, if one was begun, a broken connection. */
  fail(error: Error): void {
    if (this.#done) return;
    const { requestId, tenant } = this.#order;
    const { log, unreachable } = this.#lane;
    log.warn({ requestId, tenant: tenant.id, code: codeOf(error) }, "an upstream did not answer properly");
    this.#refuse(unreachable === "unavailable" ? unreachable : faultOf(error));
    this.#rich?.abort();
  }

  #answer(head: ResponseHead): void {
    const { req, res } = this.#order;
    const { status } = head;
    if (status < 200) {
      if (req.httpVersionMinor > 0) res.writeInformation(status, head.fields);
      return;
    }
    if (head.malformed) throw new Error("unknown transfer coding");
    this.#response = head;
    if (head.trailer !== "" && this.#sendsChunks(head)) head.fields.push("Trailer", head.trailer);
    if (head.reason === "") res.writeHead(status, head.fields);
    else res.writeHead(status, head.reason, head.fields);
    process.nextTick(flushHead, this);
  }

  #sendsChunks(head: ResponseHead): boolean {
    const { req } = this.#order;
    const bodiless = req.method === "HEAD" || head.status === 204 || head.status === 304;
    return !bodiless && req.httpVersionMinor > 0 && head.contentLength === NO_LENGTH;
  }

  #abort(error: Error): void {
    this.fail(error);
    this.#controller?.abort(error);
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

  #body(): Buffer | Readable | null {
    const { req, head } = this.#order;
    if (this.#wholeBody !== undefined) return this.#wholeBody;
    if (!head.hasBody) return null;
    if (req.complete && !head.chunked && req.readableLength === head.contentLength) {
      const whole: Buffer = req.read();
      this.#wholeBody = whole;
      return whole;
    }
    this.#stream = new RequestBody(req);
    return this.#stream.asStream();
  }

  /**
   * Whether sending the request again is safe: nothing of it was sent; or it changes nothing, has no body, and
   * the connection was an old one that the upstream closed as we sent (RFC 9110, 9.2.2; RFC 9112, 9.3.1).
   */
  #mayRepeat(error: Error): boolean {
    if (this.#response !== undefined || this.#repeats >= MAX_REPEATS) return false;
    if (error instanceof NothingSentError) return this.#stream === undefined || this.#stream.untouched;
    const { head, req } = this.#order;
    if (head.hasBody || !REPEATABLE.has(req.method ?? "")) return false;
    return (this.#connection?.uses ?? 0) > 1 && CLOSED.has(codeOf(error));
  }
}

function approach(exchange: UpstreamExchange): void {
  exchange.approach();
}

function flushHead(exchange: UpstreamExchange): void {
  exchange.flush();
}

function onClientClose(this: ServerResponse): void {
  (this as Carrier)[EXCHANGE]?.clientGone();
}

function onClientDrain(this: ServerResponse): void {
  (this as Carrier)[EXCHANGE]?.resume();
}
