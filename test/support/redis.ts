/** Real Redis servers for tests: alone, watched by Sentinels, as a Cluster; on ephemeral loopback ports. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Redis } from "ioredis";
import type { Test } from "tap";
import { program } from "./programs.ts";

export interface RedisServer {
  readonly port: number;
  /** `redis://127.0.0.1:port/0` */
  readonly url: string;
  /** A plain client, for looking and meddling. */
  client(): Redis;
  /** `SIGSTOP`, `SIGCONT`: as a server that hangs. */
  signal(name: NodeJS.Signals): void;
  /** `kill -9`, waited for. */
  kill(): Promise<void>;
  /** Starts it again on the same port and folder. */
  start(): Promise<void>;
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

/** Starts a server without persistence unless `options` say otherwise; `undefined` where Redis is not installed. */
export async function startRedis(t: Test, options: readonly string[] = []): Promise<RedisServer | undefined> {
  const binary = program(t, "redis-server");
  if (binary === undefined) return undefined;
  const server = new LocalRedis(t, binary, await freePort(), options);
  await server.start();
  return server;
}

class LocalRedis implements RedisServer {
  readonly port: number;
  readonly #binary: string;
  readonly #folder: string;
  readonly #options: readonly string[];
  readonly #clients: Redis[] = [];
  #process: ChildProcess | undefined;

  constructor(t: Test, binary: string, port: number, options: readonly string[]) {
    this.port = port;
    this.#binary = binary;
    this.#options = options;
    this.#folder = mkdtempSync(join(tmpdir(), "sallyport-redis-"));
    t.teardown(async () => {
      for (const client of this.#clients) client.disconnect();
      await this.kill();
      rmSync(this.#folder, { recursive: true, force: true });
    });
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}/0`;
  }

  client(): Redis {
    const client = new Redis(this.port, "127.0.0.1");
    client.on("error", () => undefined);
    this.#clients.push(client);
    return client;
  }

  signal(name: NodeJS.Signals): void {
    this.#process?.kill(name);
  }

  async kill(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child === undefined || child.exitCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  }

  async start(): Promise<void> {
    const common = ["--port", String(this.port), "--bind", "127.0.0.1", "--dir", this.#folder, "--save", ""];
    this.#process = await launch(this.#binary, [...common, ...this.#options], /Ready to accept connections/);
  }
}

/** Resolves once a line of its output says that it serves. */
async function launch(binary: string, args: readonly string[], ready: RegExp): Promise<ChildProcess> {
  const child = spawn(binary, args, { stdio: ["ignore", "pipe", "inherit"] });
  const lines: string[] = [];
  const { promise, resolve, reject } = Promise.withResolvers<ChildProcess>();
  createInterface({ input: child.stdout }).on("line", (line) => {
    lines.push(line);
    if (ready.test(line)) resolve(child);
  });
  child.once("exit", () => reject(new Error(`${binary} ended before it was ready:\n${lines.join("\n")}`)));
  return promise;
}

/** Asks again every few milliseconds; for states of a server that no event tells of. */
export async function until(condition: () => Promise<boolean>, timeoutMs = 10_000): Promise<void> {
  for (const end = Date.now() + timeoutMs; !(await condition().catch(() => false)); ) {
    if (Date.now() > end) throw new Error("the condition did not come true in time");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

export interface SentinelSet {
  readonly url: string;
  readonly servers: readonly RedisServer[];
}

/** A master, a replica and three Sentinels that fail over within about a second. */
export async function startSentinelSet(t: Test): Promise<SentinelSet | undefined> {
  const master = await startRedis(t, ["--repl-diskless-sync-delay", "0"]);
  if (master === undefined) return undefined;
  const replica = await startRedis(t, ["--replicaof", `127.0.0.1 ${master.port}`]);
  if (replica === undefined) return undefined;
  await until(async () => (await replica.client().info("replication")).includes("master_link_status:up"));
  const ports = await Promise.all([freePort(), freePort(), freePort()]);
  const sentinels = await Promise.all(ports.map((port) => startSentinel(t, port, master.port)));
  await until(async () => (await Promise.all(sentinels.map(knowsAll))).every(Boolean));
  return {
    url: `redis+sentinel://${ports.map((port) => `127.0.0.1:${port}`).join(",")}/clinic/0`,
    servers: [master, replica],
  };
}

async function startSentinel(t: Test, port: number, masterPort: number): Promise<Redis> {
  const folder = mkdtempSync(join(tmpdir(), "sallyport-sentinel-"));
  const file = join(folder, "sentinel.conf");
  const lines = [
    `port ${port}`,
    "bind 127.0.0.1",
    `dir ${folder}`,
    `sentinel monitor clinic 127.0.0.1 ${masterPort} 2`,
    "sentinel down-after-milliseconds clinic 500",
    "sentinel failover-timeout clinic 3000",
  ];
  writeFileSync(file, `${lines.join("\n")}\n`);
  const binary = program(t, "redis-server") ?? "redis-server";
  const child = await launch(binary, [file, "--sentinel"], /\+monitor/);
  const client = new Redis(port, "127.0.0.1");
  client.on("error", () => undefined);
  t.teardown(async () => {
    client.disconnect();
    child.kill("SIGKILL");
    if (child.exitCode === null) await once(child, "exit");
    rmSync(folder, { recursive: true, force: true });
  });
  return client;
}

async function knowsAll(sentinel: Redis): Promise<boolean> {
  const [master] = (await sentinel.call("SENTINEL", "MASTERS")) as string[][];
  const field = (name: string) => master?.[master.indexOf(name) + 1];
  return field("num-other-sentinels") === "2" && field("num-slaves") === "1";
}

export interface RedisCluster {
  readonly url: string;
  readonly servers: readonly RedisServer[];
}

/** Three masters that share the slots, without replicas. */
export async function startCluster(t: Test): Promise<RedisCluster | undefined> {
  const options = ["--cluster-enabled", "yes", "--cluster-config-file", "nodes.conf", "--cluster-node-timeout", "2000"];
  const started = await Promise.all([startRedis(t, options), startRedis(t, options), startRedis(t, options)]);
  const servers = started.filter((server) => server !== undefined);
  const [first, ...rest] = servers;
  if (first === undefined) return undefined;
  const share = Math.ceil(16_384 / servers.length);
  for (const [index, server] of servers.entries()) {
    const last = Math.min((index + 1) * share, 16_384) - 1;
    await server.client().call("CLUSTER", "ADDSLOTSRANGE", index * share, last);
    await server.client().call("CLUSTER", "SET-CONFIG-EPOCH", index + 1);
  }
  for (const { port } of rest) await first.client().call("CLUSTER", "MEET", "127.0.0.1", port);
  const clients = servers.map((server) => server.client());
  const joined = async (client: Redis) => {
    const info = await client.cluster("INFO");
    return info.includes("cluster_state:ok") && info.includes(`cluster_known_nodes:${servers.length}`);
  };
  await until(async () => (await Promise.all(clients.map(joined))).every(Boolean));
  return { url: `redis+cluster://${servers.map(({ port }) => `127.0.0.1:${port}`).join(",")}`, servers };
}
