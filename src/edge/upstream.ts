/** One upstream origin as this process sees it: its connections, who waits for one, and whether it answers. */
import type { Socket } from "node:net";
import type { Clock } from "../core/clock.ts";
import { type ConnectionOptions, UpstreamConnection } from "./upstream-connection.ts";
import { type Connected, openSocket, type Target } from "./upstream-socket.ts";
import { BusyError, type Waiter as LineWaiter, WaitingLine } from "./waiting-line.ts";

export interface UpstreamOptions extends ConnectionOptions {
  readonly connectMs: number;
  readonly maxConnections: number;
  readonly clock: Clock;
}

export type Waiter = LineWaiter<UpstreamConnection>;

/** A socket of its own for a request with a body. */
export interface Upload {
  /** Before it is connected. */
  giveUp(): void;
  /** All of the body has gone out; told by itself where the socket closes before. */
  end(): void;
}

/** Waiting requests per possible connection: beyond, waiting is hopeless and memory is at stake. */
const QUEUE_PER_CONNECTION = 4;
/** Of the connections, for requests whose body is still coming in: slow clients, or those who pretend to be, keep nobody else out. */
const UPLOAD_SHARE = 0.5;
const FIRST_COOL_DOWN_MS = 1_000;
const LONGEST_COOL_DOWN_MS = 30_000;

export class Upstream {
  readonly #target: Target;
  readonly #options: UpstreamOptions;
  /** The most recently used last: it is taken first, so that the others can grow old and close. */
  readonly #idle: UpstreamConnection[] = [];
  readonly #connections = new Set<UpstreamConnection>();
  readonly #waiting: WaitingLine<UpstreamConnection>;
  readonly #opening = new Set<() => void>();
  #uploads = 0;
  #failures = 0;
  #downUntilMs = 0;
  #closed = false;
  /** Exchanges and tunnels that use it now: what least-connections compares. */
  active = 0;

  constructor(target: Target, options: UpstreamOptions) {
    this.#target = target;
    this.#options = options;
    const { maxConnections, connectMs } = options;
    const places = maxConnections * QUEUE_PER_CONNECTION;
    this.#waiting = new WaitingLine({ places, patienceMs: connectMs, becameWhole: () => this.#serveWaiting() });
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
    if (this.#waiting.add(waiter)) this.#open();
    else waiter.unavailable(new BusyError("busy"));
  }

  cancel(waiter: Waiter): void {
    this.#waiting.remove(waiter);
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
    for (const give of [...this.#opening]) give();
    this.#waiting.destroy();
    for (const connection of [...this.#connections]) connection.destroy();
  }

  /** Opens a connection for each that waits, as far as there is room. */
  #open(): void {
    const wanted = (): number => this.#waiting.wanted(this.#uploadShare - this.#uploads);
    const room = (): number => this.#options.maxConnections - this.#connections.size;
    while (this.#opening.size < Math.min(wanted(), room())) this.#openOne();
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
    const waiter = this.#waiting.next(this.#mayUpload);
    if (waiter === undefined) return false;
    this.cancel(waiter);
    waiter.connected(connection);
    return true;
  }

  get #uploadShare(): number {
    return Math.max(1, this.#options.maxConnections * UPLOAD_SHARE);
  }

  get #mayUpload(): boolean {
    return this.#uploads < this.#uploadShare;
  }

  #serveWaiting(): void {
    while (this.#waiting.next(this.#mayUpload) !== undefined) {
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
    const waiter = this.#waiting.next(this.#mayUpload);
    if (waiter !== undefined) this.#waiting.fail(waiter, error);
    this.#open();
  }

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
