/** Hostile and unusual requests at the gate (cases 1 to 3, 5, 7, and 9 to 13): one row, one right outcome. */

export interface GateCase {
  /** The number of the case in the list that `docs/` keeps. */
  readonly number: number;
  readonly name: string;
  /** What the client sends, byte for byte. */
  readonly request: string;
  /** Whether the client's own address, 127.0.0.1, is a trusted proxy, and 10.0.0.0/8 besides. */
  readonly trusted?: boolean;
  /** The allowlist of the tenant `happyfeet.example`: 127.0.0.1 alone, unless given. */
  readonly allow?: readonly string[];
  /** The status of the answer; 0 when the connection ends without one. */
  readonly status: number;
  /** The `code` of a refusal. */
  readonly code?: string;
  /** What the upstream's bytes must contain; it must not be reached at all for any status but 200 and 101. */
  readonly upstreamSees?: readonly RegExp[];
  readonly upstreamMisses?: readonly RegExp[];
}

const HOST = "Host: happyfeet.example\r\n";
const CLOSE = "Connection: close\r\n";
const SMUGGLED = "GET /smuggled HTTP/1.1\r\nHost: happyfeet.example\r\n\r\n";

function get(fields = "", target = "/"): string {
  return `GET ${target} HTTP/1.1\r\n${HOST}${fields}${CLOSE}\r\n`;
}

/** A POST whose framing fields and all that follows are given. */
function post(rest: string): string {
  return `POST / HTTP/1.1\r\n${HOST}${CLOSE}${rest}`;
}

function upgrade(fields: string): string {
  return `GET /socket HTTP/1.1\r\n${HOST}${fields}\r\n`;
}

const WEBSOCKET =
  "Connection: Upgrade, close\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAA\r\n";

/** `[the field lines, who is meant]`; the hops that count are trusted or the one meant. */
const CHAINS: readonly (readonly [string, string])[] = [
  ["X-Forwarded-For: 203.0.113.7\r\n", "203.0.113.7"],
  ["X-Forwarded-For: 198.51.100.1, 203.0.113.7\r\n", "203.0.113.7"],
  ["X-Forwarded-For: 203.0.113.7, 10.1.2.3, 127.0.0.1\r\n", "203.0.113.7"],
  ["X-Forwarded-For: 203.0.113.7\r\nX-Forwarded-For: 10.1.2.3\r\n", "203.0.113.7"],
  ["x-forwarded-for:203.0.113.7,\t10.1.2.3\r\n", "203.0.113.7"],
  ["X-Forwarded-For: unknown, 203.0.113.7\r\n", "203.0.113.7"],
  ["X-Forwarded-For: ::ffff:203.0.113.7\r\n", "203.0.113.7"],
  ["X-Forwarded-For: 2001:DB8:0::7\r\n", "2001:db8::7"],
  ["X-Forwarded-For: 10.1.2.3, 10.1.2.4\r\n", "10.1.2.3"],
  ["", "127.0.0.1"],
];

const NOT_CHAINS: readonly (readonly [string, string])[] = [
  ["the attacker at the right", "X-Forwarded-For: 203.0.113.7, 198.51.100.1\r\n"],
  ["the attacker in the last line", "X-Forwarded-For: 203.0.113.7\r\nX-Forwarded-For: 198.51.100.1\r\n"],
];

