/** A place for one child process: whoever dies there is replaced, at once, then with growing delays. */
import { type ChildProcess, fork } from "node:child_process";
import type { Logger } from "../core/log.ts";
import type { Order, Report, Running } from "./messages.ts";

const FIRST_DELAY_MS = 100;
const LONGEST_DELAY_MS = 10_000;
/** A child that lived this long was well, and the delays start anew. */
const WELL_AFTER_MS = 30_000;
const LOOP_AFTER = 5;
/** Between the deadline that a child is given and the end of our patience. */
const KILL_SLACK_MS = 2_000;

/** All that a child inherits of the environment: never a `SALLYPORT_` variable, nor anything else that may be secret. */
const INHERITED = ["NODE_ENV", "NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE", "SSL_CERT_DIR", "TZ", "LANG", "LC_ALL"];

export interface SlotOptions<Start> {
  /** For the log: `control`, `edge 1`. */
  readonly name: string;
  readonly entry: URL;
  readonly execArgv: readonly string[];
  readonly start: Start;
  /** Bound sockets that the child receives as descriptors 4, 5, … */
  readonly descriptors: readonly number[];
  readonly log: Logger;
}

/** How long to wait before the n-th restart in a row: 0, 100 ms, 200 ms, … 10 s. */
export function restartDelayMs(failures: number): number {
  return failures <= 1 ? 0 : Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** (failures - 2));
}

export class Slot<Start> implements Running {
  readonly #options: SlotOptions<Start>;
  #child: ChildProcess | undefined;
  #addresses: readonly string[] = [];
  #established = false;
  #failures = 0;
  #stopping = false;
  #timer: NodeJS.Timeout | undefined;

  private constructor(options: SlotOptions<Start>) {
    this.#options = options;
  }

  /**
   * Resolves once the first child listens. @throws Error with the child's own words when it cannot; then
   * nothing is left running. After that, whatever dies is replaced until {@link stop}.
   */
  static async start<Start>(options: SlotOptions<Start>): Promise<Slot<Start>> {
    const slot = new Slot(options);
    await slot.#establish();
    return slot;
  }

  async #establish(): Promise<void> {
    await this.#spawn();
    this.#established = true;
  }

  get addresses(): readonly string[] {
    return this.#addresses;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  async stop(deadlineMs: number): Promise<void> {
    this.#stopping = true;
    clearTimeout(this.#timer);
    const child = this.#child;
    if (child === undefined) return;
    const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
    const order: Order<Start> = { type: "stop", deadlineMs };
    if (child.connected) child.send(order, ignoreError);
    const patience = setTimeout(() => child.kill("SIGKILL"), deadlineMs + KILL_SLACK_MS);
    await exited;
    clearTimeout(patience);
  }

  /** Ends the child without asking. */
  kill(): void {
    this.#stopping = true;
    clearTimeout(this.#timer);
    this.#child?.kill("SIGKILL");
  }

  /** Resolves when the child listens, rejects when it says that it cannot or dies before. */
  #spawn(): Promise<void> {
    const { entry, execArgv, descriptors, start, name } = this.#options;
    const env: NodeJS.ProcessEnv = {};
    for (const key of INHERITED) if (process.env[key] !== undefined) env[key] = process.env[key];
    const stdio = ["ignore" as const, "inherit" as const, "inherit" as const, "ipc" as const, ...descriptors];
    const child = fork(entry, [], { env, execArgv: [...execArgv], stdio, serialization: "advanced" });
    this.#child = child;
    const order: Order<Start> = { type: "start", start };
    child.send(order as object, ignoreError);
    const startedAt = performance.now();
    let listening = false;
    return new Promise((resolve, reject) => {
      let reason = `${name} ended before it listened`;
      child.on("message", (report: Report) => {
        if (report.type === "failed") reason = report.message;
        else {
          listening = true;
          this.#addresses = report.addresses;
          resolve();
        }
      });
      child.once("error", (error) => reject(error));
      child.once("exit", (code, signal) => {
        this.#child = undefined;
        if (!listening) reject(new Error(reason));
        if (this.#established)
          this.#died(performance.now() - startedAt, { exitCode: code, signal, ...(!listening && { reason }) });
      });
    });
  }

  #died(livedMs: number, how: object): void {
    if (this.#stopping) return;
    const { log, name } = this.#options;
    this.#failures = livedMs > WELL_AFTER_MS ? 1 : this.#failures + 1;
    const delayMs = restartDelayMs(this.#failures);
    const fields = { process: name, ...how, restarts: this.#failures, delayMs };
    if (this.#failures >= LOOP_AFTER) log.error(fields, "keeps dying; the others go on");
    else log.warn(fields, "died; starting it again");
    this.#timer = setTimeout(() => {
      this.#spawn().then(
        () => log.info({ process: name, pid: this.pid }, "is back"),
        () => undefined,
      );
    }, delayMs);
  }
}

/** A child that cannot be spoken to is dying, which `exit` deals with. */
function ignoreError(): void {}
