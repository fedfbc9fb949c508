/** Small bodies in chunks: what is taken, Node's parser reads the same way; what is left; and how it is passed on. */
import { setTimeout as pause } from "node:timers/promises";
import fc from "fast-check";
import t from "tap";
import { FixedClock } from "../../src/core/clock.ts";
import { passedTrailers } from "../../src/edge/header-rules.ts";
import { PlainReader } from "../../src/edge/plain-request.ts";
import { HAPPY, startLiveEdge } from "../support/live-edge.ts";
import { RawClient } from "../support/raw-http.ts";
import { readByNode } from "../support/read-by-node.ts";
import { ok, startUpstream } from "../support/upstream.ts";

const HEAD = `POST /a HTTP/1.1\r\nHost: ${HAPPY.host}\r\nTransfer-Encoding: chunked\r\n\r\n`;
const BARRED =
  "Content-Length: 1\r\nHost: evil\r\ntransfer-encoding:x\r\nAuthorization: evil\r\nSallyport-User: evil\r\n";
/** What waits for its body is handed to Node at the next tick, which then is a second away. */
const TICK_AT_MS = 1_800_000_000_000;
const latin1 = (text: string): Buffer => Buffer.from(text, "latin1");
const read = (text: string) => new PlainReader().read(latin1(text));

t.test("what it takes", (t) => {
  const bodies: readonly [string, string][] = [
    ["0\r\n\r\n", ""],
    ["5\r\nhello\r\n0\r\n\r\n", "hello"],
    ["5\r\nhello\r\n1\r\n \r\nA\r\n0\r\n\r\n0\r\n\r\n\r\n0\r\n\r\n", "hello 0\r\n\r\n0\r\n\r\n"],
    [`fa0\r\n${"x".repeat(4000)}\r\n0\r\n\r\n`, "x".repeat(4000)],
    [`2\r\n\r\n\r\n0\r\n${BARRED}\r\n`, "\r\n"],
  ];
  for (const [chunks, body] of bodies) {
    t.match(
      read(HEAD + chunks),
      { missing: 0, body: latin1(body), passedTrailers: [] },
      JSON.stringify(chunks.slice(0, 40)),
    );
    for (let length = 0; length < Math.min(chunks.length, 60); length++) {
      t.match(read(HEAD + chunks.slice(0, length)), { missing: 1, body: undefined }, `${length} bytes of it`);
    }
  }
  const trailed = read(`${HEAD}1\r\na\r\n0\r\nX-Sum: 1 \r\n${BARRED}X-Sum:2\r\n\r\n`);
  t.strictSame(trailed?.passedTrailers, [
    ["X-Sum", "1"],
    ["X-Sum", "2"],
  ]);
  t.end();
});

t.test("what it leaves to Node", (t) => {
  const bad = [
    "01\r\na\r\n",
    "1;a=b\r\na\r\n",
    "1 \r\na\r\n",
    " 1\r\na\r\n",
    "g\r\n",
    "-1\r\n",
    "0x1\r\na\r\n",
    "\r\n",
  ];
  bad.push(
    "1\r\nab\r\n",
    "2\r\na\r\n\r",
    "1\na\r\n",
    "1\r\na\n0\r\n",
    "100000\r\n",
    "1000000",
    "00\r\n",
    "1\r\na0\r\n",
  );
  for (const chunk of bad) t.equal(read(`${HEAD}${chunk}0\r\n\r\n`), undefined, JSON.stringify(chunk));
  const ends = [
    "0\r\n\r\nx",
    `0\r\n\r\n${HEAD}`,
    "0\r\nHost : b\r\n\r\n",
    "0\r\nHost\r\n\r\n",
    "0\r\n A: b\r\n\r\n",
    "0\r\nA: \x80\r\n\r\n",
  ];
  for (const end of [...ends, "0\r\nA: b\n\r\n\r\n"]) t.equal(read(HEAD + end), undefined, JSON.stringify(end));
  for (const fields of [
    "gzip, chunked",
    "chunked, chunked",
    "chunked\t",
    "identity",
    '"chunked"',
    "chunked\r\nContent-Length: 5",
    "chunked\r\nTransfer-Encoding: chunked",
  ]) {
    t.equal(read(`${HEAD.replace("chunked", fields)}0\r\n\r\n`), undefined, fields);
  }
  t.equal(read(`${HEAD.replace("POST", "GET")}0\r\n\r\n`), undefined, "a GET");
  t.equal(read(HEAD.replace("Transfer-Encoding: chunked", "Trailer: X")), undefined, "trailers without chunks");
  t.end();
});

