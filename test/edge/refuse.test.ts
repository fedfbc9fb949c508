/** What a refused client gets, and what becomes of its connection. */
import t, { type Test } from "tap";
import { REFUSALS } from "../../src/edge/refusals.ts";
import { HAPPY, type LiveEdgeOptions, startLiveEdge } from "../support/live-edge.ts";
import { exchangeRaw, parseRaw, RawClient, values } from "../support/raw-http.ts";
import { startUpstream } from "../support/upstream.ts";

const HTML = "Accept: text/html,application/xhtml+xml,*/*;q=0.8\r\n";

async function edgeFor(t: Test, options: Omit<LiveEdgeOptions, "upstream"> = {}, loaded = true) {
  const upstream = await startUpstream(t, () => t.fail("the upstream is not reached"));
  return startLiveEdge(t, { upstream: upstream.origin, ...options }, loaded);
}

function request(fields = "", method = "GET", host: string = HAPPY.host): string {
  return `${method} /chart?patient=7 HTTP/1.1\r\nHost: ${host}\r\n${fields}Connection: close\r\n\r\n`;
}

t.test("blocked by location", async (t) => {
  const { port, tally } = await edgeFor(t);
  const page = parseRaw(await exchangeRaw(port, request(HTML)));
  t.match(page.startLine, "HTTP/1.1 403 ");
  t.match(values(page.fields, "content-type"), [/^text\/html/]);
  t.match(page.body, "127.0.0.1", "the page states the address seen");
  t.match(page.body, "Clinic happy-feet");
  const [denial] = tally.drain().denials;
  t.match(denial, {
    tenant: HAPPY.id,
    address: "127.0.0.1",
    method: "GET",
    path: "/chart",
    reason: "not-on-allowlist",
  });
  t.match(denial?.reference, /^[0-9a-hjkmnp-tv-z]{8}$/);
  t.ok(page.body.includes(denial?.reference ?? "?"), "and the reference that operations look up");

  const problem = parseRaw(await exchangeRaw(port, request("Accept: application/json\r\n")));
  t.match(problem.startLine, "HTTP/1.1 403 ");
  t.same(values(problem.fields, "content-type"), ["application/problem+json"]);
  t.match(JSON.parse(problem.body), {
    type: "urn:sallyport:error:not_on_allowlist",
    title: String,
    status: 403,
    code: "not_on_allowlist",
    address: "127.0.0.1",
    reference: /^.{8}$/,
  });

  const head = parseRaw(await exchangeRaw(port, request(HTML, "HEAD")));
  t.match(head.startLine, "HTTP/1.1 403 ");
  t.equal(head.body, "");
  t.ok(Number(values(head.fields, "content-length")[0]) > 1_000, "HEAD tells the length of what GET gets");
});

t.test("no session", async (t) => {
  const { port, policy } = await edgeFor(t);
  policy.allow("127.0.0.1/32");
  policy.setPolicy(HAPPY, { secondFactor: "required" });
  for (const method of ["GET", "HEAD"]) {
    const { startLine } = parseRaw(await exchangeRaw(port, request(HTML, method)));
    t.match(startLine, "HTTP/1.1 503 ", "control, which would redirect to the sign-in, is not there");
  }
  for (const [fields, method] of [
    [HTML, "POST"],
    ["Accept: */*\r\n", "GET"],
    ["", "GET"],
  ] as const) {
    const answer = parseRaw(await exchangeRaw(port, request(fields, method)));
    t.match(answer.startLine, "HTTP/1.1 401 ");
    t.equal(JSON.parse(answer.body).code, "no_session");
    t.equal(values(answer.fields, "www-authenticate").length, 1);
  }
});

t.test("unknown host: nothing about any tenant", async (t) => {
  const { port } = await edgeFor(t);
  for (const fields of [HTML, ""]) {
    const answer = await exchangeRaw(port, request(fields, "GET", "nobody.example"));
    t.match(answer, /^HTTP\/1\.1 421 /);
    t.notMatch(answer, /clinic|happy/i);
  }
});

