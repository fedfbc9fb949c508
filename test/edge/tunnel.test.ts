/** Tunnels: who gets one, and that nothing but bytes passes through, all of them, both ways. */
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import t, { type Test } from "tap";
import { WebSocket, WebSocketServer } from "ws";
import { type ForwardEdgeOptions, startForwardEdge } from "../support/forward-edge.ts";
import { exchangeRaw, RawClient } from "../support/raw-http.ts";
import { SILENT } from "../support/silent-log.ts";
import { startUpstream } from "../support/upstream.ts";

const SWITCHED = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\nX-Hello: 1\r\n\r\n";

function ask(fields = ""): string {
  return `GET /tunnel?a HTTP/1.1\r\nHost: happyfeet.example\r\nConnection: keep-alive, Upgrade\r\nUpgrade: echo\r\n${fields}\r\n`;
}

/** An upstream that agrees, says `hello` in the same packet as its 101, and echoes from then on. */
async function startEcho(t: Test) {
  const switched = new Set();
  return startUpstream(t, (connection, piece) => {
    if (switched.has(connection)) {
      connection.socket.write(piece);
      return;
    }
    const end = connection.received.indexOf("\r\n\r\n");
    if (end < 0) return;
    switched.add(connection);
    connection.socket.write(`${SWITCHED}hello`);
    connection.socket.write(connection.received.slice(end + 4));
  });
}

async function start(t: Test, origin: string, options: Partial<ForwardEdgeOptions> = {}) {
  return startForwardEdge(t, { upstreams: [origin], ...options });
}

t.test("any protocol is relayed, with the bytes that either side sent early", async (t) => {
  const upstream = await startEcho(t);
  const edge = await start(t, upstream.origin);
  const client = await RawClient.open(edge.port);
  client.send(`${ask("X-Forwarded-For: 9.9.9.9\r\nCookie: sallyport=secret\r\n")}early`);
  const answer = await client.until((received) => received.endsWith("helloearly"));
  t.match(answer, /^HTTP\/1\.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\nX-Hello: 1\r\n\r\n/);
  const sent = upstream.connections[0]?.received ?? "";
  t.match(sent, /^GET \/tunnel\?a HTTP\/1\.1\r\n/);
  t.match(sent, /^connection: upgrade\r\nupgrade: echo\r$/im);
  t.match(sent, /^x-forwarded-for: 203\.0\.113\.7\r$/im);
  t.notMatch(sent, /9\.9\.9\.9|secret/);
  client.close();
  await once(upstream.connections[0]?.socket ?? t, "close");
});

t.test("half of it may end before the other", async (t) => {
  const upstream = await startUpstream(t, ({ socket, received }) => {
    if (received.endsWith("\r\n\r\n")) socket.write(SWITCHED);
    if (received.endsWith("question")) {
      socket.removeAllListeners("end");
      socket.once("end", () => socket.end("the answer, after the client had ended"));
    }
  });
  const edge = await start(t, upstream.origin);
  const client = await RawClient.open(edge.port);
  client.send(ask());
  await client.until((received) => received.endsWith("\r\n\r\n"));
  client.socket.end("question");
  t.match(await client.untilEnd(), /the answer, after the client had ended$/);
});

t.test("a half that stays silent after the other has ended ends too, long before an idle tunnel would", async (t) => {
  const upstream = await startUpstream(t, ({ socket, received }) => {
    socket.removeAllListeners("end");
    if (received.endsWith("\r\n\r\n")) socket.write(SWITCHED);
  });
  const edge = await start(t, upstream.origin, { timeouts: { tunnelIdleSeconds: 20 } });
  const gone = await RawClient.open(edge.port);
  gone.send(ask());
  await gone.until((received) => received.endsWith("\r\n\r\n"));
  const endedAtMs = performance.now();
  gone.socket.end();
  await gone.untilEnd();
  t.ok(performance.now() - endedAtMs < 15_000, "before the tunnel is idle for too long");
});

t.test("four megabytes of random bytes come back as they were", async (t) => {
  const upstream = await startEcho(t);
  const edge = await start(t, upstream.origin);
  const socket = connect(edge.port, "127.0.0.1");
  const bytes = randomBytes(4 * 1024 * 1024);
  const hash = createHash("sha256");
  let length = 0;
  const head = SWITCHED.length + "hello".length;
  socket.on("data", (chunk: Buffer) => {
    hash.update(chunk.subarray(Math.max(0, Math.min(chunk.length, head - length))));
    length += chunk.length;
    if (length === head + bytes.length) socket.destroy();
  });
  socket.write(ask());
  socket.write(bytes);
  await once(socket, "close");
  t.equal(hash.digest("hex"), createHash("sha256").update(bytes).digest("hex"));
});

