/** The supervisor: brings up control and the edges, keeps them up, changes them over at a reload, and takes them down. */
import { isDeepStrictEqual } from "node:util";
import type { Logger } from "../core/log.ts";
import { placesFor } from "./affinity.ts";
import { EdgePool } from "./edge-pool.ts";
import { probe } from "./listeners.ts";
import type { ControlStart } from "./messages.ts";
import { type ControlPart, startControlHere, startControlProcess } from "./parts.ts";
import { makePlan, type Plan, type PlanOptions, refuseUnchangeable } from "./plan.ts";
import { restartDelayMs } from "./slot.ts";
import { openSocketFolder, type SocketFolder } from "./socket-folder.ts";

const ADMIN_KNOBS = { key: "admin.listen", variable: "SALLYPORT_ADMIN_LISTEN" };
const CONTROL_DEADLINE_MS = 5_000;

/** Where the gate can be reached, as URLs. */
export interface Ready {
  readonly edge: readonly string[];
  readonly health?: string;
  readonly admin: string;
}

export class Supervisor {
  readonly #options: PlanOptions;
  readonly #folder: SocketFolder;
  /** What is in force, or is to be again. */
  #plan: Plan;
  /** What control has; `undefined` where that is not certain, so that it is told again. */
  #declared: Plan["config"]["tenants"] | undefined;
  #controlPrint: unknown;
  readonly #edges: EdgePool;
  #control: ControlPart;
  #stopping: Promise<void> | undefined;
  #changing: Promise<void> = Promise.resolve();
  /** The next try to bring back what a refused reload has changed. */
  #retry: NodeJS.Timeout | undefined;

  private constructor(options: PlanOptions, folder: SocketFolder, plan: Plan, control: ControlPart, edges: EdgePool) {
    this.#options = options;
    this.#folder = folder;
    this.#plan = plan;
    this.#declared = plan.config.tenants;
    this.#controlPrint = plan.controlPrint;
    this.#control = control;
    this.#edges = edges;
  }

  /** Resolves when everything listens. @throws Error that says what is in the way; then nothing is left running. */
  static async start(options: PlanOptions): Promise<Supervisor> {
    const plan = makePlan(options);
    const folder = await openSocketFolder(plan.config.dataDir);
    let edges: EdgePool | undefined;
    let control: ControlPart | undefined;
    try {
      probe(plan.config.admin, ADMIN_KNOBS);
      edges = new EdgePool(plan.config, folder.path, options.log);
      control = startControl(plan, folder, options.log);
      await control.listening;
      await edges.start(plan);
      return new Supervisor(options, folder, plan, control, edges);
    } catch (error) {
      edges?.kill();
      control?.kill();
      folder.remove();
      throw error;
    }
  }

  async ready(): Promise<Ready> {
    const { edge, admin } = this.#plan.config;
    const [addresses, [adminAddress]] = await Promise.all([this.#edges.listening, this.#control.listening]);
    const url = (tls: unknown, address: string | undefined): string =>
      `${tls === undefined ? "http" : "https"}://${address}`;
    return {
      edge: edge.listen.map(({ tls }, index) => url(tls, addresses[index])),
      ...(edge.healthListen !== undefined && { health: url(undefined, addresses[edge.listen.length]) }),
      admin: url(admin.tls, adminAddress),
    };
  }

  /**
   * One after another. @throws SallyportError when the new configuration is refused; then the old one goes on.
   * {@link stop} cuts it short, what it has begun included.
   */
  reload(): Promise<void> {
    return this.#inTurn(() => this.#reload());
  }

  /** Edges first, each draining for at most `edge.drain`; control last. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  /** Everything ends at once, in flight or not. */
  kill(): void {
    clearTimeout(this.#retry);
    this.#edges.kill();
    this.#control.kill();
    this.#folder.remove();
  }

  #inTurn(change: () => Promise<void>): Promise<void> {
    const next = this.#changing.then(change);
    this.#changing = next.catch(() => {});
    return next;
  }

  async #stop(): Promise<void> {
    clearTimeout(this.#retry);
    await this.#edges.stop();
    await this.#control.stop(CONTROL_DEADLINE_MS);
    this.#folder.remove();
  }

  async #reload(): Promise<void> {
    if (this.#stopping !== undefined) return;
    const plan = makePlan(this.#options);
    refuseUnchangeable(this.#plan.config, plan.config, !isDeepStrictEqual(plan.edgePrint, this.#plan.edgePrint));
    if (!isDeepStrictEqual(adminEndpoint(plan), adminEndpoint(this.#plan))) probe(plan.config.admin, ADMIN_KNOBS);
    this.#edges.probe(plan);
    try {
      for (const [, change] of this.#changes(plan)) await change();
    } catch (error) {
      await this.#restore();
      throw error;
    }
    clearTimeout(this.#retry);
    this.#plan = plan;
  }

  /** In this order, so that what control refuses never reaches the edges, which cut long connections to change. */
  #changes(plan: Plan): readonly (readonly [part: string, change: () => Promise<void>])[] {
    return [
      ["tenants", () => this.#declare(plan)],
      ["control", () => this.#replaceControl(plan)],
      ["edges", () => this.#edges.replace(plan)],
    ];
  }

  /** Never rejects: each part by itself, and again later what cannot be had now. */
  async #restore(tries = 1): Promise<void> {
    let whole = true;
    for (const [part, change] of this.#changes(this.#plan)) {
      try {
        await change();
      } catch (err) {
        whole = false;
        if (this.#stopping === undefined) this.#options.log.error({ part, err }, "not as configured; trying again");
      }
    }
    clearTimeout(this.#retry);
    if (this.#stopping !== undefined) return;
    if (!whole)
      this.#retry = setTimeout(() => void this.#inTurn(() => this.#restore(tries + 1)), restartDelayMs(tries + 1));
    else if (tries > 1) this.#options.log.info({}, "as configured again");
  }

  /** Control that is yet to be started declares them itself. */
  async #declare(plan: Plan): Promise<void> {
    const { tenants } = plan.config;
    if (this.#controlPrint === undefined || isDeepStrictEqual(tenants, this.#declared)) return;
    this.#declared = undefined;
    await this.#control.declare(tenants, startOf(plan, this.#folder));
    this.#declared = tenants;
  }

  /** The edges go on with what they know in between. */
  async #replaceControl(plan: Plan): Promise<void> {
    if (isDeepStrictEqual(plan.controlPrint, this.#controlPrint)) return;
    this.#controlPrint = undefined;
    await this.#control.stop(CONTROL_DEADLINE_MS);
    if (this.#stopping !== undefined) return;
    this.#control = startControl(plan, this.#folder, this.#options.log);
    await this.#control.listening;
    this.#controlPrint = plan.controlPrint;
    this.#declared = plan.config.tenants;
  }
}

function startControl(plan: Plan, folder: SocketFolder, log: Logger): ControlPart {
  const start = startOf(plan, folder);
  return plan.config.edge.workers === 0
    ? startControlHere(start, log)
    : startControlProcess(start, log, placesFor(plan.config)?.control);
}

function startOf({ config, secrets, development }: Plan, folder: SocketFolder): ControlStart {
  return { config, secrets, socketDir: folder.path, development };
}

function adminEndpoint({ config }: Plan): object {
  return { host: config.admin.host, port: config.admin.port };
}
