/**
 * `node bench/sign-ins.ts`: what people who sign in cost the requests of those who have.
 *
 *   --rounds N    rounds of each kind, in turn (default 40)
 *   --seconds S   length of a round (default 2): short, so that a noisy neighbour spoils few, and all kinds alike
 *   --json        the figures as JSON on standard output
 *
 * A node as operators run it: supervisor, control, one edge; both doors shut. Requests come at a steady rate that
 * leaves the processors time, since what is asked is whether sign-ins are felt, not who wins a full machine.
 *
 * Measured are requests with and without sign-ins, and both in two ways. Apart: the load generator and the upstream
 * run on the edge's processor, and the people on those of control, as if they had machines of their own. Together:
 * these run wherever the kernel puts them, so that browsers and control also hold up the load generator and the
 * upstream, which no gate could spare.
 */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";
import { upstreamConfig } from "./contestants/nginx.ts";
import { seedSessions } from "./contestants/sallyport-sessions.ts";
import { HOST } from "./job.ts";
import { type LoadResult, load } from "./load.ts";
import { callAdmin, startNode } from "./node.ts";
import { Person } from "./person.ts";
import { bind, family, processorsOf, start, stopAll } from "./processes.ts";
import { percentile } from "./table.ts";

const UPSTREAM_PORT = 25_500;
const PORT = 25_510;
const TENANT = "tenant-0";
/** Where people sign in, and wrk asks. */
const PLACES = "127.0.0.0/23";
const PER_MINUTE = 200;
/** So many that nobody's turn comes twice within a time step of their authenticator. */
const PEOPLE = 120;
/** Of an authenticator: the code that enrolled it is spent. */
const TIME_STEP_MS = 30_000;
const ENROLLING_AT_ONCE = 2;
/** With {@link THINK_MS}, some 1,200 requests a second. */
const CONNECTIONS = 64;
const THINK_MS = 50;

const { values: flags } = parseArgs({
  options: {
    rounds: { type: "string", default: "40" },
    seconds: { type: "string", default: "2" },
    json: { type: "boolean", default: false },
  },
});
const seconds = Number(flags.seconds);
const folder = mkdtempSync(join(tmpdir(), "sallyport-sign-ins-"));

interface Round extends LoadResult {
  readonly signIns: number;
}

interface Site {
  /** Of sessions that ask for pages while others sign in. */
  readonly cookies: readonly string[];
  /** Where its edge runs, and where the rest of it does, as `taskset` takes them. */
  readonly processors: { readonly edge: string; readonly others: string };
}

async function startSite(port: number): Promise<Site> {
  const own = join(folder, `${port}`);
  mkdirSync(own);
  const cookies = await seedSessions(join(own, "data"), TENANT, false, 100, 100);
  const policy = { network: "enforce", secondFactor: "required" };
  const upstreams = [`http://127.0.0.1:${UPSTREAM_PORT}`];
  const tenants = [{ id: TENANT, name: "Clinic", hosts: [HOST], upstreams, policy }];
  const node = await startNode({ folder: own, port, tenants });
  await callAdmin(port, "POST", `tenants/${TENANT}/allowlist?wait=applied`, { cidr: PLACES });
  const running = family(node.pid ?? 0);
  return {
    cookies,
    processors: {
      edge: processorsOf(running, "edge-process.ts"),
      others: processorsOf(running, "control-process.ts"),
    },
  };
}

async function enrolPeople(port: number): Promise<Iterator<Person, never>> {
  const people = Array.from(
    { length: PEOPLE },
    (_, index) => new Person(port, `person-${index}@clinic.example`, `127.0.1.${index + 1}`),
  );
  const waiting = people.values();
  const lane = async (): Promise<void> => {
    for (const person of waiting) {
      await callAdmin(port, "POST", `tenants/${TENANT}/users`, person.account);
      await person.enrol();
    }
  };
  await Promise.all(Array.from({ length: ENROLLING_AT_ONCE }, lane));
  await pause(TIME_STEP_MS);
  return inTurn(people);
}

