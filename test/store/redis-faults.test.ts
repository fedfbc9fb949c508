/** What can happen to a Redis store: it hangs, dies, refuses, forgets, or is emptied under a running process. */
import { once } from "node:events";
import { type AddressInfo, createConnection, createServer, type Socket } from "node:net";
import { inspect } from "node:util";
import t, { type Test } from "tap";
import { systemClock } from "../../src/core/clock.ts";
import type { Store } from "../../src/core/store.ts";
import { openStore } from "../../src/store/open.ts";
import { program } from "../support/programs.ts";
import { freePort, type RedisServer, startRedis, until } from "../support/redis.ts";

const put = (id: string, value: unknown) => ({ kind: "entry", id, value });
const unavailable = { name: "StoreUnavailableError", code: "store_unavailable" };

async function open(t: Test, url: string): Promise<Store> {
  const store = await openStore(url, { clock: systemClock });
  t.teardown(() => store.close());
  return store;
}

/** Every kind of call is refused, each in under a second. */
async function refusesQuickly(t: Test, store: Store): Promise<void> {
  const calls: (() => Promise<unknown>)[] = [
    () => store.commit({ writes: [put("refused", 1)] }),
    () => store.get("entry", "a"),
    () => store.list({ kind: "entry", limit: 10 }),
    () => store.head(),
    () => store.changesSince(0, 10),
    () => store.useOnce("k", 1_000),
    () => store.take("k", { burst: 1, periodMs: 1_000 }),
    () => store.sweep(10),
  ];
  const began = performance.now();
  await Promise.all(calls.map((call) => t.rejects(call(), unavailable)));
  t.ok(performance.now() - began < 1_000, "in under a second");
}

const answers = (store: Store) => until(async () => (await store.commit({ writes: [put("probe", 1)] })) > 0);

async function withRedis(
  name: string,
  check: (t: Test, server: RedisServer, store: Store) => Promise<void>,
  options: { readonly server?: readonly string[]; readonly query?: string } = {},
): Promise<void> {
  await t.test(name, async (t) => {
    const server = await startRedis(t, options.server);
    if (server !== undefined) await check(t, server, await open(t, `${server.url}${options.query ?? ""}`));
  });
}

await withRedis("a server that hangs", async (t, server, store) => {
  const revision = await store.commit({ writes: [put("a", 1)] });
  server.signal("SIGSTOP");
  await refusesQuickly(t, store);
  await refusesQuickly(t, store);
  server.signal("SIGCONT");
  await answers(store);
  t.equal((await store.get("entry", "a"))?.revision, revision);
});

await t.test("what the log says", async (t) => {
  const server = await startRedis(t, ["--maxmemory-policy", "allkeys-lru"]);
  if (server === undefined) return;
  const said: string[] = [];
  const say = (_fields: object, message: string) => void said.push(message);
  const store = await openStore(server.url, {
    clock: systemClock,
    log: { debug: say, info: say, warn: say, error: say },
  });
  t.teardown(() => store.close());
  await until(async () => said.length === 2);
  t.match(said, ["connected to the store", /maxmemory-policy to noeviction/]);
  await server.kill();
  await until(async () => said.length === 3);
  await server.start();
  await until(async () => said.length === 5);
  t.match(said.slice(2), ["lost the connection to the store", "connected to the store", /noeviction/]);
});

await t.test("a server that is not there at the start", async (t) => {
  if (program(t, "redis-server") === undefined) return;
  const began = performance.now();
  const store = await open(t, `redis://127.0.0.1:${await freePort()}`);
  t.ok(performance.now() - began < 1_500, "opening does not wait for it");
  await refusesQuickly(t, store);
});

await withRedis(
  "a server that is killed and comes back",
  async (t, server, store) => {
    let woken = 0;
    store.watch(() => {
      woken += 1;
    });
    const revisions = await Promise.all([1, 2, 3].map((n) => store.commit({ writes: [put(String(n), n)] })));
    const { epoch } = await store.head();
    await server.kill();
    await refusesQuickly(t, store);
    await server.start();
    await answers(store);
    const kept = await store.getMany("entry", ["1", "2", "3"]);
    t.strictSame(
      kept.map((document) => document?.revision),
      revisions,
      "everything acknowledged is there",
    );
    t.equal((await store.head()).epoch, epoch);
    const before = woken;
    await until(async () => (await store.commit({ writes: [put("a", 1)] })) > 0 && woken > before);
  },
  { server: ["--appendonly", "yes", "--appendfsync", "always"] },
);