t.test("a WebSocket, with frames of every size", async (t) => {
  const server = createServer();
  const sockets = new WebSocketServer({ server });
  sockets.on("connection", (socket) => socket.on("message", (data, binary) => socket.send(data, { binary })));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.teardown(() => server.close());
  const edge = await start(t, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const client = new WebSocket(`ws://127.0.0.1:${edge.port}/socket`, { origin: "http://happyfeet.example:8080" });
  await once(client, "open");
  for (const size of [0, 1, 125, 126, 127, 65_535, 65_536, 1_000_000]) {
    const frame = randomBytes(size);
    client.send(frame);
    const [echo] = await once(client, "message");
    t.ok(frame.equals(echo), `${size} bytes`);
  }
  client.close(4000, "done");
  const [code] = await once(client, "close");
  t.equal(code, 4000);
});

t.test("an upstream that declines answers as usual", async (t) => {
  const upstream = await startUpstream(t, ({ socket }) => {
    socket.write(
      "HTTP/1.1 426 Upgrade Required\r\nSet-Cookie: sallyport=evil\r\nX-Why: no\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n",
    );
  });
  const edge = await start(t, upstream.origin);
  const answer = await exchangeRaw(edge.port, ask());
  t.match(answer, /^HTTP\/1\.1 426 Upgrade Required\r\nX-Why: no\r\n/);
  t.match(answer, /\r\n2\r\nno\r\n0\r\n\r\n$/);
  t.notMatch(answer, /evil/);
});

t.test("an upstream that fails is a 502, the next one is tried before", async (t) => {
  const echo = await startEcho(t);
  const edge = await start(t, "http://127.0.0.1:1", { upstreams: ["http://127.0.0.1:1", echo.origin] });
  for (let round = 0; round < 3; round++) {
    const client = await RawClient.open(edge.port);
    client.send(ask());
    t.match(await client.until((received) => received.endsWith("hello")), /^HTTP\/1\.1 101 /);
    client.close();
  }
  const dead = await start(t, "http://127.0.0.1:1");
  t.match(await exchangeRaw(dead.port, ask()), /^HTTP\/1\.1 502 /);
});

t.test("an upstream that cannot be reached in time is a 504 for a tunnel as for any request, and logged", async (t) => {
  const mute = await startUpstream(t, () => {});
  const codes: unknown[] = [];
  const edge = await start(t, mute.origin.replace("http:", "https:"), {
    timeouts: { connectSeconds: 0.1 },
    log: { ...SILENT, warn: (fields: object) => codes.push("code" in fields && fields.code) },
  });
  t.match(await exchangeRaw(edge.port, ask()), /^HTTP\/1\.1 504 [\s\S]*"code":"gateway_timeout"/);
  t.strictSame(codes, ["EDGE_CONNECT_TIMEOUT"]);
  const silent = await start(t, mute.origin, {
    timeouts: { responseHeadersSeconds: 0.1 },
    log: { ...SILENT, warn: (fields: object) => codes.push("code" in fields && fields.code) },
  });
  t.match(await exchangeRaw(silent.port, ask()), /^HTTP\/1\.1 504 /);
  t.strictSame(codes, ["EDGE_CONNECT_TIMEOUT", "EDGE_TIMEOUT"]);
});

t.test("an upstream that switches to what nobody asked for is a 502", async (t) => {
  for (const field of ["Upgrade: h2c\r\n", "Upgrade: echo, h2c\r\n", ""]) {
    const upstream = await startUpstream(t, ({ socket }) => {
      socket.write(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n${field}\r\n`);
    });
    const edge = await start(t, upstream.origin);
    t.match(await exchangeRaw(edge.port, ask()), /^HTTP\/1\.1 502 /, field);
  }
});

t.test("an idle tunnel ends", async (t) => {
  const upstream = await startEcho(t);
  const edge = await start(t, upstream.origin, { timeouts: { tunnelIdleSeconds: 0.05 } });
  const client = await RawClient.open(edge.port);
  client.send(ask());
  t.match(await client.untilEnd(), /hello$/);
});

t.test("a client whose connection is cut takes its tunnel along", async (t) => {
  const upstream = await startEcho(t);
  const edge = await start(t, upstream.origin);
  edge.server.on("connection", (socket) => edge.server.once("cut", () => socket.destroy()));
  const client = await RawClient.open(edge.port);
  client.send(ask());
  await client.until((received) => received.endsWith("hello"));
  const [connection] = upstream.connections;
  const closed = once(connection?.socket ?? t, "close");
  edge.server.emit("cut");
  await closed;
  await client.untilEnd();
});
