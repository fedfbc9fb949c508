/** How Sallyport connects to Redis: nothing is queued while it is away, nothing is sent twice, it reconnects for ever. */
import { readFileSync } from "node:fs";
import type { ConnectionOptions } from "node:tls";
import type { RedisOptions } from "ioredis";
import { Cluster, Redis } from "ioredis";
import { SallyportError } from "../core/errors.ts";
import type { RedisOption, RedisUrl } from "./redis-url.ts";

export type Client = Redis | Cluster;

/** A connection that owes an answer for this long is given up: its peer may be gone without a word. */
const SILENCE_MS = 5_000;
const CONNECT_MS = 2_000;
const SENTINEL_MS = 800;
const RECONNECT_MS = 100;

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

/** Connects in the background. @throws SallyportError "config_invalid" for a TLS file that cannot be read. */
export function createClient(url: RedisUrl): Client {
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
    sentinelCommandTimeout: SENTINEL_MS,
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
    // It asks any one node, which may still be connecting, and starts all over if that refuses.
    enableReadyCheck: false,
    clusterRetryStrategy: backOff,
    // Repeating after a lost connection could carry out a commit twice.
    retryDelayOnFailover: 0,
    retryDelayOnClusterDown: 0,
    maxRedirections: 4,
    slotsRefreshInterval: 1_000,
  });
}

/**
 * Connects a client again that ended by itself, until `isClosed`.
 * ioredis gives up for good when its fail-over detector hears of the new master while it is already reconnecting.
 */
export function reconnectForever(client: Client, isClosed: () => boolean): void {
  client.on("end", () => {
    if (isClosed()) return;
    setTimeout(() => {
      // Each failed attempt ends in another "end".
      if (!isClosed() && client.status === "end") client.connect().catch(() => undefined);
    }, RECONNECT_MS).unref();
  });
}

/** A node that is connected only on first use would refuse that use, since nothing is queued. */
export function connectEagerly(cluster: Cluster, onReady: () => void): void {
  cluster.on("+node", (node: Redis) => {
    node.once("ready", onReady);
    if (node.status === "wait") node.connect().catch(() => undefined);
  });
}
