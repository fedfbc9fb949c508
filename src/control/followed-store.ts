/** The store as all but its follower use it: only while the follower vouches for its history. */
import { StoreUnavailableError } from "../core/errors.ts";
import type { Store } from "../core/store.ts";
import type { Follower } from "../replica/follower.ts";

/**
 * Rejects with `StoreUnavailableError` while the store is away, is being repaired after it went back in time, or
 * was replaced: what it says then may undo a revocation, and what is written to it then may be lost with it.
 */
export class FollowedStore implements Store {
  readonly #store: Store;
  readonly #follower: Follower;

  constructor(store: Store, follower: Follower) {
    this.#store = store;
    this.#follower = follower;
  }

  watch: Store["watch"] = (wake) => this.#store.watch(wake);
  close: Store["close"] = async () => await this.#store.close();
  commit: Store["commit"] = async (request) => await this.#vouched().commit(request);
  get: Store["get"] = async (kind, id) => await this.#vouched().get(kind, id);
  getMany: Store["getMany"] = async (kind, ids) => await this.#vouched().getMany(kind, ids);
  list: Store["list"] = async (request) => await this.#vouched().list(request);
  snapshot: Store["snapshot"] = async (kinds) => await this.#vouched().snapshot(kinds);
  head: Store["head"] = async () => await this.#vouched().head();
  changesSince: Store["changesSince"] = async (revision, limit) => await this.#vouched().changesSince(revision, limit);
  useOnce: Store["useOnce"] = async (key, ttlMs) => await this.#vouched().useOnce(key, ttlMs);
  take: Store["take"] = async (key, limit) => await this.#vouched().take(key, limit);
  giveBack: Store["giveBack"] = async (key, limit) => await this.#vouched().giveBack(key, limit);
  sweep: Store["sweep"] = async (limit) => await this.#vouched().sweep(limit);

  #vouched(): Store {
    const { state } = this.#follower;
    if (state !== "following") throw new StoreUnavailableError(`the store cannot be relied on now: ${state}`);
    return this.#store;
  }
}
