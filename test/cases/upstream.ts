/** Hostile and unusual exchanges between client and upstream (cases 4, 5, 9, 12, 14 and 15): one row, one right outcome. */

export interface UpstreamCase {
  /** The number of the case in the list that `docs/` keeps. */
  readonly number: number;
  readonly name: string;
  /** What the client sends, byte for byte. */
  readonly request: string;
  /** When the upstream answers: once what it received ends so. */
  readonly after?: string;
  /** What the upstream answers, byte for byte. */
  readonly answer?: string;
  /** What the upstream does after its answer. */
  readonly afterwards?: "end" | "reset";
  /** Start of the status line that the client gets. */
  readonly status: string;
  /** What the client's bytes must contain, and must not (fields in lower case). */
  readonly clientSees?: readonly RegExp[];
  readonly clientMisses?: readonly RegExp[];
  /** What the upstream's bytes must contain, and must not. */
  readonly upstreamSees?: readonly RegExp[];
  readonly upstreamMisses?: readonly RegExp[];
  /** How many requests may reach the upstream: one, unless told otherwise. */
  readonly requests?: number;
}

const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

function get(fields: string): string {
  return `GET / HTTP/1.1\r\nHost: happyfeet.example\r\n${fields}Connection: close\r\n\r\n`;
}

function post(fields: string, body: string): string {
  return `POST / HTTP/1.1\r\nHost: happyfeet.example\r\nConnection: close\r\n${fields}\r\n${body}`;
}

const SMUGGLED = "GET /smuggled HTTP/1.1\r\nHost: happyfeet.example\r\n\r\n";

/** Framings of which no two servers agree: whatever the client gets, the upstream gets nothing. */
const AMBIGUOUS: readonly (readonly [string, string])[] = [
  ["length and chunks", `Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`],
  ["chunks and length", `Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n${SMUGGLED}`],
  ["two lengths", `Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello${SMUGGLED}`],
  ["the same length twice", `Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello${SMUGGLED}`],
  ["a list of lengths", `Content-Length: 5,6\r\n\r\nhello${SMUGGLED}`],
  ["a signed length", `Content-Length: +5\r\n\r\nhello${SMUGGLED}`],
  ["a negative length", `Content-Length: -5\r\n\r\nhello${SMUGGLED}`],
  ["a hexadecimal length", `Content-Length: 0x5\r\n\r\nhello${SMUGGLED}`],
  ["a length with an underscore", `Content-Length: 1_0\r\n\r\nhellohello${SMUGGLED}`],
  ["an empty length", `Content-Length: \r\n\r\n${SMUGGLED}`],
  ["a coding after chunked", `Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n${SMUGGLED}`],
  ["another coding", `Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`],
  ["chunked twice", `Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`],
  ["an obfuscated coding", `Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n${SMUGGLED}`],
  ["a coding in quotes", `Transfer-Encoding: "chunked"\r\n\r\n0\r\n\r\n${SMUGGLED}`],
  ["a tab inside the coding", `Transfer-Encoding: chun\tked\r\n\r\n0\r\n\r\n${SMUGGLED}`],
  ["a space before the colon", `Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`],
  ["a folded field", `Transfer-Encoding:\r\n chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n${SMUGGLED}`],
  ["a bare line feed", `Content-Length: 5\n\r\n\r\nhello${SMUGGLED}`],
];

/** Chunks that do not parse: the request was begun, so that the upstream may see its head, but never an end. */
const BAD_CHUNKS: readonly (readonly [string, string])[] = [
  ["a size that is no number", "zz\r\nhello\r\n0\r\n\r\n"],
  ["a signed size", "+5\r\nhello\r\n0\r\n\r\n"],
  ["a size with a prefix", "0x5\r\nhello\r\n0\r\n\r\n"],
  ["a size that overflows", "fffffffffffffffff\r\nhello\r\n0\r\n\r\n"],
  ["a bare line feed after the size", "5\nhello\r\n0\r\n\r\n"],
  ["no line end after the data", "5\r\nhelloX\r\n0\r\n\r\n"],
  ["a chunk extension without end", `5;${"x".repeat(70_000)}\r\nhello\r\n0\r\n\r\n`],
];

