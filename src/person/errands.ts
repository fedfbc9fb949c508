/** Work that nobody waits for, so that neither an answer nor its delay tells what was found. */
import { SallyportError } from "../core/errors.ts";
import type { Logger } from "../core/log.ts";

/** Under way at once; each is one text message or a few writes. */
const MOST = 1_000;
const BUSY_MS = 5_000;

export class Errands {
  readonly #log: Pick<Logger, "error">;
  readonly #underWay = new Set<Promise<void>>();

  constructor(log: Pick<Logger, "error">) {
    this.#log = log;
  }

  /**
   * Begins once the answer is on its way; what goes wrong then is logged. To be called whatever was found.
   * @throws SallyportError `limit_reached` when too many are under way
   */
  run(work: () => Promise<unknown>): void {
    if (this.#underWay.size >= MOST)
      throw new SallyportError("limit_reached", "too much is under way; try again shortly", { retryAfterMs: BUSY_MS });
    const errand = this.#carryOut(work);
    this.#underWay.add(errand);
    void errand.finally(() => this.#underWay.delete(errand));
  }

  /** Resolves when all that was begun is done, or was given up. */
  async settle(): Promise<void> {
    await Promise.all(this.#underWay);
  }

  async #carryOut(work: () => Promise<unknown>): Promise<void> {
    try {
      // Not before the event loop has come round: the answer is written first.
      await new Promise((resolve) => setImmediate(resolve));
      await work();
    } catch (error) {
      this.#log.error({ err: error }, "what a sign-in page had promised could not be done");
    }
  }
}
