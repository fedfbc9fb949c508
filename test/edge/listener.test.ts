/** Listeners on real sockets: the PROXY protocol, TLS and server names, limits. */
import { once } from "node:events";
import { connect } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";
import t, { type Test } from "tap";
import { selfSigned } from "../support/certificate.ts";
import { HAPPY, type LiveEdgeOptions, OTHER, startLiveEdge } from "../support/live-edge.ts";
import { proxyV2 } from "../support/proxy-header.ts";
import { RawClient } from "../support/raw-http.ts";
import { startUpstream } from "../support/upstream.ts";

const GET = "GET / HTTP/1.1\r\nHost: happyfeet.example\r\nConnection: close\r\n\r\n";
const V1 = "PROXY TCP4 203.0.113.7 192.0.2.1 56324 443\r\n";

async function edgeFor(t: Test, options: Omit<LiveEdgeOptions, "upstream">) {
  const upstream = await startUpstream(t, ({ socket }) => {
    socket.end("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
  });
  const live = await startLiveEdge(t, { upstream: upstream.origin, ...options });
  return { ...live, upstream };
}

/** Sends pieces, each once the one before is on its way, and gives what came back until the end. */
async function talk(t: Test, port: number, ...pieces: (string | Buffer)[]): Promise<string> {
  const client = await RawClient.open(port);
  t.teardown(() => client.close());
  for (const piece of pieces) {
    client.send(piece);
    await new Promise((resolve) => setImmediate(resolve));
  }
  return client.untilEnd();
}

t.test("case 6: the PROXY header names the client", async (t) => {
  const { port, policy, upstream } = await edgeFor(t, {
    listeners: [{ proxyProtocol: true }],
    trustedProxies: ["127.0.0.1/32"],
  });
  policy.allow("203.0.113.7/32");
  const v2 = proxyV2({ source: "203.0.113.7" });
  const accepted: [string, (string | Buffer)[]][] = [
    ["version 1 in one piece with the request", [V1 + GET]],
    ["version 1, then the request", [V1, GET]],
    ["version 1 byte by byte", [...V1, GET]],
    ["version 1 and half the request", [V1 + GET.slice(0, 20), GET.slice(20)]],
    ["version 2 in one piece with the request", [Buffer.concat([v2, Buffer.from(GET)])]],
    ["version 2 in two", [v2.subarray(0, 13), v2.subarray(13), GET]],
    ["X-Forwarded-For is not read beside it", [V1 + GET.replace("\r\n\r\n", "\r\nX-Forwarded-For: junk\r\n\r\n")]],
  ];
  for (const [name, pieces] of accepted) t.match(await talk(t, port, ...pieces), /^HTTP\/1\.1 200 /, name);
  for (const { received } of upstream.connections) t.match(received, /^x-forwarded-for: 203\.0\.113\.7\r$/im);
  const other = "PROXY TCP4 203.0.113.8 192.0.2.1 56324 443\r\n";
  t.match(await talk(t, port, other + GET), /^HTTP\/1\.1 403 /, "another client is blocked");
  t.match(await talk(t, port, `PROXY UNKNOWN\r\n${GET}`), /^HTTP\/1\.1 403 /, "UNKNOWN is the proxy itself");
  policy.allow("127.0.0.1/32");
  t.match(await talk(t, port, `PROXY UNKNOWN\r\n${GET}`), /^HTTP\/1\.1 200 /, "and may be allowed as such");
  const local = proxyV2({ command: 0x20, transport: 0, block: Buffer.alloc(0) });
  t.match(await talk(t, port, local, GET), /^HTTP\/1\.1 200 /, "and so is LOCAL");
});

t.test("case 6: what is not a PROXY header is closed without an answer", async (t) => {
  const { port, policy, upstream } = await edgeFor(t, {
    listeners: [{ proxyProtocol: true }],
    trustedProxies: ["127.0.0.1/32"],
    timeouts: { headersSeconds: 0.05 },
  });
  policy.allow("127.0.0.1/32");
  const wrongSignature = proxyV2({ source: "127.0.0.1" });
  wrongSignature[4] = 1;
  const refused: [string, string | Buffer][] = [
    ["none", GET],
    ["half a header", V1.slice(0, 20)],
    ["nothing at all", ""],
    ["a header over 107 bytes", `PROXY UNKNOWN ${"x".repeat(100)}\r\n${GET}`],
    ["a wrong signature", Buffer.concat([wrongSignature, Buffer.from(GET)])],
  ];
  for (const [name, bytes] of refused) t.equal(await talk(t, port, bytes), "", name);
  t.equal(upstream.connections.length, 0);
});

t.test("case 6: an untrusted peer is closed whatever it sends", async (t) => {
  const { port, policy } = await edgeFor(t, { listeners: [{ proxyProtocol: true }], trustedProxies: ["10.0.0.0/8"] });
  policy.allow("203.0.113.7/32");
  policy.allow("127.0.0.1/32");
  t.equal(await talk(t, port, V1 + GET), "");
});

t.test("case 6: where no PROXY header is demanded, one is no HTTP", async (t) => {
  const { port, policy } = await edgeFor(t, { trustedProxies: ["127.0.0.1/32"] });
  policy.allow("203.0.113.7/32");
  t.match(await talk(t, port, V1 + GET), /^HTTP\/1\.1 400 /);
});

t.test("a limit of connections per address", async (t) => {
  const { port, policy } = await edgeFor(t, { limits: { connectionsPerAddress: 2 } });
  policy.allow("127.0.0.1/32");
  const first = await RawClient.open(port);
  const second = await RawClient.open(port);
  t.equal(await talk(t, port, GET), "", "the third is closed");
  first.close();
  second.send(GET);
  t.match(await second.untilEnd(), /^HTTP\/1\.1 200 /);
  second.close();
  await once(second.socket, "close");
});

t.test("TLS", async (t) => {
  const happy = selfSigned(t, [`DNS:${HAPPY.host}`]);
  if (happy === undefined) return;
  const tls = [{ cert: happy.certFile, key: happy.keyFile }];
  const { edge, policy, upstream } = await edgeFor(t, {
    listeners: [{ tls }, { tls, proxyProtocol: true }],
    trustedProxies: ["127.0.0.1/32"],
  });
  for (const tenant of [HAPPY, OTHER]) policy.allow("203.0.113.7/32", tenant);
  const [plain = 0, proxied = 0] = edge.addresses.map(({ port }) => port);

  t.test("behind a PROXY header the server name must be of the Host's tenant", async (t) => {
    const rows: [string | undefined, string, RegExp][] = [
      [HAPPY.host, HAPPY.host, /^HTTP\/1\.1 200 /],
      [HAPPY.host.toUpperCase(), HAPPY.host, /^HTTP\/1\.1 200 /],
      [OTHER.host, HAPPY.host, /^HTTP\/1\.1 421 /],
      [HAPPY.host, OTHER.host, /^HTTP\/1\.1 421 /],
      ["nobody.example", HAPPY.host, /^HTTP\/1\.1 421 /],
      [undefined, HAPPY.host, /^HTTP\/1\.1 421 /],
    ];
    for (const [servername, host, status] of rows) {
      const socket = connect(proxied, "127.0.0.1");
      socket.write(V1);
      const secured = connectTls({
        socket,
        rejectUnauthorized: false,
        ...(servername && { servername }),
      });
      t.match(await ask(secured, host), status, `SNI ${servername}, Host ${host}`);
    }
    t.match(upstream.connections[0]?.received ?? "", /^x-forwarded-proto: https\r$/im);
  });

  t.test("between a forwarding proxy and the edge the server name is theirs", async (t) => {
    policy.allow("127.0.0.1/32");
    const secured = connectTls({
      port: plain,
      host: "127.0.0.1",
      rejectUnauthorized: false,
      servername: "edge.internal",
    });
    t.match(await ask(secured, HAPPY.host), /^HTTP\/1\.1 200 /);
  });

  t.test("old versions are refused", async (t) => {
    const secured = connectTls({
      port: plain,
      host: "127.0.0.1",
      rejectUnauthorized: false,
      maxVersion: "TLSv1.1",
      minVersion: "TLSv1",
    });
    const [error] = await once(secured, "error");
    t.ok(error);
  });
});

t.test("the certificate is the one for the server name", async (t) => {
  const made = ["one", "two", "three"].map((label) => selfSigned(t, [`DNS:${label}.example`]));
  if (made.includes(undefined)) return;
  const folder = t.testdir(
    Object.fromEntries(
      made.flatMap((each, index) => [
        [`${index}.cert`, each?.cert ?? ""],
        [`${index}.key`, each?.key ?? ""],
      ]),
    ),
  );
  const files = made.map((_, index) => ({ cert: `${folder}/${index}.cert`, key: `${folder}/${index}.key` }));
  const tls = files.map((pair, index) => (index === 2 ? { ...pair, hosts: ["*.wild.example"] } : pair));
  const { port } = await edgeFor(t, { listeners: [{ tls }] });
  const names: [string | undefined, string][] = [
    ["one.example", "one.example"],
    ["TWO.example", "two.example"],
    ["a.wild.example", "three.example"],
    ["a.b.wild.example", "one.example"],
    ["unknown.example", "one.example"],
    [undefined, "one.example"],
  ];
  for (const [servername, expected] of names) {
    const secured = connectTls({
      port,
      host: "127.0.0.1",
      rejectUnauthorized: false,
      ...(servername && { servername }),
    });
    await once(secured, "secureConnect");
    t.equal(secured.getPeerCertificate().subjectaltname, `DNS:${expected}`, `for ${servername}`);
    secured.destroy();
  }
});

async function ask(socket: TLSSocket, host: string): Promise<string> {
  let answer = "";
  socket.on("data", (chunk: Buffer) => {
    answer += chunk.toString("latin1");
  });
  socket.write(`GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
  await once(socket, "close");
  return answer;
}