const BROKEN_CHAINS: readonly (readonly [string, string])[] = [
  ["300 hops", `X-Forwarded-For: ${"203.0.113.7, ".repeat(299)}203.0.113.7\r\n`],
  ["300 hops in as many lines", "X-Forwarded-For: 203.0.113.7\r\n".repeat(150)],
  ["unknown", "X-Forwarded-For: 203.0.113.7, unknown\r\n"],
  ["junk", "X-Forwarded-For: 203.0.113.7, <script>\r\n"],
  ["an empty element", "X-Forwarded-For: 203.0.113.7, , 10.1.2.3\r\n"],
  ["an empty last element", "X-Forwarded-For: 203.0.113.7,\r\n"],
  ["an empty line", "X-Forwarded-For: 203.0.113.7\r\nX-Forwarded-For:\r\n"],
  ["a port", "X-Forwarded-For: 203.0.113.7:4711\r\n"],
  ["brackets", "X-Forwarded-For: [2001:db8::7]\r\n"],
  ["quotes", 'X-Forwarded-For: "203.0.113.7"\r\n'],
  ["a leading zero", "X-Forwarded-For: 203.0.113.07\r\n"],
  ["an integer", "X-Forwarded-For: 3405803783\r\n"],
  ["a prefix", "X-Forwarded-For: 203.0.113.7/32\r\n"],
  ["a no-break space", "X-Forwarded-For: \xa0203.0.113.7\r\n"],
  ["a zone", "X-Forwarded-For: fe80::1%eth0\r\n"],
];

const CLAIMS = [
  "X-Forwarded-For: 203.0.113.7",
  "Forwarded: for=203.0.113.7",
  "X-Real-IP: 203.0.113.7",
  "CF-Connecting-IP: 203.0.113.7",
  "True-Client-IP: 203.0.113.7",
  "X_Forwarded_For: 203.0.113.7",
  "Sallyport-Client-Address: 203.0.113.7",
];

/** After the request line and the Host: framing that some server somewhere reads in another way. */
const FRAMINGS: readonly (readonly [string, string])[] = [
  ["length and chunks", `Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`],
  ["two lengths", `Content-Length: 0\r\nContent-Length: 3\r\n\r\n${SMUGGLED}`],
  ["a signed length", `Content-Length: +5\r\n\r\nhello${SMUGGLED}`],
  ["a list of lengths", `Content-Length: 5,6\r\n\r\nhello${SMUGGLED}`],
  ["a hexadecimal length", `Content-Length: 0x5\r\n\r\nhello${SMUGGLED}`],
  ["an underscore in a length", `Content-Length: 1_0\r\n\r\nhellohello${SMUGGLED}`],
  ["an empty length", `Content-Length:\r\n\r\n${SMUGGLED}`],
  ["an unknown coding", `Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n${SMUGGLED}`],
  ["a coding before chunked", `Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`],
  ["a comma before chunked", `Transfer-Encoding: ,chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`],
  ["identity, then chunked", `Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`],
  ["chunked, then identity", `Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n${SMUGGLED}`],
  ["chunked twice", `Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`],
  ["a vertical tab", `Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n${SMUGGLED}`],
  ["a space before the colon", `Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`],
  ["a folded line", `Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`],
  ["a bare line feed", `X: y\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`],
  ["a bare carriage return", `X: y\rTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`],
];

