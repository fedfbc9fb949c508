import { isIP } from "node:net";
import fc from "fast-check";
import ipaddr from "ipaddr.js";
import t from "tap";
import {
  type Address,
  formatAddress,
  formatPrefix,
  isBroad,
  networkOf,
  type Prefix,
  parseAddress,
  parsePrefix,
  prefixContains,
} from "../../src/core/address.ts";
import { SallyportError } from "../../src/core/errors.ts";
import { addressTexts } from "../support/arbitrary-addresses.ts";

function address(text: string): Address {
  const parsed = parseAddress(text);
  if (parsed === undefined) throw new Error(`${text} was refused`);
  return parsed;
}

/** What `net.isIP` takes for an address, less the zone ids that we refuse. */
function isAddress(text: string): boolean {
  return isIP(text) > 0 && !text.includes("%");
}

t.test("accepts exactly what net.isIP accepts, less zone ids", (t) => {
  const nearAddress = fc.string({ unit: fc.constantFrom(..."0123456789abcdefAF:.:.%/xg ٣１"), maxLength: 24 });
  const mutated = fc
    .tuple(addressTexts, fc.nat(), fc.constantFrom("", ":", "::", ".", "0", "f", "256", "g", " ", "%1", "٣"))
    .map(([text, at, insert]) => {
      const i = at % (text.length + 1);
      return text.slice(0, i) + insert + text.slice(i + (at % 3));
    });
  const texts = fc.oneof(addressTexts, nearAddress, mutated, fc.ipV4(), fc.ipV6(), fc.ipV4Extended(), fc.string());
  fc.assert(
    fc.property(texts, (text) => (parseAddress(text) !== undefined) === isAddress(text)),
    { numRuns: 30_000 },
  );
  t.end();
});

t.test("takes no code unit for a digit or a separator that is none, wherever it stands", (t) => {
  const wrong: string[] = [];
  for (let code = 0; code <= 0xffff; code++) {
    const unit = String.fromCharCode(code);
    for (const text of [`${unit}.2.3.4`, `1.2${unit}3.4`, `${unit}::1`, `2001:db${unit}8::1`, `::1:2${unit}`]) {
      if ((parseAddress(text) !== undefined) !== isAddress(text)) wrong.push(text);
    }
  }
  t.strictSame(wrong, []);
  t.end();
});

/** Without `::192.0.2.1` (IPv4-compatible, not mapped: RFC 4291 section 2.5.5.1), which ipaddr.js takes for mapped. */
const readByBoth = addressTexts.filter((text) => !/^::[0-9]+\./.test(text));

t.test("writes the canonical form that ipaddr.js writes", (t) => {
  fc.assert(
    fc.property(readByBoth, (text) => {
      const expected = ipaddr.process(text).toString();
      const parsed = address(text);
      return parsed.text === expected && address(expected).text === expected && formatAddress(parsed) === expected;
    }),
    { numRuns: 10_000 },
  );
  t.end();
});

t.test("puts the words where the bytes are", (t) => {
  fc.assert(
    fc.property(readByBoth, (text) => {
      const { family, a, b, c, d } = address(text);
      const bytes = ipaddr.process(text).toByteArray();
      const buffer = Buffer.alloc(16);
      [a, b, c, d].forEach((word, i) => {
        buffer.writeInt32BE(word, i * 4);
      });
      return family === (bytes.length === 4 ? 4 : 6) && Buffer.from(bytes).equals(buffer.subarray(0, bytes.length));
    }),
  );
  t.end();
});

