/** A Redis connection that fails fast: deadlines, no queueing while it is down, reconnection in the background. */
import { readFileSync } from "node:fs";
import type { ConnectionOptions } from "node:tls";
import type { RedisOptions } from "ioredis";
import { Cluster, Redis } from "ioredis";
import { SallyportError, StoreUnavailableError } from "../core/errors.ts";
import type { Logger } from "../core/log.ts";
import type { Script } from "./redis-scripts.ts";
import type { RedisOption, RedisUrl } from "./redis-url.ts";
import { numberOption } from "./redis-url.ts";

type Client = Redis | Cluster;
type Argument = string | number;

/** The port's promise is an answer in under a second. */
const COMMAND_MS = 800;
/** How long of it replicas may take to acknowledge. */
const WAIT_MS = 500;
/** A connection that owes an answer for this long is given up: its peer may be gone without a word. */
const SILENCE_MS = 3_000;
const CONNECT_MS = 2_000;
/** At least 6.2: `XRANGE` with an open end. */
const EVICTION = /^maxmemory_policy:(\S+)/m;

/** The reply mapping is pinned, so that replies look the same under RESP2 and RESP3. */
type LinkOptions = RedisOptions & { replyMapping: "legacy" };

const LINK: LinkOptions = {
  replyMapping: "legacy",
  enableOfflineQueue: false,
  maxRetriesPerRequest: 0,
  // A command whose answer was lost may have been carried out: only its caller knows whether to repeat it.
  autoResendUnfulfilledCommands: false,
  autoResubscribe: false,
  socketTimeout: SILENCE_MS,
  connectTimeout: CONNECT_MS,
  retryStrategy: backOff,
  reconnectOnError: (error) => error.message.startsWith("READONLY"),
  connectionName: "sallyport",
};

function backOff(attempts: number): number {
  return Math.min(50 * 2 ** Math.min(attempts, 6), 2_000) + Math.floor(Math.random() * 100);
}

function tlsOptions(url: RedisUrl): ConnectionOptions {
  const pem = (option: RedisOption) => {
    const file = url.options[option];
    if (file === undefined) return undefined;
    try {
      return readFileSync(file);
    } catch (cause) {
      throw new SallyportError("config_invalid", `the store's ${option} file ${file} cannot be read`, { cause });
    }
  };
  const { serverName: servername } = url.options;
  const files = { ca: pem("ca"), cert: pem("cert"), key: pem("key"), servername };
  return Object.fromEntries(Object.entries(files).filter(([, value]) => value !== undefined));
}

function createClient(url: RedisUrl): Client {
  const { username, password, database: db } = url;
  const tls = url.tls ? tlsOptions(url) : undefined;
  const link: LinkOptions = { ...LINK, username, password, db, tls };
  const [first] = url.nodes;
  if (url.mode === "standalone") return new Redis({ ...link, ...first });
  if (url.mode === "cluster") return createCluster(url.nodes, link);
  return new Redis({
    ...link,
    sentinels: [...url.nodes],
    name: url.master,
    sentinelUsername: url.options.sentinelUsername,
    sentinelPassword: url.options.sentinelPassword,
    sentinelCommandTimeout: COMMAND_MS,
    sentinelRetryStrategy: backOff,
    failoverDetector: true,
    enableTLSForSentinelMode: url.tls,
    sentinelTLS: tls,
  });
}

function createCluster(nodes: RedisUrl["nodes"], link: LinkOptions): Cluster {
  const { retryStrategy: _none, enableOfflineQueue, db: _zero, ...redisOptions } = link;
  return new Cluster([...nodes], {
    redisOptions,
    enableOfflineQueue,
    clusterRetryStrategy: backOff,
    // Repeating after a lost connection could carry out a commit twice.
    retryDelayOnFailover: 0,
    retryDelayOnClusterDown: 0,
    maxRedirections: 4,
    slotsRefreshInterval: 1_000,
  });
}

/** Rejects every call with `StoreUnavailableError` where Redis refuses, is away, or takes too long. */
export class RedisClient {
  readonly #client: Client;
  readonly #subscriber: Client;
  readonly #channel: string;
  readonly #log: Logger | undefined;
  readonly #waitReplicas: number;
  readonly #wakes = new Set<() => void>();
  #lastFault = "not connected yet";
  #wasReady: boolean = false;
  #closed: boolean = false;

