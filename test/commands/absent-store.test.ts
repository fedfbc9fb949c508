/** Where there is no store, the commands that read one say so, and make none. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { systemClock } from "../../src/core/clock.ts";
import { openStore } from "../../src/store/open.ts";
import { sallyport } from "../support/command-line.ts";
import { freePort } from "../support/gate.ts";
import { startRedis } from "../support/redis.ts";

const OFFLINE = [
  ["audit", "verify", "--offline"],
  ["backup", "b.db"],
  ["allow", "add", "clinic", "192.0.2.1", "--ttl", "1h", "--offline"],
  ["rotate-keys", "--reseal"],
];
const SECRET = { SALLYPORT_SECRET_KEY: Buffer.alloc(32, 7).toString("base64") };

t.test("a data folder that is not there", async (t) => {
  const cwd = t.testdir({ "c.yaml": "dataDir: mistyped" });
  const config = ["--config", "c.yaml"];
  for (const args of OFFLINE) {
    const said = await sallyport([...args, ...config], cwd);
    t.match(said, { code: 1, stderr: /there is no store: .*mistyped\/sallyport\.db is not there/ }, args.join(" "));
    t.match(said.stderr, /c\.yaml was read; the data folder is .*mistyped/);
  }
  t.match(await sallyport(["backup", "b.db"], cwd), { code: 1, stderr: /no file was read, so the defaults hold/ });
  t.match(await sallyport(["rotate-keys", ...config], cwd), { code: 1, stderr: /secret\.key is not there/ });
  t.match(await sallyport(["check", ...config], cwd), { code: 0, stdout: /store .*the start will make it/ });
  t.match(await sallyport(["restore", "b.db", ...config], cwd), { code: 1, stderr: /there is no backup: .*b\.db/ });
  const nowhere = { SALLYPORT_ADMIN_URL: `http://127.0.0.1:${freePort()}`, SALLYPORT_ADMIN_KEY: "k".repeat(40) };
  t.match(await sallyport(["audit", "verify"], cwd, nowhere), { code: 1, stderr: /does not answer/ });
  t.strictSame(readdirSync(cwd), ["c.yaml"]);
});

t.test("a store whose key is not there", async (t) => {
  const cwd = t.testdir({ "c.yaml": "dataDir: data" });
  await (await openStore(`sqlite:${join(cwd, "data/sallyport.db")}`, { clock: systemClock })).close();
  const said = await sallyport(["audit", "verify", "--offline", "--config", "c.yaml"], cwd);
  t.match(said, { code: 1, stderr: /secret\.key is not there[\s\S]*SALLYPORT_SECRET_KEY/ });
  t.strictSame(readdirSync(join(cwd, "data")), ["sallyport.db"]);
});

t.test("restoring: to a new place, and not from what is no backup", async (t) => {
  const cwd = t.testdir({ "notes.txt": "no backup at all", "c.yaml": "dataDir: data", "new.yaml": "dataDir: new" });
  const file = join(cwd, "data/sallyport.db");
  await (await openStore(`sqlite:${file}`, { clock: systemClock })).close();
  const before = readFileSync(file);
  const said = await sallyport(["restore", "notes.txt", "--config", "c.yaml"], cwd);
  t.match(said, { code: 1, stderr: /notes\.txt is damaged, or no backup of Sallyport; nothing was restored/ });
  t.notMatch(said.stderr, /the store's file is damaged/);
  writeFileSync(join(cwd, "cut.db"), before.subarray(0, before.length / 2));
  t.match(await sallyport(["restore", "cut.db", "--config", "c.yaml"], cwd), { code: 1, stderr: /cut\.db is damaged/ });
  t.strictSame(readFileSync(file), before);
  t.strictSame(readdirSync(join(cwd, "data")), ["sallyport.db"]);

  t.equal((await sallyport(["backup", "b.db", "--config", "c.yaml"], cwd)).code, 0);
  t.match(await sallyport(["restore", "b.db", "--config", "new.yaml"], cwd), {
    stdout: /there was no store before\nPut the .*new\/secret\.key that belongs to it back/,
  });
  t.strictSame(readdirSync(join(cwd, "new")), ["sallyport.db"]);
  t.match(await sallyport(["restore", "b.db", "--config", "new.yaml"], cwd), {
    stdout: /kept as .*sallyport\.db\.replaced-\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ/,
  });
  t.match(readdirSync(join(cwd, "new")), ["sallyport.db", /^sallyport\.db\.replaced-.*Z$/]);
});

t.test("a Redis that holds no store", async (t) => {
  const server = await startRedis(t);
  if (server === undefined) return;
  const cwd = t.testdir({ "c.yaml": `store: { url: "${server.url}" }` });
  const said = await sallyport(["audit", "verify", "--offline", "--config", "c.yaml"], cwd, SECRET);
  t.match(said, { code: 1, stderr: /there is no store: this Redis answers, and \{sallyport\}:meta is not in it/ });
  t.match(await sallyport(["check", "--config", "c.yaml"], cwd, SECRET), { code: 0, stdout: /the start will make it/ });
  t.equal(await server.client().dbsize(), 0);
});
