/** Starting the contestants' processes and reading what they cost from /proc. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { allowedProcessors } from "../src/serve/affinity.ts";

/** USER_HZ: the unit of utime and stime in /proc/PID/stat, 1/100 s on every Linux that we run on. */
const TICK_US = 10_000;

const started = new Set<ChildProcess>();

export interface StartOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** Resolves once a connection to this port is accepted. */
  readonly port?: number;
}

/** Starts a program that lives until the bench ends or {@link stop} is called. @throws when it ends before it listens */
export async function start(
  program: string,
  args: readonly string[],
  options: StartOptions = {},
): Promise<ChildProcess> {
  const child = spawn(program, args, {
    stdio: ["ignore", "pipe", "pipe"],
    env: options.env ?? process.env,
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  started.add(child);
  let said = "";
  const hear = (chunk: Buffer): void => {
    said = (said + chunk.toString()).slice(-4_000);
  };
  child.stdout?.on("data", hear);
  child.stderr?.on("data", hear);
  child.once("exit", () => started.delete(child));
  if (options.port !== undefined) {
    await untilListening(options.port, () => {
      if (child.exitCode !== null) throw new Error(`${program} ended with ${child.exitCode}: ${said}`);
    });
  }
  return child;
}

export async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), 5_000);
  await gone;
  clearTimeout(timer);
}

/** Ends whatever the bench started; for the end and for Ctrl-C. */
export async function stopAll(): Promise<void> {
  await Promise.all([...started].map(stop));
}

export async function untilListening(port: number, check: () => void = () => {}): Promise<void> {
  for (let tries = 0; tries < 4_000; tries += 1) {
    check();
    if (await accepts(port)) return;
    await pause(25);
  }
  throw new Error(`nothing listens on port ${port} after a hundred seconds`);
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

/** The process and all its descendants that are alive now. */
export function family(pid: number): number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync("/proc")) {
    const stat = /^\d+$/.test(name) ? readStat(Number(name)) : undefined;
    if (stat === undefined) continue;
    children.set(stat.parent, [...(children.get(stat.parent) ?? []), Number(name)]);
  }
  const found: number[] = [];
  for (const queue = [pid]; queue.length > 0; ) {
    const next = queue.pop();
    if (next === undefined) break;
    found.push(next);
    queue.push(...(children.get(next) ?? []));
  }
  return found;
}

/** Has these processes, with all their threads, run there from now on. @param processors as `taskset` takes them: `0,2-3` */
export function bind(pids: readonly number[], processors: string): void {
  for (const pid of pids) execFileSync("taskset", ["-a", "-c", "-p", processors, `${pid}`]);
}

/** Where the process runs that has `name` in its command line. */
export function processorsOf(pids: readonly number[], name: string): string {
  const pid = pids.find((one) => readFileSync(`/proc/${one}/cmdline`, "utf8").includes(name));
  return allowedProcessors(pid).join(",");
}

/** User and system time of these processes so far, in microseconds, threads included. */
export function cpuMicroseconds(pids: readonly number[]): number {
  return pids.reduce((total, pid) => total + (readStat(pid)?.ticks ?? 0) * TICK_US, 0);
}

/** The largest resident size that each had, summed, in bytes. */
export function peakBytes(pids: readonly number[]): number {
  return pids.reduce((total, pid) => {
    try {
      const peak = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
      return total + Number(peak ?? 0) * 1024;
    } catch {
      return total;
    }
  }, 0);
}

function readStat(pid: number): { parent: number; ticks: number } | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return { parent: Number(fields[1]), ticks: Number(fields[11]) + Number(fields[12]) };
  } catch {
    return undefined;
  }
}