await withRedis("a server that turns read-only", async (t, server, store) => {
  await store.commit({ writes: [put("a", 1)] });
  const admin = server.client();
  await admin.replicaof("127.0.0.1", 1);
  await t.rejects(store.commit({ writes: [put("a", 2)] }), unavailable);
  await t.rejects(store.useOnce("k", 1_000), unavailable);
  await admin.replicaof("NO", "ONE");
  await answers(store);
  t.strictSame((await store.get("entry", "a"))?.value, 1);
});

await withRedis("a server without memory", async (t, server, store) => {
  await store.commit({ writes: [put("a", 1)] });
  const { revision } = await store.head();
  await server.client().config("SET", "maxmemory", "1");
  await t.rejects(store.commit({ writes: [put("b", 2), put("a", null)] }), unavailable);
  await t.rejects(store.useOnce("k", 1_000), unavailable);
  t.strictSame((await store.get("entry", "a"))?.value, 1, "reads go on");
  t.equal((await store.head()).revision, revision);
  await server.client().config("SET", "maxmemory", "0");
  await answers(store);
});

await withRedis("a server that misses its own replicas", async (t, server, store) => {
  const admin = server.client();
  await admin.config("SET", "min-replicas-to-write", "1");
  await t.rejects(store.commit({ writes: [put("a", 1)] }), unavailable);
  t.equal(await store.get("entry", "a"), undefined);
  await admin.config("SET", "min-replicas-to-write", "0");
  await answers(store);
});

await withRedis("scripts that the server forgot", async (t, server, store) => {
  await server.client().script("FLUSH");
  await store.commit({ writes: [put("a", 1)] });
  await server.client().script("FLUSH");
  t.equal((await store.list({ kind: "entry", limit: 1 })).length, 1);
});

await withRedis("indexes that are left with nothing to point at", async (t, server, store) => {
  const admin = server.client();
  const expiresAtMs = Date.now() + 60_000;
  await store.commit({ writes: ["a", "b", "c"].map((id) => ({ ...put(id, 1), expiresAtMs })) });
  await store.commit({ writes: [put("a", 2), put("b", null)] });
  t.strictSame(await admin.zrange("{sallyport}:expiry", "0", "-1"), ["entry/c"]);
  t.strictSame(await admin.zrange("{sallyport}:ids:entry", "0", "-1"), ["a", "c"]);
  // As when another node writes between the two steps of a sweep.
  await admin.zadd("{sallyport}:expiry", 1, "entry/a");
  t.equal(await store.sweep(10), 0);
  t.strictSame((await store.get("entry", "a"))?.value, 2, "what has not expired is not swept");
  await store.commit({ writes: [put("a", null), put("c", null)] });
  t.strictSame((await admin.keys("*")).toSorted(), ["{sallyport}:feed", "{sallyport}:meta"]);
});

await withRedis("a server that is emptied", async (t, server, store) => {
  const first = await store.commit({ writes: [put("a", 1)] });
  const { epoch } = await store.head();
  await server.client().flushall();
  t.strictSame(await store.head(), { epoch: "", revision: 0 });
  t.strictSame(await store.changesSince(first, 10), { gap: true, head: { epoch: "", revision: 0 } });
  for (const id of ["b", "c"]) {
    await t.rejects(store.commit({ writes: [put(id, 1)] }), { ...unavailable, message: /replaced/ });
  }
  t.strictSame(await server.client().keys("*"), [], "a half store is not begun");
  const other = await open(t, server.url);
  t.ok((await other.commit({ writes: [put("d", 1)] })) > first);
  const head = await other.head();
  t.ok(head.epoch !== "" && head.epoch !== epoch, "a process that starts begins a new store");
  await t.rejects(store.commit({ writes: [put("e", 1)] }), unavailable, "one that knew another does not write to it");
});

