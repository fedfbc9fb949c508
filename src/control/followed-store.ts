/** The store as all but its follower use it: only while the follower vouches for its history. */
import { StoreUnavailableError } from "../core/errors.ts";
import type { Store } from "../core/store.ts";
import type { Follower } from "../replica/follower.ts";
import { DelegatingStore } from "./delegating-store.ts";

/**
 * Rejects with `StoreUnavailableError` while the store is away, is being repaired after it went back in time, or
 * was replaced: what it says then may undo a revocation, and what is written to it then may be lost with it.
 */
export class FollowedStore extends DelegatingStore {
  readonly #store: Store;
  readonly #follower: Follower;

  constructor(store: Store, follower: Follower) {
    super();
    this.#store = store;
    this.#follower = follower;
  }

  override watch(wake: () => void): () => void {
    return this.#store.watch(wake);
  }

  override async close(): Promise<void> {
    await this.#store.close();
  }

  protected override target(): Store {
    const { state } = this.#follower;
    if (state !== "following") throw new StoreUnavailableError(`the store cannot be relied on now: ${state}`);
    return this.#store;
  }
}