/** Somebody signs in every 300 ms, however long the one before takes. @returns ends it, with the number of sign-ins */
function keepSigningIn(people: Iterator<Person, never>): () => Promise<number> {
  const ending = new AbortController();
  const running: Promise<void>[] = [];
  const pace = async (): Promise<void> => {
    const begunAt = performance.now();
    while (!ending.signal.aborted) {
      const signIn = people.next().value.signIn();
      // What fails is thrown at the end of the round.
      signIn.catch(() => {});
      running.push(signIn);
      const dueAt = begunAt + running.length * (60_000 / PER_MINUTE);
      await pause(Math.max(0, dueAt - performance.now()), undefined, { signal: ending.signal }).catch(() => {});
    }
  };
  const paced = pace();
  return async () => {
    ending.abort();
    await paced;
    await Promise.all(running);
    return running.length;
  };
}

function* inTurn(people: readonly Person[]): Generator<Person, never> {
  for (;;) yield* people;
}

/** @param processors where the load generator runs */
async function measure(cookies: readonly string[], processors: string, end?: () => Promise<number>): Promise<Round> {
  const url = `http://127.0.0.1:${PORT}/256`;
  const headers = { Host: HOST };
  const shape = {
    url,
    method: "GET",
    headers,
    cookies,
    connections: CONNECTIONS,
    thinkMs: THINK_MS,
    seconds,
    processors,
  };
  const result = await load(shape);
  if (result.errors > 0) throw new Error(`${result.errors} of ${result.requests} requests failed`);
  return { ...result, signIns: (await end?.()) ?? 0 };
}

/** @returns the median round's p99 */
function report(name: string, rounds: readonly Round[]): number {
  const of = (key: keyof Round, share = 0.5): number =>
    percentile(
      rounds.map((round) => round[key]).sort((one, other) => one - other),
      share,
    );
  const signIns = rounds.reduce((sum, round) => sum + round.signIns, 0) * (60 / seconds / rounds.length);
  const quartiles = `${of("p99Ms", 0.25).toFixed(2)} to ${of("p99Ms", 0.75).toFixed(2)}`;
  console.log(`${name}: ${signIns.toFixed(0)} a minute, ${of("perSecond").toFixed(0)} requests/s`);
  console.log(`  p50 ${of("p50Ms").toFixed(2)} ms, p99 ${of("p99Ms").toFixed(2)} ms (quartiles ${quartiles})`);
  return of("p99Ms");
}

process.once("SIGINT", () => {
  void stopAll().then(() => process.exit(130));
});
try {
  const upstream = await start("nginx", ["-p", folder, "-c", upstreamConfig(join(folder, "upstream"), UPSTREAM_PORT)], {
    port: UPSTREAM_PORT,
  });
  const { cookies, processors } = await startSite(PORT);
  const all = processorsOf([process.pid], "");
  if (processors.edge === all) throw new Error("the edge has no processor of its own: two are needed, and taskset");
  const people = await enrolPeople(PORT);
  await measure(cookies, all);
  const rounds = {
    apart: { without: [] as Round[], beside: [] as Round[] },
    together: { without: [] as Round[], beside: [] as Round[] },
  };
  for (let round = 0; round < Number(flags.rounds); round += 1) {
    for (const way of ["apart", "together"] as const) {
      const [path, persons] = way === "apart" ? [processors.edge, processors.others] : [all, all];
      bind(family(upstream.pid ?? 0), path);
      bind([process.pid], persons);
      rounds[way].without.push(await measure(cookies, path));
      rounds[way].beside.push(await measure(cookies, path, keepSigningIn(people)));
    }
  }
  if (flags.json) process.stdout.write(`${JSON.stringify(rounds, null, 2)}\n`);
  else {
    for (const [way, { without, beside }] of Object.entries(rounds)) {
      const [before, after] = [report(`${way}, no sign-ins`, without), report(`${way}, beside sign-ins`, beside)];
      console.log(`  ${way}: p99 with sign-ins is ${(after / before).toFixed(2)} × that without`);
    }
  }
} finally {
  await stopAll();
  rmSync(folder, { recursive: true, force: true });
}
process.exit();
