/** Opens sockets to one upstream origin: TCP, TLS with a verified certificate, or a Unix socket. */

import { connect as connectTcp, isIP, type Socket } from "node:net";
import { connect as connectTls, type SecureContext } from "node:tls";
import { isRefusedPeer } from "../core/upstream.ts";
import { LENDS, READ_BYTES } from "./lending.ts";

/** Where an upstream is. */
export type Target =
  | { readonly kind: "tcp"; readonly host: string; readonly port: number }
  | { readonly kind: "tls"; readonly host: string; readonly port: number; readonly context: SecureContext | undefined }
  | { readonly kind: "unix"; readonly path: string };

export type Connected = (error: Error | undefined, socket: Socket | undefined) => void;

export class ConnectTimeoutError extends Error {
  readonly code = "EDGE_CONNECT_TIMEOUT";
}

/** Names move: one may come to mean the cloud's metadata service, of which nobody may ask anything through the gate. */
export class RefusedPeerError extends Error {
  readonly code = "EDGE_REFUSED_PEER";
}

const TCP_KEEP_ALIVE_MS = 60_000;

/** Where `origin` (`http://host:port` or `https://host:port`) is. */
export function targetOf(origin: string, context: SecureContext | undefined): Target {
  const url = new URL(origin);
  const host = url.hostname.replace(/^\[|\]$/g, "");
  if (url.protocol === "https:") return { kind: "tls", host, port: Number(url.port || 443), context };
  return { kind: "tcp", host, port: Number(url.port || 80) };
}

/**
 * Calls back exactly once: with a socket on which requests may be sent (for TLS: the certificate is valid and
 * names the host), or with the error. @returns a function that gives up, without calling back.
 */
export function openSocket(target: Target, timeoutMs: number, connected: Connected): () => void {
  const socket = begin(target);
  let settled = false;
  const settle = (error: Error | undefined): void => {
    if (settled) return;
    settled = true;
    clearTimeout(timer);
    if (error === undefined) {
      socket.off("error", settle);
      connected(undefined, socket);
    } else {
      socket.destroy();
      connected(error, undefined);
    }
  };
  const timer = setTimeout(() => settle(new ConnectTimeoutError("connecting took too long")), timeoutMs);
  socket.on("error", settle);
  if (target.kind !== "unix") {
    socket.once("connect", () => {
      if (isRefusedPeer(socket.remoteAddress ?? ""))
        settle(new RefusedPeerError("the name leads to an address that is off limits"));
    });
  }
  socket.once(target.kind === "tls" ? "secureConnect" : "connect", () => settle(undefined));
  return () => {
    settled = true;
    clearTimeout(timer);
    socket.destroy();
  };
}

function begin(target: Target): Socket {
  const shared = { highWaterMark: READ_BYTES, noDelay: true, ...LENDS };
  if (target.kind === "unix") return connectTcp({ ...shared, path: target.path });
  const { host, port } = target;
  const keepAlive = { keepAlive: true, keepAliveInitialDelay: TCP_KEEP_ALIVE_MS };
  if (target.kind === "tcp") return connectTcp({ ...shared, ...keepAlive, host, port });
  return connectTls({
    ...shared,
    ...keepAlive,
    host,
    port,
    ...(isIP(host) === 0 ? { servername: host } : {}),
    ...(target.context === undefined ? {} : { secureContext: target.context }),
    ALPNProtocols: ["http/1.1"],
    minVersion: "TLSv1.2",
    rejectUnauthorized: true,
  });
}
