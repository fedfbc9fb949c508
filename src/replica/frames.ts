/**
 * Framing of the feed between control and the edges, and of the snapshot on disk.
 *
 * A frame is: uint32 length of all that follows, uint32 length of the JSON part (both big endian), the JSON
 * part in UTF-8, and the binary part. Nothing is deserialised but JSON, so that a hostile peer on an edge
 * can send no object of its making to control.
 */

/** One frame: a JSON message and, for compiled lists, the bytes that belong to it. */
export interface Frame {
  readonly message: unknown;
  readonly bytes: Uint8Array;
}

const HEAD_BYTES = 8;
const NO_BYTES = new Uint8Array(0);

/** A frame's parts in the order in which they are written; the binary parts are not copied. */
export function encodeFrame(message: unknown, parts: readonly Uint8Array[] = []): Uint8Array[] {
  const json = Buffer.from(JSON.stringify(message));
  let binaryBytes = 0;
  for (const part of parts) binaryBytes += part.byteLength;
  const head = Buffer.allocUnsafe(HEAD_BYTES + json.byteLength);
  head.writeUInt32BE(4 + json.byteLength + binaryBytes, 0);
  head.writeUInt32BE(json.byteLength, 4);
  json.copy(head, HEAD_BYTES);
  return [head, ...parts];
}

/** A peer sent something that is not a frame, or a frame over its limit. The connection must be closed. */
export class FrameError extends Error {
  override readonly name = "FrameError";
}

/**
 * Collects frames from chunks of any size. A large frame is copied once, chunk by chunk, into a buffer of
 * its size, so that its arrival stalls nobody.
 */
export class FrameReader {
  readonly #maxBytes: number;
  readonly #head = Buffer.alloc(4);
  #headFilled = 0;
  #body: Buffer | undefined;
  #bodyFilled = 0;

  /** @param maxBytes a longer frame throws {@link FrameError} before any of it is kept */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Takes the next bytes and calls `onFrame` for each frame that they complete. @throws FrameError */
  push(chunk: Uint8Array, onFrame: (frame: Frame) => void): void {
    let at = 0;
    while (at < chunk.byteLength) {
      at += this.#body === undefined ? this.#takeHead(chunk, at) : this.#takeBody(chunk, at);
      if (this.#body !== undefined && this.#bodyFilled === this.#body.byteLength) {
        const body = this.#body;
        this.#body = undefined;
        this.#bodyFilled = 0;
        onFrame(parseBody(body));
      }
    }
  }

  #takeHead(chunk: Uint8Array, at: number): number {
    const taken = Math.min(4 - this.#headFilled, chunk.byteLength - at);
    this.#head.set(chunk.subarray(at, at + taken), this.#headFilled);
    this.#headFilled += taken;
    if (this.#headFilled < 4) return taken;
    this.#headFilled = 0;
    const length = this.#head.readUInt32BE(0);
    if (length < 4 || length > this.#maxBytes)
      throw new FrameError(`a frame of ${length} bytes is outside 4 to ${this.#maxBytes}`);
    this.#body = Buffer.allocUnsafeSlow(length);
    return taken;
  }

  #takeBody(chunk: Uint8Array, at: number): number {
    const body = this.#body;
    if (body === undefined) return 0;
    const taken = Math.min(body.byteLength - this.#bodyFilled, chunk.byteLength - at);
    body.set(chunk.subarray(at, at + taken), this.#bodyFilled);
    this.#bodyFilled += taken;
    return taken;
  }
}

function parseBody(body: Buffer): Frame {
  const jsonBytes = body.readUInt32BE(0);
  if (jsonBytes > body.byteLength - 4) throw new FrameError("a frame's JSON part is longer than the frame");
  let message: unknown;
  try {
    message = JSON.parse(body.toString("utf8", 4, 4 + jsonBytes));
  } catch (cause) {
    throw new FrameError("a frame's JSON part does not parse", { cause });
  }
  const binaryStart = 4 + jsonBytes;
  return { message, bytes: binaryStart === body.byteLength ? NO_BYTES : body.subarray(binaryStart) };
}
