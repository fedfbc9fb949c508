/** A place for one child process: whoever dies there is replaced, at once, then with growing delays. */
import type { DeclaredTenant } from "../config.ts";
import type { Logger } from "../core/log.ts";
import { type ChildOptions, ChildProcess, type Exit } from "./child-process.ts";

const FIRST_DELAY_MS = 100;
const LONGEST_DELAY_MS = 10_000;
/** A child that lived this long was well, and the delays start anew. */
const WELL_AFTER_MS = 30_000;
const LOOP_AFTER = 5;

/** How long to wait before the n-th restart in a row: 0, 100 ms, 200 ms, … 10 s. */
export function restartDelayMs(failures: number): number {
  return failures <= 1 ? 0 : Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** (failures - 2));
}

export class Slot<Start> {
  readonly #options: ChildOptions<Start>;
  readonly #log: Logger;
  /** The addresses of the first child. Rejects with that child's own words when it cannot; then it is not replaced. */
  readonly listening: Promise<readonly string[]>;
  /** Nobody between a death and the restart. */
  #child: ChildProcess<Start> | undefined;
  #start: Start;
  #startedAt = performance.now();
  #failures = 0;
  #stopping = false;
  #timer: NodeJS.Timeout | undefined;

  /** Starts the first child. Once that listens, whatever dies is replaced until {@link stop}. */
  constructor(options: ChildOptions<Start>, log: Logger) {
    this.#options = options;
    this.#log = log;
    this.#start = options.start;
    const child = new ChildProcess(options);
    this.#child = child;
    this.listening = child.listening;
    this.listening.then(
      () => this.#watch(child),
      () => {},
    );
  }

  /**
   * @param start what a later replacement is told, which is all while there is no child.
   * @throws SallyportError when the child refuses the tenants, or dies before it answers
   */
  async declare(tenants: readonly DeclaredTenant[], start: Start): Promise<void> {
    await this.#child?.declare(tenants);
    this.#start = start;
  }

  async stop(deadlineMs: number): Promise<void> {
    this.#stopping = true;
    clearTimeout(this.#timer);
    await this.#child?.stop(deadlineMs);
  }

  /** Ends the child without asking. */
  kill(): void {
    this.#stopping = true;
    clearTimeout(this.#timer);
    this.#child?.kill();
  }

  #watch(child: ChildProcess<Start>): void {
    void child.exited.then((exit) => {
      this.#child = undefined;
      if (!this.#stopping) this.#replace(exit);
    });
  }

  #replace(exit: Exit): void {
    this.#failures = performance.now() - this.#startedAt > WELL_AFTER_MS ? 1 : this.#failures + 1;
    const delayMs = restartDelayMs(this.#failures);
    const fields = { process: this.#options.name, ...exit, restarts: this.#failures, delayMs };
    if (this.#failures >= LOOP_AFTER) this.#log.error(fields, "keeps dying; the others go on");
    else this.#log.warn(fields, "died; starting it again");
    this.#timer = setTimeout(() => this.#spawn(), delayMs);
  }

  #spawn(): void {
    this.#startedAt = performance.now();
    const child = new ChildProcess({ ...this.#options, start: this.#start });
    this.#child = child;
    this.#watch(child);
    const { pid, listening } = child;
    listening.then(
      () => this.#log.info({ process: this.#options.name, pid }, "is back"),
      // `exited` tells, and brings the next.
      () => {},
    );
  }
}
