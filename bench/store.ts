/** What the two stores cost: commits a second, stalls of the event loop, a million documents read and held. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Redis } from "ioredis";
import { systemClock } from "../src/core/clock.ts";
import type { Store, Write } from "../src/core/store.ts";
import { openStore } from "../src/store/open.ts";

const { values } = parseArgs({ options: { documents: { type: "string", default: "1000000" } } });
const DOCUMENTS = Number(values.documents);
const IN_FLIGHT = 64;
const TRIAL_MS = 2_000;

/** As an allowlist entry is stored. */
function entry(tenant: string, index: number): Write {
  const id = `e${index.toString(32).padStart(13, "0")}`;
  const value = {
    id,
    cidr: `198.${(index >> 16) & 255}.${(index >> 8) & 255}.${index & 255}/32`,
    label: "Reception desk",
    kind: "static",
    createdBy: "key:k_01jgz3k8q4w7n",
    createdAt: "2026-01-01T09:30:00.000Z",
  };
  return { kind: "entry", id: `${tenant}/${id}`, value };
}

async function commitsPerSecond(store: Store, lanes: number): Promise<number> {
  const end = performance.now() + TRIAL_MS;
  let count = 0;
  const lane = async () => {
    for (; performance.now() < end; count++) await store.commit({ writes: [entry("bench", count % 1_000)] });
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return Math.round(count / (TRIAL_MS / 1_000));
}

/** How long `work` took, and the longest time that the event loop stood still meanwhile. */
async function timed(work: () => Promise<unknown>): Promise<{ ms: number; stallMs: number }> {
  let stallMs = 0;
  let last = performance.now();
  const probe = setInterval(() => {
    stallMs = Math.max(stallMs, performance.now() - last);
    last = performance.now();
  }, 1);
  const began = performance.now();
  await work();
  clearInterval(probe);
  return {
    ms: Math.round(performance.now() - began),
    stallMs: Math.round(Math.max(stallMs, performance.now() - last)),
  };
}

async function load(store: Store): Promise<void> {
  const perCommit = 10_000;
  for (let from = 0; from < DOCUMENTS; from += perCommit) {
    await store.commit({ writes: Array.from({ length: perCommit }, (_, index) => entry(`t${from}`, from + index)) });
  }
}

async function readAll(store: Store): Promise<void> {
  let documents = 0;
  for await (const batch of (await store.snapshot(["entry"])).batches) documents += batch.length;
  if (documents < DOCUMENTS) throw new Error(`${documents} of ${DOCUMENTS}`);
}

async function measureCommits(store: Store) {
  const serial = await commitsPerSecond(store, 1);
  const concurrent = await commitsPerSecond(store, IN_FLIGHT);
  const writes = Array.from({ length: 100_000 }, (_, index) => entry("import", index));
  const first = await timed(() => store.commit({ writes }));
  const again = await timed(() => store.commit({ writes }));
  return { serial, concurrent, commitOf100k: first, commitOf100kAgain: again };
}

async function measureDocuments(store: Store, bytesUsed: () => Promise<number>) {
  const before = await bytesUsed();
  const loaded = await timed(() => load(store));
  const bytesPerDocument = Math.round(((await bytesUsed()) - before) / DOCUMENTS);
  const read = await timed(() => readAll(store));
  return { loaded, read, bytesPerDocument };
}

function report(what: string, figures: object): void {
  process.stdout.write(`${what}: ${JSON.stringify(figures)}\n`);
}

async function withRedis(folder: string, fsync: string, withDocuments: boolean): Promise<void> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as { port: number };
  probe.close();
  const options = ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder];
  const server = spawn("redis-server", [...options, "--appendonly", "yes", "--appendfsync", fsync], {
    stdio: "ignore",
  });
  const admin = new Redis(port);
  admin.on("error", () => undefined);
  try {
    // The feed is kept small, so that the figure is of documents.
    const store = await openStore(`redis://127.0.0.1:${port}?feedBytes=1000000`, { clock: systemClock });
    const used = async () => Number(/^used_memory_dataset:(\d+)/m.exec(await admin.info("memory"))?.[1]);
    report(`redis, appendfsync ${fsync}`, await measureCommits(store));
    if (withDocuments) report("redis, documents", await measureDocuments(store, used));
    await store.close();
  } finally {
    admin.disconnect();
    server.kill();
    await once(server, "exit");
  }
}

const folder = mkdtempSync(join(tmpdir(), "sallyport-bench-"));
try {
  const file = join(folder, "store.db");
  const store = await openStore(`sqlite:${file}`, { clock: systemClock });
  const used = async () => statSync(file).size;
  report("sqlite", await measureCommits(store));
  report("sqlite, documents", await measureDocuments(store, used));
  await store.close();
  const opened = await timed(async () => (await openStore(`sqlite:${file}`, { clock: systemClock })).close());
  report("sqlite, opened and checked", opened);
  await withRedis(mkdtempSync(join(folder, "redis-")), "everysec", true);
  await withRedis(mkdtempSync(join(folder, "redis-")), "always", false);
} finally {
  rmSync(folder, { recursive: true });
}