export const UPSTREAM_CASES: readonly UpstreamCase[] = [
  {
    number: 4,
    name: "Connection cannot take our fields away",
    request: get("Connection: X-Forwarded-For, X-Forwarded-Proto, X-Forwarded-Host, Host, Sallyport-Assertion\r\n"),
    answer: OK,
    status: "HTTP/1.1 200 ",
    upstreamSees: [
      /^x-forwarded-for: 203\.0\.113\.7$/im,
      /^x-forwarded-proto: http$/im,
      /^x-forwarded-host: happyfeet\.example$/im,
      /^host: happyfeet\.example$/im,
      /^sallyport-assertion: the\.assertion$/im,
    ],
  },
  {
    number: 4,
    name: "what Connection names goes no further, whichever comes first",
    request: get("X-Private: 1\r\nConnection: x-private, X-Later\r\nX-Later: 2\r\nKeep-Alive: 300\r\nX-Other: 3\r\n"),
    answer: OK,
    status: "HTTP/1.1 200 ",
    upstreamSees: [/^x-other: 3$/im],
    upstreamMisses: [/x-private/i, /x-later/i, /keep-alive: /i],
  },
  {
    number: 4,
    name: "Connection cannot take the framing away",
    request: post("Connection: Content-Length, Transfer-Encoding\r\nContent-Length: 5\r\n", "hello"),
    after: "hello",
    answer: OK,
    status: "HTTP/1.1 200 ",
    upstreamSees: [/^content-length: 5$/im],
  },
  {
    number: 5,
    name: "names that servers fold into ours are dropped",
    request: get(
      "X_Forwarded_For: 9.9.9.9\r\nSallyport_Assertion: evil\r\nX.Forwarded.For: 9.9.9.9\r\nSallyport-Tenant: evil\r\nsallyport-assertion: evil\r\nSALLYPORT-Client-Address: 9.9.9.9\r\n",
    ),
    answer: OK,
    status: "HTTP/1.1 200 ",
    upstreamSees: [/^sallyport-assertion: the\.assertion$/im],
    upstreamMisses: [/9\.9\.9\.9/, /evil/, /sallyport-tenant/i],
  },
  {
    number: 5,
    name: "claims about the client and the target are dropped",
    request: get(
      "Forwarded: for=9.9.9.9\r\nX-Real-IP: 9.9.9.9\r\nCF-Connecting-IP: 9.9.9.9\r\nTrue-Client-IP: 9.9.9.9\r\nX-Client-IP: 9.9.9.9\r\nX-Forwarded-For: 9.9.9.9\r\nX-Forwarded-User: evil\r\nX-Original-URL: /evil\r\nX-Rewrite-URL: /evil\r\nProxy: http://evil\r\n",
    ),
    answer: OK,
    status: "HTTP/1.1 200 ",
    upstreamMisses: [/9\.9\.9\.9/, /evil/],
  },
  ...AMBIGUOUS.map(([name, rest]) => ({
    number: 9,
    name,
    request: `POST / HTTP/1.1\r\nHost: happyfeet.example\r\n${rest}`,
    answer: OK,
    status: "HTTP/1.1 400 ",
    requests: 0,
  })),
  {
    number: 9,
    name: "chunks in HTTP/1.0",
    request: `POST / HTTP/1.0\r\nHost: happyfeet.example\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n${SMUGGLED}`,
    answer: OK,
    status: "HTTP/1.1 400 ",
    requests: 0,
  },
  ...BAD_CHUNKS.map(([name, body]) => ({
    number: 9,
    name,
    request: `POST / HTTP/1.1\r\nHost: happyfeet.example\r\nTransfer-Encoding: chunked\r\n\r\n${body}${SMUGGLED}`,
    after: "\r\n0\r\n\r\n",
    answer: OK,
    // 400, and 413 for the extension.
    status: "HTTP/1.1 4",
    upstreamMisses: [/\r\n0\r\n\r\n$/, /smuggled/],
  })),
  {
    number: 12,
    name: "trailers of the request: those that may not be are dropped",
    request: post(
      "Transfer-Encoding: chunked\r\nTrailer: X-Sum, Host, Authorization\r\n",
      "5\r\nhello\r\n0\r\nX-Sum: 1\r\nHost: evil\r\nAuthorization: evil\r\nCookie: evil\r\nSallyport-Assertion: evil\r\nX-Forwarded-For: evil\r\n\r\n",
    ),
    after: "\r\n\r\n",
    answer: OK,
    status: "HTTP/1.1 200 ",
    upstreamSees: [/^trailer: X-Sum$/im, /\r\n0\r\nX-Sum: 1\r\n\r\n$/],
    upstreamMisses: [/evil/, /content-length/i],
  },
  {
    number: 12,
    name: "a length as a trailer",
    request: post("Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\nContent-Length: 9\r\n\r\n"),
    after: "\r\n\r\n",
    answer: OK,
    status: "HTTP/1.1 400 ",
    upstreamMisses: [/content-length/i],
  },
  {
    number: 12,
    name: "trailers of the response: those that may not be are dropped",
    request: get("TE: trailers\r\n"),
    answer:
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum, Set-Cookie\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 1\r\nSet-Cookie: evil\r\nSallyport-X: evil\r\n\r\n",
    status: "HTTP/1.1 200 ",
    upstreamSees: [/^te: trailers$/im],
    clientSees: [/^trailer: X-Sum$/im, /\r\n5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n$/],
    clientMisses: [/evil/, /content-length/i],
  },
  {
    number: 12,
    name: "an expectation without a body",
    request: get("Expect: 100-continue\r\n"),
    answer: OK,
    status: "HTTP/1.1 200 ",
    upstreamMisses: [/expect/i],
  },
  {
    number: 12,
    name: "an expectation in HTTP/1.0",
    request: "POST / HTTP/1.0\r\nHost: happyfeet.example\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello",
    after: "hello",
    answer: OK,
    status: "HTTP/1.1 200 ",
    upstreamMisses: [/expect/i],
  },
  {
    number: 12,
    name: "an expectation that the upstream fulfils",
    request: post("Expect: 100-continue\r\nContent-Length: 5\r\n", "hello"),
    after: "hello",
    answer: "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    status: "HTTP/1.1 100 ",
    clientSees: [/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK\r\n/],
    upstreamSees: [/^expect: 100-continue$/im],
  },
  {
    number: 12,
    name: "an expectation that the upstream declines",
    request: "POST / HTTP/1.1\r\nHost: happyfeet.example\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n",
    after: "\r\n\r\n",
    answer: "HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n",
    status: "HTTP/1.1 413 Too Large",
    clientSees: [/^connection: close$/im],
  },
  {
    number: 14,
    name: "closes without an answer",
    request: post("Content-Length: 5\r\n", "hello"),
    after: "hello",
    answer: "",
    afterwards: "end",
    status: "HTTP/1.1 502 ",
    clientSees: [/application\/problem\+json/, /"reference":"req-1"/],
  },
  {
    number: 14,
    name: "resets without an answer",
    request: get(""),
    answer: "",
    afterwards: "reset",
    status: "HTTP/1.1 502 ",
  },
  {
    number: 14,
    name: "resets in the middle of a body with a length",
    request: get(""),
    answer: "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello",
    afterwards: "reset",
    status: "HTTP/1.1 200 ",
    clientSees: [/^content-length: 100$/im],
  },
  {
    number: 14,
    name: "closes in the middle of a chunked body",
    request: get(""),
    answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
    afterwards: "end",
    status: "HTTP/1.1 200 ",
    clientMisses: [/\r\n0\r\n\r\n$/],
  },
  {
    number: 14,
    name: "sends a megabyte of header fields",
    request: get(""),
    answer: `HTTP/1.1 200 OK\r\n${`X-Filler: ${"x".repeat(1000)}\r\n`.repeat(1000)}\r\n`,
    status: "HTTP/1.1 502 ",
    clientMisses: [/x-filler/i],
  },
  ...(
    [
      ["talks no HTTP", "SSH-2.0-OpenSSH_9.9\r\n\r\n"],
      ["sends two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok!"],
      [
        "sends a length and chunks",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      ],
      [
        "sends a coding that cannot be passed on",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
      ],
      ["switches protocols unasked", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n"],
      ["injects a line", "HTTP/1.1 200 OK\r\nX-A: 1\rX-B: 2\r\nContent-Length: 2\r\n\r\nok"],
    ] as const
  ).map(([name, answer]) => ({ number: 14, name, request: get(""), answer, status: "HTTP/1.1 502 " })),
  {
    number: 14,
    name: "plants our cookies, speaks in our name, and speaks of its connection",
    request: get(""),
    answer:
      'HTTP/1.1 200 OK\r\nConnection: X-Hop\r\nX-Hop: evil\r\nKeep-Alive: timeout=99\r\nSet-Cookie: a=b; Path=/\r\nSet-Cookie: __Host-sallyport=evil; Secure\r\nSet-Cookie: =sallyport=evil\r\nset-cookie: c=d\r\nSallyport-Assertion: evil\r\nAlt-Svc: h3=":443"\r\nContent-Length: 2\r\n\r\nok',
    status: "HTTP/1.1 200 ",
    clientSees: [/^Set-Cookie: a=b; Path=\/\r\nset-cookie: c=d\r$/m],
    clientMisses: [/evil/, /timeout=99/, /alt-svc/i],
  },
  {
    number: 15,
    name: "HEAD",
    request: "HEAD / HTTP/1.1\r\nHost: happyfeet.example\r\nConnection: close\r\n\r\n",
    answer: 'HTTP/1.1 200 OK\r\nContent-Length: 1234\r\nETag: "x"\r\n\r\n',
    status: "HTTP/1.1 200 OK",
    clientSees: [/^content-length: 1234$/im, /^etag: "x"$/im, /\r\n\r\n$/],
  },
  {
    number: 15,
    name: "204",
    request: get(""),
    answer: "HTTP/1.1 204 No Content\r\nX-A: 1\r\n\r\n",
    status: "HTTP/1.1 204 No Content",
    clientSees: [/^x-a: 1$/im, /\r\n\r\n$/],
    clientMisses: [/transfer-encoding/i, /content-length/i],
  },
  {
    number: 15,
    name: "205",
    request: get(""),
    answer: "HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n",
    status: "HTTP/1.1 205 Reset Content",
    clientSees: [/^content-length: 0$/im, /\r\n\r\n$/],
  },
  {
    number: 15,
    name: "304 with the length of what it stands for",
    request: get('If-None-Match: "x"\r\n'),
    answer: 'HTTP/1.1 304 Not Modified\r\nETag: "x"\r\nContent-Length: 1234\r\n\r\n',
    status: "HTTP/1.1 304 Not Modified",
    upstreamSees: [/^if-none-match: "x"$/im],
    clientSees: [/^content-length: 1234$/im, /\r\n\r\n$/],
  },
  {
    number: 15,
    name: "103 goes before the answer",
    request: get(""),
    answer: `HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\nLink: </b.css>; rel=preload\r\nSallyport-X: evil\r\n\r\n${OK}`,
    status: "HTTP/1.1 103 Early Hints",
    clientSees: [
      /^HTTP\/1\.1 103 Early Hints\r\nLink: <\/a\.css>; rel=preload\r\nLink: <\/b\.css>; rel=preload\r\n\r\nHTTP\/1\.1 200 OK\r\n/,
    ],
    clientMisses: [/evil/],
  },
  {
    number: 15,
    name: "103 is not for HTTP/1.0",
    request: "GET / HTTP/1.0\r\nHost: happyfeet.example\r\n\r\n",
    answer: `HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n${OK}`,
    status: "HTTP/1.1 200 OK",
  },
  {
    number: 15,
    name: "the content's coding is not touched",
    request: get("Accept-Encoding: br;q=1.0, gzip\r\n"),
    answer: "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\xfe\x8b\xa0\xff",
    status: "HTTP/1.1 200 OK",
    upstreamSees: [/^accept-encoding: br;q=1\.0, gzip$/im],
    clientSees: [/^content-encoding: gzip$/im, /\r\n\r\n\xfe\x8b\xa0\xff$/],
  },
  {
    number: 15,
    name: "a body that ends with the connection becomes chunks",
    request: get(""),
    answer: "HTTP/1.1 200 OK\r\n\r\nhello",
    afterwards: "end",
    status: "HTTP/1.1 200 OK",
    clientSees: [/^transfer-encoding: chunked$/im, /\r\n5\r\nhello\r\n0\r\n\r\n$/],
  },
  {
    number: 15,
    name: "chunks for HTTP/1.0 end with the connection",
    request: "GET / HTTP/1.0\r\nHost: happyfeet.example\r\n\r\n",
    answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    status: "HTTP/1.1 200 OK",
    clientSees: [/^connection: close$/im, /\r\n\r\nhello$/],
    clientMisses: [/transfer-encoding/i],
  },
  {
    number: 15,
    name: "GET with a body",
    request: "GET / HTTP/1.1\r\nHost: happyfeet.example\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello",
    after: "hello",
    answer: OK,
    status: "HTTP/1.1 200 OK",
    upstreamSees: [/^content-length: 5$/im, /\r\n\r\nhello$/],
  },
  {
    number: 15,
    name: "GET without a body is sent without framing",
    request: get(""),
    answer: OK,
    status: "HTTP/1.1 200 OK",
    upstreamMisses: [/content-length/i, /transfer-encoding/i],
  },
  {
    number: 15,
    name: "an unusual method with a chunked body",
    request:
      "PROPPATCH /dav HTTP/1.1\r\nHost: happyfeet.example\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    after: "0\r\n\r\n",
    answer: OK,
    status: "HTTP/1.1 200 OK",
    upstreamSees: [/^PROPPATCH \/dav HTTP\/1\.1\r\n/, /^transfer-encoding: chunked$/im, /\r\n5\r\nhello\r\n0\r\n\r\n$/],
    upstreamMisses: [/content-length/i],
  },
  {
    number: 15,
    name: "an empty POST",
    request: post("Content-Length: 0\r\n", ""),
    answer: OK,
    status: "HTTP/1.1 200 OK",
    upstreamSees: [/^content-length: 0$/im],
  },
  {
    number: 15,
    name: "the target, the names' case, the fields' order and doubled fields stay as they are",
    request:
      'GET /a%2e%2e//b;c?d=%00&e=~ HTTP/1.1\r\nHost: happyfeet.example\r\nX-B: 1\r\nx-a: 2\r\nX-B: 3\r\nCookie: a="b; c"; sallyport=secret; d=e%20\r\nAuthorization: Basic x\r\nConnection: close\r\n\r\n',
    answer: OK,
    status: "HTTP/1.1 200 OK",
    upstreamSees: [
      /^GET \/a%2e%2e\/\/b;c\?d=%00&e=~ HTTP\/1\.1\r\n/,
      /\r\nX-B: 1\r\nx-a: 2\r\nX-B: 3\r\nCookie: a="b; c"; d=e%20\r\nAuthorization: Basic x\r\n/,
    ],
    upstreamMisses: [/secret/],
  },
  {
    number: 15,
    name: "a reason phrase and a status of the upstream's own",
    request: get(""),
    answer: "HTTP/1.1 299 Gl\xfccklich\r\nContent-Length: 2\r\n\r\nok",
    status: "HTTP/1.1 299 ",
    clientSees: [/\r\n\r\nok$/],
  },
];
