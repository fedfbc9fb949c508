/** Plain requests through a whole edge: answered as Node's server would, and handed over to it where they are not plain. */
import t, { type Test } from "tap";
import { HAPPY, type LiveEdgeOptions, startLiveEdge } from "../support/live-edge.ts";
import { exchangeRaw, RawClient } from "../support/raw-http.ts";
import { always, ok, type Script, startUpstream } from "../support/upstream.ts";

const HOST = `Host: ${HAPPY.host}\r\n`;
const get = (path: string, fields = "", method = "GET"): string => `${method} ${path} HTTP/1.1\r\n${HOST}${fields}\r\n`;
const post = (path: string, body: string, fields = ""): string =>
  `POST ${path} HTTP/1.1\r\n${HOST}Content-Length: ${body.length}\r\n${fields}\r\n${body}`;
/** Asking for no coding changes nothing but who reads the request. */
const BY_NODE = "TE:\r\n";

async function clinic(t: Test, script: Script, options: Partial<LiveEdgeOptions> = {}) {
  const upstream = await startUpstream(t, script);
  const live = await startLiveEdge(t, { upstream: upstream.origin, ...options });
  live.policy.allow("127.0.0.1/32");
  const client = await RawClient.open(live.port);
  t.teardown(() => client.close());
  return { ...live, upstream, client };
}

const DATE = "Date: Tue, 01 Dec 2026 10:00:00 GMT\r\n";
const CHUNKED = `HTTP/1.1 200 OK\r\n${DATE}Transfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n`;
const ANSWERS: Record<string, string> = {
  "a length": ok("hello", DATE),
  "no date of its own": ok("hello"),
  "a length of nothing": ok("", DATE),
  "a reason of its own": `HTTP/1.1 200 Very Well\r\n${DATE}Content-Length: 2\r\n\r\nok`,
  "no reason": `HTTP/1.1 299\r\n${DATE}Content-Length: 2\r\n\r\nok`,
  "fields that repeat": ok("ok", `${DATE}Set-Cookie: a=1\r\nSet-Cookie: b=2\r\nX-Empty:\r\n`),
  "chunks and a trailer": `${CHUNKED}5\r\nhello\r\n6\r\n world\r\n0\r\nX-Sum: 1\r\n\r\n`,
  "no chunk at all": `${CHUNKED}0\r\n\r\n`,
  "until the end of the connection": `HTTP/1.1 200 OK\r\n${DATE}Connection: close\r\n\r\nto the end`,
  "204": `HTTP/1.1 204 No Content\r\n${DATE}\r\n`,
  "304": `HTTP/1.1 304 Not Modified\r\n${DATE}ETag: "1"\r\n\r\n`,
  "304 with the length of what it stands for": `HTTP/1.1 304 Not Modified\r\n${DATE}Content-Length: 12\r\n\r\n`,
  "103 before": `HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n${ok("hello", DATE)}`,
  "70,000 bytes": ok("x".repeat(70_000), DATE),
  "not HTTP": "nonsense\r\n\r\n",
  "two lengths": "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
};

t.test("answers look as they do from Node's server", async (t) => {
  for (const [name, answer] of Object.entries(ANSWERS)) {
    for (const method of ["GET", "HEAD"]) {
      const closes = name === "until the end of the connection";
      const headOnly = method === "HEAD" ? answer.replace(/(\r\n\r\n)(?!HTTP).*$/s, "$1") : answer;
      const { port } = await clinic(t, (connection, piece) => {
        always(headOnly)(connection, piece);
        if (closes) connection.socket.end();
      });
      const asked = (fields: string) => exchangeRaw(port, get("/", `Connection: close\r\n${fields}`, method));
      const stable = (text: string) =>
        text
          .replace(/^Date: .*\r\n/gm, (line) => (line === DATE ? line : "Date: now\r\n"))
          .replace(/"reference":"[^"]*"/, "")
          .split("\r\n\r\n", 2);
      const [plainHead = "", ...plainRest] = stable(await asked(""));
      const [nodeHead = "", ...nodeRest] = stable(await asked(BY_NODE));
      t.strictSame(plainHead.split("\r\n").sort(), nodeHead.split("\r\n").sort(), `${method}: ${name}: head`);
      t.equal(joinChunks(plainRest.join()), joinChunks(nodeRest.join()), `${method}: ${name}: body`);
    }
  }
});

/** Chunks may be cut otherwise. */
function joinChunks(body: string): string {
  return body.replace(/^[0-9a-f]+\r\n|\r\n(?:[0-9a-f]+\r\n)?/gm, "");
}