await withRedis("a server that lost its newest commits", async (t, server, store) => {
  const kept = await store.commit({ writes: [put("a", 1)] });
  await server.client().save();
  const lost = await store.commit({ writes: [put("a", 2)] });
  await server.kill();
  await server.start();
  await until(async () => (await store.head()).revision === kept);
  t.equal((await store.changesSince(lost, 10)).gap, true, "before there are new commits");
  const next = await store.commit({ writes: [put("b", 1)] });
  t.not(next, lost, "a lost commit's revision is not given to another");
  t.equal((await store.changesSince(lost, 10)).gap, true, "and after");
});

await withRedis(
  "too few replicas",
  async (t, server, store) => {
    await t.rejects(store.commit({ writes: [put("a", 1)] }), { ...unavailable, message: /replicas/ });
    await t.rejects(store.useOnce("k", 1_000), unavailable);
    const replica = await startRedis(t, ["--replicaof", `127.0.0.1 ${server.port}`]);
    await until(async () => (await store.commit({ writes: [put("a", 1)] })) > 0);
    t.match(await replica?.client().hget("{sallyport}:doc:entry", "a"), /^\d+:0:0:1$/, "the replica has it");
  },
  { server: ["--repl-diskless-sync-delay", "0"], query: "?waitReplicas=1" },
);

await withRedis(
  "a feed bounded by commits and by bytes",
  async (t, _server, store) => {
    const revisions: number[] = [];
    for (let index = 0; index < 6; index++) revisions.push(await store.commit({ writes: [put("a", index)] }));
    t.equal((await store.changesSince(revisions[1] ?? 0, 10)).gap, true);
    const kept = await store.changesSince(revisions[2] ?? 0, 10);
    t.equal(!kept.gap && kept.commits.length, 3);
    const large = await store.commit({ writes: [put("a", "x".repeat(10_000))] });
    t.equal((await store.changesSince(revisions[5] ?? 0, 10)).gap, false, "the newest commit stays, whatever its size");
    await store.commit({ writes: [put("a", "x".repeat(4_000))] });
    t.equal((await store.changesSince(revisions[5] ?? 0, 10)).gap, true);
    t.equal((await store.changesSince(large, 10)).gap, false);
  },
  { query: "?feedCommits=3&feedBytes=5000" },
);

await withRedis(
  "a password, right and wrong",
  async (t, server, store) => {
    t.match(await store.head().catch((error: unknown) => error), { ...unavailable, message: /NOAUTH/ });
    const at = `127.0.0.1:${server.port}`;
    const wrong = await open(t, `redis://:wr0ng%2Fsecret@${at}`);
    const refusal: unknown = await wrong.commit({ writes: [put("a", 1)] }).catch((error: unknown) => error);
    t.match(refusal, { ...unavailable, message: /WRONGPASS/ });
    t.notMatch(inspect(refusal, { depth: 9 }), /wr0ng/, "no password in an error");
    const right = await open(t, `redis://:s%2Fecret@${at}/3?prefix=clinic`);
    await right.commit({ writes: [put("a", 1)] });
    t.ok(await right.get("entry", "a"));
  },
  { server: ["--requirepass", "s/ecret"] },
);

await withRedis("a path that goes dead without a word", async (t, server) => {
  const sockets = new Set<Socket>();
  const dead = new WeakSet<Socket>();
  const proxy = createServer((client) => {
    const upstream = createConnection(server.port, "127.0.0.1");
    const relay = (from: Socket, to: Socket) => {
      sockets.add(from.on("error", () => undefined));
      from.on("data", (bytes) => dead.has(from) || to.write(bytes));
    };
    relay(client, upstream);
    relay(upstream, client);
  }).listen(0, "127.0.0.1");
  await once(proxy, "listening");
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    proxy.close();
  });
  const store = await open(t, `redis://127.0.0.1:${(proxy.address() as AddressInfo).port}`);
  let woken = 0;
  store.watch(() => {
    woken += 1;
  });
  await store.commit({ writes: [put("a", 1)] });
  for (const socket of sockets) dead.add(socket);
  await refusesQuickly(t, store);
  await answers(store);
  const before = woken;
  await until(async () => (await store.commit({ writes: [put("a", 1)] })) > 0 && woken > before);
});
