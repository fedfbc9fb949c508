/** The reader of plain requests: what it takes, Node's parser reads the same way; what it leaves. */
import fc from "fast-check";
import t from "tap";
import { PlainReader } from "../../src/edge/plain-request.ts";
import { readByNode } from "../support/read-by-node.ts";

const latin1 = (text: string): Buffer => Buffer.from(text, "latin1");
const HOST = "Host: clinic.example\r\n";

t.test("what it takes", async (t) => {
  const reader = new PlainReader();
  const request = reader.read(
    latin1(`GET /a?b=%2f HTTP/1.1\r\n${HOST}Accept: text/html\r\nX-Empty:\r\naccept: *\r\n\r\n`),
  );
  t.match(request, { method: "GET", url: "/a?b=%2f", httpVersionMajor: 1, httpVersionMinor: 1, closes: false });
  t.strictSame(request?.rawHeaders, [
    ...["Host", "clinic.example", "Accept", "text/html"],
    ...["X-Empty", "", "accept", "*"],
  ]);
  t.match(request?.headers, { accept: "text/html, *", host: "clinic.example" });
  t.equal(reader.read(latin1(`HEAD / HTTP/1.1\r\n${HOST}Connection: Close\r\n\r\n`))?.closes, true);
  const again = reader.read(latin1(`HEAD / HTTP/1.1\r\n${HOST}Connection: keep-alive\r\n\r\n`));
  t.equal(again?.closes, false, "the fields before do not count");
  t.equal(reader.read(latin1(`GET /other HTTP/1.1\r\n${HOST}Connection: keep-alive\r\n\r\n`))?.url, "/other");
});

t.test("bodies that it takes", async (t) => {
  const read = (method: string, fields: string, body = "") =>
    new PlainReader().read(latin1(`${method} / HTTP/1.1\r\n${HOST}${fields}\r\n${body}`));
  for (const method of ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"]) {
    t.match(read(method, ""), { method, body: undefined, missing: 0 }, "no length: no body");
    t.match(read(method, "Content-Length: 0\r\n"), { method, body: undefined, missing: 0 });
    t.strictSame(read(method, "Content-Length: 4\r\n", "\r\n\r\n")?.body, latin1("\r\n\r\n"));
  }
  t.match(read("POST", "content-length:5\r\n", "abc"), { body: undefined, missing: 2 });
  t.match(read("POST", "Content-Length: 65536\r\n"), { body: undefined, missing: 65_536 });
  const long = "x".repeat(60_000);
  t.strictSame(read("POST", "Content-Length: 60000\r\n", long)?.body, latin1(long));
  const reader = new PlainReader();
  const twice = [5, 5].map((length) =>
    latin1(`POST / HTTP/1.1\r\n${HOST}Content-Length: 5\r\n\r\n${"a".repeat(length)}`),
  );
  t.strictSame(
    twice.map((bytes) => reader.read(bytes)?.body?.length),
    [5, 5],
    "the same fields again",
  );
});

