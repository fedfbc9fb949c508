/** Requests for our own pages: over control's socket, with the edge's facts and nobody else's. */
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t, { type Test } from "tap";
import { startForwardEdge } from "../support/forward-edge.ts";
import { HAPPY, startLiveEdge } from "../support/live-edge.ts";
import { exchangeRaw, RawClient } from "../support/raw-http.ts";

interface Seen {
  readonly req: IncomingMessage;
  readonly body: string;
}

async function startControl(t: Test) {
  // Not in the test's own folder: a socket's path is limited to about 100 bytes.
  const folder = mkdtempSync(join(tmpdir(), "sallyport-"));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const pagesSocket = join(folder, "pages.sock");
  const seen: Seen[] = [];
  const control = createServer((req, res) => {
    let body = "";
    req.on("data", (chunk: Buffer) => (body += chunk.toString()));
    req.on("end", () => {
      seen.push({ req, body });
      res.writeHead(200, { "set-cookie": "__Host-sallyport=new; Secure", "sallyport-internal": "x" }).end("page");
    });
  });
  control.listen(pagesSocket);
  await once(control, "listening");
  t.teardown(() => {
    control.closeAllConnections();
    control.close();
  });
  return { seen, control, pagesSocket };
}

async function start(t: Test) {
  const { seen, control, pagesSocket } = await startControl(t);
  return { seen, control, edge: await startForwardEdge(t, { upstreams: [], pagesSocket, assertion: "the.assertion" }) };
}

function request(method: string, fields: string, body = ""): string {
  return `${method} /.sallyport/sign-in?a=1 HTTP/1.1\r\nHost: happyfeet.example\r\nConnection: close\r\n${fields}\r\n${body}`;
}

t.test("control is told what the edge knows, and gets our cookies", async (t) => {
  const { seen, edge } = await start(t);
  const answer = await exchangeRaw(
    edge.port,
    request(
      "GET",
      "Cookie: a=b; __Host-sallyport=secret\r\nSallyport-Client-Address: 9.9.9.9\r\nSallyport-Tenant: evil\r\nSALLYPORT_TLS: 1\r\nX-Forwarded-For: 9.9.9.9\r\nConnection: Sallyport-Client-Address, Sallyport-Tls\r\n",
    ),
  );
  t.match(answer, /^HTTP\/1\.1 200 [\s\S]*set-cookie: __Host-sallyport=new; Secure\r\n[\s\S]*\r\npage\r\n/i);
  t.notMatch(answer, /sallyport-internal/i);
  t.equal(seen[0]?.req.url, "/.sallyport/sign-in?a=1");
  t.same(seen[0]?.req.headers, {
    host: "happyfeet.example",
    cookie: "a=b; __Host-sallyport=secret",
    "sallyport-client-address": "203.0.113.7",
    "sallyport-tenant": "happy-feet",
    "sallyport-tls": "0",
    "sallyport-request-id": "req-1",
  });
});

t.test("on a whole edge, control hears the same whoever read the request, and the connection serves on", async (t) => {
  const { seen, pagesSocket } = await startControl(t);
  const { port, policy } = await startLiveEdge(t, { upstream: "http://127.0.0.1:9", pagesSocket });
  policy.setPolicy(HAPPY, { network: "off" });
  const client = await RawClient.open(port);
  t.teardown(() => client.close());
  const get = (fields: string) =>
    `GET /.sallyport/sign-in HTTP/1.1\r\nHost: ${HAPPY.host}\r\nSallyport-Tls: 1\r\nCookie: __Host-sallyport=secret\r\n${fields}\r\n`;
  const pages = (count: number) => (text: string) => text.split("\r\npage\r\n").length > count;
  // Plain, plain, and with a field that leaves it to Node's server.
  for (const [index, fields] of ["", "", "TE:\r\n"].entries()) {
    client.send(get(fields));
    await client.until(pages(index + 1));
  }
  const facts = seen.map(({ req }) => {
    const { "sallyport-request-id": id, "content-length": _, ...rest } = req.headers;
    return { ...rest, identified: id !== undefined };
  });
  t.match(facts[0], {
    cookie: "__Host-sallyport=secret",
    "sallyport-client-address": "127.0.0.1",
    "sallyport-tls": "0",
  });
  t.same(facts[1], facts[0]);
  t.same(facts[2], facts[0]);
});

t.test("on a whole edge a form may come in pieces, and be no larger than forms are", async (t) => {
  const { seen, pagesSocket } = await startControl(t);
  const { port } = await startLiveEdge(t, { upstream: "http://127.0.0.1:9", pagesSocket });
  const client = await RawClient.open(port);
  t.teardown(() => client.close());
  const form = "email=ann%40clinic.example";
  client.send(request("POST", `Content-Length: ${form.length}\r\n`, form.slice(0, 9)));
  // Once a later request is answered, this much has been read.
  await exchangeRaw(port, request("POST", "Content-Length: 1\r\n", "x"));
  client.send(form.slice(9));
  t.match(await client.untilEnd(), /\r\npage\r\n/);
  const most = "x".repeat(65_536);
  t.match(await exchangeRaw(port, request("POST", "Content-Length: 65536\r\n", most)), /^HTTP\/1\.1 200 /);
  const tooLarge = request("POST", "Content-Length: 65537\r\n", `${most}x`);
  t.match(await exchangeRaw(port, tooLarge), /^HTTP\/1\.1 400 .*"code":"form_too_large"/s);
  t.strictSame(
    seen.map(({ body }) => body.length),
    [1, form.length, 65_536],
  );
  t.equal(seen[1]?.body, form);
});

