/** Rotating the sealing key of a gate that runs, step by step as the command says. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { systemClock } from "../../src/core/clock.ts";
import { openStore } from "../../src/store/open.ts";
import { sallyport } from "../support/command-line.ts";
import { freePort, Gate, openTenant, visit } from "../support/gate.ts";

const HOST = "clinic.example";

t.test("a new key, everything under it, the earlier one gone", async (t) => {
  const tenant = openTenant("clinic", HOST, "http://127.0.0.1:9");
  const admin = { listen: `127.0.0.1:${freePort()}` };
  const gate = new Gate(t, { settings: { edge: { workers: 1 }, admin, tenants: [tenant] } });
  const { edge } = await gate.ready();
  const made = await gate.admin("POST", "/v1/tenants/clinic/links", { label: "branch", ttlSeconds: 3_600 });
  const { url } = (await made.json()) as { url: string };
  const rotate = (...args: string[]) => sallyport(["rotate-keys", ...args, "--config", gate.file], gate.dir);
  const keys = () => readFileSync(join(gate.dir, "data/secret.key"), "utf8").trim().split(",");
  const reload = async (count: number) => {
    gate.process.kill("SIGHUP");
    await gate.logged("reloaded", () => gate.log.filter(({ msg }) => msg === "reloaded").length === count);
  };
  const [first] = keys();
  t.match(await rotate(), { code: 0, stdout: /holds 2 keys now[\s\S]*SIGHUP[\s\S]*--reseal/ });
  t.match(keys()[1], first);
  t.match(await rotate("--reseal"), { code: 1, stderr: /another sealing key is in use by \S+: give every node/ });
  t.match(await rotate("--retire"), { code: 1, stderr: /another sealing key/ });
  t.equal(keys().length, 2, "and nothing is taken out");

  await reload(1);
  const resealed = await rotate("--reseal");
  t.match(resealed, { code: 0, stdout: /documents sealed again; everything in the store is under key [\w-]{8} now/ });
  t.match(resealed.stdout, /1 links and 0 shortcuts were handed out under earlier keys/);
  t.match(resealed.stdout, /safe to retire the earlier keys\. sallyport rotate-keys --retire/);
  t.match(await visit(edge, HOST, new URL(url).pathname), { status: 200 }, "as it goes on to until then");
  t.match(await rotate("--retire"), { code: 0, stdout: /holds one key now; 1 earlier taken out[\s\S]*SIGHUP/ });
  t.equal(keys().length, 1);
  t.not(keys()[0], first);
  await reload(2);
  t.match(await visit(edge, HOST, new URL(url).pathname), { status: 410 }, "as was said");
  t.match(await sallyport(["audit", "verify", "--config", gate.file], gate.dir), { code: 0, stdout: /whole/ });
  const audit = (await (await gate.admin("GET", "/v1/audit?limit=50")).json()) as { items: { action: string }[] };
  t.equal(audit.items.filter(({ action }) => action === "keys.resealed").length, 2);
});

t.test("keys from the environment are put in and taken out by hand", async (t) => {
  const cwd = t.testdir({ "sallyport.yaml": "dataDir: data" });
  const env = { SALLYPORT_SECRET_KEY: [8, 7].map((byte) => Buffer.alloc(32, byte).toString("base64")).join(",") };
  const rotate = (...args: string[]) => sallyport(["rotate-keys", ...args, "--config", "sallyport.yaml"], cwd, env);
  t.match(await rotate(), { code: 1, stderr: /put a new key behind the present one/ });
  t.match(await rotate("--retire"), { code: 1, stderr: /run --reseal/ });
  t.match(await rotate("--reseal"), { code: 1, stderr: /there is no store/ });
  await (await openStore(`sqlite:${join(cwd, "data/sallyport.db")}`, { clock: systemClock })).close();
  t.match(await rotate("--reseal"), { code: 0, stdout: /Take them out of SALLYPORT_SECRET_KEY on every node/ });
  t.match(await rotate("--reseal", "--retire"), { code: 2 });
});
