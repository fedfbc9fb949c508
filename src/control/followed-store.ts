/** The store as all but its follower use it: only while the follower vouches for its history. Knows whether it takes writes. */
import { StoreUnavailableError } from "../core/errors.ts";
import type { Logger } from "../core/log.ts";
import type { Store } from "../core/store.ts";
import type { Follower } from "../replica/follower.ts";
import { DelegatingStore } from "./delegating-store.ts";

/** How long a write is proof that the next will succeed. */
const WRITE_PROVES_MS = 60_000;
const CHECK_TTL_MS = 1_000;

/**
 * Rejects with `StoreUnavailableError` while the store is away, is being repaired after it went back in time, or
 * was replaced: what it says then may undo a revocation, and what is written to it then may be lost with it.
 */
export class FollowedStore extends DelegatingStore {
  readonly #store: Store;
  readonly #follower: Follower;
  readonly #log: Logger;
  #writtenAtMs = Number.NEGATIVE_INFINITY;
  #refusesWrites = false;

  constructor(store: Store, follower: Follower, log: Logger) {
    super();
    this.#store = store;
    this.#follower = follower;
    this.#log = log;
  }

  /** It can be read, but the last write was refused: its disk or memory is full, or it is a replica. */
  get refusesWrites(): boolean {
    return this.#refusesWrites && this.#follower.state === "following";
  }

  override watch(wake: () => void): () => void {
    return this.#store.watch(wake);
  }

  override async close(): Promise<void> {
    await this.#store.close();
  }

  override commit: Store["commit"] = (request) => this.#write((store) => store.commit(request));
  override useOnce: Store["useOnce"] = (key, ttlMs) => this.#write((store) => store.useOnce(key, ttlMs));
  override take: Store["take"] = (key, limit) => this.#write((store) => store.take(key, limit));

  /** Writes something of no meaning, unless a write succeeded lately: a full disk is to be known before it is needed. */
  async checkWrites(): Promise<void> {
    if (!this.#refusesWrites && performance.now() - this.#writtenAtMs < WRITE_PROVES_MS) return;
    await this.useOnce(`write-check/${performance.timeOrigin}/${performance.now()}`, CHECK_TTL_MS);
  }

  protected override target(): Store {
    const { state } = this.#follower;
    if (state !== "following") throw new StoreUnavailableError(`the store cannot be relied on now: ${state}`);
    return this.#store;
  }

  async #write<Result>(work: (store: Store) => Promise<Result>): Promise<Result> {
    const store = this.target();
    try {
      const result = await work(store);
      this.#writtenAtMs = performance.now();
      if (this.#refusesWrites) this.#log.info({}, "the store takes writes again");
      this.#refusesWrites = false;
      return result;
    } catch (error) {
      if (!(error instanceof StoreUnavailableError)) throw error;
      if (!this.#refusesWrites) this.#log.error({ err: error }, "the store refuses writes");
      this.#refusesWrites = true;
      throw error;
    }
  }
}
