/**
 * `npm run bench`: Sallyport beside what users pick instead, in one run on one machine.
 *
 *   --quick          one workload, short rounds (under a minute)
 *   --json           the figures as JSON on standard output
 *   --rounds N       interleaved rounds per contestant (default 3)
 *   --seconds N      seconds per round (default 5)
 *   --only X         contestants whose name contains X; may be given several times
 *   --workload X     workloads whose name contains X; may be given several times
 */
import type { ChildProcess } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { makeCertificate } from "./certificate.ts";
import { upstreamConfig } from "./contestants/nginx.ts";
import { CONTESTANTS, takesPart } from "./contestants.ts";
import type { Scenario } from "./job.ts";
import { type Entrant, enter, round, type Summary, summarise } from "./measure.ts";
import { start, stop, stopAll } from "./processes.ts";
import { printTable } from "./table.ts";
import { entriesFor, WORKLOADS, type Workload } from "./workloads.ts";

const FIRST_PORT = 21_000;
const ECHO_SERVER = fileURLToPath(new URL("./peers/echo-server.ts", import.meta.url));

const { values: flags } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    rounds: { type: "string" },
    seconds: { type: "string" },
    only: { type: "string", multiple: true },
    workload: { type: "string", multiple: true },
  },
});
const rounds = Number(flags.rounds ?? (flags.quick ? 2 : 3));
const seconds = Number(flags.seconds ?? (flags.quick ? 1 : 5));
const folder = mkdtempSync(join(tmpdir(), "sallyport-bench-"));

const wanted = (name: string, parts: readonly string[] | undefined): boolean =>
  parts === undefined || parts.some((part) => name.toLowerCase().includes(part.toLowerCase()));

const say = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

function startUpstream({ frameBytes }: Workload, own: string, port: number): Promise<ChildProcess> {
  if (frameBytes !== undefined) return start(process.execPath, [ECHO_SERVER, `${port}`], { port });
  return start("nginx", ["-p", own, "-c", upstreamConfig(join(own, "upstream"), port)], { port });
}

/** Starts everybody, then takes turns, so that a noisy minute hits all alike. A contestant that fails is left out, and said so. */
async function runWorkload(workload: Workload, port: number): Promise<Summary[]> {
  const own = join(folder, workload.name.replace(/\W+/g, "-"));
  mkdirSync(own);
  const upstream = await startUpstream(workload, own, port);
  const scenario = {
    upstreamPort: port,
    upstreamPid: upstream.pid ?? 0,
    entries: entriesFor(workload.entries),
    tenants: workload.tenants,
    sessions: workload.sessions,
    folder: own,
    ...(workload.handshakes === undefined ? {} : { tls: makeCertificate(own) }),
  };
  const entrants: Entrant[] = [];
  let next = port;
  for (const contestant of CONTESTANTS) {
    if (!wanted(contestant.name, flags.only) || !takesPart(contestant, workload.only)) continue;
    next += 4;
    const place: Scenario = { ...scenario, port: next };
    try {
      entrants.push(await enter(contestant, place));
    } catch (error) {
      say(`left out: ${contestant.name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  for (let turn = 0; turn < rounds; turn += 1) {
    for (const entrant of entrants) {
      await round(entrant, workload, seconds, flags.quick).catch((error: unknown) => {
        say(
          `a round is left out: ${entrant.contestant.name}: ${error instanceof Error ? error.message : String(error)}`,
        );
      });
    }
  }
  await Promise.all(entrants.map((entrant) => entrant.running.stop()));
  await stop(upstream);
  return entrants.filter((entrant) => entrant.rounds.length > 0).map((entrant) => summarise(entrant, workload));
}

process.once("SIGINT", () => {
  void stopAll().then(() => process.exit(130));
});
const results: Summary[] = [];
try {
  let port = FIRST_PORT;
  for (const workload of WORKLOADS) {
    if (flags.quick ? !workload.quick : !wanted(workload.name, flags.workload)) continue;
    say(`${workload.name} …`);
    const summaries = await runWorkload(workload, port);
    results.push(...summaries);
    if (!flags.json) printTable(workload, summaries);
    port += 100;
  }
  if (flags.json) process.stdout.write(`${JSON.stringify(results, null, 2)}\n`);
} finally {
  await stopAll();
  rmSync(folder, { recursive: true, force: true });
}
