/** The gate as its users run it: `sallyport serve` in a process of its own, with the log that it writes. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, request, type Server, type ServerResponse } from "node:http";
import { type AddressInfo, BoundSocket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import type { Test } from "tap";
import { stringify } from "yaml";

const MAIN = fileURLToPath(new URL("../../src/main.ts", import.meta.url));

type LogLine = Readonly<Record<string, unknown>>;

/** Arguments of `env` that run Node.js as it is, without the hooks that the test runner gives to its children. */
export function plainNode(...args: readonly string[]): string[] {
  return ["-u", "NODE_OPTIONS", process.execPath, ...args];
}

/** A port that is free now. */
export function freePort(): number {
  using socket = new BoundSocket({ host: "127.0.0.1" });
  return (socket.address() as AddressInfo).port;
}

export interface GateOptions {
  readonly settings?: Record<string, unknown>;
  readonly env?: Readonly<Record<string, string>>;
}

export class Gate {
  readonly dir: string;
  readonly file: string;
  readonly process: ChildProcess;
  readonly log: LogLine[] = [];
  #waiting: { matches: (line: LogLine) => boolean; resolve: (line: LogLine) => void }[] = [];
  readonly exited: Promise<number | null>;
  stderr = "";
  dataDir = "";

  /** Starts it; `ready` tells when it listens. The test's end kills what is left. */
  constructor(t: Test, options: GateOptions = {}) {
    this.dir = mkdtempSync(join(tmpdir(), "sallyport-gate-"));
    this.file = join(this.dir, "sallyport.yaml");
    this.configure(options.settings ?? {});
    const env = { PATH: process.env["PATH"], ...options.env };
    this.process = spawn("env", plainNode(MAIN, "serve", "--config", this.file), {
      cwd: this.dir,
      env,
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.exited = once(this.process, "exit").then(([code]) => code as number | null);
    this.process.stderr?.on("data", (chunk: Buffer) => {
      this.stderr += chunk.toString();
    });
    if (this.process.stdout !== null) createInterface(this.process.stdout).on("line", (line) => this.#take(line));
    t.teardown(async () => {
      this.#killAll();
      await this.exited;
      rmSync(this.dir, { recursive: true, force: true, maxRetries: 5 });
    });
  }

  /** Writes the configuration file anew; the address of each listener is any free port where nothing else is said. */
  configure(settings: Record<string, unknown>): void {
    const { edge, admin, dataDir, ...rest } = settings as { edge?: object; admin?: object; dataDir?: string };
    this.dataDir = dataDir ?? join(this.dir, "data");
    const defaults = {
      dataDir: this.dataDir,
      edge: { listen: "127.0.0.1:0", workers: 2, drain: "5s", ...edge },
      admin: { listen: "127.0.0.1:0", ...admin },
    };
    writeFileSync(this.file, stringify({ ...defaults, ...rest }));
  }

  /** The first line that says so, or `undefined` once the gate has ended without. */
  async logged(message: string, matches: (line: LogLine) => boolean = () => true): Promise<LogLine> {
    const wanted = (line: LogLine): boolean => line["msg"] === message && matches(line);
    const found = this.log.find(wanted);
    if (found !== undefined) return found;
    const line = new Promise<LogLine>((resolve) => this.#waiting.push({ matches: wanted, resolve }));
    const ended = this.exited.then(() => {
      throw new Error(`the gate ended without "${message}": ${this.stderr}`);
    });
    return Promise.race([line, ended]);
  }

  async ready(): Promise<{ edge: string; admin: string; health: string }> {
    const { edge, admin, health } = await this.logged("ready");
    return { edge: String((edge as string[])[0]), admin: String(admin), health: String(health) };
  }

  /** Children of the supervisor whose command line names this file. */
  pids(entry: "control-process.ts" | "edge-process.ts"): number[] {
    const children = readFileSync(`/proc/${this.process.pid}/task/${this.process.pid}/children`, "utf8");
    return children
      .split(" ")
      .filter((pid) => pid !== "" && commandOf(Number(pid)).includes(entry))
      .map(Number);
  }

  adminKey(): string {
    return readFileSync(join(this.dataDir, "admin.key"), "utf8").trim();
  }

  async admin(method: string, path: string, body?: unknown): Promise<Response> {
    const { admin } = await this.ready();
    const headers = { authorization: `Bearer ${this.adminKey()}`, "content-type": "application/json" };
    return fetch(`${admin}${path}`, { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) });
  }

  #take(text: string): void {
    const line = JSON.parse(text) as LogLine;
    this.log.push(line);
    for (const { matches, resolve } of this.#waiting) if (matches(line)) resolve(line);
  }

  #killAll(): void {
    const pids =
      this.process.exitCode === null && this.process.signalCode === null
        ? [...this.pids("control-process.ts"), ...this.pids("edge-process.ts")]
        : [];
    this.process.kill("SIGKILL");
    for (const pid of pids) endQuietly(pid);
  }
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return "";
  }
}

function endQuietly(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

/** A clinic's application. */
export async function startUpstream(t: Test, handler: Parameters<typeof createServer>[1]): Promise<string> {
  const server: Server = createServer(handler).listen(0, "127.0.0.1");
  t.teardown(() => {
    server.close();
    server.closeAllConnections();
  });
  await once(server, "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

export interface Visit {
  readonly status: number;
  readonly body: string;
}

/** One request on a connection of its own. Rejects when the connection is refused or breaks. */
export function visit(edge: string, host: string, path = "/"): Promise<Visit> {
  const { promise, resolve, reject } = Promise.withResolvers<Visit>();
  const outgoing = request(
    new URL(path, edge),
    { agent: false, headers: { host, connection: "close" } },
    (response) => {
      text(response).then((body) => resolve({ status: response.statusCode ?? 0, body }), reject);
    },
  );
  outgoing.once("error", reject).end();
  return promise;
}

/** An upstream that answers `/slow` when told, and all else at once. */
export async function slowUpstream(t: Test) {
  const held: ServerResponse[] = [];
  const { promise: holding, resolve } = Promise.withResolvers<void>();
  const url = await startUpstream(t, (request, response) => {
    if (request.url !== "/slow") return void response.end("served");
    held.push(response);
    resolve();
  });
  return { url, holding, release: () => held.splice(0).map((response) => response.end("at last")) };
}

/** A tenant with neither door. */
export function openTenant(id: string, host: string, upstream: string): object {
  return { id, name: id, hosts: [host], upstreams: [upstream], policy: { network: "off", secondFactor: "off" } };
}
