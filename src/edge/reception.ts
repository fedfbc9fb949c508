/** What becomes of each request: judged, then refused or handed on, and counted. */
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Clock } from "../core/clock.ts";
import type { Logger } from "../core/log.ts";
import { answerBrokenRequest, endWith, refuseTheRest } from "./broken-request.ts";
import { Connection, type PipelinedRequest } from "./connection.ts";
import type { Connections } from "./connections.ts";
import type { Exchange } from "./exchange.ts";
import type { Forwarder } from "./forward.ts";
import { type Gate, SessionQuestion } from "./gate.ts";
import { Judge } from "./judge.ts";
import { PacedQueue } from "./paced-queue.ts";
import type { PlainConnection, PlainReceiver } from "./plain-connection.ts";
import type { PlainRequest } from "./plain-request.ts";
import type { PlainResponse } from "./plain-response.ts";
import { Refusal } from "./refusals.ts";
import { isNavigation, rawRefusal, refuse } from "./refuse.ts";
import { RequestTally } from "./request-tally.ts";
import type { SessionDirectory } from "./sessions.ts";
import type { Tally } from "./tally.ts";
import { TunnelReception } from "./tunnel-reception.ts";

export interface ReceptionOptions {
  readonly gate: Gate;
  readonly sessions: SessionDirectory;
  readonly connections: Connections;
  readonly forwarder: Forwarder;
  readonly tally: Tally;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Node's code for a head that did not come in time. */
const TIMEOUT = "ERR_HTTP_REQUEST_TIMEOUT";

export class Reception implements PlainReceiver {
  readonly #options: ReceptionOptions;
  readonly #judge: Judge;
  readonly #requests: RequestTally;
  readonly #tunnels: TunnelReception;
  /** Who opens ten thousand connections in one second has them expire in one. */
  readonly #late = new PacedQueue<[Error, Duplex]>((which) => this.#answerBroken(...which));

  constructor(options: ReceptionOptions) {
    const { gate, sessions, tally, clock, log } = options;
    this.#options = options;
    this.#judge = new Judge(gate, sessions, log);
    this.#requests = new RequestTally(tally, clock, log);
    this.#tunnels = new TunnelReception(options, this.#judge, this.#requests);
  }

  /** See {@link TunnelReception.shouldUpgrade}. */
  get shouldUpgrade(): TunnelReception["shouldUpgrade"] {
    return this.#tunnels.shouldUpgrade;
  }

  /** Takes all that a server has to say. */
  attend(server: Server): void {
    const receive = (req: IncomingMessage, res: ServerResponse) => this.#receive(req, res);
    server.on("request", receive);
    // The forwarder asks for the body when the upstream does.
    server.on("checkContinue", receive);
    server.on("checkExpectation", (req: IncomingMessage, res: ServerResponse) => {
      this.#receive(req, res, new Refusal("expectation_refused"));
    });
    this.#tunnels.attend(server);
    server.on("connect", (req: IncomingMessage, socket: Duplex) => this.#refuseConnect(req, socket));
    server.on("clientError", (error: Error & { code?: string }, socket: Duplex) => {
      if (error.code === TIMEOUT) this.#late.add([error, socket]);
      else this.#answerBroken(error, socket);
    });
  }

  /** Hot path: as {@link #receive}, without Node's server; what takes more than forwarding is left to that. */
  receive(req: PlainRequest, res: PlainResponse, plain: PlainConnection): void {
    const { connection } = plain;
    plain.startedAtMs = performance.now();
    this.#options.connections.begun(connection, res);
    const passage = this.#judge.judge(req, connection);
    if (passage instanceof SessionQuestion) {
      void this.#judge.ask(passage, req, connection, (answer) => this.#forwardPlain(req, res, plain, answer));
      return;
    }
    try {
      this.#forwardPlain(req, res, plain, passage);
    } catch (error) {
      this.#judge.failed(connection, error);
    }
  }

  finished(res: PlainResponse, plain: PlainConnection, nowMs: number): void {
    const { connections, tally } = this.#options;
    connections.ended(plain.connection);
    if (plain.exchange !== undefined) connections.leave(plain.exchange);
    plain.exchange = undefined;
    tally.finish(res.statusCode, nowMs - plain.startedAtMs);
  }

  late(socket: Socket): void {
    this.#late.add([Object.assign(new Error("no request came"), { code: TIMEOUT }), socket]);
  }

  cutOff(socket: Socket): void {
    this.#answerBroken(new Error("the request was cut off"), socket);
  }

  /**
   * Requests of one connection are carried out one after the other: they may depend on each other, and only safe
   * ones might run together (RFC 9112, 9.3.2). Behind the last answer nothing is (9.6).
   */
  #receive(req: IncomingMessage, res: ServerResponse, refusal?: Refusal): void {
    const connection = Connection.of(req.socket);
    if (connection === undefined) {
      req.socket.destroy();
      return;
    }
    if (connection.socket.writableEnded || connection.broken !== undefined || connection.full) {
      connection.dropRest();
      return;
    }
    connection.expectBody(req);
    if (connection.answer === undefined) this.#serve(connection, { req, res, refusal });
    else connection.defer({ req, res, refusal });
  }

