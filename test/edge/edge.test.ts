/** A whole edge: the way to control's pages, observing, and its own health listener. */
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { HAPPY, startLiveEdge } from "../support/live-edge.ts";
import { exchangeRaw, parseRaw } from "../support/raw-http.ts";
import { always, ok, startUpstream } from "../support/upstream.ts";

const get = (target: string, fields = "") =>
  `GET ${target} HTTP/1.1\r\nHost: ${HAPPY.host}\r\n${fields}Connection: close\r\n\r\n`;

t.test("our pages come from control, also for a blocked place, with the facts that the edge established", async (t) => {
  // A Unix socket's path may have a hundred bytes, which the test's own folder would exceed.
  const folder = await mkdtemp(join(tmpdir(), "edge-"));
  t.teardown(() => rm(folder, { recursive: true }));
  const pagesSocket = join(folder, "pages.sock");
  const control = createServer((req, res) => res.end(JSON.stringify({ url: req.url, headers: req.headers })));
  await once(control.listen(pagesSocket), "listening");
  t.teardown(() => control.close());
  const upstream = await startUpstream(t, () => t.fail("the upstream is not reached"));
  const { port, tally } = await startLiveEdge(t, { upstream: upstream.origin, pagesSocket });
  for (const target of ["/.sallyport", "/.sallyport/", "/.sallyport/sign-in?x=%2e", "/.sallyport/allow/aB_-.~1"]) {
    const claims = "Sallyport-Tenant: other-clinic\r\nSallyport-Client-Address: 203.0.113.7\r\nUpgrade: websocket\r\n";
    const answer = parseRaw(await exchangeRaw(port, get(target, claims)));
    t.match(answer.startLine, "HTTP/1.1 200 ", target);
    t.match(JSON.parse(answer.body), {
      url: target,
      headers: {
        host: HAPPY.host,
        "sallyport-tenant": HAPPY.id,
        "sallyport-client-address": "127.0.0.1",
        "sallyport-tls": "0",
        "sallyport-request-id": /^\S+$/,
      },
    });
  }
  t.match(tally.drain().requests, [{ tenant: HAPPY.id, outcome: "pages", count: 4 }]);
});

t.test("observing counts what it would block, and lets it pass", async (t) => {
  const upstream = await startUpstream(t, always(ok()));
  const { port, policy, tally } = await startLiveEdge(t, { upstream: upstream.origin });
  policy.setPolicy(HAPPY, { network: "observe" });
  t.match(await exchangeRaw(port, get("/chart?patient=7&from=sallyport")), /^HTTP\/1\.1 200 /);
  const report = tally.drain();
  t.match(report.requests, [{ tenant: HAPPY.id, outcome: "forward", reason: "observed", wouldBlock: true, count: 1 }]);
  t.match(report.denials, [{ tenant: HAPPY.id, path: "/chart", reason: "observed" }]);
});

t.test("an exempt path needs neither door, exactly as it is written", async (t) => {
  const upstream = await startUpstream(t, always(ok()));
  const { port, policy } = await startLiveEdge(t, { upstream: upstream.origin });
  policy.setPolicy(HAPPY, { secondFactor: "required", exempt: [{ path: "/hook", methods: ["GET"] }] });
  for (const target of ["/hook", "/hook?x=/hook/.."]) {
    t.match(await exchangeRaw(port, get(target)), /^HTTP\/1\.1 200 /, target);
  }
  for (const target of [
    "/hook/",
    "/hook/../admin",
    "/Hook",
    "//hook",
    "/%68ook",
    "/hook;x",
    "/hook%3f",
    "/hook#",
    "/x/../hook",
  ]) {
    t.match(await exchangeRaw(port, get(target)), /^HTTP\/1\.1 403 /, target);
  }
  t.match(await exchangeRaw(port, get("/hook").replace("GET", "POST")), /^HTTP\/1\.1 403 /, "another method");
});

t.test("a trusted proxy tells whether the client speaks TLS; another peer does not", async (t) => {
  const heads: string[] = [];
  const upstream = await startUpstream(t, (connection, piece) => {
    heads.push(piece.toString("latin1"));
    always(ok())(connection, piece);
  });
  const rows: [string[], string, string][] = [
    [["127.0.0.1/32"], "X-Forwarded-Proto: https\r\n", "https"],
    [["127.0.0.1/32"], "X-Forwarded-Proto: https, http\r\n", "http"],
    [["127.0.0.1/32"], "X-Forwarded-Proto: http\r\nX-Forwarded-Proto: HTTPS\r\n", "https"],
    [["127.0.0.1/32"], "X-Forwarded-Proto: https://\r\n", "http"],
    [["127.0.0.1/32"], "", "http"],
    [[], "X-Forwarded-Proto: https\r\n", "http"],
  ];
  for (const [trustedProxies, fields, proto] of rows) {
    const { port, policy } = await startLiveEdge(t, { upstream: upstream.origin, trustedProxies });
    policy.allow("127.0.0.1/32");
    await exchangeRaw(port, get("/", fields));
    t.match(heads.pop(), new RegExp(`^x-forwarded-proto: ${proto}\r$`, "im"), fields);
  }
});

t.test("the health listener", async (t) => {
  const upstream = await startUpstream(t, always(ok()));
  const { edge, policy, port } = await startLiveEdge(
    t,
    { upstream: upstream.origin, healthListen: { host: "127.0.0.1", port: 0 } },
    false,
  );
  const health = edge.healthAddress?.port ?? 0;
  const ask = (path: string) => exchangeRaw(health, get(path));
  t.match(await ask("/healthz"), /^HTTP\/1\.1 200 /);
  t.match(await ask("/readyz"), /^HTTP\/1\.1 503 .*empty\n$/s);
  policy.load();
  t.match(await ask("/readyz"), /^HTTP\/1\.1 200 .*serving\n$/s);
  await exchangeRaw(port, get("/"));
  t.match(await ask("/metrics"), 'sallyport_edge_requests_total{tenant="happy-feet",outcome="blocked"');
  t.match(await ask("/"), /^HTTP\/1\.1 404 /);
  t.match(await exchangeRaw(health, get("/healthz").replace("GET", "POST")), /^HTTP\/1\.1 405 /);
  t.notMatch(await exchangeRaw(port, get("/metrics")), "sallyport_edge_requests_total", "never on the public one");
});
