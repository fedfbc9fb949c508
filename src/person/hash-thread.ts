/** A thread of low priority for argon2id: however many sign in, requests and the rest of control go first. */
import { once } from "node:events";
import { Worker } from "node:worker_threads";

/** As `crypto.argon2` takes it. `memory` in KiB. */
export interface HashOrder {
  readonly message: string;
  readonly nonce: Uint8Array;
  readonly memory: number;
  readonly passes: number;
  readonly parallelism: number;
  readonly tagLength: number;
}

/** Starts its thread with the first order; keeps the process alive only while it computes. */
export class HashThread {
  #worker: Worker | undefined;

  /** One order at a time. @throws what ended the thread; the next order starts another */
  async derive(order: HashOrder): Promise<Buffer> {
    this.#worker ??= new Worker(new URL("hash-worker.ts", import.meta.url));
    const worker = this.#worker;
    worker.ref();
    worker.postMessage(order);
    try {
      const [tag] = (await once(worker, "message")) as [Uint8Array];
      return Buffer.from(tag.buffer, tag.byteOffset, tag.byteLength);
    } catch (error) {
      this.#worker = undefined;
      throw error;
    } finally {
      worker.unref();
    }
  }
}
