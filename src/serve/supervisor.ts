/** The supervisor: brings up control and the edges, keeps them up, changes them over at a reload, and takes them down. */
import { isDeepStrictEqual } from "node:util";
import { completeSecrets } from "../config/key-files.ts";
import type { Config, Loaded, Secrets } from "../config.ts";
import { type Issue, SallyportError } from "../core/errors.ts";
import type { Logger } from "../core/log.ts";
import { placesFor } from "./affinity.ts";
import { EdgePool } from "./edge-pool.ts";
import { probe } from "./listeners.ts";
import type { ControlStart } from "./messages.ts";
import { type ControlPart, startControlHere, startControlProcess } from "./parts.ts";
import { openSocketFolder, type SocketFolder } from "./socket-folder.ts";
import { checkTlsFiles, digestFiles, tlsFilesOf } from "./tls-files.ts";

const ADMIN_KNOBS = { key: "admin.listen", variable: "SALLYPORT_ADMIN_LISTEN" };
const CONTROL_DEADLINE_MS = 5_000;

export interface SupervisorOptions {
  /** Reads the configuration, at the start and at every reload. */
  readonly load: () => Loaded;
  readonly log: Logger;
  /** The demo: `sms.provider: console` may print codes. */
  readonly development?: boolean;
}

/** Where the gate can be reached, as URLs. */
export interface Ready {
  readonly edge: readonly string[];
  readonly health?: string;
  readonly admin: string;
}

/** A configuration that may be put in force, and what of it concerns whom. */
interface Plan {
  readonly config: Config;
  readonly secrets: Required<Secrets>;
  readonly development: boolean;
  /** Equal prints: the edges, or control, need not change. They cover the content of certificates too. */
  readonly edgePrint: unknown;
  readonly controlPrint: unknown;
}

export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #folder: SocketFolder;
  #plan: Plan;
  /** The tenants that control was last told. */
  #declared: Plan["config"]["tenants"];
  readonly #edges: EdgePool;
  #control: ControlPart;
  #stopping: Promise<void> | undefined;
  #reloading: Promise<void> = Promise.resolve();

  private constructor(
    options: SupervisorOptions,
    folder: SocketFolder,
    plan: Plan,
    control: ControlPart,
    edges: EdgePool,
  ) {
    this.#options = options;
    this.#folder = folder;
    this.#plan = plan;
    this.#declared = plan.config.tenants;
    this.#control = control;
    this.#edges = edges;
  }

  /** Resolves when everything listens. @throws Error that says what is in the way; then nothing is left running. */
  static async start(options: SupervisorOptions): Promise<Supervisor> {
    const plan = makePlan(options);
    const folder = await openSocketFolder(plan.config.dataDir);
    let edges: EdgePool | undefined;
    let control: ControlPart | undefined;
    try {
      probe(plan.config.admin, ADMIN_KNOBS);
      edges = new EdgePool(plan.config, folder.path, options.log);
      control = startControl(plan, folder, options.log);
      await control.listening;
      await edges.start(plan.config);
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
    const next = this.#reloading.then(() => this.#reload());
    this.#reloading = next.catch(() => {});
    return next;
  }

  /** Edges first, each draining for at most `edge.drain`; control last. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  /** Everything ends at once, in flight or not. */
  kill(): void {
    this.#edges.kill();
    this.#control.kill();
    this.#folder.remove();
  }

  async #stop(): Promise<void> {
    await this.#edges.stop();
    await this.#control.stop(CONTROL_DEADLINE_MS);
    this.#folder.remove();
  }

  async #reload(): Promise<void> {
    if (this.#stopping !== undefined) return;
    const plan = makePlan(this.#options);
    const edgesChange = !isDeepStrictEqual(plan.edgePrint, this.#plan.edgePrint);
    refuseUnchangeable(this.#plan.config, plan.config, edgesChange);
    if (!isDeepStrictEqual(adminEndpoint(plan), adminEndpoint(this.#plan))) probe(plan.config.admin, ADMIN_KNOBS);
    await this.#declare(plan);
    try {
      if (edgesChange) await this.#edges.replace(plan.config);
      if (!isDeepStrictEqual(plan.controlPrint, this.#plan.controlPrint)) await this.#replaceControl(plan);
    } catch (error) {
      await this.#declare(this.#plan);
      throw error;
    }
    this.#plan = plan;
  }

  /** What was declared last is compared with, so that what could not be taken back is by the next reload. */
  async #declare(plan: Plan): Promise<void> {
    const { tenants } = plan.config;
    if (isDeepStrictEqual(tenants, this.#declared)) return;
    await this.#control.declare(tenants, startOf(plan, this.#folder));
    this.#declared = tenants;
  }

  /** The edges go on with what they know in between. */
  async #replaceControl(plan: Plan): Promise<void> {
    await this.#control.stop(CONTROL_DEADLINE_MS);
    try {
      await this.#startControl(plan);
    } catch (error) {
      await this.#startControl(this.#plan);
      throw error;
    }
  }

  async #startControl(plan: Plan): Promise<void> {
    if (this.#stopping !== undefined) return;
    this.#control = startControl(plan, this.#folder, this.#options.log);
    await this.#control.listening;
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

/** @throws SallyportError `config_invalid` also when certificates cannot serve. */
function makePlan({ load, log, development = false }: SupervisorOptions): Plan {
  const loaded = load();
  const { config } = loaded;
  const findings = checkTlsFiles(config, Date.now());
  const errors = findings.filter(({ severity }) => severity === "error").map(({ issue }) => issue);
  if (errors.length > 0)
    throw new SallyportError("config_invalid", "the certificates cannot serve", { issues: errors });
  for (const { issue } of findings) log.warn({ at: issue.at }, issue.message);
  const secrets = completeSecrets(config, loaded.secrets);
  const certificates = digestFiles(tlsFilesOf(config).flatMap(({ files }) => [files.cert, files.key]));
  const { edge, staleness, log: logging } = config;
  const { workers, cpuAffinity } = edge;
  const authorities = digestFiles(edge.upstream.ca === undefined ? [] : [edge.upstream.ca]);
  return {
    config,
    secrets,
    development,
    edgePrint: [edge, staleness, logging, certificates, authorities],
    controlPrint: [{ ...config, edge: [workers, cpuAffinity], tenants: [] }, secrets, certificates],
  };
}

/** @throws SallyportError for what only a restart can change */
function refuseUnchangeable(now: Config, next: Config, edgesChange: boolean): void {
  const issues: Issue[] = [];
  const hint = "restart sallyport";
  if (now.dataDir !== next.dataDir) issues.push({ at: "dataDir", message: "cannot change while running", hint });
  if ((now.edge.workers === 0) !== (next.edge.workers === 0)) {
    issues.push({ at: "edge.workers", message: "cannot change from or to 0 while running", hint });
  } else if (next.edge.workers === 0 && edgesChange) {
    issues.push({
      at: "edge",
      message: "cannot change while everything runs in one process",
      hint: `${hint}, or set edge.workers: 1`,
    });
  }
  if (issues.length > 0) throw new SallyportError("config_invalid", "this change needs a restart", { issues });
}
