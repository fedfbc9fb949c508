/** What plain connections hold of bodies that are not yet whole: nobody has judged whose they are. */
import { PacedQueue } from "./paced-queue.ts";

/** Of all connections together. */
const MOST_BYTES = 32 * 1024 * 1024;

/** Who waits for the rest of a body. */
export interface Awaiting {
  /** Waits no longer. */
  passOn(): void;
}

export class AwaitedBodies {
  readonly #slow = new PacedQueue<Awaiting>((connection) => connection.passOn());
  #bytes = 0;

  /** @returns whether there is room for so many; then {@link release} gives it back */
  hold(bytes: number): boolean {
    if (this.#bytes + bytes > MOST_BYTES) return false;
    this.#bytes += bytes;
    return true;
  }

  release(bytes: number): void {
    this.#bytes -= bytes;
  }

  /** Has it pass on what it holds, soon. */
  takesLong(connection: Awaiting): void {
    this.#slow.add(connection);
  }
}
