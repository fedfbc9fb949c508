/** Cursors: where a list goes on. Opaque, and good for the list alone that gave them out. */
import { createHmac, timingSafeEqual } from "node:crypto";
import { SallyportError } from "../core/errors.ts";

export class Cursors {
  readonly #key: Uint8Array;
  constructor(key: Uint8Array) {
    this.#key = key;
  }

  /** @param list names the list, with all that decides what is in it */
  make(list: string, after: string): string {
    return `${Buffer.from(after).toString("base64url")}.${this.#sign(list, after)}`;
  }

  /** @throws SallyportError `cursor_invalid` for anything that {@link make} did not give out for this list */
  read(list: string, cursor: string | undefined): string | undefined {
    if (cursor === undefined) return undefined;
    const [text = "", signature = "", more] = cursor.split(".", 3);
    const after = Buffer.from(text, "base64url").toString();
    const expected = Buffer.from(this.#sign(list, after));
    const given = Buffer.from(signature);
    const genuine = more === undefined && expected.length === given.length && timingSafeEqual(expected, given);
    if (genuine && Buffer.from(after).toString("base64url") === text) return after;
    const issues = [
      { at: "/cursor", message: "is not one that this list gave out", hint: "start again without a cursor" },
    ];
    throw new SallyportError("cursor_invalid", "the cursor is not one that this list gave out", { issues });
  }

  #sign(list: string, after: string): string {
    return createHmac("sha256", this.#key).update(`${list}\0${after}`).digest("base64url").slice(0, 22);
  }
}

/** One page on the wire. Asks for one more than the limit, so that there is a cursor only where something follows. */
export async function pageOf<Row, Wire>(
  limit: number,
  read: (limit: number) => Promise<readonly Row[]>,
  toWire: (row: Row) => Wire,
  cursorAfter: (last: Row) => string,
): Promise<{ items: Wire[]; next?: string }> {
  // A store reads at most 1,000 at once.
  const rows = await read(Math.min(limit + 1, 1000));
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const more = last !== undefined && (rows.length > limit || (limit === 1000 && rows.length === 1000));
  return { items: shown.map(toWire), ...(more ? { next: cursorAfter(last) } : {}) };
}
