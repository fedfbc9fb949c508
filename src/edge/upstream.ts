/** One upstream origin as this process sees it: its connections, who waits for one, and whether it answers. */
import type { Socket } from "node:net";
import type { Clock } from "../core/clock.ts";
import { type ConnectionOptions, UpstreamConnection } from "./upstream-connection.ts";
import { type Connected, openSocket, type Target } from "./upstream-socket.ts";

export interface UpstreamOptions extends ConnectionOptions {
  readonly connectMs: number;
  readonly maxConnections: number;
  readonly clock: Clock;
}

/** Waits for a connection; told exactly once, unless it cancels. */
export interface Waiter {
  /** Some of its request's body is yet to come in. */
  readonly uploads: boolean;
  connected(connection: UpstreamConnection): void;
  /** Nothing has been sent. */
  unavailable(error: Error): void;
}

/** A socket of its own for a request with a body. */
export interface Upload {
  /** Before it is connected. */
  giveUp(): void;
  /** All of the body has gone out; told by itself where the socket closes before. */
  end(): void;
}

/** Every connection is taken, and so is every place in the queue, or the wait took too long. */
export class BusyError extends Error {
  readonly code = "EDGE_BUSY";
}

/** Waiting requests per possible connection: beyond, waiting is hopeless and memory is at stake. */
const QUEUE_PER_CONNECTION = 4;
/** Of the connections, for requests whose body is still coming in: slow clients, or those who pretend to be, keep nobody else out. */
const UPLOAD_SHARE = 0.5;
/** How often it is looked whether a body has become whole while its request waits, which nobody tells. */
const LOOK_AGAIN_MS = 50;
const FIRST_COOL_DOWN_MS = 1_000;
const LONGEST_COOL_DOWN_MS = 30_000;

export class Upstream {
  readonly #target: Target;
  readonly #options: UpstreamOptions;
  /** The most recently used last: it is taken first, so that the others can grow old and close. */
  readonly #idle: UpstreamConnection[] = [];
  readonly #connections = new Set<UpstreamConnection>();
  /** In order of arrival, each with the time at which it gives up. */
  readonly #waiting = new Map<Waiter, number>();
  /** Likewise, those whose request's body was still coming in when they came: they take no places from the others. */
  readonly #uploadsWaiting = new Map<Waiter, number>();
  readonly #opening = new Set<() => void>();
  #alarm: NodeJS.Timeout | undefined;
  #look: NodeJS.Timeout | undefined;
  #uploads = 0;
  #failures = 0;
  #downUntilMs = 0;
  #closed = false;
  /** Exchanges and tunnels that use it now: what least-connections compares. */
  active = 0;

  constructor(target: Target, options: UpstreamOptions) {
    this.#target = target;
    this.#options = options;
  }

  /** When it may be tried again after failures to connect; 0 while it is well. */
  get downUntilMs(): number {
    return this.#downUntilMs;
  }

  /** Hands the waiter a connection: at once if one is idle. */
  acquire(waiter: Waiter): void {
    const idle = waiter.uploads && !this.#mayUpload ? undefined : this.#takeIdle();
    if (idle !== undefined) {
      waiter.connected(idle);
      return;
    }
    const { maxConnections, connectMs } = this.#options;
    const queue = waiter.uploads ? this.#uploadsWaiting : this.#waiting;
    if (queue.size >= maxConnections * QUEUE_PER_CONNECTION) {
      waiter.unavailable(new BusyError("busy"));
      return;
    }
    queue.set(waiter, performance.now() + connectMs);
    this.#open();
    this.#alarm ??= setTimeout(this.#expire, connectMs).unref();
    if (waiter.uploads) this.#look ??= setTimeout(this.#lookAgain, LOOK_AGAIN_MS).unref();
  }

  cancel(waiter: Waiter): void {
    this.#waiting.delete(waiter);
    this.#uploadsWaiting.delete(waiter);
  }

