/** Forwarding over real sockets: connections kept and lost, failures, time-outs, and who notices what. */
import { once } from "node:events";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import t, { type Test } from "tap";
import { selfSigned } from "../support/certificate.ts";
import { type ForwardEdgeOptions, startForwardEdge } from "../support/forward-edge.ts";
import { exchangeRaw, RawClient } from "../support/raw-http.ts";
import { always, ok, type RawUpstream, type Script, startUpstream } from "../support/upstream.ts";

const DEAD = "http://127.0.0.1:1";

async function start(t: Test, script: Script, options: Partial<ForwardEdgeOptions> = {}) {
  const upstream = await startUpstream(t, script);
  const edge = await startForwardEdge(t, { upstreams: [upstream.origin], ...options });
  return { upstream, edge };
}

function request(method = "GET", fields = "", body = ""): string {
  return `${method} / HTTP/1.1\r\nHost: happyfeet.example\r\n${fields}\r\n${body}`;
}

function get(port: number, fields = ""): Promise<string> {
  return exchangeRaw(port, request("GET", `Connection: close\r\n${fields}`));
}

async function closed(upstream: RawUpstream, index = 0): Promise<void> {
  const socket = upstream.connections[index]?.socket;
  if (socket !== undefined && !socket.destroyed) await once(socket, "close");
}

t.test("a connection is used again, by one client and by another", async (t) => {
  const { upstream, edge } = await start(t, always(ok()));
  const client = await RawClient.open(edge.port);
  for (let round = 1; round <= 3; round++) {
    client.send(request());
    await client.until((received) => received.split("ok").length > round);
  }
  client.close();
  t.match(await get(edge.port), /^HTTP\/1\.1 200 /);
  t.equal(upstream.connections.length, 1);
});

t.test("pipelined requests are answered in order", async (t) => {
  const { edge } = await start(t, (connection) => {
    for (const [line] of connection.received.matchAll(/GET \/\S+/g)) connection.socket.write(ok(line.slice(5)));
    connection.received = "";
  });
  const answer = await exchangeRaw(
    edge.port,
    ["one", "two", "three"]
      .map((name, index) => `GET /${name} HTTP/1.1\r\nHost: x\r\n${index === 2 ? "Connection: close\r\n" : ""}\r\n`)
      .join(""),
  );
  t.match(answer, /one[\s\S]*two[\s\S]*three$/);
});

t.test("a kept connection that closes as the next request is sent", async (t) => {
  const script: Script = (connection) => {
    const requests = connection.received.split("HTTP/1.1\r\n").length - 1;
    if (!connection.received.endsWith("\r\n\r\n") && !connection.received.endsWith("body")) return;
    if (requests === 1) connection.socket.write(ok());
    else connection.socket.resetAndDestroy();
  };
  const { upstream, edge } = await start(t, script);
  t.match(await get(edge.port), /^HTTP\/1\.1 200 /);
  t.match(await get(edge.port), /^HTTP\/1\.1 200 /, "a GET is sent again, on a new connection");
  t.equal(upstream.connections.length, 2);
  const post = await exchangeRaw(edge.port, request("POST", "Connection: close\r\nContent-Length: 4\r\n", "body"));
  t.match(post, /^HTTP\/1\.1 502 /, "a POST is not");
  t.equal(upstream.connections.length, 2);
  t.match(await get(edge.port), /^HTTP\/1\.1 200 /);
  const remove = await exchangeRaw(edge.port, request("DELETE", "Connection: close\r\n"));
  t.match(remove, /^HTTP\/1\.1 502 /, "nor is a DELETE");
});

t.test("bytes that belong to no answer end their connection, and are nobody's", async (t) => {
  const unasked = ok("unasked");
  const together = await start(t, always(ok("own") + unasked));
  for (let round = 1; round <= 2; round++) {
    t.match(await get(together.edge.port), /own$/);
    t.equal(together.upstream.connections.length, round, "in the packet of an answer");
  }
  const later = await start(t, always(ok("own")));
  t.match(await get(later.edge.port), /own$/);
  later.upstream.connections[0]?.socket.write(unasked);
  await closed(later.upstream);
  t.match(await get(later.edge.port), /own$/);
  t.equal(later.upstream.connections.length, 2, "while nobody asks");
});

