/** The shared adapter of the store port: Redis 6.2 or later, or Valkey; standalone, Sentinel or Cluster. */
import { setTimeout as delay } from "node:timers/promises";
import type { Clock } from "../core/clock.ts";
import { ConflictError, StoreAbsentError, StoreUnavailableError } from "../core/errors.ts";
import type { Logger } from "../core/log.ts";
import type {
  Changes,
  CommitRequest,
  Head,
  ListRequest,
  Precondition,
  RateDecision,
  RateLimit,
  Store,
  StoredDocument,
} from "../core/store.ts";
import { readBatches } from "./batches.ts";
import type { EncodedWrite, FeedLimits } from "./codec.ts";
import {
  checkKey,
  DEFAULT_FEED_LIMITS,
  decodeRecord,
  encodeCommit,
  encodeRecord,
  idRange,
  newEpoch,
  revisionFloor,
} from "./codec.ts";
import type { FeedPage } from "./feed.ts";
import { PAGE_BYTES, readFeed } from "./feed.ts";
import { RedisClient } from "./redis-client.ts";
import { CHANGES, COMMIT, GIVE_BACK, INITIALISE, LIST, TAKE } from "./redis-scripts.ts";
import type { RedisUrl } from "./redis-url.ts";

/** How long opening waits for the first connection before it goes on without. */
const OPEN_MS = 1_000;
const OPEN_RETRY_MS = 20;
/** A script takes some 5 µs a write, and Redis then puts it on its disk. */
const MS_PER_WRITE = 0.05;

/** Writes that a commit's script takes together; it holds two arguments a write on Lua's stack of 8,000. */
const BATCH = 500;

/** A write as the commit's script takes it. */
interface ScriptWrite {
  readonly kind: string;
  readonly id: string;
  readonly record: string;
  /** Not quiet, and not a deletion. */
  readonly plain: boolean;
}

/**
 * A commit is one Lua script. Redis decides how durable "written" is: `appendfsync always` for one node,
 * `waitReplicas` in the URL against the loss of a node.
 */
export class RedisStore implements Store {
  readonly #clock: Clock;
  readonly #client: RedisClient;
  readonly #prefix: string;
  readonly #feed: FeedLimits;
  /** The store that this process opened, `undefined` until it is known; it writes to no other. */
  #epoch: string | undefined;

  readonly #existing: boolean;

