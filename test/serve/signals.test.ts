/** SIGTERM drains, and a second one ends at once. */
import { setTimeout as after, setImmediate as nextTurn } from "node:timers/promises";
import t from "tap";
import { freePort, Gate, isAlive, openTenant, slowUpstream, visit } from "../support/gate.ts";

const HOST = "clinic.example";

t.test("SIGTERM lets what is in flight end, and takes nothing new", async (t) => {
  const upstream = await slowUpstream(t);
  const gate = new Gate(t, { settings: { tenants: [openTenant("clinic", HOST, upstream.url)] } });
  const { edge } = await gate.ready();
  const children = [...gate.pids("edge-process.ts"), ...gate.pids("control-process.ts")];
  const slow = visit(edge, HOST, "/slow");
  await upstream.holding;
  gate.process.kill("SIGTERM");
  await gate.logged("draining");
  await t.resolves(refused(edge), "new connections are refused");
  upstream.release();
  t.match(await slow, { status: 200, body: "at last" });
  t.equal(await gate.exited, 0);
  t.notOk(children.some(isAlive), "no child is left");
});

t.test("a second signal ends at once what does not end", async (t) => {
  const upstream = await slowUpstream(t);
  const gate = new Gate(t, {
    settings: { edge: { workers: 1, drain: "1h" }, tenants: [openTenant("clinic", HOST, upstream.url)] },
  });
  const { edge } = await gate.ready();
  const slow = visit(edge, HOST, "/slow");
  await upstream.holding;
  gate.process.kill("SIGINT");
  gate.process.kill("SIGINT");
  await gate.logged("draining");
  t.equal(gate.process.exitCode, null, "the same Ctrl-C that arrives twice is one");
  await after(600);
  gate.process.kill("SIGINT");
  await t.rejects(slow);
  t.equal(await gate.exited, 1);
});

t.test("SIGTERM while it starts stops what has begun, as asked", async (t) => {
  const upstream = await slowUpstream(t);
  const gate = new Gate(t, { settings: { tenants: [openTenant("clinic", HOST, upstream.url)] } });
  const children = await begun(gate, "control-process.ts");
  gate.process.kill("SIGTERM");
  t.equal(await gate.exited, 0);
  t.ok(gate.log.some(({ msg }) => msg === "stopped"));
  t.notOk(children.some(isAlive), "no child is left");
});

t.test("a Ctrl-C that reaches children which cannot hear it yet is no failure", async (t) => {
  const upstream = await slowUpstream(t);
  const gate = new Gate(t, { settings: { tenants: [openTenant("clinic", HOST, upstream.url)] } });
  const children = await begun(gate, "control-process.ts");
  for (const pid of [gate.process.pid ?? 0, ...children]) process.kill(pid, "SIGINT");
  t.equal(await gate.exited, 0);
  t.equal(gate.stderr, "");
  t.notOk(children.some(isAlive), "no child is left");
});

const changes = {
  "edge-process.ts": { edge: { workers: 1, limits: { targetSize: "1KiB" } } },
  "control-process.ts": { edge: { workers: 1 }, admin: { listen: `127.0.0.1:${freePort()}` } },
};

for (const entry of ["edge-process.ts", "control-process.ts"] as const) {
  t.test(`SIGTERM while a reload brings up ${entry} stops that too`, async (t) => {
    const gate = new Gate(t, { settings: { edge: { workers: 1 } } });
    await gate.ready();
    const earlier = [...gate.pids("edge-process.ts"), ...gate.pids("control-process.ts")];
    gate.configure(changes[entry]);
    gate.process.kill("SIGHUP");
    const fresh = await begun(gate, entry, earlier);
    gate.process.kill("SIGTERM");
    t.equal(await gate.exited, 0);
    t.notOk([...earlier, ...fresh].some(isAlive), "no child is left");
    t.notOk(
      gate.log.some(({ level }) => level === "error"),
      "and nothing is told as a fault",
    );
  });
}

/** The first children that were not there, as soon as there are some: they have hardly begun to load. */
async function begun(gate: Gate, entry: Parameters<Gate["pids"]>[0], earlier: number[] = []): Promise<number[]> {
  for (;;) {
    const children = gate.pids(entry).filter((pid) => !earlier.includes(pid));
    if (children.length > 0) return children;
    if (gate.process.exitCode !== null) throw new Error(`it ended: ${gate.stderr}`);
    await nextTurn();
  }
}

async function refused(edge: string): Promise<void> {
  for (;;) {
    const error = await visit(edge, HOST).then(
      () => undefined,
      (reason: { code?: string }) => reason,
    );
    if (error?.code === "ECONNREFUSED") return;
    await after(10);
  }
}
