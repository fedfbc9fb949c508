/** A store in front of another: each call goes on to it, or is refused. */
import type { Store } from "../core/store.ts";

export abstract class DelegatingStore implements Store {
  /** The store that a call goes on to. What this throws, the call rejects with. */
  protected abstract target(): Store;
  abstract watch(wake: () => void): () => void;
  abstract close(): Promise<void>;

  commit: Store["commit"] = async (request) => await this.target().commit(request);
  get: Store["get"] = async (kind, id) => await this.target().get(kind, id);
  getMany: Store["getMany"] = async (kind, ids) => await this.target().getMany(kind, ids);
  list: Store["list"] = async (request) => await this.target().list(request);
  snapshot: Store["snapshot"] = async (kinds) => await this.target().snapshot(kinds);
  head: Store["head"] = async () => await this.target().head();
  changesSince: Store["changesSince"] = async (revision, limit) => await this.target().changesSince(revision, limit);
  useOnce: Store["useOnce"] = async (key, ttlMs) => await this.target().useOnce(key, ttlMs);
  take: Store["take"] = async (key, limit) => await this.target().take(key, limit);
  giveBack: Store["giveBack"] = async (key, limit) => await this.target().giveBack(key, limit);
  sweep: Store["sweep"] = async (limit) => await this.target().sweep(limit);
}
