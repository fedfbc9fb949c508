/** One listening socket: accepts connections, finds out who is at their other end, and speaks HTTP/1.1 with them. */
import { createServer as createHttpServer, type Server as HttpServer, type ServerOptions } from "node:http";
import { createServer as createHttpsServer, type Server as HttpsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { EdgeConfig, ListenerConfig } from "../config/settings.ts";
import type { Address } from "../core/address.ts";
import { canonicalHost } from "../core/host.ts";
import { Certificates } from "./certificates.ts";
import { Connection } from "./connection.ts";
import { readProxyHeader } from "./proxy-protocol.ts";
import { addressOfSocket, type TrustedProxies } from "./source.ts";

export interface ListenerOptions {
  readonly listener: ListenerConfig;
  readonly edge: EdgeConfig;
  readonly trustedProxies: TrustedProxies;
  readonly shouldUpgrade: NonNullable<ServerOptions["shouldUpgradeCallback"]>;
  /** Called before the first byte of a connection is read as HTTP. @param speakHttp has Node's server read it */
  readonly onConnection: (connection: Connection, speakHttp: AcceptSocket) => void;
}

type EdgeServer = HttpServer | HttpsServer;
export type AcceptSocket = (socket: Socket) => void;

/** Who is at the other end, as far as the transport tells. */
interface Peer {
  readonly address: Address;
  readonly trusted: boolean;
  readonly transport: Socket;
}

export class Listener {
  /** For the handlers of requests, upgrades and errors, which are the edge's. */
  readonly server: EdgeServer;
  readonly #options: ListenerOptions;
  readonly #certificates: Certificates | undefined;
  /** Every accepted TCP socket, also those that speak no HTTP yet. */
  readonly #sockets = new Set<Socket>();
  readonly #perAddress = new Map<string, number>();
  /** Peers of connections whose TLS handshake is under way. */
  readonly #shaking = new Map<string, Peer>();
  /** What Node itself does with a new connection. */
  readonly #accept: AcceptSocket;
  /** What Node's server does with a connection that carries HTTP. */
  readonly #speakHttp: AcceptSocket;

  constructor(options: ListenerOptions, certificates: Certificates | undefined) {
    this.#options = options;
    this.#certificates = certificates;
    this.server = createServer(options, certificates);
    this.#accept = takeOver(this.server, "connection", (socket) => this.#arrive(socket));
    this.#speakHttp =
      certificates === undefined
        ? this.#accept
        : takeOver(this.server, "secureConnection", (socket) => this.#secured(socket as TLSSocket));
  }

  /** @throws when the port is taken or a certificate is bad */
  static async open(options: ListenerOptions, prepare: (server: EdgeServer) => void): Promise<Listener> {
    const { host, port, fd, tls } = options.listener;
    const listener = new Listener(options, tls === undefined ? undefined : await Certificates.load(tls));
    prepare(listener.server);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    listener.server.once("error", reject);
    listener.server.listen(fd === undefined ? { host, port } : { fd }, resolve);
    await promise;
    listener.server.off("error", reject);
    return listener;
  }

  get address(): AddressInfo {
    return this.server.address() as AddressInfo;
  }

  /** Accepts no more. Connections that are open stay so. */
  stop(): void {
    this.server.close();
  }

  /** Breaks off everything that is still open, unfinished handshakes included. */
  close(): void {
    this.stop();
    for (const socket of this.#sockets) socket.destroy();
  }

  #arrive(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
    const address = addressOfSocket(socket.remoteAddress);
    if (address === undefined) {
      socket.destroy();
      return;
    }
    const trusted = this.#options.trustedProxies.includes(address);
    const { proxyProtocol } = this.#options.listener;
    if ((proxyProtocol && !trusted) || (!trusted && !this.#mayConnect(address, socket))) {
      socket.destroy();
      return;
    }
    if (!proxyProtocol) {
      this.#welcome({ address, trusted, transport: socket });
      return;
    }
    readProxyHeader(socket, this.#options.edge.timeouts.headersSeconds * 1000, (source) => {
      this.#welcome({ address: source ?? address, trusted, transport: socket });
      if (this.#certificates === undefined) socket.resume();
    });
  }

  #mayConnect(address: Address, socket: Socket): boolean {
    const limit = this.#options.edge.limits.connectionsPerAddress;
    if (limit === 0) return true;
    const key = address.text;
    const open = this.#perAddress.get(key) ?? 0;
    if (open >= limit) return false;
    this.#perAddress.set(key, open + 1);
    socket.once("close", () => {
      const left = (this.#perAddress.get(key) ?? 1) - 1;
      if (left === 0) this.#perAddress.delete(key);
      else this.#perAddress.set(key, left);
    });
    return true;
  }

  #welcome(peer: Peer): void {
    const socket = peer.transport;
    if (this.#certificates === undefined) {
      this.#connect(socket, peer, false, undefined);
      return;
    }
    const key = endsOf(socket);
    this.#shaking.set(key, peer);
    socket.once("close", () => this.#shaking.delete(key));
    this.#accept(socket);
  }

  #secured(socket: TLSSocket): void {
    const peer = this.#shaking.get(endsOf(socket));
    if (peer === undefined) {
      socket.destroy();
      return;
    }
    const { servername } = socket;
    this.#connect(socket, peer, true, typeof servername === "string" ? servername : undefined);
  }

  #connect(
    socket: Socket,
    { address: peer, trusted, transport }: Peer,
    tls: boolean,
    servername: string | undefined,
  ): void {
    const forwards = trusted && !this.#options.listener.proxyProtocol;
    const serverName = servername === undefined ? undefined : canonicalHost(servername);
    const connection = new Connection(socket, { peer, trusted, forwards, tls, transport, serverName });
    this.#options.onConnection(connection, this.#speakHttp);
  }
}

/** The four numbers that name a TCP connection: all that a TLS socket has in common with the one beneath it. */
function endsOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
}

/** Puts a listener in place of Node's own one, which it returns. */
function takeOver(server: EdgeServer, event: "connection" | "secureConnection", take: AcceptSocket): AcceptSocket {
  const [own] = server.listeners(event);
  server.removeAllListeners(event);
  server.on(event, take);
  return (own as AcceptSocket).bind(server);
}

function createServer(options: ListenerOptions, certificates: Certificates | undefined): EdgeServer {
  const { limits, timeouts } = options.edge;
  const http: ServerOptions = {
    httpValidation: "strict",
    // Room for the target and the fields each at their limit, so that the gate can say which was too large.
    maxHeaderSize: limits.headerBytes + limits.targetBytes,
    // The gate's own check also covers HTTP/1.0, and answers like the rest of its refusals.
    requireHostHeader: false,
    headersTimeout: timeouts.headersSeconds * 1000,
    // Limits the whole request, which would break long uploads; `Connection.isStuck` watches their progress.
    requestTimeout: 0,
    connectionsCheckingInterval: 1000,
    keepAliveTimeout: timeouts.keepAliveSeconds * 1000,
    noDelay: true,
    shouldUpgradeCallback: options.shouldUpgrade,
  };
  const server =
    certificates === undefined
      ? createHttpServer(http)
      : createHttpsServer({
          ...http,
          ...certificates.standard,
          minVersion: "TLSv1.2",
          ALPNProtocols: ["http/1.1"],
          handshakeTimeout: timeouts.headersSeconds * 1000,
          SNICallback: (name, done) => done(null, certificates.choose(name)),
        });
  server.maxConnections = limits.connections;
  // Zero counts none and drops none; the gate counts them and refuses.
  server.maxHeadersCount = 0;
  return server;
}
