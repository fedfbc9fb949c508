/** Work that comes by the thousand at once, done a little at a time. */

/** A batch of those that the edge has takes a millisecond or two: 50 connections ended, at some 30 µs each. */
const DONE_PER_TURN = 50;

/** First in, first out, a few in each turn of the event loop, so that others are served between them. */
export class PacedQueue<Item> {
  readonly #work: (item: Item) => void;
  #waiting: Item[] = [];

  /** @param work is done with one of them; must not throw */
  constructor(work: (item: Item) => void) {
    this.#work = work;
  }

  add(item: Item): void {
    if (this.#waiting.push(item) === 1) setImmediate(() => this.#doSome());
  }

  #doSome(): void {
    for (const item of this.#waiting.splice(0, DONE_PER_TURN)) this.#work(item);
    if (this.#waiting.length > 0) setImmediate(() => this.#doSome());
  }
}
