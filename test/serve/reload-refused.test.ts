/** A reload that is refused leaves everything as it was, wherever it was refused, or goes on trying to. */
import { once } from "node:events";
import { rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { rootCertificates } from "node:tls";
import t, { type Test } from "tap";
import { freePort, Gate, openTenant, slowUpstream, visit } from "../support/gate.ts";
import { until } from "../support/redis.ts";

const HOST = "clinic.example";
const LONG = `/${"x".repeat(1100)}`;
const REFUSED = "reload refused; the earlier configuration goes on";
const NO_CONTROL = { sms: { provider: "console" } };

async function startGate(t: Test, workers: number) {
  const upstream = await slowUpstream(t);
  const listen = `127.0.0.1:${freePort()}`;
  const admin = `127.0.0.1:${freePort()}`;
  const edge = { listen, workers };
  const settings = { edge, admin: { listen: admin }, tenants: [openTenant("clinic", HOST, upstream.url)] };
  const gate = new Gate(t, { settings });
  await gate.ready();
  const reload = async (changes: { edge?: object; admin?: object; sms?: object }, outcome: string) => {
    const before = gate.log.length;
    gate.configure({ ...settings, ...changes, edge: { ...edge, ...changes.edge } });
    gate.process.kill("SIGHUP");
    return gate.logged(outcome, (line) => gate.log.indexOf(line) >= before);
  };
  return { gate, upstream, admin, edge: `http://${listen}`, reload };
}

t.test("what control refuses does not reach the edges", async (t) => {
  const { gate, edge, admin, reload } = await startGate(t, 2);
  const edges = gate.pids("edge-process.ts");
  const line = await reload({ edge: { limits: { targetSize: "1KiB" } }, ...NO_CONTROL }, REFUSED);
  t.match(line, { reason: /sms\.provider/ });
  t.match(await visit(edge, HOST, LONG), { status: 200 });
  t.strictSame(gate.pids("edge-process.ts"), edges);
  t.equal((await fetch(`http://${admin}/healthz`)).status, 200);
});

t.test("what the edges refuse does not stay with control", async (t) => {
  const { gate, edge, admin, reload } = await startGate(t, 2);
  const edges = gate.pids("edge-process.ts");
  const moved = { listen: `127.0.0.1:${freePort()}` };
  t.match(await reload({ edge: { upstream: { ca: "/absent/ca.pem" } }, admin: moved }, REFUSED), { reason: /ca\.pem/ });
  t.match(await visit(edge, HOST), { status: 200 });
  t.strictSame(gate.pids("edge-process.ts"), edges);
  t.equal((await fetch(`http://${admin}/healthz`)).status, 200);
  await t.rejects(fetch(`http://${moved.listen}/healthz`));
});

t.test("a port that is taken is known before control changes", async (t) => {
  const { gate, upstream, reload } = await startGate(t, 1);
  const control = gate.pids("control-process.ts");
  const changes = { edge: { listen: new URL(upstream.url).host }, admin: { listen: `127.0.0.1:${freePort()}` } };
  t.match(await reload(changes, REFUSED), { reason: /taken/ });
  t.strictSame(gate.pids("control-process.ts"), control);
});

t.test("an edge that was replaced before another one failed goes back", async (t) => {
  const { gate, upstream, edge, reload } = await startGate(t, 1);
  const ca = join(gate.dir, "ca.pem");
  writeFileSync(ca, rootCertificates[0] ?? "");
  const port = freePort();
  const slow = visit(edge, HOST, "/slow");
  await upstream.holding;
  const refused = reload({ edge: { workers: 2, listen: `127.0.0.1:${port}`, upstream: { ca } } }, REFUSED);
  await until(async () => (await visit(`http://127.0.0.1:${port}`, HOST)).status === 200);
  rmSync(ca);
  upstream.release();
  t.match(await refused, { reason: /ca\.pem/ });
  t.match(await slow, { body: "at last" });
  t.match(await visit(edge, HOST), { status: 200 });
  await t.rejects(visit(`http://127.0.0.1:${port}`, HOST), { code: "ECONNREFUSED" });
  t.equal(gate.pids("edge-process.ts").length, 1);
  await reload({ edge: { listen: `127.0.0.1:${port}` } }, "reloaded");
  t.match(await visit(`http://127.0.0.1:${port}`, HOST), { status: 200 });
});

t.test("control that cannot be brought back is tried again until it is", async (t) => {
  const { gate, admin, reload } = await startGate(t, 1);
  const [host = "", port] = admin.split(":");
  const taken = takeOnceFree(Number(port), host);
  t.match(await reload(NO_CONTROL, REFUSED), { reason: /sms\.provider/ }, "what was refused is what is told");
  t.match(await gate.logged("not as configured; trying again"), { part: "control" });
  const server = await taken;
  server.close();
  await gate.logged("as configured again");
  t.equal((await fetch(`http://${admin}/healthz`)).status, 200);
});

/** A listener on a port that somebody else has still. */
async function takeOnceFree(port: number, host: string): Promise<Server> {
  for (;;) {
    const server = createServer((socket) => socket.destroy()).listen({ port, host });
    try {
      await once(server, "listening");
      return server;
    } catch {
      await new Promise(setImmediate);
    }
  }
}