  /** Connects in the background. @throws SallyportError "config_invalid" for a TLS file that cannot be read. */
  constructor(url: RedisUrl, options: { readonly clock: Clock; readonly log?: Logger; readonly existing?: boolean }) {
    this.#clock = options.clock;
    this.#existing = options.existing ?? false;
    this.#prefix = `{${url.options.prefix ?? "sallyport"}}`;
    this.#feed = {
      commits: Number(url.options.feedCommits ?? DEFAULT_FEED_LIMITS.commits),
      bytes: Number(url.options.feedBytes ?? DEFAULT_FEED_LIMITS.bytes),
    };
    this.#client = new RedisClient(url, {
      ...(options.log !== undefined && { log: options.log }),
      channel: this.#key("wake"),
      onReady: () => void this.#knownEpoch().catch(() => undefined),
    });
  }

  /**
   * Waits a moment for the first connection; a Redis that is away makes a store that refuses until it is back.
   * @throws StoreAbsentError where only an existing store will do
   */
  async opened(): Promise<this> {
    for (const end = performance.now() + OPEN_MS; performance.now() < end; await delay(OPEN_RETRY_MS)) {
      const epoch = await this.#knownEpoch().catch(async (error: unknown) => {
        if (!(error instanceof StoreAbsentError)) return undefined;
        await this.close();
        throw error;
      });
      if (epoch !== undefined) break;
    }
    return this;
  }

  async commit(request: CommitRequest): Promise<number> {
    const { writes, preconditions } = await encodeCommit(request);
    return (await this.#commit(writes.map(toScriptWrite), preconditions)).revision;
  }

  async #commit(
    writes: readonly ScriptWrite[],
    preconditions: readonly Precondition[],
  ): Promise<{ revision: number; deletions: number }> {
    const epoch = await this.#knownEpoch();
    const now = this.#clock.nowMs();
    const { floor, step } = revisionFloor(now);
    const kinds = [...new Set([...writes, ...preconditions].map(({ kind }) => kind))];
    const keys = [this.#key("meta"), this.#key("expiry"), this.#key("feed")];
    for (const kind of kinds) keys.push(this.#key(`doc:${kind}`), this.#key(`ids:${kind}`));
    const args: (string | number)[] = [epoch, now, floor, step, this.#feed.commits, this.#feed.bytes];
    args.push(this.#key("wake"), kinds.length, preconditions.length, ...kinds);
    for (const { kind, id, revision } of preconditions) args.push(`${kind}/${id}`, revision);
    for (let from = 0; from < writes.length; from += BATCH) args.push(...toBatch(writes.slice(from, from + BATCH)));
    const answer = await this.#client.write(COMMIT, keys, args, Math.ceil(writes.length * MS_PER_WRITE));
    return this.#outcome(answer as [string, string, number]);
  }

  #outcome([outcome, detail, deletions]: [string, string, number]): { revision: number; deletions: number } {
    if (outcome === "conflict") {
      const slash = detail.indexOf("/");
      throw new ConflictError(detail.slice(0, slash), detail.slice(slash + 1));
    }
    if (outcome === "epoch") {
      throw new StoreUnavailableError(
        "the store was replaced or emptied since this process opened it; nothing was written",
      );
    }
    return { revision: Number(detail), deletions };
  }

  async get(kind: string, id: string): Promise<StoredDocument | undefined> {
    checkKey(kind, id);
    const held = await this.#client.call("HGET", this.#key(`doc:${kind}`), id);
    return this.#toLive(kind, id, held as string | null);
  }

  async getMany(kind: string, ids: readonly string[]): Promise<(StoredDocument | undefined)[]> {
    if (ids.length > 1_000) throw new RangeError(`more than 1000 ids: ${ids.length}`);
    for (const id of ids) checkKey(kind, id);
    if (ids.length === 0) return [];
    const held = (await this.#client.call("HMGET", this.#key(`doc:${kind}`), ...ids)) as (string | null)[];
    return ids.map((id, index) => this.#toLive(kind, id, held[index] ?? null));
  }

  async list(request: ListRequest): Promise<StoredDocument[]> {
    const { kind, limit } = request;
    const { after, from, below } = idRange(request);
    const first = after >= from && after !== "" ? `(${after}` : `[${from}`;
    const keys = [this.#key(`doc:${kind}`), this.#key(`ids:${kind}`)];
    const found = (await this.#client.read(LIST, keys, [first, `(${below}`, this.#clock.nowMs(), limit])) as string[];
    const documents: StoredDocument[] = [];
    for (let at = 0; at < found.length; at += 2) documents.push(toDocument(kind, found[at] ?? "", found[at + 1] ?? ""));
    return documents;
  }

  async snapshot(kinds: readonly string[]): Promise<{ head: Head; batches: AsyncIterable<readonly StoredDocument[]> }> {
    return { head: await this.head(), batches: readBatches(this, kinds) };
  }

  async head(): Promise<Head> {
    const [epoch, head] = (await this.#client.call("HMGET", this.#key("meta"), "epoch", "head")) as (string | null)[];
    return { epoch: epoch ?? "", revision: Number(head ?? 0) };
  }

  async changesSince(revision: number, limit: number): Promise<Changes> {
    return readFeed(revision, limit, (after, most) => this.#readPage(after, most));
  }

  async #readPage(after: number, limit: number): Promise<FeedPage> {
    const keys = [this.#key("meta"), this.#key("feed")];
    const answer = await this.#client.read(CHANGES, keys, [after, limit, PAGE_BYTES]);
    const [epoch, head, ...entries] = answer as [string, string, ...[string, string, ...string[]][]];
    return {
      head: { epoch, revision: Number(head) },
      commits: entries.map(([id, previous, ...texts]) => ({
        revision: Number.parseInt(id, 10),
        previous: Number(previous),
        text: texts.join(""),
      })),
    };
  }

  watch(wake: () => void): () => void {
    return this.#client.watch(wake);
  }

  /** By Redis's own clock: a node whose clock jumps cannot make a used key usable. */
  async useOnce(key: string, ttlMs: number): Promise<boolean> {
    const ttl = Math.max(1, Math.ceil(ttlMs));
    const answer = await this.#client.writeCommand("SET", this.#key(`once:${key}`), 1, "NX", "PX", ttl);
    return answer === "OK";
  }

  async take(key: string, limit: RateLimit): Promise<RateDecision> {
    const args = [this.#clock.nowMs(), limit.burst, limit.periodMs];
    const retryAfterMs = Number(await this.#client.read(TAKE, [this.#key(`rate:${key}`)], args));
    return { allowed: retryAfterMs === 0, retryAfterMs };
  }

  async giveBack(key: string, limit: RateLimit): Promise<void> {
    const args = [this.#clock.nowMs(), limit.burst, limit.periodMs];
    await this.#client.read(GIVE_BACK, [this.#key(`rate:${key}`)], args);
  }

  async sweep(limit: number): Promise<number> {
    const range = ["-inf", this.#clock.nowMs(), "LIMIT", 0, limit];
    const due = (await this.#client.call("ZRANGEBYSCORE", this.#key("expiry"), ...range)) as string[];
    if (due.length === 0) return 0;
    const writes = due.map((key) => {
      const slash = key.indexOf("/");
      return { kind: key.slice(0, slash), id: key.slice(slash + 1), record: "~", plain: false };
    });
    return (await this.#commit(writes, [])).deletions;
  }

  async close(): Promise<void> {
    this.#client.close();
  }

  async #knownEpoch(): Promise<string> {
    const meta = this.#key("meta");
    this.#epoch ??= this.#existing
      ? await this.#presentEpoch(meta)
      : String(await this.#client.read(INITIALISE, [meta], [newEpoch()]));
    return this.#epoch;
  }

  async #presentEpoch(meta: string): Promise<string> {
    const epoch = await this.#client.call("HGET", meta, "epoch");
    if (epoch === null) throw new StoreAbsentError(`this Redis answers, and ${meta} is not in it`);
    return String(epoch);
  }

  #key(name: string): string {
    return `${this.#prefix}:${name}`;
  }

  #toLive(kind: string, id: string, held: string | null): StoredDocument | undefined {
    if (held === null) return undefined;
    const document = toDocument(kind, id, held);
    const { expiresAtMs = Number.POSITIVE_INFINITY } = document;
    return expiresAtMs > this.#clock.nowMs() ? document : undefined;
  }
}

function toScriptWrite(write: EncodedWrite): ScriptWrite {
  const { kind, id, json, quiet } = write;
  const record = json === undefined ? `-${quiet ? 1 : 0}` : encodeRecord(write);
  return { kind, id, record, plain: json !== undefined && !quiet };
}

/** Mode and text, as `COMMIT` explains them. */
function toBatch(writes: readonly ScriptWrite[]): [mode: string, text: string] {
  const lines = writes.map(({ kind, id, record }) => `${kind}/${id}\n${record}\n`);
  return [writes.every(({ plain }) => plain) ? "+" : "*", lines.join("")];
}

function toDocument(kind: string, id: string, held: string): StoredDocument {
  const colon = held.indexOf(":");
  const { value, expiresAtMs } = decodeRecord(held.slice(colon + 1));
  const document = { kind, id, revision: Number(held.slice(0, colon)), value };
  return expiresAtMs === 0 ? document : { ...document, expiresAtMs };
}
