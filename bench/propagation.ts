/**
 * `npm run bench:propagation`: how long after the API's answer a change is in force in every edge.
 *
 *   --changes N   changes per case (default 1,000): an address is let in and thrown out in turn
 *   --json        the figures as JSON on standard output
 *
 * One node on SQLite, then three on one Redis, idle and under load. The clock starts when the API has answered
 * and stops when the last edge gives its first right verdict to requests that follow one another on one
 * connection; what the bench itself takes to ask is part of the figure.
 */
import type { ChildProcess } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { upstreamConfig } from "./contestants/nginx.ts";
import { ALLOWED_ADDRESS, HOST } from "./job.ts";
import { load } from "./load.ts";
import { callAdmin, startNode } from "./node.ts";
import { start, stop, stopAll } from "./processes.ts";
import { percentile } from "./table.ts";

const FIRST_PORT = 25_000;
const TENANT = "tenant-0";
const ENTRIES = `tenants/${TENANT}/allowlist`;
/** Comes and goes. */
const VISITOR = "127.0.0.77";
const LOAD_CONNECTIONS = 32;

const { values: flags } = parseArgs({
  options: { changes: { type: "string", default: "1000" }, json: { type: "boolean", default: false } },
});
const changes = Number(flags.changes);
const folder = mkdtempSync(join(tmpdir(), "sallyport-propagation-"));

interface Result {
  readonly nodes: number;
  readonly underLoad: boolean;
  readonly changes: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** A connection from the visitor's address to one edge. */
class Probe {
  readonly #port: number;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });

  constructor(port: number) {
    this.#port = port;
  }

  /** Asks again and again until the answer is the right one. */
  async until(status: number): Promise<void> {
    while ((await this.#ask()) !== status);
  }

  close(): void {
    this.#agent.destroy();
  }

  #ask(): Promise<number> {
    return new Promise((resolve) => {
      const options = { host: "127.0.0.1", port: this.#port, path: "/256", localAddress: VISITOR };
      const asked = request({ ...options, agent: this.#agent, headers: { host: HOST } }, (response) => {
        response.resume().once("end", () => resolve(response.statusCode ?? 0));
      });
      // A connection may be cut as its right goes.
      asked.once("error", () => resolve(0));
      asked.end();
    });
  }
}

interface Site {
  readonly ports: readonly number[];
  stop(): Promise<void>;
}

async function startSite(count: number, upstreamPort: number): Promise<Site> {
  const redisPort = FIRST_PORT + 90;
  const shared = {
    SALLYPORT_STORE_URL: `redis://127.0.0.1:${redisPort}/0`,
    SALLYPORT_SECRET_KEY: Buffer.alloc(32, "bench").toString("base64"),
  };
  const started: ChildProcess[] = [];
  if (count > 1) {
    const redis = await start("redis-server", ["--port", `${redisPort}`, "--save", "", "--dir", folder], {
      port: redisPort,
    });
    started.push(redis);
  }
  const tenant = {
    id: TENANT,
    name: "Clinic",
    hosts: [HOST],
    upstreams: [`http://127.0.0.1:${upstreamPort}`],
    policy: { network: "enforce", secondFactor: "off" },
  };
  const ports = Array.from({ length: count }, (_, index) => FIRST_PORT + 10 * (count + index));
  for (const port of ports) {
    const own = join(folder, `${count}-${port}`);
    mkdirSync(own);
    started.push(await startNode({ folder: own, port, tenants: [tenant], ...(count > 1 ? { env: shared } : {}) }));
  }
  await callAdmin(ports[0] ?? 0, "PUT", `${ENTRIES}?wait=applied`, { items: [{ cidr: ALLOWED_ADDRESS }] });
  return {
    ports,
    stop: async () => {
      // The store goes last.
      for (const child of started.reverse()) await stop(child);
    },
  };
}

/** Loads one node, round after round. @returns ends it, once its last round is over */
function keepBusy(port: number): () => Promise<void> {
  let busy = true;
  const url = `http://127.0.0.1:${port}/256`;
  const rounds = async (): Promise<void> => {
    while (busy) await load({ url, method: "GET", headers: { Host: HOST }, connections: LOAD_CONNECTIONS, seconds: 2 });
  };
  const running = rounds();
  return async () => {
    busy = false;
    await running;
  };
}

async function measure(ports: readonly number[], underLoad: boolean): Promise<Result> {
  const [admin = 0] = ports;
  const probes = ports.map((port) => new Probe(port));
  const loads = underLoad ? ports.map(keepBusy) : [];
  const took: number[] = [];
  let entry = "";
  for (let change = 0; change < changes; change += 1) {
    const adds = change % 2 === 0;
    if (adds) entry = ((await callAdmin(admin, "POST", ENTRIES, { cidr: VISITOR })) as { id: string }).id;
    else await callAdmin(admin, "DELETE", `${ENTRIES}/${entry}`);
    const answeredAtMs = performance.now();
    await Promise.all(probes.map((probe) => probe.until(adds ? 200 : 403)));
    took.push(performance.now() - answeredAtMs);
  }
  for (const probe of probes) probe.close();
  await Promise.all(loads.map((end) => end()));
  took.sort((one, other) => one - other);
  const of = (share: number): number => percentile(took, share);
  return { nodes: ports.length, underLoad, changes, p50Ms: of(0.5), p99Ms: of(0.99), maxMs: of(1) };
}

process.once("SIGINT", () => {
  void stopAll().then(() => process.exit(130));
});
const results: Result[] = [];
try {
  const upstreamPort = FIRST_PORT;
  const upstream = upstreamConfig(join(folder, "upstream"), upstreamPort);
  await start("nginx", ["-p", folder, "-c", upstream], { port: upstreamPort });
  for (const count of [1, 3]) {
    const { ports, stop: stopSite } = await startSite(count, upstreamPort);
    for (const underLoad of [false, true]) {
      const result = await measure(ports, underLoad);
      results.push(result);
      if (!flags.json) {
        const { p50Ms, p99Ms, maxMs } = result;
        const where = `${count} ${count === 1 ? "node" : "nodes on one Redis"}, ${underLoad ? "under load" : "idle"}`;
        console.log(`${where}: p50 ${p50Ms.toFixed(1)} ms, p99 ${p99Ms.toFixed(1)} ms, max ${maxMs.toFixed(1)} ms`);
      }
    }
    await stopSite();
  }
  if (flags.json) process.stdout.write(`${JSON.stringify(results, null, 2)}\n`);
} finally {
  await stopAll();
  rmSync(folder, { recursive: true, force: true });
}
process.exit();
