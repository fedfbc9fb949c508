/** Guards what a request costs: the quick bench, whose bounds here are generous, since the machine may be busy. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import t from "tap";
import { plainNode } from "./support/gate.ts";
import { program } from "./support/programs.ts";

/** Measured: about 0.4. */
const MOST_OF_HTTP_PROXY = 0.75;

interface Measured {
  readonly contestant: string;
  readonly rounds: readonly { readonly cpuUs: number }[];
}

/** Its best round: what disturbs only ever adds. */
function cost({ rounds }: Measured): number {
  return Math.min(...rounds.map(({ cpuUs }) => cpuUs));
}

t.test("both doors cost less than @fastify/http-proxy, which has none", { timeout: 60_000 }, async (t) => {
  if (program(t, "wrk") === undefined || program(t, "nginx") === undefined) return;
  const contestants = ["Sallyport, both doors", "@fastify/http-proxy"];
  const flags = [
    "--quick",
    "--json",
    "--seconds",
    "2",
    "--rounds",
    "3",
    "--only",
    "both doors",
    "--only",
    "http-proxy",
  ];
  // Without the test runner's own modules, which an edge may not read.
  const { stdout, stderr } = await promisify(execFile)("env", plainNode("bench/run.ts", ...flags));
  const results: Measured[] = JSON.parse(stdout);
  t.same(
    results.map(({ contestant }) => contestant),
    contestants,
    stderr,
  );
  const [ours, theirs] = results;
  if (ours === undefined || theirs === undefined) return;
  const ratio = cost(ours) / cost(theirs);
  t.ok(ratio <= MOST_OF_HTTP_PROXY, `${ratio.toFixed(2)} × the CPU per request`);
});
