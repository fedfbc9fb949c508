/** What a client sends ahead of its answers holds up nobody else, and is no way to stay unseen. */
import { setTimeout as pause } from "node:timers/promises";
import t, { type Test } from "tap";
import { HAPPY, startLiveEdge } from "../support/live-edge.ts";
import { RawClient } from "../support/raw-http.ts";
import { startUpstream } from "../support/upstream.ts";

const get = (path: string, fields = ""): string => `GET ${path} HTTP/1.1\r\nHost: ${HAPPY.host}\r\n${fields}\r\n`;

async function start(t: Test, script: Parameters<typeof startUpstream>[1] = () => {}) {
  const upstream = await startUpstream(t, script);
  const live = await startLiveEdge(t, { upstream: upstream.origin });
  live.policy.allow("127.0.0.1/32");
  const client = await RawClient.open(live.port);
  t.teardown(() => client.close());
  return { upstream, live, client };
}

/** The longest time, in ms, that the event loop did not turn while this ran. */
async function longestStall(run: () => Promise<void>): Promise<number> {
  let [last, worst] = [performance.now(), 0];
  const beat = setInterval(() => {
    const now = performance.now();
    [last, worst] = [now, Math.max(worst, now - last)];
  }, 10);
  await run();
  await pause(100);
  clearInterval(beat);
  return worst;
}

t.test("a hundred thousand requests behind an unanswered one freeze nobody", async (t) => {
  const { upstream, client } = await start(t);
  client.send(get("/slow", "TE:\r\n"));
  await upstream.reached(1);
  const flood = get("/", "TE:\r\n");
  const stall = await longestStall(async () => {
    await new Promise<void>((resolve) => client.socket.write(flood.repeat(100_000), () => resolve()));
    await pause(200);
    client.close();
  });
  t.ok(stall < 3_000, `the event loop stood still for ${stall.toFixed(0)} ms`);
});

t.test("waiting bodies are so many bytes at most; those behind are not carried out", async (t) => {
  const { upstream, client } = await start(t, (connection) => {
    const { received } = connection;
    if (received.includes("/last")) t.fail("carried out");
    if (!received.includes("/slow") && received.length < 60_000) return;
    connection.received = "";
    if (!received.includes("/slow")) connection.socket.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  });
  client.send(get("/slow"));
  await upstream.reached(1);
  const body = "x".repeat(60_000);
  for (let count = 0; count < 8; count += 1) {
    const path = count === 7 ? "/last" : "/post";
    client.send(`POST ${path} HTTP/1.1\r\nHost: ${HAPPY.host}\r\nContent-Length: 60000\r\n\r\n${body}`);
  }
  await pause(300);
  upstream.connections[0]?.socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  const received = await client.untilEnd();
  const answers = received.match(/HTTP\/1\.1 200/g)?.length ?? 0;
  t.ok(answers >= 4 && answers <= 6, `${answers} were answered`);
  t.match(received, /Connection: close/i);
});

for (const how of ["end", "destroy", "resetAndDestroy"] as const) {
  t.test(`a client that sent something ahead is seen to go (${how})`, async (t) => {
    const { upstream, live, client } = await start(t);
    client.send(get("/slow"));
    await upstream.reached(1);
    client.send("\r\n");
    await pause(100);
    const gone = new Promise((resolve) => upstream.connections[0]?.socket.once("close", resolve));
    client.socket[how]();
    await gone;
    t.equal(live.tally.inFlight, 0);
  });
}

t.test("a large answer before a CONNECT comes whole", async (t) => {
  const size = 20_000_000;
  const { client } = await start(t, (connection) => {
    if (!connection.received.endsWith("\r\n\r\n")) return;
    connection.received = "";
    connection.socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`);
    connection.socket.write(Buffer.alloc(size, "x"));
  });
  client.send(`${get("/large")}CONNECT x.example:443 HTTP/1.1\r\nHost: x.example:443\r\n\r\n`);
  const received = await client.untilEnd();
  t.ok(received.length > size);
  t.ok(received.includes("HTTP/1.1 405 ", size), "and its refusal");
});
