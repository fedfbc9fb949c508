/** From settings that fit the schema to the complete configuration, and the rules that no schema can say. */
import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import { formatPrefix, parsePrefix } from "../core/address.ts";
import { SallyportError } from "../core/errors.ts";
import { settleMail, settleSms, settleSmsLimits } from "../notify/settings.ts";
import { durationSeconds } from "../schema/duration.ts";
import { examineFitting, type FittingTenant, isComplete, parseTenantInput } from "../schema/tenant.ts";
import type { EdgeSettings, FileSettings, ListenerSettings } from "./file-schema.ts";
import type {
  AdminConfig,
  Config,
  Credentials,
  DeclaredTenant,
  EdgeConfig,
  Endpoint,
  ListenerConfig,
  TlsFiles,
} from "./settings.ts";
import type { KeyPath } from "./source.ts";
import { formatEndpoint, isLoopback, parseBytes, parseEndpoint } from "./units.ts";

/** Takes one mistake. */
export type Report = (path: KeyPath, message: string, hint?: string) => void;

type TlsSettings = { cert: string; key: string; hosts?: string[] };

const ANY_FREE: Endpoint = { host: "127.0.0.1", port: 0 };

/**
 * @param settings may hold `undefined` in lists, where something wrong was left out
 * @param base the folder that relative paths start from
 */
export function settle(settings: FileSettings, credentials: Credentials, base: string, report: Report): Config {
  const dataDir = resolve(base, settings.dataDir ?? "data");
  const { staleness, log, mail = {}, sms = {} } = settings;
  const edge = settleEdge(settings.edge ?? {}, base, report);
  const admin = settleAdmin(settings.admin ?? {}, base, report);
  refuseShared(edge, admin, report);
  return {
    dataDir,
    store: { url: storeUrl(settings.store?.url ?? "sqlite:", dataDir, base, report) },
    publicUrl: settings.publicUrl ?? publicUrlOf(edge),
    edge,
    mail: settleMail(mail, { ...credentials, base, defaultFolder: resolve(dataDir, "mail") }, report),
    sms: { ...settleSms(sms, credentials, report), limits: settleSmsLimits(sms) },
    admin,
    staleness: {
      allowlistSeconds: bounded(staleness?.allowlist ?? "15m", 10, 86_400, ["staleness", "allowlist"], report),
      sessionSeconds: bounded(staleness?.session ?? "30s", 1, 300, ["staleness", "session"], report),
    },
    limits: { entriesPerTenant: settings.limits?.entriesPerTenant ?? 100_000 },
    tenants: settleTenants(settings.tenants ?? [], report),
    log: { level: log?.level ?? "info" },
  };
}

/** Two that listen at the same place could not, and what is said of it then would name neither. */
function refuseShared({ listen, healthListen }: EdgeConfig, admin: AdminConfig, report: Report): void {
  const taken = new Map(listen.map((at) => [formatEndpoint(at), "edge.listen"]));
  const others: [Endpoint | undefined, KeyPath][] = [
    [healthListen, ["edge", "healthListen"]],
    [admin, ["admin", "listen"]],
  ];
  for (const [at, path] of others) {
    if (at === undefined || at.port === 0) continue;
    const where = formatEndpoint(at);
    const by = taken.get(where);
    if (by !== undefined) report(path, `is ${where}, as ${by} is`, "give each a port of its own");
    taken.set(where, path.join("."));
  }
}

/** As the first listener with TLS has it; over https where a proxy in front speaks to the browsers. */
function publicUrlOf({ listen, trustedProxies }: EdgeConfig): string {
  const secure = listen.find(({ tls }) => tls !== undefined);
  if (secure === undefined && trustedProxies.length > 0) return "https://{host}";
  const scheme = secure === undefined ? "http" : "https";
  const port = (secure ?? listen[0])?.port ?? 0;
  const usual = port === 0 || port === (secure === undefined ? 80 : 443);
  return `${scheme}://{host}${usual ? "" : `:${port}`}`;
}

