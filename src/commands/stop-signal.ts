/** SIGTERM and SIGINT, from the moment that a gate is asked for: the first asks it to stop, a later one ends it. */

/** One Ctrl-C can arrive twice, from the terminal and from a runner such as npm that passes it on. */
const SAME_SIGNAL_MS = 500;

/** Listens from its making on; nothing of these signals' own effect is left. */
export class StopSignal {
  /** Resolves at the first of them. */
  readonly asked: Promise<void>;
  #askedAtMs: number | undefined;
  /** What must not outlive this process when it ends at once. */
  kill: () => void = () => {};

  constructor() {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.asked = promise;
    const hear = (): void => {
      if (this.#askedAtMs === undefined) {
        this.#askedAtMs = performance.now();
        resolve();
      } else if (performance.now() - this.#askedAtMs > SAME_SIGNAL_MS) {
        this.kill();
        process.exit(1);
      }
    };
    process.on("SIGTERM", hear);
    process.on("SIGINT", hear);
  }

  get wasAsked(): boolean {
    return this.#askedAtMs !== undefined;
  }
}
