/** What an upstream is sent for a plain request is what it is sent for the same request by way of Node's server. */
import fc from "fast-check";
import t from "tap";
import { PlainReader } from "../../src/edge/plain-request.ts";
import { HAPPY, startLiveEdge } from "../support/live-edge.ts";
import { RawClient } from "../support/raw-http.ts";
import { startUpstream } from "../support/upstream.ts";

/** A length of nothing changes nothing but who reads the request. */
const BY_NODE = "Content-Length: 0\r\n";

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
const request = fc
  .tuple(fc.constantFrom("GET", "HEAD"), visible, fc.array(field, { maxLength: 6 }), host, connection, fc.nat(6))
  .map(([method, path, fields, hostLine, connectionLine, at]) => {
    const lines = [...fields.slice(0, at), hostLine, ...fields.slice(at), connectionLine].join("");
    return { method, head: `${method} /${path} HTTP/1.1\r\n${lines}` };
  })
  .filter(({ head }) => new PlainReader().read(Buffer.from(`${head}\r\n`, "latin1")) !== undefined);

t.test("whatever its fields, their order and their case", async (t) => {
  let sent = "";
  const upstream = await startUpstream(t, (connection) => {
    if (!connection.received.includes("\r\n\r\n")) return;
    sent = connection.received;
    connection.received = "";
    connection.socket.write("HTTP/1.1 204 No Content\r\n\r\n");
  });
  const { port, policy } = await startLiveEdge(t, { upstream: upstream.origin, trustedProxies: ["127.0.0.1/32"] });
  policy.allow("127.0.0.0/8");
  let forwarded = 0;
  const ask = async (head: string): Promise<[string, string]> => {
    sent = "";
    const client = await RawClient.open(port);
    client.send(`${head}\r\n`);
    const received = await client.until((text) => text.includes("\r\n\r\n"));
    client.close();
    return [received.slice(0, received.indexOf("\r\n")), sent.replace(BY_NODE, "")];
  };
  await fc.assert(
    fc.asyncProperty(request, async ({ head }) => {
      const plain = await ask(head);
      if (plain[1] !== "") forwarded += 1;
      t.strictSame(plain, await ask(head + BY_NODE), JSON.stringify(head));
    }),
    { numRuns: 300 },
  );
  t.ok(forwarded > 80, `${forwarded} forwarded`);
});
