/** The grammar of a Redis store's URL. Connecting is `redis-connect.ts`. */
import { SallyportError } from "../core/errors.ts";

export interface Address {
  readonly host: string;
  readonly port: number;
}

export interface RedisUrl {
  readonly mode: "standalone" | "sentinel" | "cluster";
  readonly tls: boolean;
  readonly nodes: readonly Address[];
  readonly username?: string;
  readonly password?: string;
  /** Sentinel only: the name of the monitored master. */
  readonly master?: string;
  readonly database: number;
  readonly options: Readonly<Partial<Record<RedisOption, string>>>;
}

const FILE = /^[^\0]+$/;
const TEXT = /^.+$/s;
const NUMBER = /^\d{1,12}$/;

/** What each option may look like. */
const OPTIONS = {
  ca: FILE,
  cert: FILE,
  feedBytes: NUMBER,
  feedCommits: NUMBER,
  key: FILE,
  prefix: /^[A-Za-z0-9_.-]{1,64}$/,
  sentinelPassword: TEXT,
  sentinelUsername: TEXT,
  serverName: TEXT,
  waitReplicas: NUMBER,
};
const TLS_OPTIONS: readonly string[] = ["ca", "cert", "key", "serverName"];
export type RedisOption = keyof typeof OPTIONS;

const DEFAULT_PORT = { standalone: 6379, sentinel: 26379, cluster: 6379 };
const SHAPE =
  /^redis(?<tls>s?)(?:\+(?<mode>sentinel|cluster))?:\/\/(?:(?<user>[^@/]*)@)?(?<nodes>[^/?]+)(?<path>[^?]*)(?:\?(?<query>.*))?$/s;

/**
 * Reads
 * ```
 * redis[s]://[user[:password]@]host[:port][/database][?options]
 * redis[s]+sentinel://[user[:password]@]host[:port][,host[:port]…]/master[/database][?options]
 * redis[s]+cluster://[user[:password]@]host[:port][,host[:port]…][?options]
 * ```
 * User and password are percent-encoded; `:password@` and `user:password@` both work. A host may be a name, an
 * IPv4 address or an IPv6 address in brackets. `rediss` is TLS, with the server's certificate verified.
 *
 * Options: `ca`, `cert`, `key` (PEM files), `serverName` (the name that the certificate must carry, where it is
 * not the host's), `sentinelUsername`, `sentinelPassword`, `waitReplicas` (a write is acknowledged only once
 * that many replicas have it; default 0), `prefix` (of all keys; default `sallyport`), `feedCommits` and
 * `feedBytes` (how much of the feed is kept; defaults 100000 and 67108864).
 * @throws SallyportError "config_invalid"; the message never repeats the URL, which may carry a password.
 */
export function parseRedisUrl(url: string): RedisUrl {
  const parts = SHAPE.exec(url)?.groups;
  if (parts === undefined) throw invalid("write redis://host:port/database");
  const mode = (parts["mode"] ?? "standalone") as RedisUrl["mode"];
  const nodes = (parts["nodes"] ?? "").split(",").map((text) => parseAddress(text, DEFAULT_PORT[mode]));
  if (mode === "standalone" && nodes.length > 1)
    throw invalid("several hosts need redis+sentinel:// or redis+cluster://");
  return {
    mode,
    tls: parts["tls"] === "s",
    nodes,
    ...parseUser(parts["user"]),
    ...parsePath(mode, parts["path"] ?? ""),
    options: parseOptions(parts["query"] ?? "", parts["tls"] === "s"),
  };
}

function parseAddress(text: string, defaultPort: number): Address {
  const match = /^(?:\[(?<six>[0-9a-fA-F:.]+)\]|(?<name>[A-Za-z0-9._-]+))(?::(?<port>\d{1,5}))?$/.exec(text);
  const host = match?.groups?.["six"] ?? match?.groups?.["name"];
  const port = Number(match?.groups?.["port"] ?? defaultPort);
  if (host === undefined || port < 1 || port > 65_535)
    throw invalid(`a host is written as name:port or [address]:port`);
  return { host, port };
}

function parseUser(text: string | undefined): { username?: string; password?: string } {
  if (text === undefined || text === "") return {};
  const colon = text.indexOf(":");
  const username = decode(colon < 0 ? text : text.slice(0, colon));
  const password = colon < 0 ? "" : decode(text.slice(colon + 1));
  return { ...(username !== "" && { username }), ...(password !== "" && { password }) };
}

function parsePath(mode: RedisUrl["mode"], path: string): { master?: string; database: number } {
  const segments = path.split("/").slice(1).map(decode);
  if (segments.at(-1) === "") segments.pop();
  const master = mode === "sentinel" ? segments.shift() : undefined;
  if (mode === "sentinel" && master === undefined)
    throw invalid("redis+sentinel:// needs /master-name after the hosts");
  const [database = "0", ...rest] = segments;
  if (!/^\d{1,4}$/.test(database) || rest.length > 0) throw invalid("a database is a number, as in /0");
  if (mode === "cluster" && database !== "0") throw invalid("a Redis Cluster has database 0 only");
  return { database: Number(database), ...(master !== undefined && { master }) };
}

function parseOptions(query: string, tls: boolean): RedisUrl["options"] {
  const options: Partial<Record<RedisOption, string>> = {};
  for (const [name, value] of new URLSearchParams(query)) {
    if (!isOption(name)) throw invalid(`there is no option "${name}"; there are ${Object.keys(OPTIONS).join(", ")}`);
    if (options[name] !== undefined) throw invalid(`option "${name}" is given twice`);
    if (!OPTIONS[name].test(value)) throw invalid(`option "${name}" does not take such a value`);
    if (!tls && TLS_OPTIONS.includes(name)) throw invalid(`option "${name}" is for TLS: write rediss instead of redis`);
    options[name] = value;
  }
  return options;
}

function isOption(name: string): name is RedisOption {
  return Object.hasOwn(OPTIONS, name);
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalid("a % must be followed by two hexadecimal digits; write %25 for a percent sign");
  }
}

function invalid(hint: string): SallyportError {
  return new SallyportError("config_invalid", `the store's URL cannot be read: ${hint}`);
}
