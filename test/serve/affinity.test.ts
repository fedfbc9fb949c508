/** Edges have processors of their own where there are enough. */
import { availableParallelism } from "node:os";
import t from "tap";
import { allowedProcessors, placesOn, readList } from "../../src/serve/affinity.ts";
import { Gate } from "../support/gate.ts";
import { until } from "../support/redis.ts";

t.test("sets of processors are read as the kernel writes them", async (t) => {
  t.strictSame(readList("0"), [0]);
  t.strictSame(readList("0-2,5,8-9"), [0, 1, 2, 5, 8, 9]);
  t.strictSame(readList(""), []);
});

t.test("each edge has one, and control the others", async (t) => {
  const at = (processors: readonly number[], edges: number, seed = 0) => {
    const places = placesOn(processors, edges, seed);
    return places && [places.edges.flatMap((edge) => edge.processors), places.control.processors];
  };
  t.strictSame(at([0, 1], 1), [[0], [1]]);
  t.strictSame(at([0, 1, 2, 3], 2), [
    [0, 1],
    [2, 3],
  ]);
  t.strictSame(at([4, 6, 7], 1, 5), [[7], [4, 6]], "another node takes others, and none that is not allowed");
  t.equal(at([0, 1], 2), undefined, "none is to spare");
  t.equal(at([0, 1], 0), undefined, "one process");
  t.equal(at([], 1), undefined, "not known");
});

t.test("the processes run there, also one that took the place of another", async (t) => {
  const gate = new Gate(t, { settings: { edge: { workers: 1 } } });
  await gate.ready();
  const all = allowedProcessors(process.pid);
  // A machine of one processor has none to spare.
  const [own, others] = all.length === 1 ? [1, 1] : [1, all.length - 1];
  const apart = async (): Promise<boolean> => {
    const [edge = []] = gate.pids("edge-process.ts").map((pid) => allowedProcessors(pid));
    const [control = []] = gate.pids("control-process.ts").map((pid) => allowedProcessors(pid));
    return edge.length === own && control.length === others && new Set([...edge, ...control]).size === all.length;
  };
  await until(apart);
  const [former = 0] = gate.pids("edge-process.ts");
  process.kill(former, "SIGKILL");
  await until(async () => !gate.pids("edge-process.ts").includes(former) && (await apart()));
});

for (const [name, edge] of [
  ["off", { workers: 1, cpuAffinity: "off" }],
  ["as many edges as processors", { workers: availableParallelism() }],
] as const) {
  t.test(`${name}: all run anywhere`, async (t) => {
    const gate = new Gate(t, { settings: { edge } });
    await gate.ready();
    await new Promise((resolve) => setTimeout(resolve, 300));
    const pids = [...gate.pids("edge-process.ts"), ...gate.pids("control-process.ts")];
    for (const pid of pids) t.strictSame(allowedProcessors(pid), allowedProcessors(process.pid));
  });
}
