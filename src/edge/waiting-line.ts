/** Requests that wait for a connection to one upstream, those whose body is still coming in apart from the others. */

/** Waits for a connection; told exactly once, unless it is removed. */
export interface Waiter<Connection> {
  /** Some of its request's body is yet to come in. */
  readonly uploads: boolean;
  connected(connection: Connection): void;
  /** Nothing has been sent. */
  unavailable(error: Error): void;
}

/** Every connection is taken, and so is every place in the queue, or the wait took too long. */
export class BusyError extends Error {
  readonly code = "EDGE_BUSY";
}

export interface WaitingLineOptions {
  /** For either kind: beyond, waiting is hopeless and memory is at stake. */
  readonly places: number;
  readonly patienceMs: number;
  /** Some of those that waited for their bodies are like the others now. */
  readonly becameWhole: () => void;
}

/** How often it is looked whether a body has become whole while its request waits, which nobody tells. */
const LOOK_AGAIN_MS = 50;

export class WaitingLine<Connection> {
  readonly #options: WaitingLineOptions;
  /** In order of arrival, each with the time at which it gives up. */
  readonly #whole = new Map<Waiter<Connection>, number>();
  /** Likewise, those whose body was still coming in when they came: they take no places from the others. */
  readonly #uploads = new Map<Waiter<Connection>, number>();
  #alarm: NodeJS.Timeout | undefined;
  #look: NodeJS.Timeout | undefined;

  constructor(options: WaitingLineOptions) {
    this.#options = options;
  }

  /** @returns whether there was a place */
  add(waiter: Waiter<Connection>): boolean {
    const { places, patienceMs } = this.#options;
    const queue = waiter.uploads ? this.#uploads : this.#whole;
    if (queue.size >= places) return false;
    queue.set(waiter, performance.now() + patienceMs);
    this.#alarm ??= setTimeout(this.#expire, patienceMs).unref();
    if (waiter.uploads) this.#look ??= setTimeout(this.#lookAgain, LOOK_AGAIN_MS).unref();
    return true;
  }

  remove(waiter: Waiter<Connection>): void {
    this.#whole.delete(waiter);
    this.#uploads.delete(waiter);
  }

  /** Who has waited longest of those that may have a connection; it stays in line. */
  next(mayUpload: boolean): Waiter<Connection> | undefined {
    if (this.#whole.size + this.#uploads.size === 0) return undefined;
    const [[whole, wholeUntilMs] = [undefined, Infinity]] = this.#whole;
    if (!mayUpload) return whole;
    const [[upload, uploadUntilMs] = [undefined, Infinity]] = this.#uploads;
    return uploadUntilMs < wholeUntilMs ? upload : whole;
  }

  /** How many may have a connection, if so many bodies more may come in. */
  wanted(uploads: number): number {
    return this.#whole.size + Math.min(this.#uploads.size, Math.max(0, uploads));
  }

  fail(waiter: Waiter<Connection>, error: Error): void {
    this.remove(waiter);
    waiter.unavailable(error);
  }

  destroy(): void {
    clearTimeout(this.#alarm);
    clearTimeout(this.#look);
    this.#alarm = undefined;
    this.#look = undefined;
    for (const waiter of [...this.#whole.keys(), ...this.#uploads.keys()]) this.fail(waiter, new BusyError("closing"));
  }

  readonly #expire = (): void => {
    this.#alarm = undefined;
    const now = performance.now();
    let nextMs = Infinity;
    for (const [waiter, deadline] of [...this.#whole, ...this.#uploads]) {
      if (deadline > now) nextMs = Math.min(nextMs, deadline);
      else this.fail(waiter, new BusyError("waited too long for a connection"));
    }
    if (nextMs < Infinity) this.#alarm = setTimeout(this.#expire, nextMs - now).unref();
  };

  readonly #lookAgain = (): void => {
    this.#look = undefined;
    const whole = [...this.#uploads].filter(([waiter]) => !waiter.uploads);
    for (const [waiter] of whole) this.#uploads.delete(waiter);
    if (whole.length > 0) {
      const all = [...this.#whole, ...whole].sort(([, one], [, other]) => one - other);
      this.#whole.clear();
      for (const [waiter, untilMs] of all) this.#whole.set(waiter, untilMs);
      this.#options.becameWhole();
    }
    if (this.#uploads.size > 0) this.#look = setTimeout(this.#lookAgain, LOOK_AGAIN_MS).unref();
  };
}
