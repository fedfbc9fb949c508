/** Sockets that read into memory which they all share: fresh memory for each read costs more than copying what is kept. */
import { type OnReadOpts, Socket } from "node:net";

/** Gets memory and how much of it was read, its own only until it returns. @returns false to have no more read */
export type Take = (bytes: Buffer, length: number) => unknown;

/** So that an answer of 64 KiB comes in one read with its head. */
export const READ_BYTES = 128 * 1024;
const LENT = Buffer.allocUnsafeSlow(READ_BYTES);
const TAKE = Symbol("take");
interface LendingSocket extends Socket {
  [TAKE]?: Take | undefined;
}

/** The option with which a socket of our own lends. */
export const LENDS: { readonly onread: OnReadOpts } = { onread: { buffer: LENT, callback: deliver } };

/** What a lending socket reads goes there; without `take`, as at first, as a copy through the stream that it is. */
export function deliverTo(socket: Socket, take: Take | undefined): void {
  (socket as LendingSocket)[TAKE] = take;
}

/**
 * Has a socket lend that is not of our making: `net.Server` knows no such option.
 * @returns false where this Node keeps the option in another place than it did: then all goes through the stream
 */
export function lendFrom(accepted: Socket, take: Take): boolean {
  const { _handle: handle } = accepted as { _handle?: { useUserBuffer?(memory: Buffer): void } | null };
  if (BUFFER === undefined || CALLBACK === undefined || typeof handle?.useUserBuffer !== "function") return false;
  deliverTo(accepted, take);
  Object.assign(accepted, { [BUFFER]: LENT, [CALLBACK]: deliver });
  handle.useUserBuffer(LENT);
  return true;
}

function deliver(this: LendingSocket, length: number): boolean {
  const take = this[TAKE];
  return take === undefined ? this.push(Buffer.from(LENT.subarray(0, length))) : take(LENT, length) !== false;
}

/** Where a socket keeps a value that it got with an option: the same in all sockets of this Node. */
function keyOf(value: unknown): symbol | undefined {
  const socket = new Socket(LENDS);
  return Object.getOwnPropertySymbols(socket).find((key) => Reflect.get(socket, key) === value);
}

const BUFFER = keyOf(LENT);
const CALLBACK = keyOf(deliver);
