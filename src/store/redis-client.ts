/** A Redis store's commands, scripts and wake-ups, each answered or refused within a deadline. */
import { Cluster, Redis } from "ioredis";
import { StoreUnavailableError } from "../core/errors.ts";
import type { Logger } from "../core/log.ts";
import type { Client } from "./redis-connect.ts";
import { connectEagerly, createClient, reconnectForever } from "./redis-connect.ts";
import type { Script } from "./redis-scripts.ts";
import type { RedisUrl } from "./redis-url.ts";

type Argument = string | number;

/** The port's promise is an answer in under a second. */
const COMMAND_MS = 800;
/** How long of it replicas may take to acknowledge. */
const WAIT_MS = 500;
const EVICTION = /^maxmemory_policy:(\S+)/m;

/** Rejects every call with `StoreUnavailableError` where Redis refuses, is away, or takes too long. */
export class RedisClient {
  readonly #client: Client;
  /** WAIT holds up what is sent behind it: with `waitReplicas` writes have a connection of their own. */
  readonly #writer: Client;
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
    this.#waitReplicas = Number(url.options.waitReplicas ?? 0);
    this.#client = createClient(url);
    this.#writer = this.#waitReplicas === 0 ? this.#client : createClient(url);
    this.#subscriber = this.#client instanceof Cluster ? this.#client : this.#client.duplicate();
    for (const client of new Set([this.#client, this.#writer, this.#subscriber])) {
      client.on("error", (error: Error) => this.#fault(error));
      reconnectForever(client, () => this.#closed);
      if (client instanceof Cluster) connectEagerly(client, options.onReady);
    }
    this.#client.on("ready", () => {
      this.#connected();
      options.onReady();
    });
    this.#client.on("close", () => this.#disconnected());
    this.#subscribe();
  }

  /** Runs a command. */
  async call(command: string, ...args: Argument[]): Promise<unknown> {
    return this.#within(COMMAND_MS, () => this.#client.call(command, args));
  }

  /** Runs a script that only reads, or whose loss in a failover is no harm. */
  async read(script: Script, keys: readonly string[], args: readonly Argument[]): Promise<unknown> {
    return this.#within(COMMAND_MS, () => this.#run(script, [keys.length, ...keys, ...args]));
  }

  /**
   * Runs a script that writes, then waits for the replicas that the URL asks for.
   * @throws StoreUnavailableError also when too few acknowledge: the write then may or may not survive a failover.
   */
  async write(script: Script, keys: readonly string[], args: readonly Argument[], extraMs = 0): Promise<unknown> {
    const rest = [keys.length, ...keys, ...args];
    const send = () =>
      // By its text: a script that Redis has forgotten would otherwise wait for replicas twice.
      this.#waitReplicas === 0 ? this.#run(script, rest) : this.#replicate("eval", [script.lua, ...rest]);
    return this.#within(COMMAND_MS + extraMs, send);
  }

  /** Runs a command that writes one key, then waits like {@link write}. */
  async writeCommand(command: string, ...args: Argument[]): Promise<unknown> {
    const send = () => (this.#waitReplicas === 0 ? this.#client.call(command, args) : this.#replicate(command, args));
    return this.#within(COMMAND_MS, send);
  }

  watch(wake: () => void): () => void {
    const watcher = () => wake();
    this.#wakes.add(watcher);
    return () => this.#wakes.delete(watcher);
  }

  close(): void {
    this.#closed = true;
    this.#wakes.clear();
    for (const client of new Set([this.#subscriber, this.#writer, this.#client])) client.disconnect();
  }

  async #run(script: Script, rest: readonly Argument[]): Promise<unknown> {
    try {
      return await this.#client.call("evalsha", [script.sha1, ...rest]);
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith("NOSCRIPT"))) throw error;
      return this.#client.call("eval", [script.lua, ...rest]);
    }
  }

  /** In one pipeline, so that WAIT speaks of this very write on this very connection, to the same node of a Cluster. */
  async #replicate(command: string, args: Argument[]): Promise<unknown> {
    const pipeline = this.#writer.pipeline().call(command, args).wait(this.#waitReplicas, WAIT_MS);
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
    const lost = this.#wasReady && !this.#closed;
    if (lost) this.#log?.warn({ reason: this.#lastFault }, "lost the connection to the store");
    this.#wasReady = false;
    // Whoever follows the store notices that it was away, however short that was.
    this.#wake();
    // A path that died without a word takes the silent subscription with it.
    // Only when it is ready: ioredis ends a client for good that is told to reconnect while it connects.
    if (this.#subscriber !== this.#client && this.#subscriber.status === "ready") this.#subscriber.disconnect(true);
  }

  #fault(error: Error): void {
    this.#lastFault = error.message;
  }
}
