/** The strict reading of host names. */
import fc from "fast-check";
import t from "tap";
import { canonicalHost, parseAuthority } from "../../src/core/host.ts";

t.test("one spelling for each host", async (t) => {
  const rows: [string, string][] = [
    ["happyfeet.example", "happyfeet.example"],
    ["HappyFeet.Example", "happyfeet.example"],
    ["happyfeet.example.", "happyfeet.example"],
    ["happyfeet.example:8080", "happyfeet.example"],
    ["HAPPYFEET.example.:443", "happyfeet.example"],
    ["localhost", "localhost"],
    ["xn--bcher-kva.example", "xn--bcher-kva.example"],
    ["3com.example", "3com.example"],
    ["127.0.0.1:80", "127.0.0.1"],
    ["[::1]", "[::1]"],
    ["[2001:DB8:0:0::1]:8443", "[2001:db8::1]"],
    [`${"a".repeat(63)}.example`, `${"a".repeat(63)}.example`],
  ];
  for (const [text, host] of rows) t.equal(canonicalHost(text), host, JSON.stringify(text));
});

t.test("anything else is refused", async (t) => {
  const refused = [
    ...["", ".", "..", "a..b", ".a", "a.b..", "-a.example", "a-.example", `${"a".repeat(64)}.example`],
    ...[`${"a.".repeat(127)}a`, "a_b.example", "a b", " a", "a ", "a\t", "a,b", "a, b", "user@a", "user:pw@a"],
    ...["a:", "a:0", "a:080", "a:65536", "a:99999", "a:-1", "a:8o", "a:80:80", "a/b", "a?b", "a#b", "a\\b", "a%2eb"],
    ...[
      "http://a",
      "bücher.example",
      "\u212aelvin.example",
      "a\u00a0",
      "a\0",
      "a\r\nb",
      "１.example",
      "*",
      "*.example",
    ],
    ...["1.2.3.4.", "010.0.0.1", "0x7f.1", "2130706433", "10.1", "1.2.3.4.5", "256.1.1.1", "a.0x1", "example.1"],
    ...["::1", "[::1", "::1]", "[fe80::1%eth0]", "[::ffff:1.2.3.4]", "[1.2.3.4]", "[]", "[v1.a]", "[::1].", "[::1]a"],
  ];
  for (const text of refused) t.equal(canonicalHost(text), undefined, JSON.stringify(text));
});

t.test("the port is kept as a number", async (t) => {
  t.same(parseAuthority("a:1"), { host: "a", port: 1 });
  t.same(parseAuthority("a:65535"), { host: "a", port: 65_535 });
  t.same(parseAuthority("a"), { host: "a", port: undefined });
});

t.test("never throws, and what it gives it takes back unchanged", async () => {
  const text = fc.oneof(fc.string(), fc.domain(), fc.ipV6(), fc.stringMatching(/^[A-Za-z0-9.:[\]-]{1,40}$/));
  fc.assert(
    fc.property(text, (each) => {
      const host = canonicalHost(each);
      return host === undefined || (canonicalHost(host) === host && /^[a-z0-9.:[\]-]+$/.test(host));
    }),
    { numRuns: 5_000 },
  );
});
