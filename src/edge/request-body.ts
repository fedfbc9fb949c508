/** A request's body on its way to the upstream: flat memory, and never the end of the client's connection. */
import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { linesOf, passedTrailers } from "./header-rules.ts";
import type { UpstreamRequest } from "./upstream-connection.ts";

type BodyForm = Pick<UpstreamRequest, "chunked" | "trailers">;

/** Passes on what the client sends, in chunks where its length is not known, as fast as the upstream takes it. */
export class RequestBody {
  readonly #req: IncomingMessage;
  readonly #socket: Socket;
  readonly #chunked: boolean;
  readonly #passesTrailers: boolean;
  readonly #progress: () => void;
  /** All of it is written. */
  done = false;

  /**
   * @param form whether it goes out in chunks, and whether trailers may pass
   * @param progress called after each piece
   */
  constructor(req: IncomingMessage, socket: Socket, form: BodyForm, progress: () => void) {
    this.#req = req;
    this.#socket = socket;
    this.#chunked = form.chunked;
    this.#passesTrailers = form.trailers !== undefined;
    this.#progress = progress;
    req.on("data", this.#onData).on("end", this.#onEnd);
    req.resume();
  }

  resume(): void {
    if (!this.done) this.#req.resume();
  }

  /** Nobody wants the rest: it is read and dropped, so that the client's connection can go on. */
  drop(): void {
    this.#req.off("data", this.#onData).off("end", this.#onEnd).resume();
  }

  readonly #onData = (piece: Buffer): void => {
    if (!this.#write(piece)) this.#req.pause();
    this.#progress();
  };

  readonly #onEnd = (): void => {
    this.done = true;
    const trailers = this.#passesTrailers ? passedTrailers(this.#req.rawTrailers) : [];
    if (this.#chunked) this.#socket.write(lastChunk(trailers), "latin1");
    this.#progress();
  };

  #write(piece: Buffer): boolean {
    const socket = this.#socket;
    if (!this.#chunked) return socket.write(piece);
    socket.cork();
    socket.write(`${piece.length.toString(16)}\r\n`, "latin1");
    socket.write(piece);
    const goesOn = socket.write("\r\n", "latin1");
    socket.uncork();
    return goesOn;
  }
}

/** The end of a body in chunks (RFC 9112, 7.1). */
export function lastChunk(trailers: readonly [string, string][]): string {
  return `0\r\n${linesOf(trailers.flat())}\r\n`;
}