t.test("a connection is not used again when the upstream will not have it", async (t) => {
  for (const field of ["Connection: close", "Keep-Alive: timeout=1", "Connection: x, CLOSE"]) {
    const { edge, upstream } = await start(t, always(ok("ok", `${field}\r\n`)));
    for (let round = 1; round <= 2; round++) {
      t.match(await get(edge.port), /ok$/);
      t.equal(upstream.connections.length, round, field);
    }
  }
  const { edge, upstream } = await start(t, always(ok("ok", "Keep-Alive: timeout=60\r\n")));
  for (let round = 1; round <= 2; round++) t.match(await get(edge.port), /ok$/);
  t.equal(upstream.connections.length, 1);
});

t.test("a head that comes drop by drop is late all the same", async (t) => {
  const { edge } = await start(
    t,
    ({ socket }) => {
      socket.write("HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nX: ");
      const drip = setInterval(() => socket.write("x"), 20);
      socket.on("close", () => clearInterval(drip));
    },
    { timeouts: { responseHeadersSeconds: 0.2, responseIdleSeconds: 5 } },
  );
  t.match(await get(edge.port), /HTTP\/1\.1 504 /);
});

t.test("a new connection that closes without an answer is not tried again", async (t) => {
  const { upstream, edge } = await start(t, ({ socket }) => socket.resetAndDestroy());
  t.match(await get(edge.port), /^HTTP\/1\.1 502 /);
  t.equal(upstream.connections.length, 1);
});

t.test("an upstream that cannot be reached is passed over, for any method", async (t) => {
  const upstream = await startUpstream(t, (connection) => {
    if (!connection.received.endsWith("body")) return;
    connection.received = "";
    connection.socket.write(ok());
  });
  const edge = await startForwardEdge(t, { upstreams: [DEAD, upstream.origin] });
  for (const framing of [
    "Content-Length: 4\r\n\r\nbody",
    "Content-Length: 4\r\n\r\nbody",
    "Content-Length: 4\r\n\r\nbody",
  ]) {
    const answer = await exchangeRaw(edge.port, `POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${framing}`);
    t.match(answer, /^HTTP\/1\.1 200 /);
  }
});

t.test("nothing can be reached: 502, as a page for people and as a problem for programs", async (t) => {
  const edge = await startForwardEdge(t, { upstreams: [DEAD] });
  t.match(await get(edge.port), /^HTTP\/1\.1 502 [\s\S]*"code":"bad_gateway"/);
  const page = await get(edge.port, "Accept: text/html\r\n");
  t.match(page, /^HTTP\/1\.1 502 [\s\S]*<!doctype html>/);
  t.match(page, /req-1/, "with the request's id");
  const head = await exchangeRaw(edge.port, request("HEAD", "Connection: close\r\n"));
  t.match(head, /^HTTP\/1\.1 502 [\s\S]*\r\n\r\n$/, "HEAD has no body");
  const none = await startForwardEdge(t, { upstreams: [] });
  t.match(await get(none.port), /^HTTP\/1\.1 502 /, "a tenant without upstreams");
});

t.test("a client that goes takes the upstream's request along", async (t) => {
  const answering = await start(t, ({ socket }) => socket.write("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nsome"));
  const waiting = await start(t, () => {});
  const rich = await start(t, () => {});
  const asked = {
    answering: request(),
    waiting: request(),
    rich: request("POST", "Expect: 100-continue\r\nContent-Length: 9\r\n"),
  };
  for (const [kind, { edge, upstream }] of Object.entries({ answering, waiting, rich })) {
    const client = await RawClient.open(edge.port);
    client.send(asked[kind as keyof typeof asked]);
    await upstream.reached(1);
    if (kind === "answering") await client.until((received) => received.endsWith("some"));
    client.close();
    await closed(upstream);
    t.pass(kind);
  }
  const uploading = await start(t, () => {});
  const client = await RawClient.open(uploading.edge.port);
  client.send(request("POST", "Content-Length: 100000\r\n", "some"));
  await uploading.upstream.reached(1);
  client.close();
  await closed(uploading.upstream);
});

t.test("an answer that comes before the request's body has ended", async (t) => {
  const { edge } = await start(t, (connection) => {
    if (connection.received.includes("\r\n\r\n")) connection.socket.write(ok("early"));
    connection.received = "";
  });
  const client = await RawClient.open(edge.port);
  client.send(request("POST", "Content-Length: 200000\r\n", "begin"));
  await client.until((received) => received.endsWith("early"));
  client.send("x".repeat(200_000 - "begin".length));
  client.send(request());
  await client.until((received) => received.split("early").length === 3);
  t.match(client.received, /^HTTP\/1\.1 200 [\s\S]*HTTP\/1\.1 200 /, "the connection goes on");
  client.close();
});

