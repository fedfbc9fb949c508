/** A rate limit that one process keeps by itself, so that whoever asks too often costs next to nothing. */
import type { Clock } from "./clock.ts";
import { giveOneBack, takeOne } from "./gcra.ts";
import type { RateLimit } from "./store.ts";

/** A key is forgotten when more than `remembered` others have asked since it did, and at the latest after twice as many. */
export class LocalLimit {
  readonly #limit: RateLimit;
  readonly #clock: Clock;
  readonly #remembered: number;
  #recent = new Map<string, number>();
  #earlier = new Map<string, number>();

  constructor(limit: RateLimit, clock: Clock, remembered: number) {
    this.#limit = limit;
    this.#clock = clock;
    this.#remembered = remembered;
  }

  /** Takes one. @returns how long to wait in milliseconds; 0: it was there */
  take(key: string): number {
    const { fullAtMs, retryAfterMs } = takeOne(this.#fullAtMs(key), this.#limit, this.#clock.nowMs());
    this.#keep(key, fullAtMs);
    return retryAfterMs;
  }

  /** Puts one back that was taken. */
  giveBack(key: string): void {
    this.#keep(key, giveOneBack(this.#fullAtMs(key), this.#limit, this.#clock.nowMs()));
  }

  #fullAtMs(key: string): number {
    return this.#recent.get(key) ?? this.#earlier.get(key) ?? 0;
  }

  #keep(key: string, fullAtMs: number): void {
    if (this.#recent.size >= this.#remembered && !this.#recent.has(key)) {
      this.#earlier = this.#recent;
      this.#recent = new Map();
    }
    this.#recent.set(key, fullAtMs);
  }
}
