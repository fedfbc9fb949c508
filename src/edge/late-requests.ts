/** Connections whose request did not come in time, or not all of it: ended, or passed on, a few at a time, since they come by the thousand at once. */

/** Ending one takes some 30 µs. */
const ENDED_PER_TURN = 50;

/** Who opens ten thousand connections in one second has them expire in one, in which others want to be served. */
export class LateRequests<Connection> {
  readonly #end: (connection: Connection) => void;
  #waiting: Connection[] = [];

  /** @param end is done with one of them; called for a few in each turn of the event loop */
  constructor(end: (connection: Connection) => void) {
    this.#end = end;
  }

  add(connection: Connection): void {
    if (this.#waiting.push(connection) === 1) setImmediate(() => this.#endSome());
  }

  #endSome(): void {
    for (const connection of this.#waiting.splice(0, ENDED_PER_TURN)) this.#end(connection);
    if (this.#waiting.length > 0) setImmediate(() => this.#endSome());
  }
}
