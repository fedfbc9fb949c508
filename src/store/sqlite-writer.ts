/** The writing half of the SQLite adapter: a queue whose jobs share transactions (group commit). */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { setTimeout as delay, setImmediate as nextTurn } from "node:timers/promises";
import type { Clock } from "../core/clock.ts";
import { ConflictError, StoreUnavailableError } from "../core/errors.ts";
import { giveOneBack, takeOne } from "../core/gcra.ts";
import type { Precondition, RateDecision, RateLimit } from "../core/store.ts";
import type { EncodedWrite, FeedLimits } from "./codec.ts";
import { encodeChange, revisionFloor, SLICE } from "./codec.ts";
import { isBusy, storeError } from "./sqlite-file.ts";

/** How long a commit waits for another process (a command of the CLI) to let go of the file. */
const LOCK_WAIT_MS = 900;
const LOCK_RETRY_MS = 10;

interface Job {
  readonly perform: () => Promise<unknown>;
  readonly settle: PromiseWithResolvers<unknown>;
}

interface Meta {
  revision: number;
  head: number;
  feed_commits: number;
  feed_bytes: number;
}

/**
 * Checks that come before the first write are the only way for one job of a transaction to fail alone;
 * any fault of SQLite rolls back the whole transaction and refuses all of its jobs.
 */
export class SqliteWriter {
  readonly #db: DatabaseSync;
  readonly #clock: Clock;
  readonly #feed: FeedLimits;
  /** Whether a long job may let the event loop turn: only where readers have a connection of their own. */
  readonly #sliced: boolean;
  readonly #watchers = new Set<() => void>();
  readonly #statements = new Map<string, StatementSync>();
  #queue: Job[] = [];
  #draining: Promise<void> | undefined;
  #closed: boolean = false;
  #feedMoved: boolean = false;

  constructor(db: DatabaseSync, options: { clock: Clock; feed: FeedLimits; sliced: boolean }) {
    this.#db = db;
    this.#clock = options.clock;
    this.#feed = options.feed;
    this.#sliced = options.sliced;
  }

  commit(writes: readonly EncodedWrite[], preconditions: readonly Precondition[]): Promise<number> {
    return this.#enqueue(() => this.#commit(writes, preconditions));
  }

