/** Copies of lent bytes on their way to clients, in memory that is used again: fresh memory costs more than copying. */
import type { ClientResponse } from "./client-message.ts";
import { READ_BYTES } from "./lending.ts";

/** Shorter ones would hold many times the memory that they need, for as long as their client takes. */
const LEAST_BYTES = 16 * 1024;
/** What lies ready is no more than this in all. */
const MOST_SPARE_BYTES = 8 * 1024 * 1024;

/** Memory that lies ready, by the power of two that is its size. */
const spare: Buffer[][] = Array.from({ length: 32 }, () => []);
let spareBytes = 0;

/** Writes a copy of `bytes` from `start` to `end`. @returns false when the client is slower; then "drain" follows */
export function writeCopy(res: ClientResponse, bytes: Buffer, start: number, end: number): boolean {
  const length = end - start;
  if (length <= LEAST_BYTES || length > READ_BYTES) return res.write(Buffer.from(bytes.subarray(start, end)), "latin1");
  const memory = take(length);
  bytes.copy(memory, 0, start, end);
  return res.write(memory.subarray(0, length), "latin1", (error) => {
    // After an error nobody knows who still reads it, and another client's bytes must never get there.
    if (error === undefined || error === null) keep(memory);
  });
}

function take(length: number): Buffer {
  const power = 32 - Math.clz32(length - 1);
  const memory = spare[power]?.pop();
  if (memory === undefined) return Buffer.allocUnsafeSlow(2 ** power);
  spareBytes -= memory.length;
  return memory;
}

function keep(memory: Buffer): void {
  if (spareBytes + memory.length > MOST_SPARE_BYTES) return;
  spareBytes += memory.length;
  spare[31 - Math.clz32(memory.length)]?.push(memory);
}