t.test("every refusal is private, inert and not stored", async (t) => {
  const { port, policy } = await edgeFor(t);
  const blocked = [await exchangeRaw(port, request(HTML)), await exchangeRaw(port, request())];
  policy.allow("127.0.0.1/32");
  policy.setPolicy(HAPPY, { secondFactor: "required" });
  const others = await Promise.all(
    [request(HTML), request(), request(HTML, "GET", "nobody.example"), request(HTML, "TRACE"), "nonsense\r\n\r\n"].map(
      (bytes) => exchangeRaw(port, bytes),
    ),
  );
  for (const answer of [...blocked, ...others]) {
    const { startLine, fields } = parseRaw(answer);
    t.same(values(fields, "cache-control"), ["no-store"], startLine);
    t.match(values(fields, "content-security-policy"), [/default-src 'none'/]);
    t.same(values(fields, "x-content-type-options"), ["nosniff"]);
    t.same(values(fields, "referrer-policy"), ["no-referrer"]);
    t.notMatch(answer, /unsafe-inline/);
    t.notMatch(answer, /^set-cookie/im);
  }
});

t.test("405 says what is allowed", async (t) => {
  const { port } = await edgeFor(t);
  for (const fields of [HTML, ""]) {
    const answer = parseRaw(await exchangeRaw(port, request(fields, "TRACE")));
    t.match(answer.startLine, "HTTP/1.1 405 ");
    t.match(values(answer.fields, "allow"), [/GET, HEAD, POST/]);
  }
});

t.test("what the gate cannot know it denies", async (t) => {
  const empty = await edgeFor(t, {}, false);
  const answer = parseRaw(await exchangeRaw(empty.port, request()));
  t.match(answer.startLine, "HTTP/1.1 503 ");
  t.equal(JSON.parse(answer.body).code, "not_ready");
  t.equal(values(answer.fields, "retry-after").length, 1);

  let nowMs = 1_800_000_000_000;
  const logged: object[] = [];
  const log = { debug() {}, info() {}, warn() {}, error: (fields: object) => logged.push(fields) };
  const clock = {
    nowMs: () => {
      if (Number.isNaN(nowMs)) throw new Error("a secret detail");
      return nowMs;
    },
  };
  const { port, policy } = await edgeFor(t, { clock, log });
  policy.allow("127.0.0.1/32");
  nowMs += 900_001;
  const stale = await exchangeRaw(port, request(HTML));
  t.match(stale, /^HTTP\/1\.1 503 /);
  t.match(stale, /text\/html/);
  nowMs = Number.NaN;
  const broken = await exchangeRaw(port, request());
  nowMs = 1_800_000_000_000;
  t.match(broken, /^HTTP\/1\.1 500 /, "whatever throws while deciding denies");
  t.notMatch(broken, /secret/);
  t.equal(logged.length, 1);
});

t.test("the body of a refused request", async (t) => {
  const { port } = await edgeFor(t);
  const post = (length: number) => `POST / HTTP/1.1\r\nHost: ${HAPPY.host}\r\nContent-Length: ${length}\r\n\r\n`;

  const small = await RawClient.open(port);
  small.send(`${post(5)}hello`);
  await small.until((received) => received.includes("not_on_allowlist"));
  small.send(request());
  t.equal(
    (await small.untilEnd()).match(/HTTP\/1\.1 403 /g)?.length,
    2,
    "a small one is dropped, the connection goes on",
  );

  const large = await RawClient.open(port);
  large.send(post(100_000_000));
  await large.until((received) => received.includes("not_on_allowlist"));
  t.match(large.received, /connection: close/i);
  large.send("x".repeat(1_000_000));
  large.send(request());
  t.equal((await large.untilEnd()).match(/HTTP\/1\.1 /g)?.length, 1, "a large one ends the connection");
  large.close();

  const chunked = await RawClient.open(port);
  chunked.send(`POST / HTTP/1.1\r\nHost: ${HAPPY.host}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${request()}`);
  t.equal((await chunked.untilEnd()).match(/HTTP\/1\.1 /g)?.length, 1, "so does one of unknown length");
  chunked.close();

  const expecting = `POST / HTTP/1.1\r\nHost: ${HAPPY.host}\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n`;
  t.match(await exchangeRaw(port, expecting), /^HTTP\/1\.1 403 /, "one that waits is not asked for");
});

t.test("codes are words, and titles fit a reason phrase", async (t) => {
  for (const [code, { title }] of Object.entries(REFUSALS)) {
    t.match(code, /^[a-z]+(_[a-z]+)*$/);
    t.match(title, /^[\x20-\x7e]+$/);
  }
});
