/** The live edges of all nodes: what each has applied, and waiting until all of them have. */
import type { Clock } from "../core/clock.ts";
import type { Logger } from "../core/log.ts";
import type { Store } from "../core/store.ts";
import type { EdgeStatus, FeedServer } from "../replica/server.ts";

/** Quiet documents `{node}` → {@link Presence}: a node that stops saying so is gone when it expires. */
const PRESENCE_KIND = "presence";
const PRESENCE_TTL_MS = 10_000;
const PRESENCE_EVERY_MS = 1_000;
/** Progress is told at once, but no more often than this, so that a storm of changes does not become one of presences. */
const PROGRESS_GAP_MS = 40;
/** How often a waiter looks at other nodes; they tell by the store. */
const LOOK_EVERY_MS = 15;
const MOST_NODES = 200;

interface Presence {
  readonly edges: readonly EdgeStatus[];
}

export interface Applied {
  /** Edges that have applied the revision. */
  readonly applied: readonly string[];
  /** Live edges that have not (yet), and workers of this node that have not come up. */
  readonly pending: readonly string[];
}

export interface FleetOptions {
  readonly store: Store;
  /** Whether other nodes use the same store. */
  readonly shared: boolean;
  readonly feed: FeedServer;
  readonly node: string;
  /** How many edges this node runs: one that restarts counts as pending, since it may come back any moment. */
  readonly workers: number;
  readonly clock: Clock;
  readonly log: Logger;
}

export class Fleet {
  readonly #options: FleetOptions;
  readonly #timers = new Set<NodeJS.Timeout>();
  #stopListening: (() => void) | undefined;
  #publishing = false;
  #publishAgain = false;
  #closed = false;

  constructor(options: FleetOptions) {
    this.#options = options;
  }

  start(): void {
    if (!this.#options.shared) return;
    this.#stopListening = this.#options.feed.onProgress(() => void this.#publish());
    const timer = setInterval(() => void this.#publish(), PRESENCE_EVERY_MS);
    this.#timers.add(timer);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#stopListening?.();
    for (const timer of this.#timers) clearInterval(timer);
    if (!this.#options.shared) return;
    const { store, node } = this.#options;
    await store.commit({ writes: [{ kind: PRESENCE_KIND, id: node, value: null, quiet: true }] }).catch(() => 0);
  }

  /** Every live edge of every node. @throws StoreUnavailableError when other nodes cannot be asked about */
  async edges(): Promise<EdgeStatus[]> {
    const { feed, node } = this.#options;
    const others = await this.#others();
    return [...others.filter((edge) => !edge.id.startsWith(`${node}/`)), ...feed.edges()];
  }

  /**
   * Resolves as soon as every live edge has applied `revision`, or when the time is up. A node that was cut
   * off from the store counts as live for ten seconds after its last sign.
   */
  async waitApplied(revision: number, timeoutMs: number): Promise<Applied> {
    const deadlineMs = performance.now() + timeoutMs;
    for (;;) {
      const progress = this.#nextProgress(deadlineMs - performance.now());
      const result = this.#judge(await this.edges(), revision);
      if (result.pending.length === 0 || performance.now() >= deadlineMs) return result;
      await progress;
    }
  }

  #judge(edges: readonly EdgeStatus[], revision: number): Applied {
    const { node, workers } = this.#options;
    const applied = edges.filter((edge) => edge.revision >= revision).map((edge) => edge.id);
    const pending = edges.filter((edge) => edge.revision < revision).map((edge) => edge.id);
    const own = edges.filter((edge) => edge.id.startsWith(`${node}/`)).length;
    for (let missing = own; missing < workers; missing += 1) pending.push(`${node}/(starting)`);
    return { applied, pending };
  }

  async #others(): Promise<readonly EdgeStatus[]> {
    const { store, shared } = this.#options;
    if (!shared) return [];
    const present = await store.list({ kind: PRESENCE_KIND, limit: MOST_NODES });
    return present.flatMap((document) => (document.value as Presence).edges);
  }

  /** Resolves at the next progress of an edge of this node, or when it is time to look at the others. */
  #nextProgress(leftMs: number): Promise<void> {
    const waitMs = Math.max(0, this.#options.shared ? Math.min(LOOK_EVERY_MS, leftMs) : leftMs);
    return new Promise((resolve) => {
      const done = (): void => {
        stop();
        clearTimeout(timer);
        resolve();
      };
      const stop = this.#options.feed.onProgress(done);
      const timer = setTimeout(done, waitMs);
    });
  }

  async #publish(): Promise<void> {
    if (this.#publishing) {
      this.#publishAgain = true;
      return;
    }
    this.#publishing = true;
    const { store, feed, node, clock, log } = this.#options;
    const value: Presence = { edges: feed.edges() };
    const expiresAtMs = clock.nowMs() + PRESENCE_TTL_MS;
    try {
      await store.commit({ writes: [{ kind: PRESENCE_KIND, id: node, value, expiresAtMs, quiet: true }] });
    } catch (error) {
      log.debug({ err: error }, "cannot tell other nodes about this one's edges");
    }
    const pause = setTimeout(() => {
      this.#timers.delete(pause);
      this.#publishing = false;
      if (!this.#publishAgain || this.#closed) return;
      this.#publishAgain = false;
      void this.#publish();
    }, PROGRESS_GAP_MS);
    this.#timers.add(pause);
  }
}
