/** How often one network may ask for the gate's own pages. In memory, so that whoever asks too often costs next to nothing. */
import { LRUCache } from "lru-cache";
import type { Address } from "../core/address.ts";
import type { Clock } from "../core/clock.ts";
import { takeOne } from "../core/gcra.ts";

/**
 * Fifty a second, and a thousand at once. One sign-in asks eight times, so that a hospital of which 200 people a
 * minute sign in from behind one address takes half of it, after 125 who press the same key at the same moment.
 */
export const PAGE_TURNS = { burst: 1_000, periodMs: 20_000 };
/** Networks remembered: some 10 MB. Who is dropped has asked for nothing since this many others did. */
const MOST_NETWORKS = 50_000;

export class PageTurns {
  readonly #clock: Clock;
  readonly #onRefusal: () => void;
  readonly #fullAtMs: LRUCache<string, number>;

  /** @param onRefusal hears of each request that has to wait */
  constructor(clock: Clock, onRefusal: () => void, mostNetworks: number = MOST_NETWORKS) {
    this.#clock = clock;
    this.#onRefusal = onRefusal;
    this.#fullAtMs = new LRUCache({ max: mostNetworks });
  }

  /** Takes a turn of the IPv4 address or IPv6 /64. @returns how long to wait in milliseconds; 0: it was there */
  take({ family, a, b }: Address): number {
    const network = family === 4 ? `${a}` : `${a}:${b}`;
    const { fullAtMs, retryAfterMs } = takeOne(this.#fullAtMs.get(network) ?? 0, PAGE_TURNS, this.#clock.nowMs());
    this.#fullAtMs.set(network, fullAtMs);
    if (retryAfterMs > 0) this.#onRefusal();
    return retryAfterMs;
  }
}