t.test("bodies arrive whole, with their length, or not at all", async (t) => {
  const { seen, edge } = await start(t);
  const { port } = edge;
  t.match(await exchangeRaw(port, request("POST", "Content-Length: 3\r\n", "a=b")), /^HTTP\/1\.1 200 /);
  const chunks = "Transfer-Encoding: chunked\r\n";
  t.match(await exchangeRaw(port, request("POST", chunks, "1\r\na\r\n2\r\n=b\r\n0\r\n\r\n")), /^HTTP\/1\.1 200 /);
  t.match(await exchangeRaw(port, request("POST", "Content-Length: 0\r\n")), /^HTTP\/1\.1 200 /);
  t.same(
    seen.map(({ req, body }) => [req.headers["content-length"], req.headers["transfer-encoding"], body]),
    [
      ["3", undefined, "a=b"],
      ["3", undefined, "a=b"],
      ["0", undefined, ""],
    ],
  );
  const most = "x".repeat(65_536);
  t.match(await exchangeRaw(port, request("POST", "Content-Length: 65536\r\n", most)), /^HTTP\/1\.1 200 /);
  t.match(await exchangeRaw(port, request("POST", "Content-Length: 65537\r\n")), /^HTTP\/1\.1 400 /);
  const chunked = await exchangeRaw(port, request("POST", chunks, `10001\r\n${most}x\r\n0\r\n\r\n`));
  t.match(chunked, /^HTTP\/1\.1 400 [\s\S]*"code":"form_too_large"/);
  t.equal(seen.length, 4);
});

t.test("an expectation is answered before the body is read", async (t) => {
  const { seen, edge } = await start(t);
  const client = await RawClient.open(edge.port);
  client.send(request("POST", "Expect: 100-continue\r\nContent-Length: 3\r\n"));
  await client.until((received) => received === "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("a=b");
  t.match(await client.untilEnd(), /\r\npage\r\n/);
  t.equal(seen[0]?.body, "a=b");
});

t.test("open live views leave room for those who sign in", async (t) => {
  const { edge, control } = await start(t);
  control.removeAllListeners("request");
  control.on("request", (req, res) => {
    if (req.url === "/.sallyport/portal/live") res.writeHead(200).flushHeaders();
    else res.end("page");
  });
  const live = "GET /.sallyport/portal/live HTTP/1.1\r\nHost: happyfeet.example\r\n\r\n";
  for (let open = 0; open < 300; open++) {
    const client = await RawClient.open(edge.port);
    t.teardown(() => client.close());
    client.send(live);
    await client.until((text) => text.includes("200 OK"));
  }
  t.match(await exchangeRaw(edge.port, request("GET", "")), /^HTTP\/1\.1 200 [\s\S]*page/);
});

t.test("while control is away: try again shortly", async (t) => {
  const { control, edge } = await start(t);
  control.close();
  const problem = await exchangeRaw(edge.port, request("GET", ""));
  t.match(problem, /^HTTP\/1\.1 503 [\s\S]*retry-after: [\s\S]*"code":"unavailable"/i);
  t.match(
    await exchangeRaw(edge.port, request("GET", "Accept: text/html\r\n")),
    /^HTTP\/1\.1 503 [\s\S]*<!doctype html>/,
  );
});

t.test("a navigation without session is control's to redirect", async (t) => {
  const { seen, pagesSocket } = await startControl(t);
  const { port, policy } = await startLiveEdge(t, { upstream: "http://127.0.0.1:9", pagesSocket });
  policy.setPolicy(HAPPY, { network: "off", secondFactor: "required" });
  const ask = (method: string, target: string, fields: string) =>
    exchangeRaw(port, `${method} ${target} HTTP/1.1\r\nHost: ${HAPPY.host}:8080\r\nConnection: close\r\n${fields}\r\n`);
  const spoof = "Sallyport-Target: /evil\r\nSallyport-Port: 1\r\n";
  t.match(await ask("GET", "/chart?patient=7", `Accept: text/html\r\n${spoof}`), /^HTTP\/1\.1 200 /);
  t.match(await ask("HEAD", "/chart", "Accept: text/html\r\n"), /^HTTP\/1\.1 200 /);
  t.match(await ask("GET", "/.sallyport/begin", spoof), /^HTTP\/1\.1 200 /);
  t.match(await ask("GET", "/chart", "Accept: */*\r\n"), /^HTTP\/1\.1 401 /);
  t.match(await ask("POST", "/chart", "Accept: text/html\r\nContent-Length: 0\r\n"), /^HTTP\/1\.1 401 /);
  t.same(
    seen.map(({ req }) => [req.method, req.url, req.headers["sallyport-target"], req.headers["sallyport-port"]]),
    [
      ["GET", "/.sallyport/begin", "/chart?patient=7", "8080"],
      ["HEAD", "/.sallyport/begin", "/chart", "8080"],
      ["GET", "/.sallyport/begin", undefined, "8080"],
    ],
  );
});