  /** Connects in the background; `onReady` is called at each (re)connection. */
  constructor(url: RedisUrl, options: { channel: string; log?: Logger; onReady: () => void }) {
    this.#channel = options.channel;
    this.#log = options.log;
    this.#waitReplicas = numberOption(url, "waitReplicas", 0);
    this.#client = createClient(url);
    this.#subscriber = this.#client instanceof Cluster ? this.#client : this.#client.duplicate();
    this.#client.on("ready", () => {
      this.#connected();
      options.onReady();
    });
    this.#client.on("close", () => this.#disconnected());
    this.#client.on("error", (error: Error) => this.#fault(error));
    this.#subscribe();
  }

  /** Resolves once connected, or after `timeoutMs`: being away at start is not a fault. */
  async settled(timeoutMs: number): Promise<void> {
    if (this.#client.status === "ready") return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, timeoutMs);
    this.#client.once("ready", resolve);
    await promise;
    clearTimeout(timer);
    this.#client.off("ready", resolve);
  }

  /** Runs a command. */
  async call(command: string, ...args: Argument[]): Promise<unknown> {
    return this.#within(COMMAND_MS, () => this.#client.call(command, args));
  }

  /** Runs a script that only reads, or whose loss in a failover is no harm. */
  async read(script: Script, keys: readonly string[], args: readonly Argument[]): Promise<unknown> {
    return this.#within(COMMAND_MS, () =>
      this.#run(script, keys, args, (command, flat) => this.#client.call(command, flat)),
    );
  }

  /**
   * Runs a script that writes, then waits for the replicas that the URL asks for.
   * @throws StoreUnavailableError also when too few acknowledge: the write then may or may not survive a failover.
   */
  async write(script: Script, keys: readonly string[], args: readonly Argument[], extraMs = 0): Promise<unknown> {
    return this.#within(COMMAND_MS + extraMs, () =>
      this.#run(script, keys, args, (command, flat) => this.#durably(command, flat)),
    );
  }

  /** {@link call} for a command that writes one key. */
  async writeCommand(command: string, ...args: Argument[]): Promise<unknown> {
    return this.#within(COMMAND_MS, () => this.#durably(command, args));
  }

  watch(wake: () => void): () => void {
    const watcher = () => wake();
    this.#wakes.add(watcher);
    return () => this.#wakes.delete(watcher);
  }

  close(): void {
    this.#closed = true;
    this.#wakes.clear();
    this.#subscriber.disconnect();
    this.#client.disconnect();
  }

  async #run(
    script: Script,
    keys: readonly string[],
    args: readonly Argument[],
    send: (command: string, args: Argument[]) => Promise<unknown>,
  ): Promise<unknown> {
    try {
      return await send("evalsha", [script.sha1, keys.length, ...keys, ...args]);
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith("NOSCRIPT"))) throw error;
      return send("eval", [script.lua, keys.length, ...keys, ...args]);
    }
  }

  /** In one pipeline, so that WAIT speaks of this very write and goes to the same node of a Cluster. */
  async #durably(command: string, args: Argument[]): Promise<unknown> {
    if (this.#waitReplicas === 0) return this.#client.call(command, args);
    const pipeline = this.#client
      .pipeline()
      .call(command, ...args)
      .wait(this.#waitReplicas, WAIT_MS);
    const [written, waited] = (await pipeline.exec()) ?? [];
    const fault = written?.[0] ?? waited?.[0];
    if (fault) throw fault;
    if (Number(waited?.[1]) < this.#waitReplicas) {
      throw new StoreUnavailableError("too few replicas of the store acknowledged the write in time");
    }
    return written?.[1];
  }

  async #within<T>(timeoutMs: number, operation: () => Promise<T>): Promise<T> {
    if (this.#closed) throw new StoreUnavailableError("the store is closed");
    const { promise: expired, reject } = Promise.withResolvers<never>();
    const expire = () => reject(new StoreUnavailableError(`the store did not answer within ${timeoutMs} ms`));
    // After a pause of this process the answer may be waiting in the socket: it is read first.
    const timer = setTimeout(() => setImmediate(expire), timeoutMs);
    try {
      return await Promise.race([operation(), expired]);
    } catch (error) {
      throw this.#unavailable(error);
    } finally {
      clearTimeout(timer);
    }
  }

  /** ioredis hangs a command's arguments, passwords included, on its errors: only the message is kept. */
  #unavailable(error: unknown): StoreUnavailableError {
    if (error instanceof StoreUnavailableError) return error;
    const message = error instanceof Error ? error.message : "unknown fault";
    const reason = this.#client.status === "ready" ? message : this.#lastFault;
    return new StoreUnavailableError(`the store refused: ${reason.slice(0, 200)}`);
  }

  #subscribe(): void {
    this.#subscriber.on("message", () => this.#wake());
    this.#subscriber.on("ready", () => {
      this.#subscriber.subscribe(this.#channel).then(
        () => this.#wake(),
        (error: Error) => this.#fault(error),
      );
    });
    if (this.#subscriber !== this.#client) this.#subscriber.on("error", () => undefined);
  }

  #wake(): void {
    for (const wake of this.#wakes) wake();
  }

  #connected(): void {
    this.#wasReady = true;
    this.#log?.info({}, "connected to the store");
    if (this.#client instanceof Redis) void this.#checkEviction(this.#client);
  }

  async #checkEviction(client: Redis): Promise<void> {
    const policy = EVICTION.exec(await client.info("memory").catch(() => ""))?.[1];
    if (policy === undefined || policy === "noeviction") return;
    this.#log?.error({ policy }, "Redis may evict the store's data: set maxmemory-policy to noeviction");
  }

  #disconnected(): void {
    if (this.#wasReady && !this.#closed)
      this.#log?.warn({ reason: this.#lastFault }, "lost the connection to the store");
    this.#wasReady = false;
    // A path that died without a word takes the silent subscription with it.
    if (this.#subscriber !== this.#client && !this.#closed) this.#subscriber.disconnect(true);
  }

  #fault(error: Error): void {
    this.#lastFault = error.message;
  }
}
