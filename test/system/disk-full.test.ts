/** The disk of the data folder is full: writes are refused and reported, traffic goes on, and it mends itself. */
import { execFileSync } from "node:child_process";
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t, { type Test } from "tap";
import { freePort, Gate, openTenant, startUpstream } from "../support/gate.ts";
import { Knocker } from "../support/knocker.ts";
import { startRedis, until } from "../support/redis.ts";

const HOST = "clinic.example";
const env = { SALLYPORT_SECRET_KEY: Buffer.alloc(32, 5).toString("base64") };

/** A small disk for the data folder; `undefined` where this user may not mount one. */
function mountDisk(t: Test): string | undefined {
  const disk = mkdtempSync(join(tmpdir(), "sallyport-disk-"));
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=16m,mode=0700", "tmpfs", disk], { stdio: "ignore" });
  } catch {
    rmSync(disk, { recursive: true });
    const message = "this user may not mount a small disk";
    if (process.env["CI"] === "true") t.fail(message);
    else t.pass(message, { skip: message });
    return undefined;
  }
  t.teardown(() => {
    execFileSync("umount", ["--lazy", disk]);
    rmSync(disk, { recursive: true, force: true });
  });
  return disk;
}

/** Takes what is left, to the last byte. @returns gives it back */
function fill(disk: string): () => void {
  const file = join(disk, "full");
  const descriptor = openSync(file, "w");
  for (let bytes = 1 << 20; bytes >= 1; ) {
    try {
      if (writeSync(descriptor, Buffer.alloc(bytes)) < bytes) bytes >>= 1;
    } catch {
      bytes >>= 1;
    }
  }
  closeSync(descriptor);
  return () => rmSync(file);
}

async function openGate(t: Test, disk: string, settings: object) {
  const dataDir = join(disk, "data");
  mkdirSync(dataDir, { mode: 0o700 });
  const upstream = await startUpstream(t, (_request, response) => void response.end("in"));
  const tenants = [openTenant("clinic", HOST, upstream)];
  const gate = new Gate(t, { settings: { dataDir, edge: { workers: 1 }, tenants, ...settings }, env });
  const knocker = new Knocker(t, (await gate.ready()).edge, { host: HOST, connections: 2 });
  knocker.start();
  const write = async () => {
    const label = "x".repeat(100);
    return (await gate.admin("POST", "/v1/tenants/clinic/allowlist", { cidr: "203.0.113.7", label })).status;
  };
  return { gate, knocker, write, dataDir };
}

t.test("with SQLite on it", async (t) => {
  const disk = mountDisk(t);
  if (disk === undefined) return;
  // A control that is started again comes back to the same port.
  const { gate, knocker, write } = await openGate(t, disk, { admin: { listen: `127.0.0.1:${freePort()}` } });
  t.equal(await write(), 201);
  const giveBack = fill(disk);
  let acknowledged = 1;
  let status = await write();
  for (; status === 201 && acknowledged < 2_000; acknowledged++) status = await write();
  t.equal(status, 503, "the room that was set aside is used up, and then writes are refused");
  await until(async () =>
    gate.log.some((line) => line["level"] === "error" && /full/i.test(JSON.stringify(line["err"]))),
  );
  const readiness = async () => (await gate.admin("GET", "/readyz")).json();
  t.match(await readiness(), { checks: { store: { ok: false, detail: "refuses-writes" } } });
  const follows = () => gate.log.filter(({ msg }) => msg === "following the store").length;
  const before = follows();
  process.kill(gate.pids("control-process.ts")[0] ?? 0, "SIGKILL");
  await until(async () => follows() > before);
  await until(async () => (await gate.admin("GET", "/readyz").catch(() => undefined))?.status === 200);
  t.equal(await write(), 503, "a control that starts on a full disk reads what is there, and refuses as before");
  await knocker.more(100);
  giveBack();
  await gate.logged("the store takes writes again");
  t.match(
    await readiness(),
    { checks: { store: { ok: true, detail: "following" } } },
    "found out without anybody's write",
  );
  t.equal(await write(), 201);
  await knocker.stop();
  t.strictSame([...knocker.statuses.keys()], [200]);
  t.equal(knocker.failures, 0);
});

t.test("with the policy snapshot on it", async (t) => {
  const disk = mountDisk(t);
  const redis = await startRedis(t);
  if (disk === undefined || redis === undefined) return;
  const { gate, knocker, write, dataDir } = await openGate(t, disk, { store: { url: redis.url } });
  const giveBack = fill(disk);
  const removed = "the policy snapshot cannot be written and is removed";
  while (!gate.log.some(({ msg }) => msg === removed)) t.equal(await write(), 201, "Redis has room");
  giveBack();
  await gate.logged("the policy snapshot is written again");
  t.ok(existsSync(join(dataDir, "policy.snapshot")));
  await knocker.stop();
  t.strictSame([...knocker.statuses.keys()], [200]);
});
