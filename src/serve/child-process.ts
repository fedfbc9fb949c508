/** The supervisor's end of one child process. */
import { fork, type ChildProcess as Process } from "node:child_process";
import type { DeclaredTenant } from "../config.ts";
import { SallyportError } from "../core/errors.ts";
import { bindTo, type Place } from "./affinity.ts";
import { type Order, parseReport, type Report } from "./messages.ts";

/** Between the deadline that a child is given and the end of our patience. */
const KILL_SLACK_MS = 2_000;

/** All that a child inherits of the environment: never a `SALLYPORT_` variable, nor anything else that may be secret. */
const INHERITED = ["NODE_ENV", "NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE", "SSL_CERT_DIR", "TZ", "LANG", "LC_ALL"];

export interface ChildOptions<Start> {
  /** For messages and the log: `control`, `edge-1`. */
  readonly name: string;
  readonly entry: URL;
  readonly execArgv: readonly string[];
  /** What it is told; the messages of a child that faces the internet are plain JSON, never objects of its making. */
  readonly start: Start;
  readonly serialization: "json" | "advanced";
  /** Bound sockets that the child receives as descriptors 4, 5, … */
  readonly descriptors: readonly number[];
  /** Where it runs, once it listens; anywhere without. */
  readonly place?: Place | undefined;
}

export interface Exit {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  /** What the child said was in its way. */
  readonly reason?: string;
}

export class ChildProcess<Start> {
  readonly #process: Process;
  /** The addresses that it listens on. Rejects when it says that it cannot, or ends before. */
  readonly listening: Promise<readonly string[]>;
  readonly exited: Promise<Exit>;
  #reason: SallyportError | undefined;
  #declared: PromiseWithResolvers<void> | undefined;

  constructor(options: ChildOptions<Start>) {
    const { entry, execArgv, descriptors, serialization, name, start, place } = options;
    const env: NodeJS.ProcessEnv = {};
    for (const key of INHERITED) if (process.env[key] !== undefined) env[key] = process.env[key];
    const stdio = ["ignore" as const, "inherit" as const, "inherit" as const, "ipc" as const, ...descriptors];
    this.#process = fork(entry, [], { env, execArgv: [...execArgv], stdio, serialization });
    const listening = Promise.withResolvers<readonly string[]>();
    const exited = Promise.withResolvers<Exit>();
    this.listening = listening.promise;
    this.exited = exited.promise;
    this.#process.on("message", (message) => {
      const report = parseReport(message);
      if (report?.type === "listening") {
        listening.resolve(report.addresses);
        if (place !== undefined && this.pid !== undefined) bindTo(place, this.pid);
      } else if (report?.type === "declared") this.#declared?.resolve();
      else if (report !== undefined) this.#failed(report);
    });
    const ended = (exitCode: number | null, signal: NodeJS.Signals | null): void => {
      const error = this.#reason ?? new SallyportError("internal", `${name} ended before it answered`);
      listening.reject(error);
      this.#declared?.reject(error);
      exited.resolve({ exitCode, signal, ...(this.#reason !== undefined && { reason: this.#reason.message }) });
    };
    this.#process.once("exit", ended);
    this.#process.once("error", () => ended(null, null));
    this.#send({ type: "start", start });
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** @throws SallyportError when the child refuses them, or is not there to answer */
  declare(tenants: readonly DeclaredTenant[]): Promise<void> {
    const declared = Promise.withResolvers<void>();
    this.#declared = declared;
    if (this.#process.connected) this.#send({ type: "declare", tenants });
    else declared.reject(new SallyportError("internal", "the process has ended"));
    return declared.promise;
  }

  async stop(deadlineMs: number): Promise<void> {
    this.#send({ type: "stop", deadlineMs });
    const patience = setTimeout(() => this.kill(), deadlineMs + KILL_SLACK_MS);
    await this.exited;
    clearTimeout(patience);
  }

  kill(): void {
    this.#process.kill("SIGKILL");
  }

  #failed({ message, issues }: Extract<Report, { type: "failed" }>): void {
    const error = new SallyportError("config_invalid", message, { issues });
    if (this.#declared === undefined) this.#reason = error;
    else this.#declared.reject(error);
  }

  /** A child that cannot be spoken to is dying, which `exited` tells. */
  #send(order: Order<Start>): void {
    if (this.#process.connected) this.#process.send(order, () => {});
  }
}
