/** One keep-alive connection to an upstream: undici's HTTP/1.1 client around a socket that is already open. */
import type { Socket } from "node:net";
import { Client, type Dispatcher } from "undici";

export interface ConnectionOptions {
  readonly keepAliveMs: number;
  readonly responseHeadersMs: number;
  readonly responseIdleMs: number;
}

export interface ConnectionEvents {
  /** It can carry the next request. */
  free(connection: UpstreamConnection): void;
  /** It is gone; requests on it have been, or are about to be, told. */
  gone(connection: UpstreamConnection): void;
}

/** The upstream had closed the connection before any byte of the request was written: sending it elsewhere is safe. */
export class NothingSentError extends Error {
  readonly code = "EDGE_NOTHING_SENT";
}

/** Names and values of a response head together; a longer one fails the request. */
export const RESPONSE_HEAD_BYTES = 64 * 1024;

/** Stands in the client's URL, which only names the peer: the socket comes from us, TLS and all. */
const PLACEHOLDER_ORIGIN = "http://upstream";

export class UpstreamConnection {
  readonly #client: Client;
  readonly #socket: Socket;
  /** Requests given to it so far. */
  uses = 0;
  /** The pool's mark: it lies ready. */
  idle = false;

  constructor(socket: Socket, options: ConnectionOptions, events: ConnectionEvents) {
    this.#socket = socket;
    let unused: Socket | undefined = socket;
    socket.on("error", () => {});
    socket.once("close", () => events.gone(this));
    this.#client = new Client(PLACEHOLDER_ORIGIN, {
      // A second call means that the socket was lost: the pool opens another, undici must not.
      connect: (_options, callback) => {
        const given = unused;
        unused = undefined;
        queueMicrotask(() => {
          if (given === undefined || given.destroyed) callback(new NothingSentError("the connection is gone"), null);
          else callback(null, given);
        });
      },
      pipelining: 1,
      maxHeaderSize: RESPONSE_HEAD_BYTES,
      keepAliveTimeout: options.keepAliveMs,
      keepAliveMaxTimeout: options.keepAliveMs,
      headersTimeout: options.responseHeadersMs,
      bodyTimeout: options.responseIdleMs,
    });
    this.#client.on("drain", () => events.free(this));
  }

  send(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): void {
    this.uses += 1;
    this.#client.dispatch(options, handler);
  }

  /** Closes at once; a request on it fails. */
  destroy(): void {
    void this.#client.destroy();
    this.#socket.destroy();
  }
}
