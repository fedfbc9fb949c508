/** One timer for everything that waits: a request starts none of its own, and what is late is found by looking. */

export interface Timed {
  /** The tick by which something must have happened. */
  readonly dueTick: number;
  /** It has not. */
  expire(): void;
}

const SHORTEST_TICK_MS = 10;
const LONGEST_TICK_MS = 1_000;
/** Of the shortest time-out: how much later than that it may be noticed. */
const TICKS_PER_TIMEOUT = 4;

/** Ticks while anybody waits, and does not keep the process alive. */
export class Ticker {
  readonly #tickMs: number;
  readonly #waiting = new Set<Timed>();
  #timer: NodeJS.Timeout | undefined;
  #now = 0;

  /** @param shortestMs the shortest time that will be waited for */
  constructor(shortestMs: number) {
    this.#tickMs = Math.max(SHORTEST_TICK_MS, Math.min(LONGEST_TICK_MS, shortestMs / TICKS_PER_TIMEOUT));
  }

  add(timed: Timed): void {
    this.#waiting.add(timed);
    this.#timer ??= setInterval(() => this.#tick(), this.#tickMs).unref();
  }

  delete(timed: Timed): void {
    this.#waiting.delete(timed);
    if (this.#waiting.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** The first tick that is certainly not before so many milliseconds from now. Hot path: a division. */
  tickIn(ms: number): number {
    return this.#now + Math.ceil(ms / this.#tickMs) + 1;
  }

  #tick(): void {
    this.#now += 1;
    for (const timed of this.#waiting) if (timed.dueTick <= this.#now) timed.expire();
  }
}
