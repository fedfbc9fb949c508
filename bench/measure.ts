/** One contestant under one workload: cost, speed and memory, over several interleaved rounds. */
import { mkdirSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { checkTheJob } from "./contestants.ts";
import { loadFrames } from "./frames.ts";
import { loadHandshakes } from "./handshakes.ts";
import { type Contestant, HOST, type Running, type Scenario } from "./job.ts";
import { type LoadResult, load } from "./load.ts";
import { cpuMicroseconds, peakBytes } from "./processes.ts";
import type { Workload } from "./workloads.ts";

/** Compiling what is hot takes Node and V8 a while, longer on a busy machine; everybody gets it. */
const WARM_UP_SECONDS = 5;
/** Where there is not so much time. */
const QUICK_WARM_UP_SECONDS = 2;

export interface Round extends LoadResult {
  /** User and system time of all its processes, per request. */
  readonly cpuUs: number;
  readonly peakMiB: number;
}

export interface Summary {
  readonly contestant: string;
  readonly workload: string;
  readonly rounds: readonly Round[];
  readonly cpuUs: number;
  /** Half the distance between the extremes, as a share of the median. */
  readonly spread: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  readonly peakMiB: number;
}

export interface Entrant {
  readonly contestant: Contestant;
  readonly scenario: Scenario;
  readonly running: Running;
  readonly rounds: Round[];
}

/** Starts a contestant and checks that it does its job. @throws when it does not */
export async function enter(contestant: Contestant, scenario: Scenario): Promise<Entrant> {
  const folder = join(scenario.folder, contestant.name.replace(/\W+/g, "-"));
  mkdirSync(folder, { recursive: true });
  const own = { ...scenario, folder };
  const running = await contestant.start(own);
  await checkTheJob(contestant, own, running);
  return { contestant, scenario: own, running, rounds: [] };
}

/** One round: a warm-up before the first, then the load, with the processor time of the contestant's processes around it. */
export async function round(entrant: Entrant, workload: Workload, seconds: number, quick: boolean): Promise<void> {
  const { scenario, running, rounds } = entrant;
  const idle = await openIdle(scenario.port, workload.idleConnections ?? 0);
  try {
    if (rounds.length === 0) await loadOnce(entrant, workload, quick ? QUICK_WARM_UP_SECONDS : WARM_UP_SECONDS);
    const pids = running.pids();
    const before = cpuMicroseconds(pids);
    const result = await loadOnce(entrant, workload, seconds);
    const cpuUs = (cpuMicroseconds(pids) - before) / result.requests;
    if (result.errors > 0) throw new Error(`${result.errors} of ${result.requests} requests failed`);
    rounds.push({ ...result, cpuUs, peakMiB: peakBytes(pids) / (1 << 20) });
  } finally {
    for (const socket of idle) socket.destroy();
  }
}

async function loadOnce({ scenario, running }: Entrant, workload: Workload, seconds: number): Promise<LoadResult> {
  const { port } = scenario;
  const { path, ...shape } = workload.load;
  const { connections } = shape;
  const cookies = running.cookies ?? [];
  const [cookie] = cookies;
  const { handshakes, frameBytes } = workload;
  if (handshakes !== undefined)
    return await loadHandshakes({ port, path, cookie, connections, seconds, resume: handshakes === "resumed" });
  if (frameBytes !== undefined) return await loadFrames({ port, cookie, connections, seconds, bytes: frameBytes });
  return await load({ ...shape, url: `http://127.0.0.1:${port}${path}`, headers: { Host: HOST }, cookies, seconds });
}

export function summarise({ contestant, rounds }: Entrant, workload: Workload): Summary {
  const of = (key: keyof Round): number => median(rounds.map((one) => one[key]));
  const costs = rounds.map((one) => one.cpuUs);
  const cpuUs = of("cpuUs");
  return {
    contestant: contestant.name,
    workload: workload.name,
    rounds,
    cpuUs,
    spread: (Math.max(...costs) - Math.min(...costs)) / 2 / cpuUs,
    perSecond: of("perSecond"),
    p50Ms: of("p50Ms"),
    p99Ms: of("p99Ms"),
    p999Ms: of("p999Ms"),
    peakMiB: Math.max(...rounds.map((one) => one.peakMiB)),
  };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

async function openIdle(port: number, count: number): Promise<Socket[]> {
  return await Promise.all(
    Array.from({ length: count }, async () => {
      const socket = connect(port, "127.0.0.1");
      socket.on("error", () => socket.destroy());
      await new Promise((resolve) => socket.once("connect", resolve));
      return socket;
    }),
  );
}
