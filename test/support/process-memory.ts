/** Looks for a text in the memory of a running process. */
import { closeSync, openSync, readFileSync, readSync } from "node:fs";

const CHUNK_BYTES = 1 << 22;

/** Whether any writable page of the process holds `text`. It must be a descendant of this one, or this user root. */
export function memoryHolds(pid: number, text: string): boolean {
  const wanted = Buffer.from(text);
  const memory = openSync(`/proc/${pid}/mem`, "r");
  const buffer = Buffer.alloc(CHUNK_BYTES);
  try {
    for (const line of readFileSync(`/proc/${pid}/maps`, "utf8").split("\n")) {
      const [, from, to] = /^([0-9a-f]+)-([0-9a-f]+) rw/.exec(line) ?? [];
      if (from === undefined || to === undefined) continue;
      // Chunks overlap, so that nothing hides between two of them.
      for (let at = Number.parseInt(from, 16); at < Number.parseInt(to, 16); at += CHUNK_BYTES - wanted.length) {
        const length = Math.min(CHUNK_BYTES, Number.parseInt(to, 16) - at);
        if (buffer.subarray(0, readAt(memory, buffer, length, at)).includes(wanted)) return true;
      }
    }
    return false;
  } finally {
    closeSync(memory);
  }
}

/** Pages that are reserved but were never touched cannot be read. */
function readAt(memory: number, buffer: Buffer, length: number, position: number): number {
  try {
    return readSync(memory, buffer, 0, length, position);
  } catch {
    return 0;
  }
}
