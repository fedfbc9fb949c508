/** What one client's requests on one connection may do to each other, and to the edge. */
import { setTimeout } from "node:timers/promises";
import t, { type Test } from "tap";
import { CLEARTEXT_SESSION_COOKIE } from "../../src/core/cookies.ts";
import { HAPPY, startLiveEdge } from "../support/live-edge.ts";
import { RawClient } from "../support/raw-http.ts";
import { startUpstream } from "../support/upstream.ts";

t.test("an upgrade with an unknown session behind an unfinished answer is refused in its turn", async (t) => {
  const answers = Promise.withResolvers<() => void>();
  const upstream = await startUpstream(t, ({ socket }) => {
    answers.resolve(() => socket.write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfirst"));
  });
  const { port, policy } = await startLiveEdge(t, {
    upstream: upstream.origin,
    lookupSession: async () => undefined,
  });
  policy.setPolicy(HAPPY, { network: "off", secondFactor: "required", exempt: [{ path: "/hook", methods: ["GET"] }] });
  const client = await RawClient.open(port);
  t.teardown(() => client.close());
  const cookie = `${CLEARTEXT_SESSION_COOKIE}=${"x".repeat(43)}`;
  // A length, so that it is not plain: Node reads on while the answer is under way.
  client.send(`GET /hook HTTP/1.1\r\nHost: ${HAPPY.host}\r\nContent-Length: 0\r\n\r\n`);
  const answer = await answers.promise;
  client.send(
    `GET /live HTTP/1.1\r\nHost: ${HAPPY.host}\r\nCookie: ${cookie}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
  );
  answer();
  const received = await client.until((text) => /first.*HTTP\/1\.1 401 /s.test(text));
  t.notMatch(received, / 101 /);
});

/** An upstream that answers each request with its request line, in its own time. */
async function startTeller(t: Test) {
  const begun: string[] = [];
  const upstream = await startUpstream(t, async (connection) => {
    const line = /^([A-Z]+ \S+) /.exec(connection.received)?.[1];
    if (line === undefined || !/\r\n\r\n(?:x*|0\r\n\r\n)$/.test(connection.received)) return;
    connection.received = "";
    begun.push(line);
    if (line.includes("slow")) await setTimeout(line.includes("never") ? 1_500 : 50);
    connection.socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${line.length}\r\n\r\n${line}`);
  });
  const { port, policy } = await startLiveEdge(t, { upstream: upstream.origin });
  policy.allow("127.0.0.1/32");
  const exchange = async (...requests: string[]) => {
    begun.length = 0;
    const client = await RawClient.open(port);
    t.teardown(() => client.close());
    client.send(requests.join(""));
    return client;
  };
  return { begun, exchange };
}

const request = (line: string, fields = "", body = ""): string =>
  `${line} HTTP/1.1\r\nHost: ${HAPPY.host}\r\n${fields}\r\n${body}`;
const X = "Content-Length: 1\r\n";
const CHUNKED = "Transfer-Encoding: chunked\r\n";

t.test("requests of one connection are carried out one after the other", async (t) => {
  const { begun, exchange } = await startTeller(t);
  const lines = ["PUT /slow/1", "DELETE /2", "POST /slow/3", "GET /4", "POST /5"];
  const client = await exchange(...lines.map((line) => request(line, X, "x")));
  await client.until((text) => text.endsWith("POST /5"));
  t.strictSame(begun, lines);
  t.strictSame(
    client.received.match(/\r\n\r\n([A-Z]+ \S+?)(?=HTTP|$)/g)?.map((body) => body.trim()),
    lines,
    "and answered in that order",
  );
});

t.test("case 9: nothing is carried out behind an answer that ends the connection", async (t) => {
  const { begun, exchange } = await startTeller(t);
  const second = request("POST /second", X, "x");
  const ending: Readonly<Record<string, string>> = {
    "a coding that nobody knows": request("POST /", "Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n"),
    "no host": "GET / HTTP/1.1\r\n\r\n",
    TRACE: request("TRACE /"),
    "a target that is not one": request("GET /%2esallyport"),
    "a target that is too long": request(`GET /${"u".repeat(17_000)}`),
    "a refused body in chunks": request("POST /", CHUNKED, "0\r\n\r\n").replace(HAPPY.host, "unknown.example"),
    "the client's own wish": request("GET /first", "Connection: close\r\n"),
  };
  for (const [name, first] of Object.entries(ending)) {
    for (const before of ["", request("GET /slow/before")]) {
      const client = await exchange(before, first, second, second);
      const answers = (await client.untilEnd()).match(/HTTP\/1\.1 \d+/g)?.length;
      t.equal(answers, before === "" ? 1 : 2, name);
      t.notOk(begun.includes("POST /second"), name);
    }
  }
});

t.test("bytes that are no request are refused behind the answers to the requests before them", async (t) => {
  const { begun, exchange } = await startTeller(t);
  const broken = ["GET / HTTP/1.1\r\nFoo bar: x\r\n\r\n", "nonsense\r\n\r\n", request("POST /", CHUNKED, "zz\r\n")];
  for (const bytes of [...broken, request("CONNECT a:443"), request("POST /", `Content-Length: 1, 2\r\n`, "x")]) {
    const client = await exchange(request("POST /slow/1", X, "x"), request("GET /2"), bytes);
    const answer = await client.untilEnd();
    t.match(answer, /^HTTP\/1\.1 200 .*POST \/slow\/1HTTP\/1\.1 200 .*GET \/2HTTP\/1\.1 4\d\d /s, bytes);
    t.strictSame(begun, ["POST /slow/1", "GET /2"], bytes);
  }
});

t.test("a client that goes amidst what it sends behind a request takes that along", async (t) => {
  const { begun, exchange } = await startTeller(t);
  const tails = ["GET / HTTP/1.1\r\nHo", request("POST /", "Content-Length: 9\r\n", "x"), request("CONNECT a:443"), ""];
  for (const tail of tails) {
    const client = await exchange(request("GET /never-slow"), tail);
    while (begun.length === 0) await setTimeout(5);
    client.socket.end();
    await client.untilEnd();
    t.strictSame(begun, ["GET /never-slow"], tail);
    t.notMatch(client.received, /HTTP/, "ended at once");
  }
});

t.test("a body that breaks after its request was answered gets no second answer", async (t) => {
  const upstream = await startUpstream(t, ({ received, socket }) => {
    if (received.includes("first")) socket.write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nearly");
  });
  const { port, policy } = await startLiveEdge(t, { upstream: upstream.origin });
  policy.allow("127.0.0.1/32");
  const client = await RawClient.open(port);
  t.teardown(() => client.close());
  client.send(request("POST /", `${CHUNKED}X-Tab: a\tb\r\n`, "5\r\nfirst\r\n"));
  await client.until((text) => text.endsWith("early"));
  client.send("zz\r\n");
  t.equal((await client.untilEnd()).match(/HTTP\/1\.1 /g)?.length, 1);
});
