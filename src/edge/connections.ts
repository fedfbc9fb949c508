/** Everything that is open at this edge: cut when it loses its right, closed when it is stuck, drained at the end. */
import type { Clock } from "../core/clock.ts";
import type { TenantId } from "../core/ids.ts";
import type { ClientResponse } from "./client-message.ts";
import type { Connection } from "./connection.ts";
import type { Exchange } from "./exchange.ts";
import type { Tally } from "./tally.ts";

/** Whether an exchange would be let through now; brings its expiry up to date. */
export type Reconsider = (exchange: Exchange, nowMs: number) => boolean;

export interface ConnectionsOptions {
  readonly tally: Tally;
  readonly clock: Clock;
  readonly reconsider: Reconsider;
  /** Whether policy is known well enough to decide; when it is not, nothing keeps its right. */
  readonly serving: (nowMs: number) => boolean;
  readonly requestIdleSeconds: number;
  readonly writeIdleSeconds: number;
}

/** Between two passes lie nine times the duration of the last, so that they take a tenth of the time, within these bounds. */
const LEAST_PAUSE_MS = 5;
const LONGEST_PAUSE_MS = 40;

/** How long a connection that was just made may take to send its first request while the edge drains. */
const FIRST_REQUEST_GRACE_MS = 1_000;

/** The exchanges of one tenant: an intrusive list, so that beginning and ending one allocates nothing. */
interface Traffic {
  first: Exchange | undefined;
}

export class Connections {
  readonly #options: ConnectionsOptions;
  readonly #open = new Set<Connection>();
  readonly #traffic = new Map<TenantId, Traffic>();
  readonly #changed = new Set<TenantId>();
  #allChanged = false;
  #pass: NodeJS.Timeout | undefined;
  #pauseMs = LEAST_PAUSE_MS;
  #lastPassAtMs = Number.NEGATIVE_INFINITY;
  #ticker: NodeJS.Timeout | undefined;
  #draining = false;
  #emptied: (() => void) | undefined;

  constructor(options: ConnectionsOptions) {
    this.#options = options;
    this.#scheduleTick();
  }

  get draining(): boolean {
    return this.#draining;
  }

