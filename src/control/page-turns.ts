/** How often one network may ask for the gate's own pages, each tenant's and all of them. */
import type { Address } from "../core/address.ts";
import type { Clock } from "../core/clock.ts";
import { LocalLimit } from "../core/local-limit.ts";

/**
 * Fifty a second, and a thousand at once. One sign-in asks eight times, so that a hospital of which 200 people a
 * minute sign in from behind one address takes half of it, after 125 who press the same key at the same moment.
 */
const OF_TENANT = { burst: 1_000, periodMs: 20_000 };
/** Four tenants' worth: who asks too often of one takes nothing from the others, and asking all of them is no way round. */
const OF_ALL = { burst: 4 * OF_TENANT.burst, periodMs: OF_TENANT.periodMs };
/** Networks remembered, with twice as many at most some 10 MB. Who is dropped has asked for nothing since these did. */
const NETWORKS = 25_000;

export class PageTurns {
  readonly #onRefusal: () => void;
  readonly #ofTenant: LocalLimit;
  readonly #ofAll: LocalLimit;

  /** @param onRefusal hears of each request that has to wait */
  constructor(clock: Clock, onRefusal: () => void, networks: number = NETWORKS) {
    this.#onRefusal = onRefusal;
    this.#ofTenant = new LocalLimit(OF_TENANT, clock, networks);
    this.#ofAll = new LocalLimit(OF_ALL, clock, networks);
  }

  /**
   * Takes a turn of the IPv4 address or IPv6 /64 at this tenant's pages. @returns how long to wait in milliseconds;
   * 0: it was there
   */
  take(tenant: string, { family, a, b }: Address): number {
    const network = family === 4 ? `${a}` : `${a}:${b}`;
    const there = `${network} ${tenant}`;
    const waitMs = this.#ofTenant.take(there) || this.#takeOfAll(network, there);
    if (waitMs > 0) this.#onRefusal();
    return waitMs;
  }

  /** Who is refused here keeps what the tenant's pages allow. */
  #takeOfAll(network: string, there: string): number {
    const waitMs = this.#ofAll.take(network);
    if (waitMs > 0) this.#ofTenant.giveBack(there);
    return waitMs;
  }
}
