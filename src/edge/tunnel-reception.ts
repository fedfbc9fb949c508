/** What becomes of a request to leave HTTP: Node hands its connection over once the gate lets it through. */
import type { IncomingMessage, Server } from "node:http";
import type { Duplex } from "node:stream";
import type { Logger } from "../core/log.ts";
import { Connection } from "./connection.ts";
import type { Connections } from "./connections.ts";
import type { Exchange } from "./exchange.ts";
import type { Forwarder } from "./forward.ts";
import { SessionQuestion } from "./gate.ts";
import type { Judge } from "./judge.ts";
import { Refusal } from "./refusals.ts";
import { refuse } from "./refuse.ts";
import type { RequestTally } from "./request-tally.ts";
import type { Tally } from "./tally.ts";
import { responseOn } from "./tunnel.ts";
import { asksForUpgrade } from "./upgrade.ts";

export interface TunnelReceptionOptions {
  readonly connections: Connections;
  readonly forwarder: Forwarder;
  readonly tally: Tally;
  readonly log: Logger;
}

export class TunnelReception {
  readonly #options: TunnelReceptionOptions;
  readonly #judge: Judge;
  readonly #requests: RequestTally;

  constructor(options: TunnelReceptionOptions, judge: Judge, requests: RequestTally) {
    this.#options = options;
    this.#judge = judge;
    this.#requests = requests;
  }

  attend(server: Server): void {
    server.on("upgrade", (req: IncomingMessage, socket: Duplex, head: Buffer) => this.#tunnel(req, socket, head));
  }

  /** Whether Node is to hand the connection over as a tunnel. If not, the request comes in like any other. */
  readonly shouldUpgrade = (req: IncomingMessage): boolean => {
    const connection = Connection.of(req.socket);
    // Behind an earlier answer it waits like any other request, and is refused.
    if (connection === undefined || connection.answer !== undefined) return false;
    const passage = this.#judge.judge(req, connection);
    if (passage instanceof Refusal) return false;
    if (!(passage instanceof SessionQuestion ? asksForUpgrade(req) : passage.upgrades)) return false;
    connection.tunnel = passage;
    return true;
  };

  #tunnel(req: IncomingMessage, socket: Duplex, head: Buffer): void {
    const connection = Connection.of(req.socket);
    const passage = connection?.tunnel;
    if (connection === undefined || passage === undefined) {
      socket.destroy();
      return;
    }
    if (!(passage instanceof SessionQuestion)) {
      this.#openTunnel(req, socket, head, connection, passage);
      return;
    }
    void this.#judge.ask(passage, req, connection, (answer) => {
      // Node has handed the connection over already, so that a refusal needs an answer of its own.
      if (answer instanceof Refusal) refuse(req, responseOn(req, socket), answer, this.#requests.refused(req, answer));
      else if (!answer.upgrades) socket.destroy();
      else this.#openTunnel(req, socket, head, connection, answer);
    });
  }

  #openTunnel(req: IncomingMessage, socket: Duplex, head: Buffer, connection: Connection, exchange: Exchange): void {
    const { forwarder, connections, tally, log } = this.#options;
    this.#requests.admitted(req, exchange);
    connections.admit(exchange);
    connection.used = true;
    tally.tunnels += 1;
    req.socket.once("close", () => {
      connections.leave(exchange);
      tally.tunnels -= 1;
    });
    try {
      forwarder.upgrade(req, socket, head, exchange);
    } catch (error) {
      log.error({ err: error, requestId: exchange.requestId }, "a tunnel could not be opened");
      socket.destroy();
    }
  }
}