t.test("what it leaves to Node", async (t) => {
  const left = [
    ...["", "\r\n\r\n", "GET / HTTP/1.1\r\n\r\n", `GET / HTTP/1.1\r\n${HOST}`, `GET / HTTP/1.1\r\n${HOST}\r`],
    ...["get", "CONNECT", "TRACE", "PROPFIND", "POSTS"].map((method) => `${method} / HTTP/1.1\r\n${HOST}\r\n`),
    ...["/ HTTP/1.0", "/ HTTP/1.2", "/ HTTP/2.0", "/", " / HTTP/1.1", "/ HTTP/1.1 ", "/ http/1.1", "/\tHTTP/1.1"].map(
      (line) => `GET ${line}\r\n${HOST}\r\n`,
    ),
    ...["*", "http://clinic.example/", "clinic.example:443", "/a b", "/\x80", "/\x7f", "/\0", ""].map(
      (target) => `GET ${target} HTTP/1.1\r\n${HOST}\r\n`,
    ),
    ...["Content-Length: 0", "Content-Length: 5", "content-length:0", "Transfer-Encoding: chunked", "TE: trailers"],
    ...["Trailer: a", "Expect: 100-continue", "Upgrade: websocket", "Connection: Upgrade", "Connection: x-a, close"],
    ...["Connection:", "A : b", " A: b", "A: b\rc", "A: b\nc", "A: \0", "A: \x80", "A: \x7f", "A", ":b", "A:b\r\n c"],
  ].map((text) => (text === "" || /\r\n|^GET/.test(text) ? text : `GET / HTTP/1.1\r\n${HOST}${text}\r\n\r\n`));
  const plain = `GET / HTTP/1.1\r\n${HOST}\r\n`;
  left.push(`${plain}x`, plain + plain, `\r\n${plain}`, `GET / HTTP/1.1\n${HOST}\r\n`, `GET / HTTP/1.1\r\n${HOST}\n`);
  left.push(`GET / HTTP/1.1\r\n${HOST}A: ${"a".repeat(9_000)}\r\n\r\n`);
  const lengths = ["+1", "01", "1,1", "1, 1", "1\r\nContent-Length: 1", "0x1", "1_0", "", "1 1", "-1", "1.0", "1e0"];
  const post = (length: string, body: string) => `POST / HTTP/1.1\r\n${HOST}Content-Length: ${length}\r\n\r\n${body}`;
  for (const length of lengths) left.push(post(length, "x"));
  left.push(
    post("1", "xy"),
    post("0", "x"),
    post("0", plain),
    post("1", `x${plain}`),
    post("65537", ""),
    post("99999", ""),
  );
  left.push(post("1\r\nTransfer-Encoding: chunked", "x"), post("1\r\nExpect: 100-continue", ""));
  left.push(`POST / HTTP/1.1\r\n${HOST}\r\nx`);
  for (const text of left) t.equal(new PlainReader().read(latin1(text)), undefined, JSON.stringify(text).slice(0, 80));
  t.ok(new PlainReader().read(latin1(plain)), "beside the one that it takes");
});

const PIECES = [
  ...[
    "GET ",
    "HEAD ",
    "POST ",
    "/",
    "/a",
    "?b=c",
    "%00",
    " HTTP/1.1\r\n",
    " HTTP/1.0\r\n",
    "\r\n",
    "\r\n\r\n",
    "\n",
    "\r",
  ],
  ...[
    "Host: a\r\n",
    "A: b\r\n",
    "A:b \t\r\n",
    "A:\r\n",
    "Cookie: a=b; c=d\r\n",
    "Connection: close\r\n",
    "Connection: ",
  ],
  ...[
    "keep-alive\r\n",
    "Content-Length: 0\r\n",
    "Content-Length: 1\r\n",
    "Content-Length: 6\r\n",
    "Content-Length: 06\r\n",
    "Transfer-Encoding: chunked\r\n",
    "Upgrade: x\r\n",
  ],
  ...[" ", "\t", ":", ",", "\0", "\x7f", "\x80", "é", "x_y", "_: 1\r\n", "A@: 1\r\n", "0\r\n\r\n"],
];

t.test("Node's parser reads what it takes as the same one request", async (t) => {
  const loose = fc.array(fc.constantFrom(...PIECES), { maxLength: 12 }).map((pieces) => pieces.join(""));
  const fields = fc.array(fc.constantFrom(...PIECES.filter((piece) => piece.endsWith("\r\n"))), { maxLength: 5 });
  const shaped = fc
    .tuple(
      fc.constantFrom("GET", "HEAD", "POST", "DELETE", "OPTIONS"),
      fc.string({ unit: "grapheme-ascii", maxLength: 8 }),
      fields,
      loose,
    )
    .map(([method, path, lines, tail]) => `${method} /${path} HTTP/1.1\r\nHost: a\r\n${lines.join("")}\r\n${tail}`);
  const bare = shaped.map((text) => text.slice(0, text.indexOf("\r\n\r\n") + 4));
  let taken = 0;
  let withBody = 0;
  await fc.assert(
    fc.asyncProperty(fc.oneof(loose, shaped, bare), async (text) => {
      const own = new PlainReader().read(latin1(text));
      // Chunks have a test of their own.
      if (own === undefined || own.chunks !== undefined) return;
      taken += 1;
      const { method, url, rawHeaders } = own;
      // What is missing, then what would be the next request.
      const rest = "x".repeat(own.missing);
      const body = text.slice(own.bodyStart) + rest;
      if (body !== "") withBody += 1;
      t.strictSame(
        await readByNode(latin1(text + rest)),
        [{ method, url, rawHeaders, body, trailers: [], whole: true }],
        JSON.stringify(text),
      );
    }),
    { numRuns: 6_000 },
  );
  t.ok(taken > 300, `${taken} taken`);
  t.ok(withBody > 20, `${withBody} of them with a body`);
});
