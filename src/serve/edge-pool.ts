/** The edges of one node and their listening sockets: started, replaced one at a time, drained. */
import { isDeepStrictEqual } from "node:util";
import type { Config } from "../config.ts";
import type { Logger } from "../core/log.ts";
import { placesFor } from "./affinity.ts";
import { Listeners } from "./listeners.ts";
import type { EdgeStart } from "./messages.ts";
import { type Part, startEdgeHere, startEdgeProcess } from "./parts.ts";
import type { Plan } from "./plan.ts";

/** The edges' share of a plan. */
type EdgePlan = Pick<Plan, "config" | "edgePrint">;

interface Edge {
  readonly part: Part;
  /** Of the plan that it was started with. */
  readonly print: unknown;
}

export class EdgePool {
  readonly #socketDir: string;
  readonly #log: Logger;
  /** Everything that runs, from its beginning on, also while it is being replaced. */
  readonly #running = new Set<Part>();
  /** Everything that is bound, also while it is being replaced. */
  readonly #bound = new Set<Listeners>();
  #listeners: Listeners;
  #edges: readonly Edge[] = [];
  #drainMs: number;
  /** Names are never used twice, since an edge and its replacement run side by side for a while. */
  #named = 0;
  #stopping = false;

  /** Binds the listening sockets. @throws SallyportError that says which is taken and what moves it */
  constructor(config: Config, socketDir: string, log: Logger) {
    this.#socketDir = socketDir;
    this.#log = log;
    this.#listeners = this.#bind(config);
    this.#drainMs = config.edge.drainSeconds * 1000;
  }

  /** Resolves when all edges listen. @throws Error that says what is in the way; {@link kill} then ends the others */
  async start({ config, edgePrint }: EdgePlan): Promise<void> {
    const starting = Array.from({ length: Math.max(1, config.edge.workers) }, (_, index) => this.#add(config, index));
    // All of them, so that none comes up after the others were given up.
    const started = await Promise.allSettled(starting);
    const failed = started.find((edge) => edge.status === "rejected");
    if (failed !== undefined) throw failed.reason;
    this.#edges = (await Promise.all(starting)).map((part) => ({ part, print: edgePrint }));
  }

  /** The addresses of each listener, then of the health listener. */
  get listening(): Promise<readonly string[]> {
    return this.#edges[0]?.part.listening ?? Promise.resolve([]);
  }

  /** Whether {@link replace} would have its sockets. @throws SallyportError that says which is taken */
  probe({ config }: EdgePlan): void {
    this.#unbind(this.#bind(config));
  }

  /**
   * Those that run as planned stay. A new edge listens before an old one drains.
   * @throws Error when one cannot start; those not yet replaced go on, and the listeners of both are kept
   */
  async replace({ config, edgePrint }: EdgePlan): Promise<void> {
    const stays = ({ print }: Edge): boolean => isDeepStrictEqual(print, edgePrint);
    const count = Math.max(1, config.edge.workers);
    if (this.#stopping || (this.#edges.length === count && this.#edges.every(stays))) return;
    const earlier = this.#listeners;
    const fresh: Edge[] = [];
    this.#listeners = this.#bind(config);
    const old = this.#edges;
    try {
      for (let edge = old[0]; fresh.length < count && !this.#stopping; edge = old[fresh.length]) {
        if (edge !== undefined && stays(edge)) fresh.push(edge);
        else {
          fresh.push({ part: await this.#add(config, fresh.length), print: edgePrint });
          await this.#remove(edge);
        }
      }
    } catch (error) {
      this.#edges = [...fresh, ...old.slice(fresh.length)];
      if (fresh.every((edge) => old.includes(edge))) {
        this.#unbind(this.#listeners);
        this.#listeners = earlier;
      }
      throw error;
    }
    await Promise.all(old.slice(fresh.length).map((edge) => this.#remove(edge)));
    this.#edges = fresh;
    this.#drainMs = config.edge.drainSeconds * 1000;
    for (const listeners of this.#bound) if (listeners !== this.#listeners) this.#unbind(listeners);
  }

  /** Takes no new connection; what is in flight ends, within the drain deadline. */
  async stop(): Promise<void> {
    this.#stopping = true;
    // With our own descriptors open, the kernel would queue connections that nobody accepts any more.
    for (const listeners of this.#bound) listeners.close();
    await Promise.all([...this.#running].map((part) => part.stop(this.#drainMs)));
  }

  kill(): void {
    for (const listeners of this.#bound) listeners.close();
    for (const part of this.#running) part.kill();
  }

  /** @param index its place among the edges of the same configuration */
  async #add(config: Config, index: number): Promise<Part> {
    this.#named += 1;
    const start: EdgeStart = {
      worker: this.#named,
      edge: this.#listeners.inherited(config.edge),
      staleness: config.staleness,
      socketDir: this.#socketDir,
      logLevel: config.log.level,
    };
    const part =
      config.edge.workers === 0
        ? startEdgeHere(start, this.#log)
        : startEdgeProcess(start, this.#listeners.descriptors, this.#log, placesFor(config)?.edges[index]);
    this.#running.add(part);
    try {
      await part.listening;
      return part;
    } catch (error) {
      this.#running.delete(part);
      throw error;
    }
  }

  async #remove(edge: Edge | undefined): Promise<void> {
    if (edge === undefined) return;
    await edge.part.stop(this.#drainMs);
    this.#running.delete(edge.part);
  }

  /** In one process the edge binds for itself. */
  #bind({ edge }: Config): Listeners {
    const listeners = edge.workers === 0 ? Listeners.none() : Listeners.bind(edge, this.#bound);
    this.#bound.add(listeners);
    return listeners;
  }

  #unbind(listeners: Listeners): void {
    this.#bound.delete(listeners);
    listeners.close(this.#bound);
  }
}