function storeUrl(url: string, dataDir: string, base: string, report: Report): string {
  if (url === "sqlite:") return `sqlite:${resolve(dataDir, "sallyport.db")}`;
  if (url.startsWith("sqlite:") && url !== "sqlite::memory:")
    return `sqlite:${resolve(base, url.slice("sqlite:".length))}`;
  if (!/^rediss?(\+(sentinel|cluster))?:\/\//.test(url)) {
    report(["store", "url"], "must start with sqlite:, redis:// or rediss:// (or redis+sentinel://, redis+cluster://)");
  }
  return url;
}

function settleEdge(edge: EdgeSettings, base: string, report: Report): EdgeConfig {
  const { timeouts: t = {}, limits: l = {}, upstream: u = {} } = edge;
  const seconds = (value: string | number | undefined, fallback: number, key: string, section = "timeouts"): number =>
    bounded(value ?? fallback, 1, 86_400, section === "" ? ["edge", key] : ["edge", section, key], report);
  const bytes = (value: string | number | undefined, fallback: number, key: string): number => {
    const size = parseBytes(value ?? fallback) ?? fallback;
    if (size < 1024 || size > 1024 ** 2) report(["edge", "limits", key], "must be from 1KiB to 1MiB");
    return size;
  };
  return {
    listen: settleListeners(edge.listen ?? "127.0.0.1:8080", base, report),
    workers: edge.workers === undefined || edge.workers === "auto" ? availableParallelism() : edge.workers,
    cpuAffinity: edge.cpuAffinity ?? "auto",
    trustedProxies: settleProxies(edge.trustedProxies ?? [], report),
    ...(edge.healthListen !== undefined && {
      healthListen: endpoint(edge.healthListen, ["edge", "healthListen"], report),
    }),
    drainSeconds: bounded(edge.drain ?? 30, 0, 3600, ["edge", "drain"], report),
    limits: {
      headerBytes: bytes(l.headerSize, 32_768, "headerSize"),
      headerCount: l.headerCount ?? 200,
      targetBytes: bytes(l.targetSize, 16_384, "targetSize"),
      connections: l.connections ?? 20_000,
      connectionsPerAddress: l.connectionsPerAddress ?? 0,
    },
    timeouts: {
      headersSeconds: seconds(t.headers, 15, "headers"),
      requestIdleSeconds: seconds(t.requestIdle, 60, "requestIdle"),
      keepAliveSeconds: seconds(t.keepAlive, 65, "keepAlive"),
      writeIdleSeconds: seconds(t.writeIdle, 60, "writeIdle"),
      connectSeconds: seconds(t.connect, 5, "connect"),
      responseHeadersSeconds: seconds(t.responseHeaders, 60, "responseHeaders"),
      responseIdleSeconds: seconds(t.responseIdle, 120, "responseIdle"),
      tunnelIdleSeconds: seconds(t.tunnelIdle, 3600, "tunnelIdle"),
    },
    upstream: {
      ...(u.ca !== undefined && { ca: resolve(base, u.ca) }),
      keepAliveSeconds: seconds(u.keepAlive, 30, "keepAlive", "upstream"),
      maxConnections: u.maxConnections ?? 256,
    },
  };
}

function settleListeners(
  listen: string | readonly (string | Partial<ListenerSettings> | undefined)[],
  base: string,
  report: Report,
): ListenerConfig[] {
  const path: KeyPath = ["edge", "listen"];
  if (typeof listen === "string") return [{ ...endpoint(listen, path, report), proxyProtocol: false }];
  const seen = new Set<string>();
  return listen.flatMap((item, index) => {
    if (item === undefined) return [];
    const { address, tls, proxyProtocol = false } = typeof item === "string" ? { address: item } : item;
    if (address === undefined) return [];
    const at = endpoint(address, typeof item === "string" ? [...path, index] : [...path, index, "address"], report);
    if (at.port !== 0 && seen.has(formatEndpoint(at))) report([...path, index], `repeats ${formatEndpoint(at)}`);
    seen.add(formatEndpoint(at));
    return {
      ...at,
      ...(tls !== undefined && { tls: [tls].flat().flatMap((files) => settleTls(files, base)) }),
      proxyProtocol,
    };
  });
}