  useOnce(key: string, ttlMs: number): Promise<boolean> {
    return this.#enqueue(async () => {
      const now = this.#clock.nowMs();
      const { changes } = this.#sql(
        `INSERT INTO used VALUES (?1, ?2) ON CONFLICT DO UPDATE SET expires_at = ?2 WHERE expires_at <= ?3`,
      ).run(key, now + Math.ceil(ttlMs), now);
      return changes === 1;
    });
  }

  take(key: string, limit: RateLimit): Promise<RateDecision> {
    return this.#enqueue(async () => {
      const { fullAtMs, ...decision } = takeOne(this.#fullAtMs(key), limit, this.#clock.nowMs());
      if (decision.allowed) this.#sql("INSERT OR REPLACE INTO bucket VALUES (?, ?)").run(key, fullAtMs);
      return decision;
    });
  }

  giveBack(key: string, limit: RateLimit): Promise<void> {
    return this.#enqueue(async () => {
      const fullAtMs = giveOneBack(this.#fullAtMs(key), limit, this.#clock.nowMs());
      this.#sql("UPDATE bucket SET full_at = ? WHERE key = ?").run(fullAtMs, key);
    });
  }

  sweep(limit: number): Promise<number> {
    return this.#enqueue(async () => {
      const now = this.#clock.nowMs();
      for (const [table, expiry] of [
        ["used", "expires_at"],
        ["bucket", "full_at"],
      ]) {
        const due = `SELECT key FROM ${table} WHERE ${expiry} <= ? LIMIT ?`;
        this.#sql(`DELETE FROM ${table} WHERE key IN (${due})`).run(now, limit);
      }
      const due = this.#sql(
        "SELECT kind, id, quiet FROM document WHERE expires_at > 0 AND expires_at <= ? ORDER BY expires_at LIMIT ?",
      ).all(now, limit) as unknown as { kind: string; id: string; quiet: number }[];
      const deletions = due.map((row) => ({ ...row, quiet: row.quiet === 1, json: undefined, expiresAtMs: 0 }));
      if (deletions.length > 0) await this.#commit(deletions, []);
      return deletions.length;
    });
  }

  watch(wake: () => void): () => void {
    const watcher = () => wake();
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  /** Waits for what is queued, then closes the file. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#draining;
    this.#watchers.clear();
    this.#db.close();
  }

  #enqueue<T>(perform: () => Promise<T>): Promise<T> {
    if (this.#closed) return Promise.reject(new StoreUnavailableError("the store is closed"));
    const settle = Promise.withResolvers<unknown>();
    this.#queue.push({ perform, settle });
    this.#draining ??= this.#drain();
    return settle.promise as Promise<T>;
  }

  async #drain(): Promise<void> {
    while (this.#queue.length > 0) {
      // Whatever else this turn of the event loop asks for joins the transaction.
      await nextTurn();
      const jobs = this.#queue;
      this.#queue = [];
      await this.#transact(jobs);
    }
    this.#draining = undefined;
  }

  async #transact(jobs: readonly Job[]): Promise<void> {
    const settlements: (() => void)[] = [];
    this.#feedMoved = false;
    try {
      await this.#begin();
      for (const { perform, settle } of jobs) settlements.push(await this.#attempt(perform, settle));
      this.#db.exec("COMMIT");
    } catch (error) {
      this.#rollback();
      const refusal = storeError(error);
      for (const { settle } of jobs) settle.reject(refusal);
      return;
    }
    for (const settlement of settlements) settlement();
    if (this.#feedMoved) for (const watcher of this.#watchers) setImmediate(watcher);
  }

  async #attempt(perform: () => Promise<unknown>, settle: PromiseWithResolvers<unknown>): Promise<() => void> {
    try {
      const value = await perform();
      return () => settle.resolve(value);
    } catch (error) {
      if (error instanceof ConflictError) return () => settle.reject(error);
      throw error;
    }
  }

  async #begin(): Promise<void> {
    this.#rollback();
    for (let waited = 0; ; waited += LOCK_RETRY_MS) {
      try {
        return this.#db.exec("BEGIN IMMEDIATE");
      } catch (error) {
        if (!isBusy(error) || waited >= LOCK_WAIT_MS) throw error;
      }
      await delay(LOCK_RETRY_MS);
    }
  }

  #rollback(): void {
    try {
      // A full disk makes SQLite roll back by itself; a second ROLLBACK would throw.
      if (this.#db.isTransaction) this.#db.exec("ROLLBACK");
    } catch {
      // Tried again before the next transaction begins, which fails as long as this does.
    }
  }

  async #commit(writes: readonly EncodedWrite[], preconditions: readonly Precondition[]): Promise<number> {
    const now = this.#clock.nowMs();
    for (const { kind, id, revision } of preconditions) {
      if (this.#liveRevision(kind, id, now) !== revision) throw new ConflictError(kind, id);
    }
    const meta = this.#sql("SELECT revision, head, feed_commits, feed_bytes FROM meta").get() as unknown as Meta;
    const { floor, step } = revisionFloor(now);
    meta.revision = Math.max(meta.revision, floor) + step;
    const changes = await this.#write(writes, meta.revision);
    if (changes !== "") this.#appendToFeed(meta, changes);
    this.#sql("UPDATE meta SET revision = ?, head = ?, feed_commits = ?, feed_bytes = ?").run(
      meta.revision,
      meta.head,
      meta.feed_commits,
      meta.feed_bytes,
    );
    return meta.revision;
  }

  #fullAtMs(key: string): number {
    return Number(this.#sql("SELECT full_at FROM bucket WHERE key = ?").get(key)?.["full_at"] ?? 0);
  }

  #liveRevision(kind: string, id: string, now: number): number {
    const row = this.#sql(
      "SELECT revision FROM document WHERE kind = ? AND id = ? AND (expires_at = 0 OR expires_at > ?)",
    ).get(kind, id, now);
    return Number(row?.["revision"] ?? 0);
  }

  /** @returns the feed's text of the writes that are not quiet. */
  async #write(writes: readonly EncodedWrite[], revision: number): Promise<string> {
    const put = this.#sql("INSERT OR REPLACE INTO document VALUES (?, ?, ?, ?, ?, ?)");
    const remove = this.#sql("DELETE FROM document WHERE kind = ? AND id = ? RETURNING value");
    let changes = "";
    for (const [index, write] of writes.entries()) {
      const { kind, id, json, expiresAtMs, quiet } = write;
      let was = "";
      if (json === undefined) was = String(remove.get(kind, id)?.["value"] ?? "");
      else put.run(kind, id, revision, expiresAtMs, quiet ? 1 : 0, json);
      if (!quiet) changes += encodeChange(write, was);
      if (this.#sliced && index % SLICE === SLICE - 1) await nextTurn();
    }
    return changes;
  }

  #appendToFeed(meta: Meta, changes: string): void {
    const bytes = changes.length;
    this.#sql("INSERT INTO feed VALUES (?, ?, ?, ?)").run(meta.revision, meta.head, bytes, changes);
    meta.head = meta.revision;
    meta.feed_commits += 1;
    meta.feed_bytes += bytes;
    this.#feedMoved = true;
    while (meta.feed_commits > 1 && (meta.feed_commits > this.#feed.commits || meta.feed_bytes > this.#feed.bytes)) {
      const oldest = this.#sql(
        "DELETE FROM feed WHERE revision = (SELECT min(revision) FROM feed) RETURNING bytes",
      ).get();
      meta.feed_commits -= 1;
      meta.feed_bytes -= Number(oldest?.["bytes"] ?? 0);
    }
  }

  #sql(text: string): StatementSync {
    let statement = this.#statements.get(text);
    if (statement === undefined) {
      statement = this.#db.prepare(text);
      this.#statements.set(text, statement);
    }
    return statement;
  }
}
