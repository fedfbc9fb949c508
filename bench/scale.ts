/**
 * `node bench/scale.ts [part…]`: what a node carries, for docs/scaling.md. Parts: million, import, churn, idle.
 *
 *   --tenants N   of `million` (default 10,000), each with 100 entries
 *   --changes N   of `churn` (default 100,000)
 *   --seconds N   how long each load lasts that is only looked at (default 10)
 *
 * Clients, upstream and node share the machine. "worst wait" is that of one client that asks again and again on
 * one connection, so that any stall of the edge shows.
 */
import { type ChildProcess, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { Agent, request } from "node:http";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";
import { Pool } from "undici";
import { upstreamConfig } from "./contestants/nginx.ts";
import { HOST } from "./job.ts";
import { load } from "./load.ts";
import { ADMIN_KEY, startNode } from "./node.ts";
import { family, start, stop, stopAll } from "./processes.ts";

const UPSTREAM_PORT = 26_000;
const PORT = 26_010;
const ENTRIES_PER_TENANT = 100;
const IDLE_CONNECTIONS = 10_000;
const LOAD_CONNECTIONS = 32;
const PARTS = { million, import: importUnderLoad, churn, idle };

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    tenants: { type: "string", default: "10000" },
    changes: { type: "string", default: "100000" },
    seconds: { type: "string", default: "10" },
  },
});
const seconds = Number(flags.seconds);
const root = mkdtempSync(join(tmpdir(), "sallyport-scale-"));
const admin = new Pool(`http://127.0.0.1:${PORT + 1}`, { connections: 16, headersTimeout: 120_000 });

