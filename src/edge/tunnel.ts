/** A request to leave HTTP (RFC 9110, 7.8): passed on, and once the upstream agrees, bytes are only relayed. */
import { type ClientRequest, type IncomingMessage, request, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { answerFault, type Fault, noteFault } from "./fault-answer.ts";
import type { ForwardTenant, Lane } from "./forward-order.ts";
import { linesOf, passedTrailers } from "./header-rules.ts";
import { ResponseHead } from "./response-head.ts";
import { RESPONSE_HEAD_BYTES } from "./response-parser.ts";
import type { Upstream } from "./upstream.ts";
import { ClosedError, UpstreamTimeoutError } from "./upstream-connection.ts";

/** A request to switch protocols that was let in. */
export interface TunnelOrder {
  readonly req: IncomingMessage;
  readonly socket: Duplex;
  /** What the client sent right behind its request. */
  readonly early: Buffer;
  readonly fields: string[];
  readonly protocol: string;
  readonly target: string;
  readonly tenant: ForwardTenant;
  readonly requestId: string;
}

/** How long the other half of a tunnel may be silent once one has ended; less where silence is limited to less than ten times this. */
const HALF_OPEN_MS = 10_000;

export class Tunnel {
  readonly #order: TunnelOrder;
  readonly #lane: Lane;
  readonly #idleMs: number;
  #upstream: Upstream | undefined;
  #tried: Upstream[] = [];
  #giveUp: (() => void) | undefined;
  #outgoing: ClientRequest | undefined;
  /** The upstream has answered: from here on a fault can only break the connection. */
  #answered = false;
  #done = false;

  constructor(order: TunnelOrder, lane: Lane, idleMs: number) {
    this.#order = order;
    this.#lane = lane;
    this.#idleMs = idleMs;
  }

  start(): void {
    const { socket } = this.#order;
    socket.on("error", () => socket.destroy());
    socket.on("close", () => this.#end());
    this.#tryNext();
  }

  /** @param error why the one before could not be reached */
  #tryNext(error?: Error): void {
    const upstream = this.#lane.upstreams.choose(this.#order.tenant, this.#tried);
    if (upstream === undefined) {
      if (error === undefined) this.#refuse(this.#lane.unreachable);
      else this.#fail(error);
      return;
    }
    this.#upstream = upstream;
    upstream.active += 1;
    this.#giveUp = upstream.open((error, opened) => {
      this.#giveUp = undefined;
      if (opened !== undefined) return this.#send(opened);
      this.#leave();
      this.#tried.push(upstream);
      this.#tryNext(error);
    });
  }

  #send(opened: Socket): void {
    const { req, fields, protocol, target } = this.#order;
    const outgoing = request({
      createConnection: () => opened,
      method: req.method ?? "GET",
      path: target,
      headers: [...fields, "Connection", "Upgrade", "Upgrade", protocol],
      setHost: false,
      maxHeaderSize: RESPONSE_HEAD_BYTES,
      insecureHTTPParser: false,
    });
    this.#outgoing = outgoing;
    outgoing.on("error", (error) => this.#fail(error));
    outgoing.on("close", () => {
      if (!this.#answered) this.#fail(new ClosedError("closed without an answer"));
    });
    outgoing.on("upgrade", (incoming, peer, early) => this.#relay(incoming, peer as Socket, early));
    outgoing.on("response", (incoming) => this.#answer(incoming));
    outgoing.setTimeout(this.#lane.responseHeadersMs, () => outgoing.destroy(new UpstreamTimeoutError("no answer")));
    outgoing.end();
  }

  /** The upstream agreed: its 101 goes on, and from here on only bytes. */
  #relay(incoming: IncomingMessage, peer: Socket, peerEarly: Buffer): void {
    const { socket, early, protocol } = this.#order;
    const head = new ResponseHead(101, "", incoming.rawHeaders, this.#lane.keepsOurCookies);
    if (!isOffered(head.upgrade, protocol)) {
      peer.destroy();
      this.#fail(new Error("switched to a protocol that nobody asked for"));
      return;
    }
    this.#answered = true;
    const fields = linesOf(["Connection", "Upgrade", "Upgrade", head.upgrade, ...head.fields]);
    socket.write(`HTTP/1.1 101 Switching Protocols\r\n${fields}\r\n`, "latin1");
    if (early.length > 0) socket.unshift(early);
    if (peerEarly.length > 0) peer.unshift(peerEarly);
    peer.allowHalfOpen = true;
    peer.on("error", () => socket.destroy());
    peer.on("close", () => {
      if (!peer.readableEnded) socket.destroy();
    });
    socket.on("close", () => peer.destroy());
    // Whatever either side sends passes this socket, so one clock is enough.
    peer.setTimeout(this.#idleMs, () => socket.destroy());
    // Who has ended its half may be gone for good, which looks the same.
    const hurry = () => peer.setTimeout(Math.min(HALF_OPEN_MS, this.#idleMs / 10));
    socket.once("end", hurry);
    peer.once("end", hurry);
    socket.pipe(peer);
    peer.pipe(socket);
  }

  /** The upstream declined: an ordinary answer, after which the connection closes. */
  #answer(incoming: IncomingMessage): void {
    this.#answered = true;
    const { req, socket } = this.#order;
    const res = responseOn(req, socket);
    const head = new ResponseHead(
      incoming.statusCode ?? 0,
      incoming.statusMessage ?? "",
      incoming.rawHeaders,
      this.#lane.keepsOurCookies,
    );
    try {
      // A 101 that names no protocol is no switch.
      if (head.malformed || head.status < 200) throw new Error("not an answer");
      res.writeHead(head.status, head.reason, [...head.fields, "Connection", "close"]);
    } catch {
      incoming.destroy();
      answerFault(req, res, "bad_gateway", this.#order);
      return;
    }
    incoming.socket.setTimeout(this.#lane.responseIdleMs);
    incoming.on("error", () => socket.destroy());
    incoming.on("end", () => res.addTrailers(passedTrailers(incoming.rawTrailers)));
    incoming.pipe(res);
  }

  #fail(error: Error): void {
    if (this.#answered) this.#order.socket.destroy();
    else if (!this.#done) this.#refuse(noteFault(error, this.#order, this.#lane));
  }

  #refuse(fault: Fault): void {
    const { req, socket } = this.#order;
    this.#end();
    answerFault(req, responseOn(req, socket), fault, this.#order);
  }

  #leave(): void {
    if (this.#upstream !== undefined) this.#upstream.active -= 1;
    this.#upstream = undefined;
  }

  #end(): void {
    if (this.#done) return;
    this.#done = true;
    this.#giveUp?.();
    this.#leave();
    if (this.#order.socket.destroyed) this.#outgoing?.destroy();
  }
}

/** Whether all protocols to switch to are among those asked for (RFC 9110, 7.8). */
function isOffered(chosen: string, offered: string): boolean {
  const protocols = protocolsOf(offered);
  return chosen !== "" && protocolsOf(chosen).every((protocol) => protocols.includes(protocol));
}

function protocolsOf(upgrade: string): string[] {
  return upgrade.split(",").map((protocol) => protocol.trim().toLowerCase());
}

/** A response on a socket that left Node's HTTP server by asking for an upgrade; the connection closes after it. */
export function responseOn(req: IncomingMessage, socket: Duplex): ServerResponse {
  const res = new ServerResponse(req);
  res.shouldKeepAlive = false;
  // Typed for TCP sockets, though any duplex will do.
  res.assignSocket(socket as Socket);
  res.on("finish", () => {
    res.detachSocket(socket as Socket);
    socket.end(() => socket.destroy());
  });
  return res;
}
