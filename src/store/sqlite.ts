/** The embedded adapter of the store port: one SQLite file, one writing process. */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Clock } from "../core/clock.ts";
import { StoreUnavailableError } from "../core/errors.ts";
import type {
  Changes,
  CommitRequest,
  Head,
  ListRequest,
  RateDecision,
  RateLimit,
  Store,
  StoredDocument,
} from "../core/store.ts";
import { readBatches } from "./batches.ts";
import type { FeedLimits } from "./codec.ts";
import { checkKey, encodeCommit, idRange } from "./codec.ts";
import type { FeedPage } from "./feed.ts";
import { PAGE_BYTES, readFeed } from "./feed.ts";
import { openDatabase, openReader, storeError } from "./sqlite-file.ts";
import { SqliteWriter } from "./sqlite-writer.ts";

interface DocumentRow {
  kind: string;
  id: string;
  revision: number;
  expires_at: number;
  value: string;
}

interface FeedRow {
  revision: number;
  previous: number;
  text: string;
}

const COLUMNS = "kind, id, revision, expires_at, value";

function toDocument({ kind, id, revision, expires_at, value }: DocumentRow): StoredDocument {
  const document = { kind, id, revision, value: JSON.parse(value) as unknown };
  return expires_at === 0 ? document : { ...document, expiresAtMs: expires_at };
}

/**
 * Commits that are asked for while another is being written share the next transaction, so that one fsync
 * serves many; each keeps its own preconditions, revision and outcome. Reads go through a connection of
 * their own and never see a half-written commit.
 */
export class SqliteStore implements Store {
  readonly #clock: Clock;
  readonly #writer: SqliteWriter;
  readonly #reader: DatabaseSync;
  readonly #inMemory: boolean;
  readonly #get: StatementSync;
  readonly #list: StatementSync;
  readonly #head: StatementSync;
  readonly #changes: StatementSync;
  #closed: boolean = false;

  /** @throws SallyportError as {@link openDatabase}. */
  constructor(
    file: string,
    options: { readonly clock: Clock; readonly feed: FeedLimits; readonly existing?: boolean },
  ) {
    const db = openDatabase(file, options.existing);
    this.#inMemory = file === ":memory:";
    this.#clock = options.clock;
    this.#reader = this.#inMemory ? db : openReader(file);
    this.#writer = new SqliteWriter(db, { ...options, sliced: !this.#inMemory });
    this.#get = this.#reader.prepare(`SELECT ${COLUMNS} FROM document WHERE kind = ? AND id = ?`);
    this.#list = this.#reader.prepare(
      `SELECT ${COLUMNS} FROM document WHERE kind = ? AND id > ? AND id >= ? AND id < ?
       AND (expires_at = 0 OR expires_at > ?) ORDER BY id LIMIT ?`,
    );
    this.#head = this.#reader.prepare("SELECT epoch, head AS revision FROM meta");
    this.#changes = this.#reader.prepare(
      "SELECT revision, previous, changes AS text FROM feed WHERE revision > ? ORDER BY revision LIMIT ?",
    );
  }

  async commit(request: CommitRequest): Promise<number> {
    const { writes, preconditions } = await encodeCommit(request);
    return this.#writer.commit(writes, preconditions);
  }

  async get(kind: string, id: string): Promise<StoredDocument | undefined> {
    checkKey(kind, id);
    return this.#read(() => this.#getLive(kind, id));
  }

  async getMany(kind: string, ids: readonly string[]): Promise<(StoredDocument | undefined)[]> {
    if (ids.length > 1_000) throw new RangeError(`more than 1000 ids: ${ids.length}`);
    for (const id of ids) checkKey(kind, id);
    return this.#read(() => ids.map((id) => this.#getLive(kind, id)));
  }

  async list(request: ListRequest): Promise<StoredDocument[]> {
    const { after, from, below } = idRange(request);
    return this.#read(() => {
      const rows = this.#list.all(request.kind, after, from, below, this.#clock.nowMs(), request.limit);
      return (rows as unknown as DocumentRow[]).map(toDocument);
    });
  }

  async snapshot(kinds: readonly string[]): Promise<{ head: Head; batches: AsyncIterable<readonly StoredDocument[]> }> {
    return { head: await this.head(), batches: readBatches(this, kinds) };
  }

  async head(): Promise<Head> {
    return this.#read(() => this.#readHead());
  }

  async changesSince(revision: number, limit: number): Promise<Changes> {
    return readFeed(revision, limit, async (after, most) => this.#read(() => this.#readPage(after, most)));
  }

  #readPage(after: number, limit: number): FeedPage {
    const commits: FeedRow[] = [];
    let bytes = 0;
    for (const row of this.#changes.iterate(after, limit) as unknown as Iterable<FeedRow>) {
      commits.push({ ...row });
      bytes += row.text.length;
      if (bytes > PAGE_BYTES) break;
    }
    return { head: this.#readHead(), commits };
  }

  #readHead(): Head {
    const { epoch, revision } = this.#head.get() as unknown as Head;
    return { epoch, revision };
  }

  watch(wake: () => void): () => void {
    return this.#writer.watch(wake);
  }

  async useOnce(key: string, ttlMs: number): Promise<boolean> {
    return this.#writer.useOnce(key, ttlMs);
  }

  async take(key: string, limit: RateLimit): Promise<RateDecision> {
    return this.#writer.take(key, limit);
  }

  async giveBack(key: string, limit: RateLimit): Promise<void> {
    await this.#writer.giveBack(key, limit);
  }

  async sweep(limit: number): Promise<number> {
    return this.#writer.sweep(limit);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    // The writer goes last: whoever closes last folds the log into the file, which a reader cannot.
    if (!this.#inMemory) this.#reader.close();
    await this.#writer.close();
  }

  #getLive(kind: string, id: string): StoredDocument | undefined {
    const row = this.#get.get(kind, id) as unknown as DocumentRow | undefined;
    if (row === undefined || (row.expires_at !== 0 && row.expires_at <= this.#clock.nowMs())) return undefined;
    return toDocument(row);
  }

  #read<T>(query: () => T): T {
    if (this.#closed) throw new StoreUnavailableError("the store is closed");
    try {
      return query();
    } catch (error) {
      throw storeError(error);
    }
  }
}