t.test("RFC 5952 and mapped addresses", (t) => {
  const canonical: [string, string][] = [
    ["2001:DB8::0001", "2001:db8::1"],
    ["2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
    ["2001:0:0:1:0:0:0:1", "2001:0:0:1::1"],
    ["0:0:0:0:0:0:0:0", "::"],
    ["1:0:0:0:0:0:0:0", "1::"],
    ["1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"],
    ["::192.0.2.1", "::c000:201"],
    ["64:ff9b::192.0.2.1", "64:ff9b::c000:201"],
    ["::ffff:192.0.2.1", "192.0.2.1"],
    ["::FFFF:c000:0201", "192.0.2.1"],
    ["0:0:0:0:0:ffff:255.255.255.255", "255.255.255.255"],
    ["::ffff:0:192.0.2.1", "::ffff:0:c000:201"],
  ];
  for (const [text, expected] of canonical) t.equal(address(text).text, expected, text);
  t.equal(address("::ffff:192.0.2.1").family, 4);
  t.end();
});

t.test("a long or hostile text is refused, never thrown at", (t) => {
  for (const text of ["", ":", "::1".repeat(1e5), "1".repeat(1e6), "f:".repeat(1e5), "\0", "\ud800", "::\ud800"]) {
    t.equal(parseAddress(text), undefined);
  }
  t.end();
});

t.test("prefixes come back canonical", (t) => {
  const accepted: [string, string][] = [
    ["203.0.113.7", "203.0.113.7/32"],
    ["2001:DB8::7", "2001:db8::7/128"],
    ["10.0.0.0/8", "10.0.0.0/8"],
    ["0.0.0.0/0", "0.0.0.0/0"],
    ["128.0.0.0/1", "128.0.0.0/1"],
    ["::/0", "::/0"],
    ["::/80", "::/80"],
    ["2001:DB8::/32", "2001:db8::/32"],
    ["2001:db8::/127", "2001:db8::/127"],
    ["::ffff:10.0.0.0/104", "10.0.0.0/8"],
    ["::ffff:a00:0/104", "10.0.0.0/8"],
    ["::ffff:0:0/96", "0.0.0.0/0"],
    ["::ffff:203.0.113.7", "203.0.113.7/32"],
    ["::ffff:203.0.113.7/128", "203.0.113.7/32"],
  ];
  for (const [text, expected] of accepted) t.equal(formatPrefix(parsePrefix(text)), expected, text);
  t.end();
});

t.test("a refused prefix says what to write instead", (t) => {
  const refused: [string, string][] = [
    ["", "no address"],
    ["/24", "no address"],
    ["010.0.0.1", "write 10.0.0.1"],
    ["10.0.0.01/32", "write 10.0.0.1"],
    ["0x7f.1", "such as 127.0.0.1"],
    ["2130706433", "such as 127.0.0.1"],
    ["10.1", "such as 10.0.0.1"],
    ["256.0.0.1", "256 is more than 255"],
    ["1.2.3.4/024", "write /24"],
    ["1.2.3.4/ 24", "write /24"],
    ["1.2.3.4/24 ", "write /24"],
    ["1.2.3.4/+24", "from 0 to 32"],
    ["1.2.3.4/-1", "from 0 to 32"],
    ["1.2.3.4/33", "from 0 to 32"],
    ["1.2.3.4/", "from 0 to 32"],
    ["1.2.3.4/٢٤", "from 0 to 32"],
    ["1.2.3.4/24/24", "from 0 to 32"],
    ["1.2.3.4/255.255.255.0", "from 0 to 32"],
    ["1.2.3.4/0x18", "from 0 to 32"],
    ["1.2.3.4/2e1", "from 0 to 32"],
    ["::1/129", "from 0 to 128"],
    ["fe80::1%eth0", "write fe80::1 without it"],
    ["fe80::1%eth0/64", "zone id"],
    ["10.0.0.1/8", "write 10.0.0.0/8 for the network, or 10.0.0.1"],
    ["2001:db8::1/64", "write 2001:db8::/64 for the network, or 2001:db8::1"],
    ["::ffff:10.0.0.1/104", "write 10.0.0.0/8"],
    ["::ffff:0:0/95", "a length of 96 to 128"],
    ["::ffff:10.0.0.0/8", "a length of 96 to 128"],
    ["٣.2.3.4", "U+0663"],
    ["１.2.3.4", "such as 1.2.3.4"],
    ["\u00a01.2.3.4", "such as 1.2.3.4"],
    ["\ufeff1.2.3.4", "such as 1.2.3.4"],
    ["1.2.3.4\0", "such as 1.2.3.4"],
    [" 1.2.3.4", "such as 1.2.3.4"],
    ["1.2.3.4\n", "such as 1.2.3.4"],
    ["[2001:db8::1]", "write 2001:db8::1"],
    ["[2001:db8::1]:443", "write 2001:db8::1"],
    ["1.2.3.4:443", "write 1.2.3.4"],
    ["1:2:3:4:5:6:7:8:9", "not an IPv6 address"],
    ["1:2:3:4:5:6:7", "not an IPv6 address"],
    ["1:::2", "not an IPv6 address"],
    ["1::2::3", "not an IPv6 address"],
    ["::1.2.3", "not an IPv6 address"],
    ["::1.2.3.04", "not an IPv6 address"],
    ["12345::", "not an IPv6 address"],
    ["1.2.3.1-1.2.3.9", "a range"],
    ["1.2.3.*", "a wildcard"],
    ["clinic.example", "a name"],
    ["!", "not an address"],
  ];
  for (const [text, hint] of refused) {
    t.throws(
      () => parsePrefix(text),
      { code: "address_invalid", message: new RegExp(RegExp.escape(hint)) },
      JSON.stringify(text),
    );
  }
  t.end();
});

t.test("a refusal is one short line of printable ASCII, whatever the input", (t) => {
  const junk = fc.oneof(
    fc.string({ unit: "binary", maxLength: 120 }),
    addressTexts.map((text) => `${text}/999\r\n`),
  );
  fc.assert(
    fc.property(junk, (text) => {
      try {
        parsePrefix(text);
        return true;
      } catch (error) {
        return (
          error instanceof SallyportError && error.code === "address_invalid" && /^[ -~…]{1,600}$/.test(error.message)
        );
      }
    }),
    { numRuns: 1_000 },
  );
  t.end();
});

t.test("contains what ipaddr.js matches, and names the network of host bits", (t) => {
  fc.assert(
    fc.property(readByBoth, readByBoth, fc.nat(128), (text, other, seed) => {
      const outer = ipaddr.process(text);
      const inner = ipaddr.process(other);
      const length = outer.kind() === "ipv4" ? seed % 33 : seed;
      const prefix = networkByAdvice(`${outer}/${length}`);
      if (prefix === undefined) return true;
      const expected = outer.kind() === inner.kind() && inner.match(outer, length);
      return prefixContains(prefix, address(text)) && prefixContains(prefix, address(other)) === expected;
    }),
    { numRuns: 5_000 },
  );
  t.end();
});

/** The prefix, or the one that its refusal offers; `undefined` when only a mapped range would hold it. */
function networkByAdvice(cidr: string): Prefix | undefined {
  try {
    return parsePrefix(cidr);
  } catch (error) {
    const offered = /write (\S+) for the network/.exec(String(error))?.[1];
    return offered === undefined ? undefined : parsePrefix(offered);
  }
}

t.test("an IPv6 prefix never covers an IPv4 address, mapped or not", (t) => {
  for (const text of ["::/0", "::/80", "::/1"]) {
    t.notOk(prefixContains(parsePrefix(text), address("10.0.0.1")), text);
    t.notOk(prefixContains(parsePrefix(text), address("::ffff:10.0.0.1")), text);
  }
  t.notOk(prefixContains(parsePrefix("0.0.0.0/0"), address("::1")));
  t.end();
});

t.test("broad prefixes, and what a grant covers", (t) => {
  for (const text of ["0.0.0.0/0", "0.0.0.0/1", "128.0.0.0/1", "10.0.0.0/7", "::/0", "8000::/1", "2001:db8::/31"]) {
    t.ok(isBroad(parsePrefix(text)), text);
  }
  for (const text of ["10.0.0.0/8", "1.2.3.4", "2001:db8::/32", "::1"]) t.notOk(isBroad(parsePrefix(text)), text);
  t.equal(formatPrefix(networkOf(address("203.0.113.7"))), "203.0.113.7/32");
  t.equal(formatPrefix(networkOf(address("::ffff:203.0.113.7"))), "203.0.113.7/32");
  t.equal(formatPrefix(networkOf(address("2001:db8:1:2:3:4:5:6"))), "2001:db8:1:2::/64");
  t.end();
});
