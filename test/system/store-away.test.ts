/** Redis is absent, dies, hangs, is full, fails over, goes back or is emptied: traffic goes on, no revocation is undone. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import t, { type Test } from "tap";
import { Gate, startUpstream, visit } from "../support/gate.ts";
import { Knocker } from "../support/knocker.ts";
import { freePort as redisPort, startRedis, startSentinelSet, until } from "../support/redis.ts";

const HOST = "clinic.example";
const env = { SALLYPORT_SECRET_KEY: Buffer.alloc(32, 5).toString("base64") };

async function clinic(t: Test, storeUrl: string) {
  const upstream = await startUpstream(t, (_request, response) => void response.end("in"));
  const tenant = {
    id: "clinic",
    name: "Clinic",
    hosts: [HOST],
    upstreams: [upstream],
    policy: { secondFactor: "off" },
  };
  const settings = { edge: { workers: 1 }, store: { url: storeUrl } };
  const gate = new Gate(t, { settings, env });
  const { edge } = await gate.ready();
  t.equal((await gate.admin("POST", "/v1/tenants", tenant)).status, 201);
  const allow = async (cidr: string): Promise<Response> =>
    await gate.admin("POST", "/v1/tenants/clinic/allowlist?wait=applied", { cidr, label: "here" });
  const created = await allow("127.0.0.1");
  t.equal(created.status, 201);
  return { gate, edge, settings, allow, entry: ((await created.json()) as { id: string }).id };
}

async function readiness(gate: Gate): Promise<Record<string, unknown>> {
  const { admin } = await gate.ready();
  const { checks } = (await (await fetch(`${admin}/readyz`)).json()) as { checks: Record<string, unknown> };
  return checks;
}

t.test("Redis dies and comes back under load", async (t) => {
  const redis = await startRedis(t, ["--appendonly", "yes", "--appendfsync", "always"]);
  if (redis === undefined) return;
  const { gate, edge, allow } = await clinic(t, redis.url);
  const knocker = new Knocker(t, edge, { host: HOST, connections: 4 });
  knocker.start();
  await knocker.more(100);
  await redis.kill();
  const askedAtMs = performance.now();
  const refused = await allow("203.0.113.7");
  t.equal(refused.status, 503);
  t.match(await refused.json(), { code: "store_unavailable" });
  t.ok(performance.now() - askedAtMs < 1_000, "a write is refused within a second");
  await gate.logged("cannot follow the store; trying again");
  await knocker.more(200);
  await redis.start();
  await gate.logged("following the store", ({ was }) => was === "store-away");
  t.equal((await allow("203.0.113.8")).status, 201, "writes work again by themselves");
  await knocker.stop();
  t.strictSame([...knocker.statuses.keys()], [200], "every request was served");
  t.equal(knocker.failures, 0);
});

t.test("Redis hangs: writes answer within a second, traffic goes on", async (t) => {
  const redis = await startRedis(t);
  if (redis === undefined) return;
  const { gate, edge, allow } = await clinic(t, redis.url);
  const knocker = new Knocker(t, edge, { host: HOST, connections: 4 });
  knocker.start();
  await knocker.more(50);
  redis.signal("SIGSTOP");
  const askedAtMs = performance.now();
  t.equal((await allow("203.0.113.7")).status, 503);
  t.ok(performance.now() - askedAtMs < 1_200);
  await gate.logged("cannot follow the store; trying again");
  await knocker.more(200);
  redis.signal("SIGCONT");
  await gate.logged("following the store", ({ was }) => was === "store-away");
  await knocker.stop();
  t.strictSame([...knocker.statuses.keys()], [200]);
});

t.test("a node starts from its snapshot while Redis is away, and undoes no revocation", async (t) => {
  const redis = await startRedis(t);
  if (redis === undefined) return;
  const { gate, edge, settings, allow, entry } = await clinic(t, redis.url);
  t.match(await visit(edge, HOST), { status: 200 });
  t.equal((await allow("127.0.0.2")).status, 201);
  t.equal((await gate.admin("DELETE", `/v1/tenants/clinic/allowlist/${entry}?wait=applied`)).status, 204);
  t.match(await visit(edge, HOST), { status: 403 });
  gate.process.kill("SIGKILL");
  await gate.exited;
  await redis.kill();
  t.ok(existsSync(join(gate.dir, "data/policy.snapshot")));
  const again = new Gate(t, { settings: { ...settings, dataDir: join(gate.dir, "data") }, env });
  const restarted = await again.ready();
  t.match(await visit(restarted.edge, HOST), { status: 403 }, "the removed entry stays removed");
  t.match(await visit(restarted.edge, "other.example"), { status: 421 }, "the tenants are known");
  const write = await again.admin("POST", "/v1/tenants/clinic/allowlist", { cidr: "127.0.0.1", label: "here" });
  t.equal(write.status, 503);
  await redis.start();
});

t.test("without a snapshot a node whose store is away is not ready and denies everything", async (t) => {
  const settings = { edge: { workers: 1 }, store: { url: `redis://127.0.0.1:${await redisPort()}/0` } };
  const gate = new Gate(t, { settings, env });
  const { edge, admin } = await gate.ready();
  t.match(await visit(edge, HOST), { status: 503 });
  t.equal((await fetch(`${admin}/readyz`)).status, 503);
  t.equal((await fetch(`${admin}/healthz`)).status, 200, "it is alive all the same");
});

t.test("Redis is emptied: the last known policy stays in force, and nothing is written over it", async (t) => {
  const redis = await startRedis(t);
  if (redis === undefined) return;
  const { gate, edge, allow } = await clinic(t, redis.url);
  const client = redis.client();
  await client.flushall();
  await gate.logged("the store was emptied or replaced; the last known policy stays in force until it is stale");
  t.match(await visit(edge, HOST), { status: 200 });
  for (const address of ["203.0.113.7", "203.0.113.8"]) t.equal((await allow(address)).status, 503);
  t.match((await readiness(gate))["store"], { ok: false, detail: "store-replaced" });
  t.equal(await client.dbsize(), 0, "no chore of this node begins a new store");
  client.disconnect();
});

t.test("Redis comes back with an older state: what was acknowledged is carried out again", async (t) => {
  const redis = await startRedis(t);
  if (redis === undefined) return;
  const { gate, edge, allow, entry } = await clinic(t, redis.url);
  await redis.client().save();
  const added = await allow("203.0.113.7");
  t.equal(added.status, 201);
  t.equal((await gate.admin("DELETE", `/v1/tenants/clinic/allowlist/${entry}?wait=applied`)).status, 204);
  const knocker = new Knocker(t, edge, { host: HOST, connections: 2 });
  knocker.start();
  await redis.kill();
  await redis.start();
  await gate.logged("the store had lost changes that were acknowledged; they were carried out again");
  await gate.logged("following the store", ({ was }) => was === "mending");
  await knocker.more(50);
  await knocker.stop();
  t.strictSame([...knocker.statuses.keys()], [403], "at no moment was anybody let in");
  const list = (await (await gate.admin("GET", "/v1/tenants/clinic/allowlist")).json()) as { items: unknown[] };
  t.match(list.items, [{ cidr: "203.0.113.7/32" }]);
  t.equal(list.items.length, 1);
  t.equal((await allow("203.0.113.9")).status, 201);
});

t.test("Redis is full, then read-only: writes are refused, traffic goes on", async (t) => {
  const redis = await startRedis(t);
  if (redis === undefined) return;
  const { edge, allow } = await clinic(t, redis.url);
  const knocker = new Knocker(t, edge, { host: HOST, connections: 2 });
  knocker.start();
  const client = redis.client();
  for (const [setting, broken, healthy] of [
    ["maxmemory", "1", "0"],
    ["min-replicas-to-write", "1", "0"],
  ] as const) {
    await client.config("SET", setting, broken);
    await knocker.more(50);
    t.equal((await allow("203.0.113.7")).status, 503, setting);
    await client.config("SET", setting, healthy);
    t.equal((await allow("203.0.113.7")).status, 201, setting);
  }
  await knocker.stop();
  t.strictSame([...knocker.statuses.keys()], [200]);
});

t.test("Redis fails over: traffic goes on, a revocation stays, writes work again", async (t) => {
  const set = await startSentinelSet(t);
  if (set === undefined) return;
  const { gate, edge, allow, entry } = await clinic(t, set.url);
  t.equal((await allow("127.0.0.0/31")).status, 201);
  t.equal((await gate.admin("DELETE", `/v1/tenants/clinic/allowlist/${entry}?wait=applied`)).status, 204);
  const knocker = new Knocker(t, edge, { host: HOST, connections: 2 });
  knocker.start();
  await set.servers[0]?.kill();
  t.equal((await allow("203.0.113.7")).status, 503);
  await until(async () => (await allow("203.0.113.8")).status === 201, 20_000);
  await knocker.stop();
  t.strictSame([...knocker.statuses.keys()], [200]);
  const list = (await (await gate.admin("GET", "/v1/tenants/clinic/allowlist")).json()) as { items: { id: string }[] };
  t.notOk(list.items.some(({ id }) => id === entry));
});