const REQUEST_LINES: readonly (readonly [string, number, string])[] = [
  ["GET /\r\n\r\n", 505, "HTTP/0.9"],
  [`GET / HTTP/2.0\r\n${HOST}\r\n`, 505, "HTTP/2.0"],
  ["PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, "the preface of HTTP/2"],
  [`GET / HTTP/1.2\r\n${HOST}\r\n`, 400, "HTTP/1.2"],
  [`get / HTTP/1.1\r\n${HOST}\r\n`, 400, "a method in lower case"],
  [`GET /a b HTTP/1.1\r\n${HOST}\r\n`, 400, "a space in the target"],
  [`GET /a\0b HTTP/1.1\r\n${HOST}\r\n`, 400, "a NUL in the target"],
  [`GET /\xe9 HTTP/1.1\r\n${HOST}\r\n`, 400, "a byte beyond ASCII in the target"],
  [`OPTIONS * HTTP/1.1\r\n${HOST}${CLOSE}\r\n`, 400, "the asterisk form"],
  [`TRACE / HTTP/1.1\r\n${HOST}\r\n`, 405, "TRACE"],
  ["CONNECT happyfeet.example:443 HTTP/1.1\r\nHost: happyfeet.example:443\r\n\r\n", 405, "CONNECT"],
  [`GET /${"x".repeat(65_536)} HTTP/1.1\r\n${HOST}\r\n`, 414, "a target of 64 KiB"],
  [`GET /${"x".repeat(16_384)} HTTP/1.1\r\n${HOST}\r\n`, 414, "a target just too long"],
  [`GET / HTTP/1.1\r\n${HOST}${"X: y\r\n".repeat(1000)}\r\n`, 431, "1,000 fields"],
  [`GET / HTTP/1.1\r\n${HOST}X: ${"y".repeat(65_536)}\r\n\r\n`, 431, "a field of 64 KiB"],
  [`GET / HTTP/1.1\r\n${HOST}X: ${"y".repeat(32_768)}\r\n\r\n`, 431, "fields just too large"],
  [`GET / HTTP/1.1\r\n${HOST}Expect: 200-ok\r\n${CLOSE}\r\n`, 417, "an unknown expectation"],
];

const HOSTS: readonly (readonly [string, number, string])[] = [
  ["", 400, "host_invalid"],
  ["Host:\r\n", 400, "host_invalid"],
  [`${HOST}${HOST}`, 400, "host_invalid"],
  [`${HOST}Host: other.example\r\n`, 400, "host_invalid"],
  ["Host: happyfeet.example, other.example\r\n", 400, "host_invalid"],
  ["Host: user@happyfeet.example\r\n", 400, "host_invalid"],
  ["Host: happyfeet.example/x\r\n", 400, "host_invalid"],
  ["Host: happyfeet.example:80a\r\n", 400, "host_invalid"],
  ["Host: happyfeet.example..\r\n", 400, "host_invalid"],
  ["Host: happy feet.example\r\n", 400, "host_invalid"],
  ["Host: happyfeet.ex\xe4mple\r\n", 400, "host_invalid"],
  ["Host: nobody.example\r\n", 421, "host_unknown"],
  ["Host: 127.0.0.1\r\n", 421, "host_unknown"],
  ["Host: xhappyfeet.example\r\n", 421, "host_unknown"],
  ["Host: happyfeet.example:8080\r\n", 200, ""],
  ["Host: HappyFeet.EXAMPLE.\r\n", 200, ""],
];

const ABSOLUTE: readonly (readonly [string, number])[] = [
  ["http://other.example/x", 400],
  ["http://happyfeet.example:81/x", 400],
  ["http://user@happyfeet.example/x", 400],
  ["http://happyfeet.example.evil/x", 400],
  ["ftp://happyfeet.example/x", 400],
  ["http:///x", 400],
];

/** Spelt in another way than the one that leads to control's pages, though somebody might read it as that. */
const DISGUISES = [
  "/%2esallyport/sign-in",
  "/%2Esallyport",
  "/.%73allyport/sign-in",
  "/%252esallyport/sign-in",
  "//.sallyport/sign-in",
  "/./.sallyport/sign-in",
  "/x/../.sallyport/sign-in",
  "/x/%2e%2e/.sallyport",
  "/x%2f..%2f.sallyport",
  "/x/..;/.sallyport/",
  "/.Sallyport/sign-in",
  "/.SALLYPORT",
  "/\\.sallyport\\sign-in",
  "/.sallyport\\sign-in",
  "/.sallyport%2fsign-in",
  "/.sallyport;x/sign-in",
  "/.sallyport%00/sign-in",
  "/.sallyport/sign-in%00",
  "/.sallyport/allow/..%2fportal",
  "/.sallyport/allow/%2e%2E",
  "/.sallyport/allow/x%5Cy",
  "/.sallyport/allow/x;y",
  "/.sallyport/allow/x/%00",
  "/.sallyport/Allow/%00",
  "/.sallyport%3fx",
  "/.sallyport#x",
  "/.sallyport//sign-in",
  "/.sallyport/../secret",
  "/.sallyport/%2e%2e/secret",
  "/.sallyport/./sign-in",
  "/.sally%09port/sign-in",
];

/** Nobody's but the upstream's, byte for byte. */
const PLAIN_TARGETS = [
  "/a/%2e%2e/b",
  "/a/../b",
  "//a//b",
  "/a\\b",
  "/a%00b",
  "/a;b=c",
  "/a#b",
  "/%",
  "/%zz?%",
  "/.sallyporter",
  "/a/.sallyport/b",
  "/?next=/.sallyport/sign-in",
  "/%41?a=%2esallyport",
];

export const GATE_CASES: readonly GateCase[] = [
  ...CLAIMS.map(
    (claim): GateCase => ({
      number: claim.includes("_") || claim.startsWith("S") ? 5 : 1,
      name: `"${claim}" of an untrusted peer admits nobody`,
      request: get(`${claim}\r\n`),
      allow: ["203.0.113.7/32"],
      status: 403,
      code: "not_on_allowlist",
    }),
  ),
  ...CLAIMS.map(
    (claim): GateCase => ({
      number: claim.includes("_") || claim.startsWith("S") ? 5 : 1,
      name: `"${claim}" of an untrusted peer does not reach the upstream`,
      request: get(`${claim}\r\n`),
      status: 200,
      upstreamSees: [/^x-forwarded-for: 127\.0\.0\.1\r$/im],
      upstreamMisses: [/203\.0\.113\.7/],
    }),
  ),
  ...CHAINS.map(
    ([fields, client]): GateCase => ({
      number: 2,
      name: `${JSON.stringify(fields)} means ${client}`,
      request: get(fields),
      trusted: true,
      allow: [client.includes(":") ? `${client}/128` : `${client}/32`],
      status: 200,
      upstreamSees: [new RegExp(`^x-forwarded-for: ${client.replaceAll(".", "\\.")}\r$`, "im")],
    }),
  ),
  ...NOT_CHAINS.map(
    ([name, fields]): GateCase => ({
      number: 2,
      name,
      request: get(fields),
      trusted: true,
      allow: ["203.0.113.7/32", "127.0.0.1/32", "10.0.0.0/8"],
      status: 403,
      code: "not_on_allowlist",
    }),
  ),
  ...BROKEN_CHAINS.map(
    ([name, fields]): GateCase => ({
      number: 3,
      name: `${name} in X-Forwarded-For`,
      request: get(fields),
      trusted: true,
      allow: ["203.0.113.7/32", "127.0.0.1/32", "10.0.0.0/8", "2001:db8::7/128"],
      status: 400,
      code: "source_invalid",
    }),
  ),
  {
    number: 7,
    name: "a mapped address is the IPv4 address that it maps",
    request: get("X-Forwarded-For: ::ffff:cb00:7107\r\n"),
    trusted: true,
    allow: ["203.0.113.0/24"],
    status: 200,
  },
  ...FRAMINGS.map(
    ([name, rest]): GateCase => ({ number: 9, name, request: post(rest), status: 400, code: "request_invalid" }),
  ),
  {
    number: 9,
    name: "chunks in HTTP/1.0",
    request: `POST / HTTP/1.0\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`,
    status: 400,
    code: "request_invalid",
  },
  ...HOSTS.map(
    ([fields, status, code]): GateCase => ({
      number: 10,
      name: `${JSON.stringify(fields)} for a Host`,
      request: `GET / HTTP/1.1\r\n${fields}${CLOSE}\r\n`,
      status,
      ...(code !== "" && { code }),
      ...(status === 200 && { upstreamSees: [/^host: happyfeet\.example\r$/im] }),
    }),
  ),
  { number: 10, name: "no Host in HTTP/1.0", request: "GET / HTTP/1.0\r\n\r\n", status: 400, code: "host_invalid" },
  ...ABSOLUTE.map(
    ([target, status]): GateCase => ({
      number: 10,
      name: `the target ${target} with another Host`,
      request: get("", target),
      status,
    }),
  ),
  {
    number: 10,
    name: "an absolute target that fits its Host is forwarded in origin form",
    request: get("", "HTTP://HappyFeet.example/x?y=http://z"),
    status: 200,
    upstreamSees: [/^GET \/x\?y=http:\/\/z HTTP\/1\.1\r$/m],
  },
  {
    number: 10,
    name: "an absolute target without a path",
    request: get("", "http://happyfeet.example"),
    status: 200,
    upstreamSees: [/^GET \/ HTTP\/1\.1\r$/m],
  },
  {
    number: 11,
    name: "an absolute target that leads to our pages in disguise",
    request: get("", "http://happyfeet.example/%2esallyport/x"),
    status: 400,
    code: "target_invalid",
  },
  ...DISGUISES.filter((target) => !target.includes("%09")).map(
    (target): GateCase => ({
      number: 11,
      name: `${target} is neither ours nor the upstream's`,
      request: get("", target),
      status: 400,
      code: "target_invalid",
    }),
  ),
  ...PLAIN_TARGETS.map(
    (target): GateCase => ({
      number: 11,
      name: `${target} arrives as it was sent`,
      request: get("", target),
      status: 200,
      upstreamSees: [new RegExp(`^GET ${RegExp.escape(target)} HTTP/1\\.1\r$`, "m")],
    }),
  ),
  ...REQUEST_LINES.map(([request, status, name]): GateCase => ({ number: 12, name, request, status })),
  {
    number: 12,
    name: "trailers that would frame the request, or speak for others",
    request: post(
      "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nHost: evil\r\nContent-Length: 9\r\nAuthorization: evil\r\nSallyport-User: evil\r\n\r\n",
    ),
    status: 200,
    upstreamSees: [/^transfer-encoding: chunked$/im],
    upstreamMisses: [/evil/, /content-length/i],
  },
  {
    number: 12,
    name: "h2c",
    request: upgrade("Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n"),
    status: 400,
    code: "upgrade_refused",
  },
  {
    number: 12,
    name: "h2c behind another protocol",
    request: upgrade("Connection: upgrade\r\nUpgrade: websocket, h2c\r\n"),
    status: 400,
    code: "upgrade_refused",
  },
  {
    number: 12,
    name: "TLS inside HTTP",
    request: upgrade("Connection: upgrade\r\nUpgrade: TLS/1.2\r\n"),
    status: 400,
    code: "upgrade_refused",
  },
  {
    number: 13,
    name: "a WebSocket from a blocked place",
    request: upgrade(WEBSOCKET),
    allow: [],
    status: 403,
    code: "not_on_allowlist",
  },
  {
    number: 13,
    name: "a WebSocket of a foreign page",
    request: upgrade(`${WEBSOCKET}Origin: https://evil.example\r\n`),
    status: 403,
    code: "origin_refused",
  },
  {
    number: 13,
    name: "a WebSocket of a foreign page under a similar name",
    request: upgrade(`${WEBSOCKET}Origin: https://happyfeet.example.evil.example\r\n`),
    status: 403,
    code: "origin_refused",
  },
  {
    number: 13,
    name: "a WebSocket of another tenant's page",
    request: upgrade(`${WEBSOCKET}Origin: https://other.example\r\n`),
    status: 403,
    code: "origin_refused",
  },
  {
    number: 13,
    name: "a WebSocket of a page without origin",
    request: upgrade(`${WEBSOCKET}Origin: null\r\n`),
    status: 403,
    code: "origin_refused",
  },
  {
    number: 13,
    name: "a WebSocket of a page on another port",
    request: upgrade(`${WEBSOCKET}Origin: https://happyfeet.example:8443\r\n`),
    status: 403,
    code: "origin_refused",
  },
  {
    number: 13,
    name: "a WebSocket with two origins",
    request: upgrade(`${WEBSOCKET}Origin: https://happyfeet.example\r\nOrigin: https://evil.example\r\n`),
    status: 403,
    code: "origin_refused",
  },
  {
    number: 13,
    name: "a WebSocket of the tenant's own page",
    request: upgrade(`${WEBSOCKET}Origin: https://happyfeet.example\r\n`),
    status: 101,
  },
  { number: 13, name: "a WebSocket of no page", request: upgrade(WEBSOCKET), status: 101 },
  {
    number: 13,
    name: "an upgrade with a body",
    request: `${upgrade(`${WEBSOCKET}Content-Length: 5\r\n`)}hello`,
    status: 400,
    code: "upgrade_refused",
  },
];
