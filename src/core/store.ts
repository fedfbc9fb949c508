/**
 * The store port: typed documents with revisions, atomic commits with preconditions, a change feed that
 * resumes, snapshots, expiry, a use-once guard and a rate limiter. Every rule lives above it once; two
 * adapters (`src/store/sqlite.ts`, `src/store/redis.ts`) carry it, and one contract suite holds both to it.
 */

/** A document as the store returns it. `value` is JSON data and must not be changed by the reader. */
export interface StoredDocument {
  readonly kind: string;
  readonly id: string;
  /** The revision of the commit that wrote it; greater than 0. */
  readonly revision: number;
  /** Milliseconds since 1970; from that moment on no read returns it, whether or not a sweep has run. */
  readonly expiresAtMs?: number;
  readonly value: unknown;
}

/** One write of a commit: `value: null` deletes. */
export interface Write {
  readonly kind: string;
  readonly id: string;
  /** JSON data of at most 1 MiB, or `null` to delete. */
  readonly value: unknown;
  readonly expiresAtMs?: number;
  /** A quiet write is stored like any other, but does not appear in the change feed. */
  readonly quiet?: boolean;
}

/** The document must have exactly this revision; 0 means that it must not exist (an expired one does not). */
export interface Precondition {
  readonly kind: string;
  readonly id: string;
  readonly revision: number;
}

export interface CommitRequest {
  readonly writes: readonly Write[];
  readonly preconditions?: readonly Precondition[];
}

/** A change of the feed: the document as written, or `value: null` where it was deleted. */
export interface Change {
  readonly kind: string;
  readonly id: string;
  readonly value: unknown;
  readonly expiresAtMs?: number;
  /** For a deletion (by a commit or a sweep): the value that was deleted, so that a follower can undo what it derived from it. */
  readonly was?: unknown;
}

/** All changes of one commit that are not quiet. A commit of quiet writes alone is not in the feed. */
export interface Commit {
  readonly revision: number;
  /** The revision of the feed's commit before this one (0 for the first): a reader that holds another has a gap. */
  readonly previous: number;
  readonly changes: readonly Change[];
}

/**
 * Where the feed stands. `epoch` is a random id, new whenever the store is created or restored from a backup;
 * "" with revision 0 when a store was emptied (Redis flushed) and nothing has been committed since.
 */
export interface Head {
  readonly epoch: string;
  /** The revision of the feed's newest commit. */
  readonly revision: number;
}

/** The answer to "what came after revision n": commits in order, or a gap, after which the reader takes a snapshot. */
export type Changes =
  | { readonly gap: false; readonly head: Head; readonly commits: readonly Commit[] }
  | { readonly gap: true; readonly head: Head };

export interface ListRequest {
  readonly kind: string;
  /** Only ids that start with this. */
  readonly prefix?: string;
  /** Only ids after this one, in code-unit order of ASCII ids. */
  readonly after?: string | undefined;
  /** At most this many documents, 1 to 1,000. */
  readonly limit: number;
}

/** At most `burst` at once, refilled evenly at `burst` per `periodMs` (the generic cell rate algorithm). */
export interface RateLimit {
  readonly burst: number;
  readonly periodMs: number;
}

export interface RateDecision {
  readonly allowed: boolean;
  /** How long until one more would be allowed; 0 when this one was. */
  readonly retryAfterMs: number;
}

/**
 * All methods reject with `StoreUnavailableError` when the store does not answer within its command
 * time-out (under a second). Ids are ASCII without control characters; kinds are lower-case words.
 */
export interface Store {
  /**
   * Writes all or nothing; durable once it resolves (SQLite: fsynced; Redis: as its persistence and
   * `waitReplicas` are set). At most 200,000 writes and 64 MiB, each of another document; past a few thousand they may
   * take 50 µs each beyond the command time-out, and must not be changed until the promise settles.
   * @returns the commit's revision, greater than every earlier one. Revisions are sparse (microseconds since
   * 1970), so that a number is not given out again by a store that lost its newest commits.
   * @throws ConflictError when a precondition does not hold; SallyportError "payload_too_large".
   */
  commit(request: CommitRequest): Promise<number>;
  get(kind: string, id: string): Promise<StoredDocument | undefined>;
  /** In the order of `ids`, `undefined` where there is none. At most 1,000 ids. */
  getMany(kind: string, ids: readonly string[]): Promise<(StoredDocument | undefined)[]>;
  /** In ascending order of id. Fewer than `limit` are returned only at the end. */
  list(request: ListRequest): Promise<StoredDocument[]>;
  /**
   * Every document of these kinds, in batches. The head is read first, so that applying the feed from
   * `head.revision` on over the batches gives the present state (later changes may already be in a batch).
   */
  snapshot(kinds: readonly string[]): Promise<{ head: Head; batches: AsyncIterable<readonly StoredDocument[]> }>;
  head(): Promise<Head>;
  /**
   * Commits after `revision`, oldest first, at most `limit` (1 to 1,000); fewer only when there are no more.
   * A gap unless `revision` is 0 on a new store or that of a feed commit which is still known.
   */
  changesSince(revision: number, limit: number): Promise<Changes>;
  /**
   * Calls `wake` soon after each commit that is in the feed, by any node. Only a hint: wake-ups may be lost,
   * doubled or early, so that a reader also polls. @returns a function that ends it.
   */
  watch(wake: () => void): () => void;
  /** True for exactly one caller per key, across all nodes, until `ttlMs` has passed. */
  useOnce(key: string, ttlMs: number): Promise<boolean>;
  /** Takes one from the bucket `key`, across all nodes. */
  take(key: string, limit: RateLimit): Promise<RateDecision>;
  /**
   * Puts one back that was taken, for what turned out not to count; never more than fill the bucket. Whoever puts
   * back only what they took, each once, is held to `burst` and its refill by the rest.
   */
  giveBack(key: string, limit: RateLimit): Promise<void>;
  /** Deletes what has expired (appearing in the feed as deletions, unless it was written quietly). @returns how many, at most `limit`. */
  sweep(limit: number): Promise<number>;
  close(): Promise<void>;
}
