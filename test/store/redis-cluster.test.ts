/** The Redis adapter on a Cluster: the port's contract, with everything in one slot; slots that move; a lost node. */
import t, { type Test } from "tap";
import { FixedClock } from "../../src/core/clock.ts";
import { openStore } from "../../src/store/open.ts";
import { type RedisCluster, type RedisServer, startCluster, until } from "../support/redis.ts";
import { checkContract } from "./contract.ts";

const put = (id: string, value: unknown) => ({ kind: "entry", id, value });

/** The slot of the hash tag in `{sallyport}:…`. */
async function slotOf(server: RedisServer): Promise<number> {
  return Number(await server.client().cluster("KEYSLOT", "{sallyport}:meta"));
}

async function start(t: Test, cluster: RedisCluster) {
  const clock = new FixedClock(Date.UTC(2026, 0, 1));
  const clients = cluster.servers.map((server) => server.client());
  await Promise.all(clients.map((client) => client.flushall()));
  const pass = async (ms: number) => {
    clock.advance(ms);
    for (const client of clients) {
      for (const key of await client.keys("{sallyport}:once:*"))
        await client.pexpire(key, (await client.pttl(key)) - ms);
    }
  };
  const open = async (query = "") => {
    const store = await openStore(`${cluster.url}${query}`, { clock });
    t.teardown(() => store.close());
    return store;
  };
  return { clock, pass, open };
}

await t.test("three nodes", async (t) => {
  const cluster = await startCluster(t);
  if (cluster === undefined) return;
  const [first] = cluster.servers;
  if (first === undefined) return;

  await t.test("the contract", async (t) => checkContract(t, (t) => start(t, cluster)));

  await t.test("keeps everything in one slot", async (t) => {
    const { open } = await start(t, cluster);
    const store = await open();
    await store.commit({ writes: [put("a", 1), { kind: "tenant", id: "t", value: 1, expiresAtMs: 2 ** 45 }] });
    await store.useOnce("k", 1_000);
    const sizes = await Promise.all(cluster.servers.map((server) => server.client().dbsize()));
    t.equal(sizes.filter((size) => size > 0).length, 1);
  });

  await t.test("asks the slot's own node for replicas", async (t) => {
    const { open } = await start(t, cluster);
    const store = await open("?waitReplicas=1");
    await t.rejects(store.commit({ writes: [put("a", 1)] }), { code: "store_unavailable", message: /replicas/ });
  });

  await t.test("follows a slot that moves", async (t) => {
    const { open } = await start(t, cluster);
    const store = await open();
    const slot = await slotOf(first);
    const clients = cluster.servers.map((server) => server.client());
    const owners = await Promise.all(clients.map((client) => client.dbsize()));
    await store.commit({ writes: [put("a", 1)] });
    const sizes = await Promise.all(clients.map((client) => client.dbsize()));
    const from = sizes.findIndex((size, index) => size > (owners[index] ?? 0));
    const to = (from + 1) % clients.length;
    const [source, target] = [clients[from], clients[to]];
    if (source === undefined || target === undefined) throw new Error("no owner of the slot");
    const [sourceId, targetId] = [await source.cluster("MYID"), await target.cluster("MYID")];
    await target.cluster("SETSLOT", slot, "IMPORTING", String(sourceId));
    await source.cluster("SETSLOT", slot, "MIGRATING", String(targetId));
    const keys = await source.cluster("GETKEYSINSLOT", slot, 100);
    await source.call(
      "MIGRATE",
      "127.0.0.1",
      cluster.servers[to]?.port ?? 0,
      "",
      0,
      5_000,
      "KEYS",
      ...keys.map(String),
    );
    for (const client of [target, source]) await client.cluster("SETSLOT", slot, "NODE", String(targetId));
    await until(async () => (await store.commit({ writes: [put("b", 1)] })) > 0);
    t.equal((await store.list({ kind: "entry", limit: 10 })).length, 2);
  });

  await t.test("refuses at once when a node is lost", async (t) => {
    const { open } = await start(t, cluster);
    const store = await open();
    await store.commit({ writes: [put("a", 1)] });
    await Promise.all(cluster.servers.map((server) => server.kill()));
    const began = performance.now();
    await t.rejects(store.commit({ writes: [put("b", 1)] }), { code: "store_unavailable" });
    await t.rejects(store.get("entry", "a"), { code: "store_unavailable" });
    t.ok(performance.now() - began < 1_800, "each in under a second");
    await Promise.all(cluster.servers.map((server) => server.start()));
    await until(async () => (await store.get("entry", "a")) === undefined, 15_000);
  });
});
