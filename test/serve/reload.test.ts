/** SIGHUP changes what may change, edge by edge, and refuses what is wrong. */
import { rmSync } from "node:fs";
import { setTimeout as after } from "node:timers/promises";
import t from "tap";
import { freePort, Gate, openTenant, slowUpstream, visit } from "../support/gate.ts";

const HOST = "clinic.example";

t.test("SIGHUP", async (t) => {
  const upstream = await slowUpstream(t);
  const listen = `127.0.0.1:${freePort()}`;
  const settings = {
    edge: { listen },
    admin: { listen: `127.0.0.1:${freePort()}` },
    tenants: [openTenant("clinic", HOST, upstream.url)],
  };
  const gate = new Gate(t, { settings });
  const { edge, admin } = await gate.ready();
  const [control] = gate.pids("control-process.ts");
  const edges = gate.pids("edge-process.ts");
  const reload = async (changes: object, outcome: string) => {
    const before = gate.log.length;
    gate.configure({ ...settings, ...changes });
    gate.process.kill("SIGHUP");
    return gate.logged(outcome, (line) => gate.log.indexOf(line) >= before);
  };

  await t.test("a bad configuration is refused, and told in full", async (t) => {
    const line = await reload(
      { edge: { listen, workers: "many" }, nonsense: 1 },
      "reload refused; the earlier configuration goes on",
    );
    t.match(line, { issues: [{ at: /nonsense/ }, { at: /edge\.workers/ }] });
    t.match(await visit(edge, HOST), { status: 200 });
  });

  await t.test("tenants come and go without a restart", async (t) => {
    await reload(
      { tenants: [openTenant("clinic", HOST, upstream.url), openTenant("second", "second.example", upstream.url)] },
      "reloaded",
    );
    await becomes(200, () => visit(edge, "second.example"));
    await reload({ tenants: [openTenant("clinic", HOST, upstream.url)] }, "reloaded");
    await becomes(421, () => visit(edge, "second.example"));
    t.strictSame(gate.pids("control-process.ts"), [control]);
    t.strictSame(gate.pids("edge-process.ts"), edges);
  });

  await t.test("a limit changes edge by edge, and what is in flight ends", async (t) => {
    const slow = visit(edge, HOST, "/slow");
    await upstream.holding;
    const done = reload({ edge: { listen, limits: { targetSize: "1KiB" } } }, "reloaded");
    await becomes(414, () => visit(edge, HOST, `/${"x".repeat(1100)}`));
    upstream.release();
    t.match(await slow, { body: "at last" });
    await done;
    t.notOk(
      gate.pids("edge-process.ts").some((pid) => edges.includes(pid)),
      "every edge is a new one",
    );
    t.strictSame(gate.pids("control-process.ts"), [control]);
  });

  await t.test("a port that is taken is refused", async (t) => {
    const line = await reload(
      {
        edge: { listen: new URL(upstream.url).host },
        tenants: [openTenant("clinic", HOST, upstream.url), openTenant("second", "second.example", upstream.url)],
      },
      "reload refused; the earlier configuration goes on",
    );
    await becomes(421, () => visit(edge, "second.example"));
    t.match(line, { issues: [{ message: /taken/, hint: /edge\.listen or SALLYPORT_EDGE_LISTEN/ }] });
    t.match(await visit(edge, HOST), { status: 200 });
  });

  await t.test("another listener opens, the old one closes", async (t) => {
    const port = freePort();
    await reload({ edge: { listen: `127.0.0.1:${port}` } }, "reloaded");
    t.match(await visit(`http://127.0.0.1:${port}`, HOST), { status: 200 });
    await t.rejects(visit(edge, HOST), { code: "ECONNREFUSED" });
  });

  await t.test("a file that is gone is a mistake, not an empty configuration", async (t) => {
    const before = gate.log.length;
    rmSync(gate.file);
    gate.process.kill("SIGHUP");
    await gate.logged("reload refused; the earlier configuration goes on", (line) => gate.log.indexOf(line) >= before);
    t.equal((await fetch(`${admin}/healthz`)).status, 200);
  });

  await t.test("the admin API moves", async (t) => {
    const port = freePort();
    await reload({ admin: { listen: `127.0.0.1:${port}` } }, "reloaded");
    t.equal((await fetch(`http://127.0.0.1:${port}/healthz`)).status, 200);
    await t.rejects(fetch(`${admin}/healthz`));
  });
});

async function becomes(status: number, ask: () => Promise<{ status: number }>): Promise<void> {
  for (let tries = 0; (await ask()).status !== status; tries++) {
    if (tries > 500) throw new Error(`it never became ${status}`);
    await after(10);
  }
}