t.test("a body that came in pieces before there was a connection for it", async (t) => {
  const { upstream, edge } = await start(t, () => {}, { upstream: { maxConnections: 1 } });
  const [first, second] = [await RawClient.open(edge.port), await RawClient.open(edge.port)];
  first.send(request());
  await once(edge.server, "request");
  second.send(request("POST", "Content-Length: 8\r\n", "four"));
  const [post] = await once(edge.server, "request");
  second.send("more");
  while (!post.complete) await new Promise((resolve) => setImmediate(resolve));
  await upstream.reached(1);
  const [connection] = upstream.connections;
  connection?.socket.write(ok());
  await first.until((received) => received.endsWith("ok"));
  while (!connection?.received.includes("POST")) await new Promise((resolve) => setImmediate(resolve));
  t.match(connection.received, /fourmore$/);
  connection.socket.write(ok());
  await second.until((received) => received.endsWith("ok"));
  for (const client of [first, second]) client.close();
});

t.test("both directions at once", async (t) => {
  const { edge } = await start(t, ({ socket, received }, piece) => {
    if (piece.includes("one")) socket.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nONE\r\n");
    if (piece.includes("two")) socket.write("3\r\nTWO\r\n");
    if (received.endsWith("0\r\n\r\n")) socket.write("0\r\n\r\n");
  });
  const client = await RawClient.open(edge.port);
  client.send(request("POST", "Transfer-Encoding: chunked\r\n", "3\r\none\r\n"));
  await client.until((received) => received.endsWith("3\r\nONE\r\n"));
  client.send("3\r\ntwo\r\n");
  await client.until((received) => received.endsWith("3\r\nTWO\r\n"));
  client.send("0\r\n\r\n");
  await client.until((received) => received.endsWith("0\r\n\r\n"));
  client.close();
  t.pass();
});

t.test("the head of an answer does not wait for its body (server-sent events)", async (t) => {
  const { edge } = await start(t, ({ socket }) => {
    socket.write("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n");
  });
  const client = await RawClient.open(edge.port);
  client.send(request());
  await client.until((received) => received.includes("text/event-stream\r\n"));
  client.close();
  t.pass();
});

t.test("a head that comes before its body keeps its bytes", async (t) => {
  const { edge } = await start(t, ({ socket }) => {
    socket.write(Buffer.from('HTTP/1.1 200 Tr\xe8s bien\r\nX-Name: "Zo\xc3\xab"\r\n\r\n', "latin1"));
  });
  const client = await RawClient.open(edge.port);
  client.send(request());
  t.match(await client.until((received) => received.endsWith("\r\n\r\n")), /^HTTP\/1.1 200 Tr\xe8s bien\r\n/);
  t.match(client.received, 'X-Name: "Zo\xc3\xab"\r\n');
  client.close();
});

t.test("time-outs: to connect, for the head, between pieces of the body", async (t) => {
  const timeouts = { responseHeadersSeconds: 0.2, responseIdleSeconds: 0.2 };
  const silent = await start(t, () => {}, { timeouts });
  const stalling = await start(t, ({ socket }) => socket.write("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nsome"), {
    timeouts,
  });
  const rich = await start(t, () => {}, { timeouts });
  const [head, body, expecting] = await Promise.all([
    get(silent.edge.port),
    get(stalling.edge.port),
    exchangeRaw(rich.edge.port, request("POST", "Connection: close\r\nExpect: 100-continue\r\nContent-Length: 9\r\n")),
  ]);
  t.match(head, /^HTTP\/1\.1 504 [\s\S]*"code":"gateway_timeout"/);
  t.match(body, /^HTTP\/1\.1 200 [\s\S]*some$/, "cut off visibly");
  t.match(expecting, /^HTTP\/1\.1 504 /);
  await Promise.all([closed(silent.upstream), closed(stalling.upstream), closed(rich.upstream)]);
});

