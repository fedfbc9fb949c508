/** A request's body on its way to the upstream: flat memory, and never the end of the client's connection. */
import { EventEmitter } from "node:events";
import type { IncomingMessage } from "node:http";
import type { Readable } from "node:stream";

/**
 * Stands between the client's request and undici, which ends a body stream it is done with: ending the
 * request itself would break the client's connection although its answer is still on the way. Ended here, the
 * rest of the request is read and dropped, so that the connection can go on.
 */
export class RequestBody extends EventEmitter {
  readonly #req: IncomingMessage;
  #started = false;
  destroyed = false;

  constructor(req: IncomingMessage) {
    super();
    this.#req = req;
  }

  /** Whether nothing has been taken from the request, so that another may still take it. */
  get untouched(): boolean {
    return !this.#started && !this.destroyed;
  }

  /** As what undici takes for a stream: it uses `on`, `pause`, `resume` and `destroy`, and looks for `pipe`. */
  asStream(): Readable {
    return this as unknown as Readable;
  }

  pipe(): never {
    throw new Error("a request body is not piped");
  }

  resume(): this {
    if (this.destroyed) return this;
    if (!this.#started) {
      this.#started = true;
      this.#req.on("data", this.#onData).on("end", this.#onEnd);
    }
    this.#req.resume();
    return this;
  }

  pause(): this {
    if (!this.destroyed) this.#req.pause();
    return this;
  }

  destroy(): this {
    if (this.destroyed) return this;
    this.destroyed = true;
    this.#req.off("data", this.#onData).off("end", this.#onEnd).resume();
    return this;
  }

  readonly #onData = (chunk: Buffer): void => {
    this.emit("data", chunk);
  };

  readonly #onEnd = (): void => {
    this.emit("end");
  };
}