const CHUNKS = [
  "5\r\nhello\r\n",
  "a\r\n0\r\n\r\nA: b\r\n\r\n",
  "1\r\n\n\r\n",
  "\r\n",
  "2\r\nx\r\n",
  "0",
  "00\r\n",
  "1;x\r\na\r\n",
  "B\r\nhello world\r\n",
];
const TRAILERS = [
  "Content-Length: 5\r\n",
  "Host: b\r\n",
  "X-Sum: 1\r\n",
  "Connection: close\r\n",
  "A:\r\n",
  "x\r\n",
  "\r\n",
  "A : b\r\n",
];

t.test("Node's parser reads what it takes as the same one request", async (t) => {
  const some = (from: string[], maxLength: number) =>
    fc.array(fc.constantFrom(...from), { maxLength }).map((each) => each.join(""));
  const bodies = fc.tuple(some(CHUNKS, 4), some(TRAILERS, 3), fc.constantFrom("\r\n", "\r\n", "", "\r\nx"));
  let taken = 0;
  await fc.assert(
    fc.asyncProperty(bodies, async ([chunks, trailers, end]) => {
      const own = read(`${HEAD}${chunks}0\r\n${trailers}${end}`);
      if (own?.body === undefined) return;
      taken += 1;
      // With some trailers Node refuses the request.
      const [theirs, ...more] = await readByNode(latin1(`${HEAD}${chunks}0\r\n\r\n`));
      const { method, url, rawHeaders } = own;
      t.strictSame(theirs, { method, url, rawHeaders, body: own.body.toString("latin1"), trailers: [], whole: true });
      t.strictSame(more, []);
      const lines = trailers.split("\r\n").filter((line) => line !== "");
      t.strictSame(own.passedTrailers, passedTrailers(lines.flatMap((line) => line.split(/: ?/))));
    }),
    { numRuns: 3_000 },
  );
  t.ok(taken > 200, `${taken} taken`);
});

t.test(
  "case 12: however the packets fall, and on any request of a connection, what may not be a trailer is dropped",
  async (t) => {
    const upstream = await startUpstream(t, ({ received, socket }) => {
      if (received.endsWith("0\r\nX-Sum: 1\r\n\r\n")) socket.write(ok());
    });
    const { port, policy } = await startLiveEdge(t, { upstream: upstream.origin, clock: new FixedClock(TICK_AT_MS) });
    policy.allow("127.0.0.1/32");
    const client = await RawClient.open(port);
    t.teardown(() => client.close());
    const request = `${HEAD.replace("\r\n\r\n", "\r\nTrailer: X-Sum, Host\r\n\r\n")}5\r\nhello\r\n1\r\n!\r\n0\r\nX-Sum: 1\r\n${BARRED}\r\n`;
    const head = request.indexOf("\r\n\r\n") + 4;
    const sent = "Transfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n6\r\nhello!\r\n0\r\nX-Sum: 1\r\n\r\n";
    for (const cuts of [[], [head], [head, head + 9, request.length - 30, request.length - 1]]) {
      client.received = "";
      for (const [index, from] of [0, ...cuts].entries()) {
        client.send(request.slice(from, cuts[index] ?? request.length));
        await pause(5);
      }
      t.match(await client.until((text) => text.endsWith("ok")), /^HTTP\/1\.1 200 /);
      const [connection, ...others] = upstream.connections;
      t.ok(connection?.received.endsWith(sent));
      t.notMatch(connection?.received, /evil|content-length/i);
      t.equal(others.length, 0);
    }
  },
);

t.test("a body of very many pieces, and one that is too long, are Node's", async (t) => {
  const upstream = await startUpstream(t, ({ received, socket }) => {
    if (received.endsWith("0\r\n\r\n")) socket.write(ok());
  });
  const { port, policy } = await startLiveEdge(t, { upstream: upstream.origin, clock: new FixedClock(TICK_AT_MS) });
  policy.allow("127.0.0.1/32");
  const long = `ffff\r\n${"~".repeat(65_535)}\r\n`.repeat(2);
  for (const [chunks, pieces] of [
    ["1\r\n~\r\n".repeat(20), 60],
    [long, 3],
  ] as const) {
    const client = await RawClient.open(port);
    t.teardown(() => client.close());
    const request = `${HEAD}${chunks}0\r\n\r\n`;
    const size = Math.ceil(request.length / pieces);
    for (let at = 0; at < request.length; at += size) {
      client.send(request.slice(at, at + size));
      await pause(1);
    }
    t.match(await client.until((text) => text.endsWith("ok")), /^HTTP\/1\.1 200 /);
  }
  t.equal(
    upstream.connections
      .map(({ received }) => received)
      .join("")
      .match(/~/g)?.length,
    20 + 2 * 65_535,
  );
});
