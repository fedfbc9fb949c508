/** The PROXY header, byte by byte. */
import fc from "fast-check";
import t from "tap";
import { parseProxyHeader } from "../../src/edge/proxy-protocol.ts";
import { proxyV2 } from "../support/proxy-header.ts";

const latin1 = (text: string) => Buffer.from(text, "latin1");

function sourceOf(bytes: Buffer): string {
  const header = parseProxyHeader(bytes);
  return header.state === "complete" ? (header.source?.text ?? "socket") : header.state;
}

t.test("version 1", async (t) => {
  const longest = "PROXY TCP6 ffff:f:f:f:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n";
  const rows: [string, string][] = [
    ["PROXY TCP4 203.0.113.7 192.0.2.1 56324 443\r\n", "203.0.113.7"],
    ["PROXY TCP4 203.0.113.7 192.0.2.1 0 65535\r\nGET / HTTP/1.1\r\n", "203.0.113.7"],
    ["PROXY TCP6 2001:db8::7 2001:db8::1 56324 443\r\n", "2001:db8::7"],
    ["PROXY TCP6 ::ffff:203.0.113.7 ::ffff:192.0.2.1 56324 443\r\n", "203.0.113.7"],
    [longest, "ffff:f:f:f:ffff:ffff:ffff:ffff"],
    ["PROXY UNKNOWN\r\n", "socket"],
    [
      "PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n",
      "socket",
    ],
    ["", "incomplete"],
    ["PRO", "incomplete"],
    ["PROXY TCP4 203.0.113.7 192.0.2.1 56324 443\r", "incomplete"],
    ["GET / HTTP/1.1\r\n", "invalid"],
    ["proxy TCP4 203.0.113.7 192.0.2.1 56324 443\r\n", "invalid"],
    ["PROXY  TCP4 203.0.113.7 192.0.2.1 56324 443\r\n", "invalid"],
    ["PROXY TCP4 203.0.113.7 192.0.2.1 56324 443 \r\n", "invalid"],
    ["PROXY TCP4 203.0.113.7 192.0.2.1 56324\r\n", "invalid"],
    ["PROXY TCP4 203.0.113.7 192.0.2.1 56324 65536\r\n", "invalid"],
    ["PROXY TCP4 203.0.113.7 192.0.2.1 056 443\r\n", "invalid"],
    ["PROXY TCP4 203.0.113.007 192.0.2.1 56324 443\r\n", "invalid"],
    ["PROXY TCP4 2001:db8::7 2001:db8::1 56324 443\r\n", "invalid"],
    ["PROXY TCP6 203.0.113.7 192.0.2.1 56324 443\r\n", "invalid"],
    ["PROXY TCP4 203.0.113.7 300.0.2.1 56324 443\r\n", "invalid"],
    ["PROXY UDP4 203.0.113.7 192.0.2.1 56324 443\r\n", "invalid"],
    ["PROXY TCP4 203.0.113.7 192.0.2.1 56324 443\n", "incomplete"],
    [`PROXY UNKNOWN ${"x".repeat(100)}`, "invalid"],
    [`PROXY UNKNOWN ${"x".repeat(92)}\r\n`, "invalid"],
    [`PROXY UNKNOWN ${"x".repeat(91)}\r\n`, "socket"],
  ];
  for (const [text, outcome] of rows) t.equal(sourceOf(latin1(text)), outcome, JSON.stringify(text.slice(0, 60)));
});

t.test("version 2", async (t) => {
  const tcp4 = proxyV2({ source: "203.0.113.7" });
  const rows: [string, Buffer, string][] = [
    ["IPv4", tcp4, "203.0.113.7"],
    ["IPv4 with what follows", Buffer.concat([tcp4, latin1("GET /")]), "203.0.113.7"],
    ["IPv6", proxyV2({ source: "2001:db8::7" }), "2001:db8::7"],
    ["mapped IPv4", proxyV2({ source: "::ffff:203.0.113.7" }), "203.0.113.7"],
    ["TLVs", proxyV2({ source: "203.0.113.7", tlvs: latin1("\x04\x00\x02ab\x05\x00\x00") }), "203.0.113.7"],
    ["LOCAL", proxyV2({ command: 0x20, transport: 0, block: Buffer.alloc(0) }), "socket"],
    ["LOCAL with addresses", proxyV2({ command: 0x20, source: "203.0.113.7" }), "socket"],
    ["unspecified", proxyV2({ transport: 0, block: latin1("abc") }), "socket"],
    ["an unknown command", proxyV2({ command: 0x22, source: "203.0.113.7" }), "invalid"],
    ["another version", proxyV2({ command: 0x11, source: "203.0.113.7" }), "invalid"],
    ["UDP", proxyV2({ transport: 0x12, source: "203.0.113.7" }), "invalid"],
    ["a Unix socket", proxyV2({ transport: 0x31, block: Buffer.alloc(216) }), "invalid"],
    ["a block too short", proxyV2({ transport: 0x11, block: Buffer.alloc(11) }), "invalid"],
    ["a TLV that overruns", proxyV2({ source: "203.0.113.7", tlvs: latin1("\x04\x00\x09ab") }), "invalid"],
    ["half a TLV", proxyV2({ source: "203.0.113.7", tlvs: latin1("\x04") }), "invalid"],
    ["too long", proxyV2({ transport: 0x11, block: Buffer.alloc(4097) }), "invalid"],
    ["a wrong signature", Buffer.concat([latin1("\r\n\r\n\0\r\nQUIT\r"), tcp4.subarray(12)]), "invalid"],
  ];
  for (const [name, bytes, outcome] of rows) t.equal(sourceOf(bytes), outcome, name);
  for (let length = 0; length < tcp4.length; length++) {
    t.equal(sourceOf(tcp4.subarray(0, length)), "incomplete", `${length} bytes of a header`);
  }
});

t.test("the length is that of the header alone", async (t) => {
  for (const header of [latin1("PROXY UNKNOWN\r\n"), proxyV2({ source: "2001:db8::7" })]) {
    t.match(parseProxyHeader(Buffer.concat([header, latin1("\r\nmore")])), {
      state: "complete",
      length: header.length,
    });
  }
});

t.test("never throws, and never changes its mind when more arrives", async () => {
  const beginning = fc.constantFrom(
    latin1(""),
    latin1("PROXY "),
    latin1("PROXY TCP4 1.2.3.4 "),
    proxyV2({ source: "1.2.3.4" }),
  );
  fc.assert(
    fc.property(beginning, fc.uint8Array({ maxLength: 60 }), fc.nat(60), (start, rest, cut) => {
      const whole = Buffer.concat([start, rest]);
      const part = parseProxyHeader(whole.subarray(0, cut));
      return part.state === "incomplete" || part.state === parseProxyHeader(whole).state;
    }),
    { numRuns: 3_000 },
  );
});
