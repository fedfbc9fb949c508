/** Starting: what stands in the way is told with the setting that moves it; one process is enough for a small site. */

import { once } from "node:events";
import { existsSync, mkdtempSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { openSocketFolder } from "../../src/serve/socket-folder.ts";
import { sallyport } from "../support/command-line.ts";
import { freePort, Gate, startUpstream, visit } from "../support/gate.ts";

t.test("a port that is taken ends the start", async (t) => {
  const server = createServer().listen(0, "127.0.0.1");
  t.teardown(() => server.close());
  await once(server, "listening");
  const taken = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const edge = new Gate(t, { settings: { edge: { listen: taken } } });
  t.equal(await edge.exited, 1);
  t.match(edge.stderr, new RegExp(`${taken} is taken by another process`));
  t.match(edge.stderr, /edge\.listen or SALLYPORT_EDGE_LISTEN/);
  const admin = new Gate(t, { settings: { admin: { listen: taken } } });
  t.equal(await admin.exited, 1);
  t.match(admin.stderr, /admin\.listen or SALLYPORT_ADMIN_LISTEN/);
});

t.test("mistakes end the start, all of them told", async (t) => {
  const gate = new Gate(t, { settings: { nonsense: 1, log: { level: "loud" } } });
  t.equal(await gate.exited, 1);
  t.match(gate.stderr, /nonsense: is not a key/);
  t.match(gate.stderr, /log\.level: must be one of/);
});

t.test("a certificate that cannot serve ends the start", async (t) => {
  const tls = { cert: "/absent/cert.pem", key: "/absent/key.pem" };
  const gate = new Gate(t, { settings: { edge: { listen: [{ address: "127.0.0.1:0", tls }] } } });
  t.equal(await gate.exited, 1);
  t.match(gate.stderr, /edge\.listen\[0\]\.tls\[0\].*cert\.pem is not a readable PEM certificate/);
});

t.test("a damaged store ends the start with control's own words", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "sallyport-test-"));
  t.teardown(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, "damaged.db"), "this is no database".repeat(100));
  const settings = { store: { url: `sqlite:${join(folder, "damaged.db")}` } };
  const keyless = new Gate(t, { settings });
  t.equal(await keyless.exited, 1);
  t.match(keyless.stderr, /secret\.key: is not there/, "no new one is made beside a store");
  const env = { SALLYPORT_SECRET_KEY: Buffer.alloc(32, 1).toString("base64") };
  const gate = new Gate(t, { settings, env });
  t.equal(await gate.exited, 1);
  t.match(gate.stderr, /file is damaged.*sallyport restore/);
});

t.test("edges that cannot start end the start", async (t) => {
  for (const workers of [0, 2]) {
    const gate = new Gate(t, { settings: { edge: { workers, upstream: { ca: "/absent/ca.pem" } } } });
    t.equal(await gate.exited, 1);
    t.match(gate.stderr, /ca\.pem/);
  }
});

t.test("ready says that clients can connect", async (t) => {
  const admin = `127.0.0.1:${freePort()}`;
  const edge = `127.0.0.1:${freePort()}`;
  const gate = new Gate(t, { settings: { edge: { workers: 2, listen: edge }, admin: { listen: admin } } });
  let status = 0;
  while (status !== 200)
    status = await fetch(`http://${admin}/readyz`).then(
      ({ status }) => status,
      () => 0,
    );
  t.match(await visit(`http://${edge}`, "clinic.example"), { status: 421 });
  await gate.ready();
});

t.test("everything in one process", async (t) => {
  const upstream = await startUpstream(t, (_request, response) => void response.end("served"));
  const clinic = {
    id: "clinic",
    name: "Clinic",
    hosts: ["clinic.example"],
    upstreams: [upstream],
    policy: { secondFactor: "off" },
  };
  const gate = new Gate(t, { settings: { edge: { workers: 0, healthListen: "127.0.0.1:0" }, tenants: [clinic] } });
  const { edge, health } = await gate.ready();
  t.strictSame([...gate.pids("edge-process.ts"), ...gate.pids("control-process.ts")], []);
  t.match(await visit(edge, "clinic.example"), { status: 403 });
  const created = await gate.admin("POST", "/v1/tenants/clinic/allowlist?wait=applied", {
    cidr: "127.0.0.1",
    label: "here",
  });
  t.equal(created.status, 201);
  t.match(await visit(edge, "clinic.example"), { status: 200, body: "served" });
  t.equal((await fetch(`${health}/readyz`)).status, 200);
  t.equal(statSync(join(gate.dir, "data/run")).mode & 0o777, 0o700, "only this user reaches the sockets");

  await t.test("and a second gate on its data folder is refused", async (t) => {
    const second = new Gate(t, { settings: { dataDir: join(gate.dir, "data") } });
    t.equal(await second.exited, 1);
    t.match(second.stderr, /in use by another sallyport/);
  });

  gate.process.kill("SIGTERM");
  t.equal(await gate.exited, 0);
});

t.test("a data folder whose path is too long for a socket", async (t) => {
  const base = mkdtempSync(join(tmpdir(), "sallyport-test-"));
  t.teardown(() => rmSync(base, { recursive: true }));
  const dataDir = join(base, "x".repeat(90));
  const settings = { dataDir, edge: { workers: 0 } };
  const gate = new Gate(t, { settings });
  await gate.ready();
  const folder = realpathSync(join(dataDir, "run"));
  t.equal(statSync(folder).mode & 0o777, 0o700, "only this user reaches the sockets");

  await t.test("is one gate's as well", async (t) => {
    const second = new Gate(t, { settings });
    t.equal(await second.exited, 1);
    t.match(second.stderr, /in use by another sallyport/);
    t.match(await sallyport(["restore", "backup.db", "--config", gate.file], gate.dir), {
      code: 1,
      stderr: /in use by another sallyport/,
    });
  });

  await t.test("can be served again after a kill", async (t) => {
    gate.process.kill("SIGKILL");
    await gate.exited;
    t.teardown(() => rmSync(folder, { recursive: true }));
    const next = new Gate(t, { settings });
    await next.ready();
    const fresh = realpathSync(join(dataDir, "run"));
    next.process.kill("SIGTERM");
    t.equal(await next.exited, 0);
    t.notOk(existsSync(fresh), "and leaves nothing in the folder for temporary files");
  });

  await t.test("can be moved to a shorter one", async (t) => {
    const shorter = join(base, "data");
    renameSync(dataDir, shorter);
    t.strictSame((await openSocketFolder(shorter)).path, join(shorter, "run"));
    t.equal(statSync(join(shorter, "run")).mode & 0o777, 0o700);
  });
});