  add(connection: Connection): void {
    this.#open.add(connection);
    this.#options.tally.connections += 1;
    connection.socket.once("close", () => this.#remove(connection));
  }

  /** An answer begins, whatever it will be; it ends with {@link ended}. */
  begun(connection: Connection, res: Pick<ClientResponse, "headersSent" | "setHeader">): void {
    connection.used = true;
    connection.answer = res;
    this.#options.tally.inFlight += 1;
    if (this.#draining) res.setHeader("Connection", "close");
  }

  /** What {@link begun} began is begun anew by another reader. */
  withdrawn(connection: Connection): void {
    connection.answer = undefined;
    this.#options.tally.inFlight -= 1;
  }

  ended(connection: Connection): void {
    this.withdrawn(connection);
    if (connection.receiving?.complete === true) connection.receiving = undefined;
    if (this.#draining) connection.socket.destroySoon();
  }

  /** From now on the exchange is cut when it loses its right. */
  admit(exchange: Exchange): void {
    const id = exchange.tenant.id;
    let traffic = this.#traffic.get(id);
    if (traffic === undefined) {
      traffic = { first: undefined };
      this.#traffic.set(id, traffic);
    }
    exchange.next = traffic.first;
    if (traffic.first !== undefined) traffic.first.previous = exchange;
    traffic.first = exchange;
  }

  leave(exchange: Exchange): void {
    const { previous, next } = exchange;
    const traffic = this.#traffic.get(exchange.tenant.id);
    if (next !== undefined) next.previous = previous;
    if (previous !== undefined) previous.next = next;
    else if (traffic?.first === exchange) traffic.first = next;
    exchange.previous = undefined;
    exchange.next = undefined;
  }

  /**
   * Policy changed: soon looks again at what runs for these tenants. Changes that come faster than a pass over
   * the exchanges is cheap share one; the wait stays under 50 ms.
   */
  changed(tenants: ReadonlySet<TenantId> | "all"): void {
    if (tenants === "all") this.#allChanged = true;
    else for (const tenant of tenants) if (this.#traffic.has(tenant)) this.#changed.add(tenant);
    if (this.#pass !== undefined || (!this.#allChanged && this.#changed.size === 0)) return;
    const waitMs = Math.max(0, this.#lastPassAtMs + this.#pauseMs - performance.now());
    this.#pass = setTimeout(() => this.#reconsiderChanged(), waitMs);
  }

  /** What is due once a second: entries that have expired, and clients that hold a connection without using it. */
  tick(): void {
    const nowMs = this.#options.clock.nowMs();
    const onlyExpired = this.#options.serving(nowMs);
    for (const traffic of this.#traffic.values()) this.#reconsider(traffic, nowMs, onlyExpired);
    const { requestIdleSeconds, writeIdleSeconds } = this.#options;
    const monotonicMs = performance.now();
    for (const connection of this.#open) {
      connection.plain?.tick(monotonicMs);
      if (connection.isStuck(requestIdleSeconds, writeIdleSeconds)) connection.cut();
    }
  }

  /** Lets answers end, tells clients not to send more, and breaks off what is left after `deadlineMs`. */
  async drain(deadlineMs: number): Promise<void> {
    this.#draining = true;
    for (const connection of this.#open) {
      if (connection.used) this.#endIfIdle(connection);
      if (connection.answer?.headersSent === false) connection.answer.setHeader("Connection", "close");
    }
    const grace = setTimeout(() => {
      for (const connection of this.#open) this.#endIfIdle(connection);
    }, FIRST_REQUEST_GRACE_MS);
    await this.#empty(deadlineMs);
    clearTimeout(grace);
    this.close();
  }

  /** Breaks everything off. */
  close(): void {
    clearTimeout(this.#ticker);
    clearTimeout(this.#pass);
    for (const connection of this.#open) connection.socket.destroy();
  }

  #endIfIdle(connection: Connection): void {
    if (connection.answer !== undefined || connection.tunnel !== undefined || connection.plain?.receives === true)
      return;
    connection.socket.destroySoon();
  }

  #empty(deadlineMs: number): Promise<void> {
    if (this.#open.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const deadline = setTimeout(resolve, deadlineMs);
      this.#emptied = () => {
        clearTimeout(deadline);
        resolve();
      };
    });
  }

  #remove(connection: Connection): void {
    this.#open.delete(connection);
    this.#options.tally.connections -= 1;
    if (this.#open.size === 0) this.#emptied?.();
  }

  #reconsiderChanged(): void {
    const startedAtMs = performance.now();
    const nowMs = this.#options.clock.nowMs();
    this.#pass = undefined;
    const tenants = this.#allChanged ? [...this.#traffic.keys()] : [...this.#changed];
    this.#allChanged = false;
    this.#changed.clear();
    for (const tenant of tenants) {
      const traffic = this.#traffic.get(tenant);
      if (traffic === undefined) continue;
      this.#reconsider(traffic, nowMs, false);
      if (traffic.first === undefined) this.#traffic.delete(tenant);
    }
    this.#lastPassAtMs = performance.now();
    this.#pauseMs = Math.min(LONGEST_PAUSE_MS, Math.max(LEAST_PAUSE_MS, 9 * (this.#lastPassAtMs - startedAtMs)));
  }

  #reconsider(traffic: Traffic, nowMs: number, onlyExpired: boolean): void {
    const nowSeconds = Math.floor(nowMs / 1000);
    let exchange = traffic.first;
    while (exchange !== undefined) {
      const { next, expiresAtSeconds } = exchange;
      const due = !onlyExpired || (expiresAtSeconds !== 0 && expiresAtSeconds <= nowSeconds);
      if (due && !this.#options.reconsider(exchange, nowMs)) exchange.connection.cut();
      exchange = next;
    }
  }

  /** On the wall clock's second, which is when entries expire. */
  #scheduleTick(): void {
    const delayMs = 1000 - (this.#options.clock.nowMs() % 1000);
    this.#ticker = setTimeout(() => {
      this.tick();
      this.#scheduleTick();
    }, delayMs + 1);
    this.#ticker.unref();
  }
}