t.test("a connection goes on from request to request, and to Node's server and back to nobody", async (t) => {
  const { client, upstream } = await clinic(t, (connection, piece) => always(ok("ok"))(connection, piece));
  const answers = (count: number) => (text: string) => (text.match(/\r\n\r\nok/g)?.length ?? 0) === count;
  client.send(get("/1"));
  await client.until(answers(1));
  client.send(get("/2", "X-Other: field\r\n"));
  t.match(await client.until(answers(2)), /Connection: keep-alive\r\nKeep-Alive: timeout=/);
  client.send(post("/3", "\r\n\r\n"));
  await client.until(answers(3));
  client.send(get("/4", BY_NODE));
  await client.until(answers(4));
  client.send(`${get("/5")}GET /6 HTTP/1.1\r\n`);
  await client.until(answers(5));
  client.send(`${HOST}\r\n`);
  await client.until(answers(6));
  t.equal(upstream.connections.length, 1);
  client.send("nonsense\r\n\r\n");
  t.match(await client.untilEnd(), /HTTP\/1\.1 400 /);
});

/** Answers each request with what its body was, once that is whole. */
const echo: Script = (connection) => {
  const [head = "", body = ""] = connection.received.split("\r\n\r\n");
  const length = Number(/^content-length: (\d+)/im.exec(head)?.[1] ?? 0);
  if (!connection.received.includes("\r\n\r\n") || body.length < length) return;
  connection.received = connection.received.slice(head.length + 4 + length);
  connection.socket.write(ok(`<${body.slice(0, length)}>`));
};

