/** A request with an expectation, which the plain path does not send: Node's own client, on a connection of its own. */
import { type ClientRequest, type IncomingMessage, request } from "node:http";
import type { Socket } from "node:net";
import type { Lane, Order } from "./forward-order.ts";
import { passedTrailers } from "./header-rules.ts";
import { ResponseHead } from "./response-head.ts";
import { RESPONSE_HEAD_BYTES } from "./response-parser.ts";
import type { Upload, Upstream } from "./upstream.ts";
import { UpstreamTimeoutError } from "./upstream-connection.ts";
import type { UpstreamExchange } from "./upstream-exchange.ts";

type NodeMessages = NonNullable<Order["node"]>;

export class RichRequest {
  readonly #order: Order;
  readonly #node: NodeMessages;
  readonly #lane: Lane;
  readonly #exchange: UpstreamExchange;
  #upload: Upload | undefined;
  #outgoing: ClientRequest | undefined;
  #incoming: IncomingMessage | undefined;

  constructor(order: Order, node: NodeMessages, lane: Lane, exchange: UpstreamExchange) {
    this.#order = order;
    this.#node = node;
    this.#lane = lane;
    this.#exchange = exchange;
  }

  start(upstream: Upstream): void {
    this.#upload = upstream.openUpload((error, socket) => {
      if (socket === undefined) this.#exchange.unavailable(error ?? new Error("no socket"));
      else this.#send(socket);
    });
  }

  resume(): void {
    this.#incoming?.resume();
  }

  abort(): void {
    if (this.#outgoing === undefined) this.#upload?.giveUp();
    else this.#outgoing.destroy();
    // What the client still sends is read and dropped, as long as it may stay connected.
    this.#node.req.unpipe().resume();
  }

  #send(socket: Socket): void {
    const { req, target } = this.#order;
    const outgoing = request({
      createConnection: () => socket,
      method: req.method ?? "GET",
      path: target,
      headers: this.#fields(),
      setHost: false,
      maxHeaderSize: RESPONSE_HEAD_BYTES,
      insecureHTTPParser: false,
    });
    this.#outgoing = outgoing;
    outgoing.on("error", (error) => this.#exchange.fail(error));
    // An unasked 101 ends without an error event.
    outgoing.on("close", () => this.#exchange.fail(new Error("closed without an answer")));
    outgoing.on("continue", () => this.#invite());
    outgoing.on("information", (info) => {
      if (info.statusCode !== 100) this.#answer(info.statusCode, info.statusMessage, info.rawHeaders);
    });
    outgoing.on("response", (incoming) => this.#receive(incoming));
    outgoing.setTimeout(this.#lane.responseHeadersMs, () => outgoing.destroy(new UpstreamTimeoutError("no answer")));
    outgoing.flushHeaders();
    this.#sendBody(outgoing);
  }

  #fields(): string[] {
    const { head } = this.#order;
    const extra: string[] = [];
    if (head.chunked) extra.push("Transfer-Encoding", "chunked");
    if (head.expectsContinue) extra.push("Expect", "100-continue");
    if (head.trailer !== "") extra.push("Trailer", head.trailer);
    return [...head.fields, ...extra, "Connection", "close"];
  }

  #sendBody(outgoing: ClientRequest): void {
    const { head } = this.#order;
    const { req } = this.#node;
    req.pipe(outgoing, { end: false });
    req.once("end", () => {
      if (outgoing.destroyed) return;
      if (head.chunked && head.passesTrailers) outgoing.addTrailers(passedTrailers(req.rawTrailers));
      outgoing.end();
      this.#upload?.end();
    });
  }

  /** The upstream asks for the body, so that we ask the client. */
  #invite(): void {
    const { res } = this.#node;
    if (this.#order.head.expectsContinue && !res.headersSent) res.writeContinue();
  }

  #answer(status: number, reason: string, raw: readonly string[]): void {
    this.#exchange.answer(new ResponseHead(status, reason, raw, this.#lane.keepsOurCookies));
  }

  #receive(incoming: IncomingMessage): void {
    this.#incoming = incoming;
    incoming.socket.setTimeout(this.#lane.responseIdleMs);
    this.#answer(incoming.statusCode ?? 0, incoming.statusMessage ?? "", incoming.rawHeaders);
    this.#exchange.flush();
    incoming.on("data", (chunk: Buffer) => {
      if (!this.#exchange.data(chunk, 0, chunk.length)) incoming.pause();
    });
    incoming.on("end", () => {
      this.#exchange.end(incoming.rawTrailers);
      this.abort();
    });
    incoming.on("error", (error) => this.#exchange.fail(error));
  }
}