  /** An answer has ended. */
  #serveNext(connection: Connection): void {
    const { socket, pipelined, broken } = connection;
    const next = pipelined.shift();
    if (socket.writableEnded || socket.destroyed) {
      pipelined.length = 0;
      return;
    }
    const isBroken = broken !== undefined && pipelined.length === 0 && next?.req.complete !== true;
    if (isBroken) endWith(socket, rawRefusal(broken), true);
    else if (next !== undefined) this.#serve(connection, next);
  }

  /** Hot path: waits for nothing unless a session must be looked up. */
  #serve(connection: Connection, { req, res, refusal }: PipelinedRequest): void {
    const startedAtMs = performance.now();
    const { connections, tally } = this.#options;
    const passage = refusal ?? connection.refusal ?? this.#judge.judge(req, connection);
    connection.refusal = undefined;
    let tracked: Exchange | undefined;
    connections.begun(connection, res);
    // The client sends the rest again elsewhere (RFC 9112, 9.6).
    if (connection.full && connection.pipelined.length === 0) res.setHeader("Connection", "close");
    res.on("close", () => {
      connections.ended(connection);
      if (tracked !== undefined) connections.leave(tracked);
      tally.finish(res.statusCode, performance.now() - startedAtMs);
      this.#serveNext(connection);
    });
    const proceed = (passage: Exchange | Refusal): void => {
      if (passage instanceof Refusal) {
        if (passage.exchange !== undefined && isNavigation(req)) this.#askToSignIn(req, res, passage, passage.exchange);
        else this.#refuse(req, res, passage);
        return;
      }
      if (passage.upgrades) {
        this.#refuse(req, res, new Refusal("upgrade_refused", passage.tenant, passage.address));
        return;
      }
      if (passage.route !== "pages") {
        tracked = passage;
        connections.admit(passage);
      }
      this.#handOn(req, res, passage);
    };
    if (passage instanceof SessionQuestion) void this.#judge.ask(passage, req, connection, proceed);
    else this.#judge.guarded(connection, () => proceed(passage));
  }

  #forwardPlain(req: PlainRequest, res: PlainResponse, plain: PlainConnection, passage: Exchange | Refusal): void {
    const { connections, forwarder } = this.#options;
    if (passage instanceof Refusal) {
      if (passage.exchange !== undefined && isNavigation(req)) {
        this.#requests.sentToSignIn(passage);
        forwarder.forwardPlainToControl(req, res, passage.exchange, true);
        return;
      }
      connections.withdrawn(plain.connection);
      plain.connection.refusal = passage;
      plain.decline();
      return;
    }
    this.#requests.admitted(req, passage);
    if (passage.route === "pages") {
      forwarder.forwardPlainToControl(req, res, passage);
      return;
    }
    plain.exchange = passage;
    connections.admit(passage);
    forwarder.forwardPlain(req, res, passage);
  }

  #handOn(req: IncomingMessage, res: ServerResponse, exchange: Exchange): void {
    const { forwarder, log } = this.#options;
    this.#requests.admitted(req, exchange);
    try {
      if (exchange.route === "pages") forwarder.forwardToControl(req, res, exchange);
      else forwarder.forward(req, res, exchange);
    } catch (error) {
      log.error({ err: error, requestId: exchange.requestId }, "a request could not be handed on");
      if (res.headersSent) res.destroy();
      else this.#refuse(req, res, new Refusal("internal", exchange.tenant, exchange.address));
    }
  }

  /** Control answers with the redirect to the sign-in, since it is who remembers the way back. */
  #askToSignIn(req: IncomingMessage, res: ServerResponse, refusal: Refusal, exchange: Exchange): void {
    this.#requests.sentToSignIn(refusal);
    this.#options.forwarder.forwardToControl(req, res, exchange, true);
  }

  #refuse(req: IncomingMessage, res: ServerResponse, refusal: Refusal): void {
    refuse(req, res, refusal, this.#requests.refused(req, refusal));
  }

  #answerBroken(error: Error, socket: Duplex): void {
    const code = answerBrokenRequest(error, socket as Socket);
    if (code !== undefined) this.#requests.broken(code);
  }

  #refuseConnect(req: IncomingMessage, socket: Duplex): void {
    const connection = Connection.of(req.socket);
    this.#requests.broken("method_refused");
    if (connection === undefined) socket.destroy();
    else {
      refuseTheRest(connection, "method_refused");
      // Node reads no more, and somebody has to see the client go, and tell an answer under way that it takes more.
      socket.on("drain", () => (connection.answer as ServerResponse | undefined)?.emit("drain"));
      socket.on("end", () => socket.end()).resume();
    }
  }
}
