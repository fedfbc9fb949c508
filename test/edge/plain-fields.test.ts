/** What an upstream is sent for a plain request is what it is sent for the same request by way of Node's server. */
import fc from "fast-check";
import t from "tap";
import { PlainReader } from "../../src/edge/plain-request.ts";
import { HAPPY, startLiveEdge } from "../support/live-edge.ts";
import { RawClient } from "../support/raw-http.ts";
import { startUpstream } from "../support/upstream.ts";

/** Asking for no coding changes nothing but who reads the request. */
const BY_NODE = "TE:\r\n";

const NAMES = [
  ...["Accept", "Cookie", "Range", "Authorization", "Via", "Keep-Alive", "Proxy", "HTTP2-Settings", "Max-Forwards"],
  ...["X-Forwarded-For", "X_Forwarded_For", "X-Forwarded-Proto", "Forwarded", "X-Real-IP", "X-Original-URL"],
  ...["Sallyport-Assertion", "Transfer_Encoding", "Content_Length", "Proxy-Authorization", "Upgrade-Insecure-Requests"],
];
const VALUES = ["", "chunked", "close", "keep-alive", "https", "a=b; sallyport=c; d", "127.0.0.1", " \t x, y\t "];
const visible = fc.string({ unit: "grapheme-ascii", maxLength: 12 });
const cased = (text: string) => fc.mixedCase(fc.constant(text));
const token = fc.string({ unit: fc.constantFrom(..."!#$%&'*+-.^_`|~09azAZ"), minLength: 1, maxLength: 9 });
const field = fc
  .tuple(fc.oneof(fc.constantFrom(...NAMES).chain(cased), token), fc.oneof(fc.constantFrom(...VALUES), visible))
  .map(([name, value]) => `${name}:${value}\r\n`);
const hosts = [HAPPY.host, HAPPY.host.toUpperCase(), `${HAPPY.host}.`, `${HAPPY.host}:8080`, "unknown.example", "a b"];
const host = fc.constantFrom(...hosts).map((name) => `Host: ${name}\r\n`);
const connection = fc.constantFrom("", "", "Connection: keep-alive\r\n", "connection:KEEP-ALIVE\r\n");
const methods = fc.constantFrom("GET", "HEAD", "POST", "PUT", "DELETE");
const request = fc
  .tuple(methods, visible, fc.array(field, { maxLength: 6 }), host, connection, fc.nat(6), visible)
  .map(([method, path, fields, hostLine, connectionLine, at, text]) => {
    const body = method === "GET" || method === "HEAD" ? "" : text;
    const length = body === "" ? "" : `Content-Length: ${body.length}\r\n`;
    const lines = [...fields.slice(0, at), hostLine, ...fields.slice(at), length, connectionLine].join("");
    return { head: `${method} /${path} HTTP/1.1\r\n${lines}`, body };
  })
  .filter(({ head, body }) => new PlainReader().read(Buffer.from(`${head}\r\n${body}`, "latin1")) !== undefined);

t.test("whatever its fields, their order and their case", async (t) => {
  let sent = "";
  const upstream = await startUpstream(t, (connection) => {
    const [head, body] = connection.received.split("\r\n\r\n");
    const length = Number(/^content-length: (\d+)/im.exec(head ?? "")?.[1] ?? 0);
    if (body === undefined || body.length < length) return;
    sent = connection.received;
    connection.received = "";
    connection.socket.write("HTTP/1.1 204 No Content\r\n\r\n");
  });
  const { port, policy } = await startLiveEdge(t, { upstream: upstream.origin, trustedProxies: ["127.0.0.1/32"] });
  policy.allow("127.0.0.0/8");
  let forwarded = 0;
  const ask = async (head: string, body: string): Promise<[string, string]> => {
    sent = "";
    const client = await RawClient.open(port);
    client.send(`${head}\r\n${body}`);
    const received = await client.until((text) => text.includes("\r\n\r\n"));
    client.close();
    return [received.slice(0, received.indexOf("\r\n")), sent];
  };
  await fc.assert(
    fc.asyncProperty(request, async ({ head, body }) => {
      const plain = await ask(head, body);
      if (plain[1] !== "") forwarded += 1;
      t.strictSame(plain, await ask(head + BY_NODE, body), JSON.stringify(head));
    }),
    { numRuns: 300 },
  );
  t.ok(forwarded > 80, `${forwarded} forwarded`);
});