t.test("bodies in one piece, byte by byte, and with another request behind", async (t) => {
  const { client, upstream } = await clinic(t, echo);
  client.send(post("/", "one"));
  await client.until((text) => text.endsWith("<one>"));
  for (const byte of post("/", "two, byte by byte")) {
    client.send(byte);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await client.until((text) => text.endsWith("<two, byte by byte>"));
  t.equal(upstream.connections.length, 1);

  const { client: pipelining } = await clinic(t, echo);
  const [head, body] = [post("/", "three").slice(0, -5), "three"];
  pipelining.send(`${head}th`);
  await new Promise((resolve) => setImmediate(resolve));
  pipelining.send(`ree${head}${body}`);
  await pipelining.until((text) => text.split("<three>").length === 3);
});

t.test("a client that ends amidst a body is told, and counted once", async (t) => {
  const { client, tally, upstream } = await clinic(t, echo);
  client.send(post("/", "whole").slice(0, -2));
  client.socket.end();
  t.match(await client.untilEnd(), /^HTTP\/1\.1 400 .*"request_invalid"/s);
  t.equal(upstream.connections.length, 0);
  t.equal(tally.inFlight, 0);
  t.equal(
    tally.drain().requests.reduce((sum, { count }) => sum + count, 0),
    1,
  );
});

t.test("a body is sent once, though its connection to the upstream may be old", async (t) => {
  let requests = 0;
  const { client, upstream } = await clinic(t, (connection, piece) => {
    requests += 1;
    if (requests === 1) echo(connection, piece);
    else connection.socket.destroy();
  });
  client.send(post("/", "first"));
  await client.until((text) => text.endsWith("<first>"));
  client.send(post("/", "second"));
  await client.until((text) => text.includes("HTTP/1.1 502 "));
  t.equal(requests, 2);
  t.equal(upstream.connections.length, 1);
});

t.test("each request on one connection is sent with its own fields, also after others", async (t) => {
  const heads: string[] = [];
  const script: Script = (connection) => {
    heads.push(connection.received);
    connection.received = "";
    connection.socket.write(ok("ok"));
  };
  const { client, policy } = await clinic(t, script, { trustedProxies: ["127.0.0.1/32"] });
  policy.allow("10.0.0.0/8");
  const sent = async (fields: string): Promise<(string | undefined)[]> => {
    const answers = heads.length + 1;
    client.send(get("/", fields));
    await client.until((text) => text.split("\r\n\r\nok").length > answers);
    const head = heads.at(-1) ?? "";
    return [/X-Forwarded-For: (.*)\r/, /X-Forwarded-Proto: (.*)\r/, /Cookie: (.*)\r/].map(
      (field) => field.exec(head)?.[1],
    );
  };
  const one = "X-Forwarded-For: 10.0.0.1\r\n";
  t.strictSame(await sent(one), ["10.0.0.1", "http", undefined]);
  t.strictSame(await sent(one), ["10.0.0.1", "http", undefined]);
  t.strictSame(await sent("X-Forwarded-For: 10.0.0.2\r\n"), ["10.0.0.2", "http", undefined]);
  t.strictSame(await sent(`${one}X-Forwarded-Proto: https\r\n`), ["10.0.0.1", "https", undefined]);
  t.strictSame(await sent(`${one}Cookie: a=1\r\n`), ["10.0.0.1", "http", "a=1"]);
  t.strictSame(await sent(`${one}Cookie: a=2\r\n`), ["10.0.0.1", "http", "a=2"]);
  t.strictSame(await sent(one), ["10.0.0.1", "http", undefined]);
});

t.test("a request whose body is coming in is answered, though the edge drains", async (t) => {
  const { client, edge, port } = await clinic(t, echo);
  client.send(post("/", "first"));
  await client.until((text) => text.endsWith("<first>"));
  const whole = post("/", "second");
  client.send(whole.slice(0, -3));
  // Once a later request is answered, this much has been read.
  await exchangeRaw(port, post("/", "other", "Connection: close\r\n"));
  const drained = edge.drain(10_000);
  client.send(whole.slice(-3));
  t.match(await client.untilEnd(), /Connection: close\r\n\r\n<second>$/);
  await drained;
});

t.test("a body that is refused is not passed on, and its connection serves on", async (t) => {
  const { client, policy, upstream } = await clinic(t, echo);
  policy.setPolicy(HAPPY, { network: "enforce", secondFactor: "required" });
  client.send(post("/", "who am I?"));
  await client.until((text) => text.includes('"no_session"'));
  policy.setPolicy(HAPPY, { network: "enforce" });
  client.send(post("/", "again"));
  await client.until((text) => text.endsWith("<again>"));
  t.notMatch(upstream.connections.map(({ received }) => received).join(), /who am I/);
});

t.test("a request in two pieces, and two in one", async (t) => {
  const { client, port } = await clinic(t, always(ok("ok")));
  client.send("GET / HT");
  await new Promise((resolve) => setImmediate(resolve));
  client.send(`TP/1.1\r\n${HOST}\r\n`);
  await client.until((text) => text.endsWith("ok"));
  const answers = await exchangeRaw(port, get("/") + get("/", "Connection: close\r\n"));
  t.equal(answers.match(/HTTP\/1\.1 200 OK/g)?.length, 2);
});

t.test("what comes while an answer is under way waits for it", async (t) => {
  const waiting = Promise.withResolvers<() => void>();
  const { client } = await clinic(t, (connection) => {
    if (connection.received.includes("/slow")) waiting.resolve(() => connection.socket.write(ok("slow")));
    else connection.socket.write(ok("quick"));
    connection.received = "";
  });
  client.send(get("/slow"));
  const answer = await waiting.promise;
  client.send(get("/quick"));
  await new Promise((resolve) => setImmediate(resolve));
  t.equal(client.received, "");
  answer();
  t.match(await client.until((text) => text.endsWith("quick")), /slow.*quick/s);
});

t.test("who is refused gets the same answer, once", async (t) => {
  const logged: object[] = [];
  const log = { debug: (fields: object) => logged.push(fields), info() {}, warn() {}, error() {} };
  const { port, policy, tally } = await clinic(t, always(ok("ok")), { log });
  policy.setPolicy(HAPPY, { network: "enforce", secondFactor: "required" });
  const closing = "Connection: close\r\n";
  t.match(await exchangeRaw(port, get("/", closing)), /^HTTP\/1\.1 401 /);
  t.match(await exchangeRaw(port, `GET / HTTP/1.1\r\nHost: unknown.example\r\n${closing}\r\n`), /^HTTP\/1\.1 421 /);
  t.match(await exchangeRaw(port, `GET / HTTP/1.1\r\n${HOST}${HOST}${closing}\r\n`), /^HTTP\/1\.1 400 /);
  const counted = tally.drain().requests.reduce((sum, { count }) => sum + count, 0);
  t.equal(counted, 3, "each is counted once");
});

t.test("a client that goes takes its upstream's request with it", async (t) => {
  const gone = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  const { client, tally } = await clinic(t, ({ socket }) => {
    asked.resolve();
    socket.on("close", () => gone.resolve());
  });
  client.send(get("/"));
  await asked.promise;
  client.close();
  await gone.promise;
  t.equal(tally.inFlight, 0);
});

t.test("a slow client holds the upstream back, and gets every byte", async (t) => {
  const total = 16 << 20;
  let sent = 0;
  const { client } = await clinic(t, ({ socket }) => {
    socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${total}\r\n\r\n`);
    const piece = Buffer.alloc(64 << 10, "x");
    const more = (): void => {
      while (sent < total) {
        sent += piece.length;
        if (!socket.write(piece)) return void socket.once("drain", more);
      }
    };
    more();
  });
  client.socket.pause();
  client.send(get("/"));
  // As long as it takes until nothing moves any more.
  for (let before = -1; before !== sent || sent === 0; ) {
    before = sent;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  t.ok(sent < total, `${sent} of ${total} bytes were sent while nobody read`);
  client.socket.resume();
  const bodyOf = (text: string): number => text.length - text.indexOf("\r\n\r\n") - 4;
  await client.until((text) => bodyOf(text) >= total);
  t.equal(bodyOf(client.received), total);
});

t.test("what came early is not carried out once the edge drains: there would be no answer to it", async (t) => {
  const streaming = Promise.withResolvers<() => void>();
  const { client, edge, upstream } = await clinic(t, ({ received, socket }) => {
    if (!received.startsWith("GET /stream ")) return;
    socket.write("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nha");
    streaming.resolve(() => socket.write("lf"));
  });
  client.send(get("/stream"));
  const goOn = await streaming.promise;
  await client.until((text) => text.endsWith("ha"));
  client.send(`POST /order HTTP/1.1\r\n${HOST}Content-Length: 1\r\n\r\n1`);
  const drained = edge.drain(10_000);
  await new Promise((resolve) => setImmediate(resolve));
  goOn();
  t.match(await client.untilEnd(), /half$/);
  await drained;
  t.notMatch(upstream.connections.map(({ received }) => received).join(), /POST/);
});