t.test("an upstream that is full is a 503, and nobody else's concern", async (t) => {
  const options = { upstream: { maxConnections: 1 }, timeouts: { connectSeconds: 0.1 } };
  const slow = await startUpstream(t, () => {});
  const quick = await startUpstream(t, always(ok()));
  const edge = await startForwardEdge(t, { upstreams: [slow.origin], ...options });
  const holder = await RawClient.open(edge.port);
  holder.send(request());
  await slow.reached(1);
  t.match(await get(edge.port), /^HTTP\/1\.1 503 [\s\S]*retry-after: /i);
  const other = await startForwardEdge(t, { upstreams: [quick.origin], ...options });
  t.match(await get(other.port), /^HTTP\/1\.1 200 /);
  holder.close();
});

/** So many clients that have sent a third of nine bytes. */
async function beginUploads(port: number, count: number): Promise<RawClient[]> {
  const begin = async (): Promise<RawClient> => {
    const client = await RawClient.open(port);
    client.send(`${request("POST", "Content-Length: 9\r\n")}xxx`);
    return client;
  };
  return await Promise.all(Array.from({ length: count }, begin));
}

t.test("case 37: bodies that do not come leave connections to requests that are whole", async (t) => {
  const options = { upstream: { maxConnections: 4 }, timeouts: { connectSeconds: 0.2 } };
  const upstream = await startUpstream(t, ({ received, socket }) => {
    if (/^GET |x{9}$/.test(received)) socket.write(ok());
  });
  const edge = await startForwardEdge(t, { upstreams: [upstream.origin], ...options });
  const slow = await beginUploads(edge.port, 6);
  await upstream.reached(2);
  const whole = `${request("POST", "Connection: close\r\nContent-Length: 9\r\n")}xxxxxxxxx`;
  t.match(await get(edge.port), /^HTTP\/1\.1 200 /);
  t.match(await exchangeRaw(edge.port, whole), /^HTTP\/1\.1 200 /);
  for (const client of slow.slice(2)) t.match(await client.until((text) => text.includes("}")), /^HTTP\/1\.1 503 /);
  const [first] = slow;
  first?.send("xxxxxx");
  t.match(await first?.until((text) => text.includes("ok")), /^HTTP\/1\.1 200 /);
  const late = await RawClient.open(edge.port);
  late.send(`${request("POST", "Content-Length: 9\r\n")}xxx`);
  await pause(20);
  late.send("xxxxxx");
  t.match(await late.until((text) => text.includes("ok")), /^HTTP\/1\.1 200 /, "the share is free again");
  for (const client of [...slow, late]) client.close();
});

t.test("uploads that wait take nobody's place, and one that has become whole waits no longer", async (t) => {
  const options = { upstream: { maxConnections: 4 }, timeouts: { connectSeconds: 3 } };
  const upstream = await startUpstream(t, ({ received, socket }) => {
    if (/^GET |x{9}$/.test(received)) socket.write(ok());
  });
  const edge = await startForwardEdge(t, { upstreams: [upstream.origin], ...options });
  const slow = await beginUploads(edge.port, 20);
  await upstream.reached(2);
  await pause(20);
  const startedAtMs = performance.now();
  t.match(await get(edge.port), /^HTTP\/1\.1 200 /);
  for (const client of slow.slice(2, 4)) {
    client.send("xxxxxx");
    t.match(await client.until((text) => text.includes("ok")), /^HTTP\/1\.1 200 /);
  }
  t.ok(performance.now() - startedAtMs < 2_000, "long before they would give up");
  const expecting = await RawClient.open(edge.port);
  expecting.send(request("POST", "Expect: 100-continue\r\nContent-Length: 9\r\n"));
  t.match(await expecting.until((text) => text.includes("}")), /^HTTP\/1\.1 503 /, "one more that is yet to come in");
  t.ok(upstream.connections.length <= 4);
  for (const client of [...slow, expecting]) client.close();
});

t.test("a body that was asked for and has come in counts no longer, however long its answer takes", async (t) => {
  const options = { upstream: { maxConnections: 2 }, timeouts: { connectSeconds: 0.2 } };
  const upstream = await startUpstream(t, ({ received, socket }) => {
    if (received.endsWith("\r\n\r\n")) socket.write("HTTP/1.1 100 Continue\r\n\r\n");
    if (received.endsWith("quickly")) socket.write(ok());
  });
  const edge = await startForwardEdge(t, { upstreams: [upstream.origin], ...options });
  const upload = async (body: string): Promise<RawClient> => {
    const client = await RawClient.open(edge.port);
    t.teardown(() => client.close());
    client.send(request("POST", `Expect: 100-continue\r\nContent-Length: ${body.length}\r\n`));
    await client.until((text) => text.includes("100 Continue"));
    client.send(body);
    return client;
  };
  await upload("slowly");
  while (!upstream.connections[0]?.received.endsWith("slowly")) await pause(5);
  const second = await upload("quickly");
  t.match(await second.until((text) => text.includes("ok")), /HTTP\/1\.1 200 /);
});