async function call(method: "POST" | "PUT" | "DELETE" | "GET", path: string, body?: unknown): Promise<string> {
  const json = typeof body === "string" ? "text/plain" : "application/json";
  const { statusCode, body: answer } = await admin.request({
    method,
    path: `/v1/${path}`,
    headers: { authorization: `Bearer ${ADMIN_KEY}`, ...(body !== undefined && { "content-type": json }) },
    ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
  const text = await answer.text();
  if (statusCode >= 300) throw new Error(`${method} ${path} was answered with ${statusCode}: ${text.slice(0, 300)}`);
  return text;
}

/** Runs `count` calls, 16 at a time. */
async function inLanes(count: number, one: (index: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) await one(next++);
  };
  await Promise.all(Array.from({ length: 16 }, lane));
}

function clinic(id: string, hosts: readonly string[] = [`${id}.example`]): object {
  const upstreams = [`http://127.0.0.1:${UPSTREAM_PORT}`];
  return { id, name: id, hosts, upstreams, policy: { network: "enforce", secondFactor: "off" } };
}

/** A node whose one clinic admits this machine, for the parts that look at its edge. */
async function startClinic(edge: object = {}): Promise<ChildProcess> {
  const folder = mkdtempSync(join(root, "node-"));
  const node = await startNode({
    folder,
    port: PORT,
    tenants: [clinic("clinic", [HOST])],
    entriesPerTenant: 200_000,
    edge,
  });
  await call("POST", "tenants/clinic/allowlist?wait=applied", { cidr: "127.0.0.1" });
  return node;
}

function processOf(node: ChildProcess, entry: string): number {
  const holds = (pid: number): boolean => readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(entry);
  return family(node.pid ?? 0).find(holds) ?? 0;
}

/** Resident memory of control and of the edge. */
function memoryOf(node: ChildProcess): Record<"control" | "edge", string> {
  const sizeOf = (entry: string): string => {
    const status = readFileSync(`/proc/${processOf(node, entry)}/status`, "utf8");
    return `${Math.round(Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1024)} MiB`;
  };
  return { control: sizeOf("control-process.ts"), edge: sizeOf("edge-process.ts") };
}

/** Asks the edge again and again on one connection until told to end. @returns the waits, sorted */
function probe(address?: string): () => Promise<number[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const waits: number[] = [];
  let going = true;
  const asking = (async () => {
    while (going) {
      const askedAtMs = performance.now();
      if ((await ask(agent, HOST, address)) !== 200) throw new Error("the probe was not let in");
      waits.push(performance.now() - askedAtMs);
      await pause(1);
    }
  })();
  return async () => {
    going = false;
    await asking;
    agent.destroy();
    return waits.toSorted((one, other) => one - other);
  };
}

function ask(agent: Agent, host: string, address?: string): Promise<number> {
  const headers = { host, ...(address !== undefined && { "x-forwarded-for": address }) };
  return new Promise((resolve, reject) => {
    request({ agent, port: PORT, host: "127.0.0.1", path: "/256", headers }, (answer) => {
      answer.resume().once("end", () => resolve(answer.statusCode ?? 0));
    })
      .once("error", reject)
      .end();
  });
}

const loaded = (duration = seconds) =>
  load({
    url: `http://127.0.0.1:${PORT}/256`,
    method: "GET",
    headers: { Host: HOST },
    connections: LOAD_CONNECTIONS,
    seconds: duration,
  });

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const since = (atMs: number): string => `${((performance.now() - atMs) / 1000).toFixed(1)} s`;
const ms = (value: number | undefined): string => `${(value ?? Number.NaN).toFixed(1)} ms`;

/** A million entries over ten thousand tenants, through the API; the node starts anew on them and decides. */
async function million(): Promise<void> {
  const tenants = Number(flags.tenants);
  const folder = mkdtempSync(join(root, "node-"));
  const options = { folder, port: PORT, tenants: [], edge: { trustedProxies: ["127.0.0.1/32"] } };
  const site = (index: number, last: number): string => `10.${index >> 8}.${index & 255}.${last}`;
  const first = await startNode(options);
  say(`empty: ${JSON.stringify(memoryOf(first))}`);
  let atMs = performance.now();
  await inLanes(tenants, (index) => call("POST", "tenants", clinic(`t${index}`)));
  say(`${tenants} tenants created in ${since(atMs)}`);
  atMs = performance.now();
  await inLanes(tenants, (index) => {
    const lines = Array.from({ length: ENTRIES_PER_TENANT }, (_, last) => `${site(index, last)} Site ${last}`);
    return call("POST", `tenants/t${index}/allowlist/import`, lines.join("\n"));
  });
  say(`${tenants * ENTRIES_PER_TENANT} entries imported in ${since(atMs)}: ${JSON.stringify(memoryOf(first))}`);
  await stop(first);
  atMs = performance.now();
  const again = await startNode(options);
  const agent = new Agent({ keepAlive: true });
  while ((await ask(agent, "t0.example", site(0, 0))) !== 200) await pause(10);
  say(`started again and deciding in ${since(atMs)}: ${JSON.stringify(memoryOf(again))}`);
  for (let count = 0; count < 2_000; count++) {
    const index = (count * 7919) % tenants;
    const last = (count * 31) % 150;
    const own = await ask(agent, `t${index}.example`, site(index, last));
    const other = await ask(agent, `t${index}.example`, site((index + 1) % tenants, last));
    if (own !== (last < ENTRIES_PER_TENANT ? 200 : 403) || other !== 403) throw new Error(`wrong: ${index} ${last}`);
  }
  say("4000 decisions are right");
  agent.destroy();
  await stop(again);
}

/** 100,000 lines while clients ask; once with one bad line, which must change nothing. */
async function importUnderLoad(): Promise<void> {
  const node = await startClinic();
  const lines = Array.from(
    { length: 100_000 },
    (_, i) => `198.${18 + (i >> 16)}.${(i >> 8) & 255}.${i & 255} Site ${i}`,
  );
  const quiet = probe();
  await pause(seconds * 1000);
  const before = await quiet();
  say(`nothing else: p99 ${ms(before.at(-Math.ceil(before.length / 100)))}, worst wait ${ms(before.at(-1))}`);
  for (const [what, text] of [
    ["with one bad line", lines.with(70_000, "198.18.999.1").join("\n")],
    ["sound", lines.join("\n")],
  ] as const) {
    const end = probe();
    const atMs = performance.now();
    const answer = await call("POST", "tenants/clinic/allowlist/import?wait=applied", text).catch(
      (error) => `${error}`,
    );
    const took = since(atMs);
    await pause(500);
    const waits = await end();
    say(
      `${what}: ${took}, worst wait ${ms(waits.at(-1))}, p99 ${ms(waits.at(-Math.ceil(waits.length / 100)))}; ${answer.slice(0, 120)}`,
    );
  }
  say(JSON.stringify(memoryOf(node)));
  await stop(node);
}

/** 100,000 changes of one allowlist under load, as fast as the API takes them. */
async function churn(): Promise<void> {
  const changes = Number(flags.changes);
  const node = await startClinic();
  await loaded(3);
  const before = await loaded();
  say(`before: ${before.perSecond.toFixed(0)}/s, p99 ${ms(before.p99Ms)}; ${JSON.stringify(memoryOf(node))}`);
  for (const [what, underLoad] of [
    ["alone", false],
    ["under load", true],
  ] as const) {
    const atMs = performance.now();
    let over = false;
    const during: number[] = [];
    const loading = (async () => {
      while (underLoad && !over) during.push((await loaded(5)).p99Ms);
    })();
    await inLanes(changes / 2, async (index) => {
      const cidr = `198.${18 + (index >> 16)}.${(index >> 8) & 255}.${index & 255}`;
      const { id } = JSON.parse(await call("POST", "tenants/clinic/allowlist", { cidr })) as { id: string };
      await call("DELETE", `tenants/clinic/allowlist/${id}`);
    });
    over = true;
    const took = performance.now() - atMs;
    await loading;
    const p99 = during.toSorted((one, other) => one - other)[during.length >> 1];
    const rate = `${changes} changes in ${(took / 1000).toFixed(1)} s (${Math.round((changes / took) * 1000)}/s)`;
    say(`${rate}, ${what}: p99 ${ms(p99)}; ${JSON.stringify(memoryOf(node))}`);
  }
  await pause(5_000);
  say(`after: p99 ${ms((await loaded()).p99Ms)}; ${JSON.stringify(memoryOf(node))}`);
  await stop(node);
}

/** 10,000 idle connections, and as many that dawdle as one may have, beside healthy clients. */
async function idle(): Promise<void> {
  const node = await startClinic({ timeouts: { headers: "5s", requestIdle: "5s", writeIdle: "5s" } });
  await loaded(3);
  const before = await loaded();
  say(`before: p99 ${ms(before.p99Ms)}; ${JSON.stringify(memoryOf(node))}`);
  const head = `GET /65536 HTTP/1.1\r\nHost: ${HOST}\r\n`;
  const kinds: readonly (readonly [string, number, string])[] = [
    ["idle", IDLE_CONNECTIONS, ""],
    ["slow headers", 500, head],
    ["slow body", 500, `POST /post HTTP/1.1\r\nHost: ${HOST}\r\nContent-Length: 1000\r\n\r\n`],
    ["slow reader", 500, `${head}\r\n`.repeat(100)],
  ];
  const sockets: Socket[] = [];
  const edge = processOf(node, "edge-process.ts");
  const open = (): number => readdirSync(`/proc/${edge}/fd`).length;
  const openBefore = open();
  for (const [kind, count, bytes] of kinds) {
    const atMs = performance.now();
    for (let left = count; left > 0; left -= 500)
      sockets.push(...(await Promise.all(Array.from({ length: 500 }, () => dawdle(bytes)))));
    say(`${count} ${kind}, opened in ${since(atMs)}; ${JSON.stringify(memoryOf(node))}`);
  }
  const atMs = performance.now();
  const during = await loaded();
  say(`beside them: p99 ${ms(during.p99Ms)}; ${JSON.stringify(memoryOf(node))}`);
  while (open() > openBefore + 50 && performance.now() - atMs < 90_000) await pause(100);
  say(`${open() - openBefore} of them are open ${since(atMs)} after the last came; ${JSON.stringify(memoryOf(node))}`);
  for (const socket of sockets) socket.destroy();
  await stop(node);
}

/** A connection that sends so much, then nothing, and reads nothing. */
async function dawdle(bytes: string): Promise<Socket> {
  const socket = connect(PORT, "127.0.0.1");
  socket.on("error", () => socket.destroy());
  await new Promise((resolve) => socket.once("connect", resolve).once("close", resolve));
  socket.write(bytes);
  return socket;
}

process.once("SIGINT", () => void stopAll().then(() => process.exit(130)));
const files = spawnSync("sh", ["-c", "ulimit -Hn"], { encoding: "utf8" }).stdout.trim();
say(`Node.js ${process.version}, at most ${files} open files`);
try {
  mkdirSync(join(root, "upstream"));
  await start("nginx", ["-p", root, "-c", upstreamConfig(join(root, "upstream"), UPSTREAM_PORT)], {
    port: UPSTREAM_PORT,
  });
  const wanted = positionals.length === 0 ? Object.keys(PARTS) : positionals;
  for (const part of wanted) {
    say(`\n${part}`);
    await PARTS[part as keyof typeof PARTS]();
  }
} finally {
  await stopAll();
  rmSync(root, { recursive: true, force: true });
}
process.exit();
