/** A store that may not have been reached yet: a node with a policy snapshot starts while its store is away. */
import { StoreUnavailableError } from "../core/errors.ts";
import type { Logger } from "../core/log.ts";
import type { Store } from "../core/store.ts";
import { DelegatingStore } from "./delegating-store.ts";

const FIRST_RETRY_MS = 100;
const LAST_RETRY_MS = 2_000;

/**
 * Opens the store again and again until it succeeds; until then every call rejects with
 * `StoreUnavailableError` at once, and watchers are kept for later.
 */
export class LateStore extends DelegatingStore {
  readonly #open: () => Promise<Store>;
  readonly #log: Logger;
  readonly #watchers = new Map<() => void, () => void>();
  #store: Store | undefined;
  #timer: NodeJS.Timeout | undefined;
  #retryMs = FIRST_RETRY_MS;
  #closed = false;

  constructor(open: () => Promise<Store>, log: Logger) {
    super();
    this.#open = open;
    this.#log = log;
  }

  /** The first try. @throws whatever is wrong for good (a bad URL, a damaged file); an absent server is not */
  async start(): Promise<void> {
    try {
      this.#opened(await this.#open());
    } catch (error) {
      if (!(error instanceof StoreUnavailableError)) throw error;
      this.#log.error({ err: error }, "the store is away; trying again");
      this.#retry();
    }
  }

  override async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#store?.close();
  }

  override watch(wake: () => void): () => void {
    this.#watchers.set(wake, this.#store?.watch(wake) ?? (() => {}));
    return () => {
      this.#watchers.get(wake)?.();
      this.#watchers.delete(wake);
    };
  }

  protected override target(): Store {
    if (this.#store === undefined) throw new StoreUnavailableError("the store has not been reached yet");
    return this.#store;
  }

  #opened(store: Store): void {
    this.#store = store;
    for (const wake of this.#watchers.keys()) {
      this.#watchers.set(wake, store.watch(wake));
      wake();
    }
  }

  #retry(): void {
    this.#timer = setTimeout(() => void this.#tryAgain(), this.#retryMs);
    this.#retryMs = Math.min(this.#retryMs * 2, LAST_RETRY_MS);
  }

  async #tryAgain(): Promise<void> {
    try {
      const store = await this.#open();
      if (this.#closed) await store.close();
      else this.#opened(store);
    } catch (error) {
      if (!(error instanceof StoreUnavailableError)) this.#log.error({ err: error }, "the store cannot be opened");
      if (!this.#closed) this.#retry();
    }
  }
}
