/** One edge, composed: listeners, gate, live connections, and the way on. */
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { EdgeConfig, StalenessConfig } from "../config/settings.ts";
import type { Clock } from "../core/clock.ts";
import type { TenantId } from "../core/ids.ts";
import type { Logger } from "../core/log.ts";
import type { PolicyReplica } from "../replica/policy.ts";
import { AwaitedBodies } from "./awaited-bodies.ts";
import type { Connection } from "./connection.ts";
import { Connections } from "./connections.ts";
import { Forwarder } from "./forward.ts";
import { Gate } from "./gate.ts";
import { addressOf, openHealthListener } from "./health.ts";
import { type AcceptSocket, Listener } from "./listener.ts";
import { PlainConnection } from "./plain-connection.ts";
import { Reception } from "./reception.ts";
import type { SessionDirectory } from "./sessions.ts";
import { TrustedProxies } from "./source.ts";
import type { Tally } from "./tally.ts";

export interface EdgeOptions {
  readonly config: EdgeConfig;
  readonly staleness: StalenessConfig;
  readonly replica: PolicyReplica;
  /** The path of control's Unix socket for pages. */
  readonly pagesSocket: string;
  readonly tally: Tally;
  readonly sessions: SessionDirectory;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface Edge {
  /** Where it listens, in the order of the configuration. */
  readonly addresses: AddressInfo[];
  readonly healthAddress: AddressInfo | undefined;
  /** Accepts no more, lets what runs end, and breaks off what is left after the deadline. */
  drain(deadlineMs: number): Promise<void>;
  /** Breaks everything off. */
  close(): Promise<void>;
}

/** @throws when a port is taken, a certificate is bad, or a trusted proxy is not a prefix */
export async function startEdge(options: EdgeOptions): Promise<Edge> {
  const edge = new RunningEdge(options);
  try {
    await edge.open();
  } catch (error) {
    await edge.close();
    throw error;
  }
  return edge;
}

class RunningEdge implements Edge {
  readonly #options: EdgeOptions;
  readonly #trustedProxies: TrustedProxies;
  readonly #forwarder: Forwarder;
  readonly #connections: Connections;
  readonly #reception: Reception;
  readonly #awaited = new AwaitedBodies();
  readonly #listeners: Listener[] = [];
  #health: Server | undefined;

  constructor(options: EdgeOptions) {
    const { config, replica, pagesSocket, tally, sessions, clock, log } = options;
    const { limits, timeouts } = config;
    this.#options = options;
    this.#trustedProxies = new TrustedProxies(config.trustedProxies);
    this.#forwarder = new Forwarder({ config, pagesSocket, clock, log });
    const gate = new Gate({ replica, trustedProxies: this.#trustedProxies, limits, clock, sessions });
    this.#connections = new Connections({
      tally,
      clock,
      reconsider: (exchange, nowMs) => gate.reconsider(exchange, nowMs),
      serving: (nowMs) => replica.state(nowMs) === "serving",
      requestIdleSeconds: timeouts.requestIdleSeconds,
      writeIdleSeconds: timeouts.writeIdleSeconds,
    });
    this.#reception = new Reception({
      gate,
      sessions,
      connections: this.#connections,
      forwarder: this.#forwarder,
      tally,
      clock,
      log,
    });
    replica.onSessionEnd((ended) => sessions.end(ended));
    replica.onChange((tenants) => {
      this.#connections.changed(tenants);
      for (const id of tenants === "all" ? this.#forwarder.knownTenants() : tenants) this.#updateUpstreams(id);
    });
  }

  async open(): Promise<void> {
    const { config, replica, tally, clock } = this.#options;
    for (const listener of config.listen) {
      const opened = await Listener.open(
        {
          listener,
          edge: config,
          trustedProxies: this.#trustedProxies,
          shouldUpgrade: this.#reception.shouldUpgrade,
          onConnection: (connection, handOver) => this.#welcome(connection, handOver),
        },
        (server) => this.#reception.attend(server),
      );
      this.#listeners.push(opened);
    }
    if (config.healthListen === undefined) return;
    this.#health = await openHealthListener(config.healthListen, {
      state: () => (this.#connections.draining ? "draining" : replica.state(clock.nowMs())),
      metrics: () => tally.metrics(),
    });
  }

  get addresses(): AddressInfo[] {
    return this.#listeners.map(({ address }) => address);
  }

  get healthAddress(): AddressInfo | undefined {
    return this.#health === undefined ? undefined : addressOf(this.#health);
  }

  async drain(deadlineMs: number): Promise<void> {
    for (const listener of this.#listeners) listener.stop();
    await this.#connections.drain(deadlineMs);
    await this.close();
  }

  async close(): Promise<void> {
    for (const listener of this.#listeners) listener.close();
    this.#health?.close();
    this.#health?.closeAllConnections();
    this.#connections.close();
    this.#forwarder.close();
  }

  #welcome(connection: Connection, handOver: AcceptSocket): void {
    const { headersSeconds, keepAliveSeconds } = this.#options.config.timeouts;
    this.#connections.add(connection);
    const times = { headersMs: headersSeconds * 1000, keepAliveMs: keepAliveSeconds * 1000 };
    new PlainConnection(connection, { receiver: this.#reception, awaited: this.#awaited, handOver, ...times });
  }

  #updateUpstreams(id: TenantId): void {
    this.#forwarder.tenantChanged(id, this.#options.replica.tenant(id));
  }
}
