/** Follows the store's change feed from a revision on, for as long as somebody reads. */
import type { Commit, Store } from "../core/store.ts";

const COMMITS_PER_READ = 200;
/** Wake-ups may be lost. */
const POLL_MS = 2_000;

/** `commit`: the next one. `gap`: what lies between is no longer kept. `idle`: nothing new for a while. */
export type FeedStep =
  | { readonly type: "commit"; readonly commit: Commit }
  | { readonly type: "gap"; readonly revision: number }
  | { readonly type: "idle" };

/** Ends when `signal` aborts. Rejects when the store is away. */
export async function* followFeed(store: Store, after: number, signal: AbortSignal): AsyncGenerator<FeedStep> {
  const bell = new Bell();
  const unwatch = store.watch(() => bell.ring());
  signal.addEventListener("abort", () => bell.ring(), { once: true });
  let revision = after;
  try {
    while (!signal.aborted) {
      bell.arm();
      const changes = await store.changesSince(revision, COMMITS_PER_READ);
      if (changes.gap) {
        revision = changes.head.revision;
        yield { type: "gap", revision };
        continue;
      }
      for (const commit of changes.commits) {
        revision = commit.revision;
        yield { type: "commit", commit };
      }
      if (changes.commits.length > 0) continue;
      yield { type: "idle" };
      await bell.wait(POLL_MS);
    }
  } finally {
    unwatch();
  }
}

/** Remembers a ring since it was armed, so that none falls between reading and waiting. */
class Bell {
  #rung = Promise.withResolvers<void>();

  arm(): void {
    this.#rung = Promise.withResolvers<void>();
  }

  ring(): void {
    this.#rung.resolve();
  }

  async wait(ms: number): Promise<void> {
    const timer = setTimeout(() => this.ring(), ms);
    await this.#rung.promise;
    clearTimeout(timer);
  }
}