function settleTls(files: Partial<TlsSettings> | undefined, base: string): TlsFiles[] {
  const { cert, key, ...rest } = files ?? {};
  return cert === undefined || key === undefined
    ? []
    : [{ ...rest, cert: resolve(base, cert), key: resolve(base, key) }];
}

/** 10.0.0.0/8 and fd00::/8 are the widest networks in which proxies stand; a few wider ones would be everybody. */
const LEAST_PROXY_PREFIX = 8;

function settleProxies(proxies: readonly (string | undefined)[], report: Report): string[] {
  return proxies.flatMap((text, index) => {
    if (text === undefined) return [];
    const path: KeyPath = ["edge", "trustedProxies", index];
    try {
      const prefix = parsePrefix(text);
      if (prefix.length >= LEAST_PROXY_PREFIX) return [formatPrefix(prefix)];
      report(
        path,
        "would believe the X-Forwarded-For of whole parts of the internet",
        "name the proxies' own addresses",
      );
    } catch (error) {
      if (!(error instanceof SallyportError)) throw error;
      report(path, error.message);
    }
    return [];
  });
}

function settleAdmin(admin: NonNullable<FileSettings["admin"]>, base: string, report: Report): AdminConfig {
  const at = endpoint(admin.listen ?? "127.0.0.1:8081", ["admin", "listen"], report);
  const allowCleartext = admin.allowCleartext ?? false;
  if (!isLoopback(at) && admin.tls === undefined && !allowCleartext) {
    const hint = "give admin.tls, or set admin.allowCleartext: true where the network is private";
    report(["admin", "listen"], "is reachable from other machines in cleartext, which would carry keys", hint);
  }
  const [tls] = settleTls(admin.tls, base);
  return { ...at, allowCleartext, ...(tls !== undefined && { tls }) };
}

function settleTenants(declared: readonly (FittingTenant | undefined)[], report: Report): DeclaredTenant[] {
  const owners = new Map<string, number>();
  return declared.flatMap((input, index) => {
    if (input === undefined) return [];
    const path: KeyPath = ["tenants", index];
    const { tenant, hosts, issues } = settleTenant(input);
    for (const issue of issues) report([...path, ...steps(issue.at)], issue.message, issue.hint);
    for (const name of [
      ...(input.id === undefined ? [] : [`the id ${input.id}`]),
      ...hosts.map((host) => `the host ${host}`),
    ]) {
      const owner = owners.get(name);
      if (owner !== undefined) report(path, `repeats ${name}, which tenants[${owner}] has`);
      else owners.set(name, index);
    }
    return tenant ?? [];
  });
}

/** Of one that lost what does not fit the schema, the rest is examined all the same. */
function settleTenant(input: FittingTenant) {
  const { hosts, issues } = examineFitting(input);
  return { hosts, issues, tenant: isComplete(input) && issues.length === 0 ? parseTenantInput(input) : undefined };
}

/** The steps of a JSON pointer. */
function steps(pointer: string): (string | number)[] {
  return pointer
    .split("/")
    .filter((step) => step !== "")
    .map((step) => (/^\d+$/.test(step) ? Number(step) : step));
}

function endpoint(text: string, path: KeyPath, report: Report): Endpoint {
  const parsed = parseEndpoint(text);
  if (parsed !== undefined) return parsed;
  const isName = /^(localhost|\*?):\d+$/.test(text);
  report(
    path,
    "must be a numeric address and a port",
    isName
      ? `write 127.0.0.1${text.slice(text.lastIndexOf(":"))} or 0.0.0.0${text.slice(text.lastIndexOf(":"))}`
      : "such as 127.0.0.1:8080 or [::1]:8080",
  );
  return ANY_FREE;
}

function bounded(value: string | number, minimum: number, maximum: number, path: KeyPath, report: Report): number {
  const seconds = durationSeconds(value);
  if (seconds < minimum || seconds > maximum) report(path, `must be from ${minimum}s to ${maximum}s`);
  return seconds;
}
