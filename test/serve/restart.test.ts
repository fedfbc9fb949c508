/** Whatever dies is replaced, and traffic goes on meanwhile. */
import t from "tap";
import { restartDelayMs } from "../../src/serve/slot.ts";
import { freePort, Gate, isAlive, openTenant, startUpstream, visit } from "../support/gate.ts";

const HOST = "clinic.example";

t.test("delays grow from nothing to ten seconds", async (t) => {
  t.strictSame([1, 2, 3, 4, 20].map(restartDelayMs), [0, 100, 200, 400, 10_000]);
});

t.test("the only edge and control are killed while clients knock", async (t) => {
  const upstream = await startUpstream(t, (_request, response) => void response.end("served"));
  const settings = {
    edge: { workers: 1 },
    admin: { listen: `127.0.0.1:${freePort()}` },
    tenants: [openTenant("clinic", HOST, upstream)],
  };
  const gate = new Gate(t, { settings });
  const { edge, admin } = await gate.ready();
  t.match(await visit(edge, HOST), { status: 200, body: "served" });

  const [control = 0] = gate.pids("control-process.ts");
  process.kill(control, "SIGKILL");
  await gate.logged("died; starting it again", ({ process }) => process === "control");
  for (let count = 0; count < 50; count++) t.match(await visit(edge, HOST), { status: 200 }, "the edge goes on");
  await gate.logged("is back", ({ process }) => process === "control");
  t.equal((await fetch(`${admin}/healthz`)).status, 200, "control answers where it was");
  while ((await fetch(`${admin}/readyz`)).status !== 200) t.pass("it waits for its edge to come back");

  const [victim = 0] = gate.pids("edge-process.ts");
  process.kill(victim, "SIGKILL");
  await gate.logged("died; starting it again", ({ process }) => process === "edge-1");
  const knocks = await Promise.all(Array.from({ length: 20 }, () => visit(edge, HOST)));
  t.ok(
    knocks.every(({ status }) => status === 200),
    "clients that came meanwhile waited in the queue, and were served",
  );
  t.notOk(isAlive(victim));
});

t.test("one of two edges dies and the other serves", async (t) => {
  const upstream = await startUpstream(t, (_request, response) => void response.end("served"));
  const gate = new Gate(t, { settings: { tenants: [openTenant("clinic", HOST, upstream)] } });
  const { edge } = await gate.ready();
  const [victim = 0] = gate.pids("edge-process.ts");
  process.kill(victim, "SIGKILL");
  for (let count = 0; count < 20; count++) t.match(await visit(edge, HOST), { status: 200 });
  const { process: name } = await gate.logged("died; starting it again");
  await gate.logged("is back", (line) => line["process"] === name);
  t.equal(gate.pids("edge-process.ts").length, 2);
});

t.test("when the supervisor is killed, nothing stays behind", async (t) => {
  const port = freePort();
  const gate = new Gate(t, { settings: { edge: { workers: 1, listen: `127.0.0.1:${port}` } } });
  const { edge } = await gate.ready();
  const orphans = [...gate.pids("edge-process.ts"), ...gate.pids("control-process.ts")];
  t.equal(orphans.length, 2);
  gate.process.kill("SIGKILL");
  await gate.exited;
  for (const pid of orphans) await t.resolves(ended(pid), "it ends by itself");
  await t.rejects(visit(edge, HOST), { code: "ECONNREFUSED" });
});

async function ended(pid: number): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    if (!isAlive(pid)) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`process ${pid} is still there`);
}