t.test("trailers that Connection nominates go no further", async (t) => {
  const upstream = await startUpstream(t, ({ received, socket }) => {
    if (received.endsWith("0\r\n\r\n")) socket.write(ok());
  });
  const edge = await startForwardEdge(t, { upstreams: [upstream.origin] });
  const fields = "Connection: X-Hop, close\r\nTransfer-Encoding: chunked\r\n";
  t.match(await exchangeRaw(edge.port, `${request("POST", fields)}0\r\nX-Hop: secret\r\n\r\n`), /^HTTP\/1\.1 200 /);
});

t.test("a client that reads slowly holds the upstream back", async (t) => {
  const piece = Buffer.alloc(64 * 1024, "x");
  let written = 0;
  const { edge, upstream } = await start(t, ({ socket }) => {
    socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${1 << 30}\r\n\r\n`);
    const pump = () => {
      while (socket.write(piece)) written += piece.length;
      written += piece.length;
    };
    socket.on("drain", pump);
    pump();
  });
  const client = await RawClient.open(edge.port);
  client.socket.pause();
  client.send(request());
  await upstream.reached(1);
  let before = -1;
  while (before !== written) {
    before = written;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  t.ok(written > 0 && written < 32 * 1024 * 1024, `${written} bytes fill the buffers, then it stops`);
  client.socket.resume();
  await once(upstream.connections[0]?.socket ?? t, "drain");
  client.close();
});

t.test("https: the certificate must be valid and name the host", async (t) => {
  const certificate = selfSigned(t, ["DNS:localhost"]);
  if (certificate === undefined) return;
  const server = createServer(certificate, (req, res) => res.end(`${req.headers.host} by TLS`));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  const trusting = { upstream: { ca: certificate.certFile } };
  const answer = async (host: string, options: Partial<ForwardEdgeOptions>) => {
    const edge = await startForwardEdge(t, { upstreams: [`https://${host}:${port}`], ...options });
    return get(edge.port);
  };
  t.match(await answer("localhost", trusting), /^HTTP\/1\.1 200 [\s\S]*happyfeet\.example by TLS$/);
  t.match(await answer("localhost", {}), /^HTTP\/1\.1 502 /, "an unknown authority");
  t.match(await answer("127.0.0.1", trusting), /^HTTP\/1\.1 502 /, "another name");
});

t.test("upstreams that no tenant names any more close once their request is done", async (t) => {
  const { edge, upstream } = await start(t, ({ received, socket }) => {
    if (received.endsWith("\r\n\r\n")) socket.write("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nsome");
  });
  const client = await RawClient.open(edge.port);
  client.send(request());
  await client.until((received) => received.endsWith("some"));
  edge.forwarder.tenantChanged(edge.tenant.id, { id: edge.tenant.id, upstreams: ["http://127.0.0.1:2"] });
  t.same(edge.forwarder.knownTenants(), [edge.tenant.id]);
  upstream.connections[0]?.socket.write("thing");
  await client.until((received) => received.endsWith("something"));
  await closed(upstream);
  edge.forwarder.tenantChanged(edge.tenant.id, undefined);
  t.same(edge.forwarder.knownTenants(), []);
});

t.test("requests that cannot be sent do not use up the upstream's connections", async (t) => {
  const { edge } = await start(t, always(ok()), { upstream: { maxConnections: 1 } });
  for (let round = 0; round < 3; round++) {
    t.match(
      await exchangeRaw(edge.port, "OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
      /^HTTP\/1\.1 502 /,
    );
  }
  t.match(await get(edge.port), /^HTTP\/1\.1 200 /);
});

t.test("an upstream that switches protocols unasked, when asked for 100 Continue", async (t) => {
  const { edge } = await start(t, ({ socket }) => {
    socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n");
  });
  const fields = "Connection: close\r\nExpect: 100-continue\r\nContent-Length: 1\r\n";
  t.match(await exchangeRaw(edge.port, request("POST", fields)), /^HTTP\/1\.1 502 /);
});
