/** Trailers that may not be: gone before Node's parser reads them, and nothing else is. */
import fc from "fast-check";
import t from "tap";
import { withoutBarredTrailers } from "../../src/edge/request-trailers.ts";
import { readByNode } from "../support/read-by-node.ts";

const HEAD = "POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
const filtered = (text: string): string => withoutBarredTrailers(Buffer.from(text, "latin1")).toString("latin1");

t.test("what goes, and what stays", (t) => {
  const barred = "Content-Length: 1\r\nHost: b\r\ntransfer-encoding:x\r\nAuthorization: c\r\nSallyport-User: d\r\n";
  t.equal(filtered(`${HEAD}5\r\nhello\r\n0\r\n${barred}\r\n`), `${HEAD}5\r\nhello\r\n0\r\n\r\n`);
  t.equal(filtered(`${HEAD}0\r\nX-Sum: 1\r\n${barred}\r\n`), `${HEAD}0\r\nX-Sum: 1\r\n\r\n`);
  t.equal(
    filtered(`${HEAD}A\r\n0\r\nHost: b\r\n00\r\n${barred}\r\n`),
    `${HEAD}A\r\n0\r\nHost: b\r\n00\r\n\r\n`,
    "not in data",
  );
  const trailers = `0\r\n${barred}\r\n`;
  const untouched = [
    `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${trailers.length}\r\n\r\n${trailers}`,
    `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n${trailers}`,
    `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n${trailers}`,
    `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n${trailers}`,
    `\r\n${HEAD}${trailers}`,
    ...["1\r\nab\r\n", "1;a=b\r\na\r\n", "g\r\n", "-1\r\n", "ffffff\r\n", "1\na\r\n", " 1\r\na\r\n"].map(
      (chunk) => HEAD + chunk + trailers,
    ),
    ...["Host : b\r\n", "Host\r\n", " Host: b\r\n", "Host: \x80\r\n", "Host: b\n"].map(
      (line) => `${HEAD}0\r\n${line}\r\n`,
    ),
    `${HEAD}${trailers}GET / HTTP/1.1\r\n\r\n`,
    `${HEAD}${trailers.slice(0, -1)}`,
    `${HEAD}0\r\n\r\n`,
    "",
  ];
  for (const text of untouched) t.equal(filtered(text), text, JSON.stringify(text));
  t.end();
});

const CHUNKS = [
  "5\r\nhello\r\n",
  "0\r\n",
  "a\r\nContent-Le\r\n",
  "1\r\n\n\r\n",
  "\r\n",
  "2\r\nx\r\n",
  "g\r\n",
  "00\r\n",
  "1;x\r\na\r\n",
];
const FIELDS = [
  "Content-Length: 5\r\n",
  "Host: b\r\n",
  "X-Sum: 1\r\n",
  "Connection: close\r\n",
  "A:\r\n",
  "x\r\n",
  "\r\n",
  "A : b\r\n",
];
const CODING = "Transfer-Encoding: chunked\r\n";

t.test("Node's parser reads the rest as it was", async (t) => {
  const pieces = (from: string[]) => fc.array(fc.constantFrom(...from), { maxLength: 4 }).map((each) => each.join(""));
  const requests = fc
    .tuple(pieces([...FIELDS, CODING]), fc.constantFrom(CODING, ""), pieces(CHUNKS), pieces(FIELDS))
    .map(
      ([fields, coding, chunks, trailers]) =>
        `POST / HTTP/1.1\r\nHost: a\r\n${fields}${coding}\r\n${chunks}0\r\n${trailers}\r\n`,
    );
  let changed = 0;
  await fc.assert(
    fc.asyncProperty(requests, async (text) => {
      const after = filtered(text);
      if (after === text) return;
      changed += 1;
      const [bare] = await readByNode(Buffer.from(`${text.slice(0, firstDifference(text, after))}\r\n`, "latin1"));
      const read = await readByNode(Buffer.from(after, "latin1"));
      t.match(read, [{ whole: true }], JSON.stringify(text));
      t.notMatch(read[0]?.trailers.join(), /host|content-length|connection/i);
      if (bare !== undefined)
        t.match(read, [{ method: bare.method, rawHeaders: bare.rawHeaders, body: bare.body }], JSON.stringify(text));
    }),
    { numRuns: 10_000 },
  );
  t.ok(changed > 50, `${changed} changed`);
});

function firstDifference(one: string, other: string): number {
  let at = 0;
  while (one[at] === other[at]) at += 1;
  return one.lastIndexOf("\r\n", at) + 2;
}