  /** A socket outside the pool, for what takes a connection for itself. @returns a function that gives up. */
  open(connected: Connected): () => void {
    return openSocket(this.#target, this.#options.connectMs, (error, socket) => {
      this.#noteHealth(error);
      connected(error, socket);
    });
  }

  /** The same for a request whose body is yet to be asked for: until {@link Upload.end} it counts as coming in. */
  openUpload(connected: Connected): Upload {
    if (!this.#mayUpload) {
      connected(new BusyError("too many bodies are coming in"), undefined);
      return { giveUp: () => {}, end: () => {} };
    }
    this.uploadBegan();
    let ended = false;
    const end = () => {
      if (!ended) this.uploadEnded();
      ended = true;
    };
    const giveUp = this.open((error, socket) => {
      if (socket === undefined) end();
      else socket.once("close", end);
      connected(error, socket);
    });
    const giveUpAll = () => {
      giveUp();
      end();
    };
    return { giveUp: giveUpAll, end };
  }

  /** Idle connections close now, the others after their request. */
  close(): void {
    this.#closed = true;
    for (const connection of this.#idle.splice(0)) connection.destroy();
  }

  /** Everything ends now. */
  destroy(): void {
    this.#closed = true;
    clearTimeout(this.#alarm);
    clearTimeout(this.#look);
    this.#alarm = undefined;
    this.#look = undefined;
    for (const give of [...this.#opening]) give();
    for (const waiter of [...this.#waiting.keys(), ...this.#uploadsWaiting.keys()])
      this.#fail(waiter, new BusyError("closing"));
    for (const connection of [...this.#connections]) connection.destroy();
  }

  /** Opens a connection for each that waits, as far as there is room. */
  #open(): void {
    while (this.#opening.size < Math.min(this.#wanted, this.#options.maxConnections - this.#connections.size)) {
      this.#openOne();
    }
  }

  /** How many of those that wait may have a connection. */
  get #wanted(): number {
    return this.#waiting.size + Math.min(this.#uploadsWaiting.size, Math.max(0, this.#uploadShare - this.#uploads));
  }

  #openOne(): void {
    let settled = false;
    const giveUp = openSocket(this.#target, this.#options.connectMs, (error, socket) => {
      settled = true;
      this.#opening.delete(giveUp);
      this.#noteHealth(error);
      if (socket === undefined) this.#failWaiting(error ?? new Error("no socket"));
      else if (socket.readableLength > 0) {
        socket.destroy();
        this.#failWaiting(new Error("the upstream speaks before it is asked"));
      } else this.#add(socket);
    });
    if (!settled) this.#opening.add(giveUp);
  }

  #add(socket: Socket): void {
    const connection = new UpstreamConnection(socket, this.#options, this);
    this.#connections.add(connection);
    // One that nobody waits for any more would lie idle unwatched.
    if (!this.#serve(connection)) connection.destroy();
  }

  #serve(connection: UpstreamConnection): boolean {
    const waiter = this.#next();
    if (waiter === undefined) return false;
    this.cancel(waiter);
    waiter.connected(connection);
    return true;
  }

  /** Who has waited longest of those that may have a connection. */
  #next(): Waiter | undefined {
    if (this.#waiting.size + this.#uploadsWaiting.size === 0) return undefined;
    const [[whole, wholeUntilMs] = [undefined, Infinity]] = this.#waiting;
    if (!this.#mayUpload) return whole;
    const [[upload, uploadUntilMs] = [undefined, Infinity]] = this.#uploadsWaiting;
    return uploadUntilMs < wholeUntilMs ? upload : whole;
  }

  get #uploadShare(): number {
    return Math.max(1, this.#options.maxConnections * UPLOAD_SHARE);
  }

  get #mayUpload(): boolean {
    return this.#uploads < this.#uploadShare;
  }

  readonly #lookAgain = (): void => {
    this.#look = undefined;
    const whole = [...this.#uploadsWaiting].filter(([waiter]) => !waiter.uploads);
    for (const [waiter] of whole) this.#uploadsWaiting.delete(waiter);
    const waiting = [...this.#waiting, ...whole].sort(([, one], [, other]) => one - other);
    this.#waiting.clear();
    for (const [waiter, untilMs] of waiting) this.#waiting.set(waiter, untilMs);
    this.#serveWaiting();
    if (this.#uploadsWaiting.size > 0) this.#look = setTimeout(this.#lookAgain, LOOK_AGAIN_MS).unref();
  };

  #serveWaiting(): void {
    while (this.#next() !== undefined) {
      const idle = this.#takeIdle();
      if (idle === undefined) {
        this.#open();
        return;
      }
      this.#serve(idle);
    }
  }

  #takeIdle(): UpstreamConnection | undefined {
    for (let idle = this.#idle.pop(); idle !== undefined; idle = this.#idle.pop()) {
      idle.idle = false;
      if (idle.usable) return idle;
    }
    return undefined;
  }

  uploadBegan(): void {
    this.#uploads += 1;
  }

  uploadEnded(): void {
    this.#uploads -= 1;
    this.#serveWaiting();
  }

  free(connection: UpstreamConnection): void {
    if (connection.idle || !this.#connections.has(connection) || this.#serve(connection)) return;
    if (this.#closed) {
      connection.destroy();
      return;
    }
    connection.idle = true;
    this.#idle.push(connection);
  }

  gone(connection: UpstreamConnection): void {
    if (!this.#connections.delete(connection)) return;
    const at = this.#idle.indexOf(connection);
    if (at >= 0) this.#idle.splice(at, 1);
    this.#open();
  }

  /** One attempt failed: one request learns of it, the first; the others have attempts or connections of their own. */
  #failWaiting(error: Error): void {
    const waiter = this.#next();
    if (waiter !== undefined) this.#fail(waiter, error);
    this.#open();
  }

  #fail(waiter: Waiter, error: Error): void {
    this.cancel(waiter);
    waiter.unavailable(error);
  }

  readonly #expire = (): void => {
    this.#alarm = undefined;
    const now = performance.now();
    let nextMs = Infinity;
    for (const [waiter, deadline] of [...this.#waiting, ...this.#uploadsWaiting]) {
      if (deadline > now) nextMs = Math.min(nextMs, deadline);
      else this.#fail(waiter, new BusyError("waited too long for a connection"));
    }
    if (nextMs < Infinity) this.#alarm = setTimeout(this.#expire, nextMs - now).unref();
  };

  #noteHealth(error: Error | undefined): void {
    if (error === undefined) {
      this.#failures = 0;
      this.#downUntilMs = 0;
      return;
    }
    const coolDown = Math.min(FIRST_COOL_DOWN_MS * 2 ** this.#failures, LONGEST_COOL_DOWN_MS);
    this.#failures += 1;
    this.#downUntilMs = this.#options.clock.nowMs() + coolDown;
  }
}
