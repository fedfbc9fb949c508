/** What is open and loses its right, holds a connection without using it, or is in the way of the end. */
import { once } from "node:events";
import { setImmediate, setTimeout } from "node:timers/promises";
import t, { type Test } from "tap";
import { FixedClock } from "../../src/core/clock.ts";
import { HAPPY, type LiveEdgeOptions, OTHER, startLiveEdge } from "../support/live-edge.ts";
import { RawClient } from "../support/raw-http.ts";
import { type Script, startUpstream } from "../support/upstream.ts";

const LOCAL = "127.0.0.1/32";
const head = (path: string, fields = "", host: string = HAPPY.host) =>
  `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n${fields}\r\n`;
const WEBSOCKET = "Connection: Upgrade\r\nUpgrade: websocket\r\n";

/** `/socket` opens a tunnel, `/download` never ends, `/wait` is never answered, the rest is answered at once. */
const CLINIC: Script = ({ received, socket }, piece) => {
  const path = /(?:GET|POST) ([^ ?]+)/.exec(piece.toString("latin1"))?.[1];
  if (path === "/socket")
    socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
  else if (path === "/download") socket.write("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nbeginning");
  else if (path === "/flood")
    socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n${"x".repeat(30_000_000)}`);
  else if (path === "/") socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  else if (path === undefined && received.includes("websocket")) socket.write(piece);
};

async function clinic(t: Test, options: Omit<LiveEdgeOptions, "upstream"> = {}) {
  const upstream = await startUpstream(t, CLINIC);
  const live = await startLiveEdge(t, { upstream: upstream.origin, ...options });
  const open = async (bytes: string, sign: RegExp) => {
    const client = await RawClient.open(live.port);
    t.teardown(() => client.close());
    client.send(bytes);
    await client.until((received) => sign.test(received));
    return client;
  };
  return { ...live, upstream, open };
}

t.test("case 8: an entry removed ends what it admitted", async (t) => {
  const { policy, tally, upstream, open } = await clinic(t);
  const entry = policy.allow(LOCAL);
  policy.allow(LOCAL, OTHER);
  const idle = await open(head("/"), /ok$/);
  const tunnel = await open(head("/socket", WEBSOCKET), /101 Switching/);
  const download = await open(head("/download"), /beginning$/);
  const others = await open(head("/download", "", OTHER.host), /beginning$/);
  tunnel.send("echo");
  await tunnel.until((received) => received.endsWith("echo"));
  t.match(tally.drain(), { connections: 4, tunnels: 1, inFlight: 2 });

  const removedAtMs = performance.now();
  policy.remove(entry);
  await Promise.all([tunnel.untilEnd(), download.untilEnd()]);
  t.ok(performance.now() - removedAtMs < 100, "within the promise");
  idle.send(head("/"));
  await idle.until((received) => received.includes("HTTP/1.1 403 "));
  t.pass("the idle connection is open, and its next request is blocked");
  t.notOk(others.ended, "another tenant's download goes on");
  const cut = upstream.connections.filter(({ received }) =>
    /\/socket|\/download HTTP\/1\.1\r\nHost: happy/i.test(received),
  );
  t.equal(cut.length, 2);
  await Promise.all(cut.map(({ socket }) => socket.destroyed || once(socket, "close")));
  t.match(tally.drain(), { connections: 2, tunnels: 0, inFlight: 1 });
});

t.test("case 8: so does everything else that takes the right away", async (t) => {
  const ways: [string, (policy: Awaited<ReturnType<typeof clinic>>["policy"]) => void][] = [
    ["the tenant is gone", (policy) => policy.removeTenant(HAPPY)],
    ["its host is gone", (policy) => policy.setPolicy(HAPPY, {}, [])],
    ["a second factor is demanded", (policy) => policy.setPolicy(HAPPY, { secondFactor: "required" })],
    ["a full state without it", (policy) => policy.load()],
  ];
  for (const [name, take] of ways) {
    const { policy, open } = await clinic(t);
    policy.allow(LOCAL);
    policy.allow(LOCAL, OTHER);
    const tunnel = await open(head("/socket", WEBSOCKET), /101 Switching/);
    take(policy);
    await tunnel.untilEnd();
    t.pass(name);
  }
});

t.test("a change that leaves the right leaves the connection", async (t) => {
  const { policy, open } = await clinic(t);
  const one = policy.allow(LOCAL);
  policy.allow("127.0.0.0/8");
  const last = policy.allow(LOCAL, OTHER);
  const tunnel = await open(head("/socket", WEBSOCKET), /101 Switching/);
  const witness = await open(head("/download", "", OTHER.host), /beginning$/);
  policy.remove(one);
  policy.remove(policy.allow("198.51.100.1/32"));
  policy.setPolicy(HAPPY, { network: "observe" });
  policy.setPolicy(HAPPY, { network: "enforce" });
  policy.remove(last, OTHER);
  await witness.untilEnd();
  tunnel.send("still here");
  await tunnel.until((received) => received.endsWith("still here"));
});

t.test("an exempt path keeps its right", async (t) => {
  const { policy, open } = await clinic(t);
  const entry = policy.allow(LOCAL);
  policy.setPolicy(HAPPY, { exempt: [{ path: "/download", methods: ["GET"] }] });
  const exempt = await open(head("/download?x"), /beginning$/);
  const blocked = await open(head("/socket", WEBSOCKET), /101 Switching/);
  policy.remove(entry);
  await blocked.untilEnd();
  t.notOk(exempt.ended);
});

t.test("an entry that expires ends what it admitted, on the second", async (t) => {
  const clock = new FixedClock(1_800_000_000_999);
  const { policy, open } = await clinic(t, { clock });
  policy.allow(LOCAL, HAPPY, 1_800_000_002);
  const download = await open(head("/download"), /beginning$/);
  clock.advance(1_000);
  await setTimeout(20);
  t.notOk(download.ended, "a millisecond before");
  clock.advance(1);
  await download.untilEnd();
});

t.test("a replica that grows stale ends everything", async (t) => {
  const clock = new FixedClock(1_800_000_000_999);
  const { policy, open } = await clinic(t, { clock });
  policy.allow(LOCAL);
  const download = await open(head("/download"), /beginning$/);
  clock.advance(900_001);
  await download.untilEnd();
});

t.test("case 37: clients that hold a connection without using it", async (t) => {
  const clock = new FixedClock(1_800_000_000_999);
  const timeouts = { headersSeconds: 0.3, keepAliveSeconds: 0.05, requestIdleSeconds: 2, writeIdleSeconds: 2 };
  const { port, policy, open } = await clinic(t, { clock, timeouts });
  policy.allow(LOCAL);
  const post = `POST /wait HTTP/1.1\r\nHost: ${HAPPY.host}\r\nContent-Length: 1000000\r\n\r\n`;
  const silent = await RawClient.open(port);
  const slowHead = await RawClient.open(port);
  slowHead.send("GET / HTTP/1.1\r\nHost: ");
  const slowBody = await RawClient.open(port);
  slowBody.send(`${post}${"x".repeat(2_000)}`);
  const refused = await RawClient.open(port);
  refused.send(`POST / HTTP/1.1\r\nHost: unknown.example\r\nContent-Length: 60000\r\n\r\nx`);
  const trickle = setInterval(() => {
    slowBody.send("x");
    refused.send("x");
  }, 20);
  const slowReader = await open(head("/flood"), /HTTP\/1\.1 200 /);
  slowReader.socket.pause();
  const idle = await open(head("/"), /ok$/);
  t.match(await silent.untilEnd(), /^HTTP\/1\.1 408 /, "one that says nothing");
  t.match(await slowHead.untilEnd(), /^HTTP\/1\.1 408 /, "a slow head");
  await idle.untilEnd();
  t.pass("an idle keep-alive connection");
  await slowBody.untilEnd();
  t.match(await refused.untilEnd(), /^HTTP\/1\.1 421 /, "a slow body that nobody wants");
  clearInterval(trickle);
  t.pass("a slow body");
  slowReader.socket.resume();
  await slowReader.untilEnd();
  t.ok(slowReader.received.length < 30_000_000, "a slow reader");
});

t.test("a fast body and a patient upstream are not the client's fault", async (t) => {
  const clock = new FixedClock(1_800_000_000_999);
  const { policy, open, port } = await clinic(t, { clock, timeouts: { requestIdleSeconds: 2, writeIdleSeconds: 2 } });
  policy.allow(LOCAL);
  const waiting = await RawClient.open(port);
  waiting.send(head("/wait"));
  const tunnel = await open(head("/socket", WEBSOCKET), /101 Switching/);
  const uploading = await RawClient.open(port);
  uploading.send(`POST /wait HTTP/1.1\r\nHost: ${HAPPY.host}\r\nContent-Length: 1000000\r\n\r\n`);
  const steady = setInterval(() => uploading.send("x".repeat(200)), 5);
  const victim = await RawClient.open(port);
  victim.send(`POST /wait HTTP/1.1\r\nHost: ${HAPPY.host}\r\nContent-Length: 1000000\r\n\r\n`);
  await victim.untilEnd();
  clearInterval(steady);
  t.same([waiting.ended, tunnel.ended, uploading.ended], [false, false, false]);
  for (const client of [waiting, uploading]) client.close();
});

t.test("drain", async (t) => {
  const { edge, policy, open, port, upstream } = await clinic(t);
  policy.allow(LOCAL);
  const idle = await open(head("/"), /ok$/);
  const download = await open(head("/download"), /beginning$/);
  const waiting = await RawClient.open(port);
  waiting.send(head("/wait"));
  while (!upstream.connections.some(({ received }) => received.includes("/wait"))) await setImmediate();
  const draining = edge.drain(10_000);
  await idle.untilEnd();
  await t.rejects(RawClient.open(port), { code: "ECONNREFUSED" });
  for (const { socket, received } of upstream.connections) {
    if (received.includes("/wait")) socket.write("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlate");
    if (received.includes("/download")) socket.write("x".repeat(1_000_000 - "beginning".length));
  }
  t.match(await waiting.untilEnd(), /^HTTP\/1\.1 200 .*Connection: close\r\n.*late$/is);
  t.equal((await download.untilEnd()).split("\r\n\r\n")[1]?.length, 1_000_000, "what runs is finished");
  await draining;
});

t.test("drain breaks off what is left at the deadline", async (t) => {
  const { edge, policy, open } = await clinic(t);
  policy.allow(LOCAL);
  const download = await open(head("/download"), /beginning$/);
  const tunnel = await open(head("/socket", WEBSOCKET), /101 Switching/);
  await edge.drain(50);
  await Promise.all([download.untilEnd(), tunnel.untilEnd()]);
});

t.test("changes that come in a burst share a pass", async (t) => {
  const upstream = await startUpstream(t, CLINIC);
  const { port, policy } = await startLiveEdge(t, { upstream: upstream.origin });
  policy.allow("127.0.0.0/8");
  const last = policy.allow(LOCAL, OTHER);
  const clients: RawClient[] = [];
  for (let count = 0; count < 50; count++) {
    const client = await RawClient.open(port);
    t.teardown(() => client.close());
    client.send(head("/download", "", count === 0 ? OTHER.host : HAPPY.host));
    await client.until((received) => received.endsWith("beginning"));
    clients.push(client);
  }
  let looks = 0;
  const lookUp = policy.replica.tenantByHost.bind(policy.replica);
  t.intercept(policy.replica, "tenantByHost", {
    value: (host: Parameters<typeof lookUp>[0]) => {
      looks += 1;
      return lookUp(host);
    },
  });
  for (let count = 0; count < 1_000; count++) policy.allow(LOCAL);
  policy.remove(last, OTHER);
  await clients[0]?.untilEnd();
  t.ok(looks >= 50 && looks < 500, `${looks} looks at 50 downloads for 1,000 changes`);
});

t.test("a client that breaks off after it left HTTP harms nobody", async (t) => {
  const { policy, open } = await clinic(t);
  policy.allow(LOCAL);
  const tunnel = await open(head("/socket", WEBSOCKET), /101 Switching/);
  const connecting = await open("CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", /405/);
  const broken = await open("nonsense\r\n\r\n", /400/);
  for (const { socket } of [tunnel, connecting, broken]) socket.resetAndDestroy();
  await setTimeout(20);

  await open(head("/"), /ok$/);
});

t.test("requests pipelined beyond reason are left to another connection", async (t) => {
  const { port, policy, open, upstream } = await clinic(t);
  policy.allow(LOCAL);
  const three = await open(head("/").repeat(3), /(ok.*){3}$/s);
  t.equal(three.received.match(/HTTP\/1\.1 200 /g)?.length, 3, "three are answered in order");
  const flood = await RawClient.open(port);
  flood.send(head("/").repeat(150));
  const answers = await flood.untilEnd();
  t.equal(answers.match(/HTTP\/1\.1 200 /g)?.length, 101, "one under way and a hundred behind it");
  t.match(answers, /^(?!.*HTTP\/1\.1 4).*Connection: close\r\n(?!.*HTTP\/1\.1)/is);
  t.equal(upstream.connections.length, 1, "one after the other");
});

t.test("an upgrade behind an unfinished answer is refused after it", async (t) => {
  const { policy, open } = await clinic(t);
  policy.allow(LOCAL);
  const client = await open(head("/") + head("/socket", WEBSOCKET), /upgrade_refused/);
  t.match(client.received, /^HTTP\/1\.1 200 .*ok.*HTTP\/1\.1 400 /s);
});
