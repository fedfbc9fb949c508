/** Who the client is, against the rule said in another way. */
import fc from "fast-check";
import t from "tap";
import { parseAddress, parsePrefix, prefixContains } from "../../src/core/address.ts";
import { addressOfSocket, TrustedProxies } from "../../src/edge/source.ts";

const CIDRS = ["10.0.0.0/8", "2001:db8:ffff::/48"];
const proxies = new TrustedProxies(CIDRS);
const peer = parseAddress("10.0.0.1");

t.test("the first hop from the right that is not trusted, and the leftmost where all are", async () => {
  const hop = fc.oneof(
    fc.ipV4(),
    fc.ipV6(),
    fc.nat(255).map((last) => `10.0.0.${last}`),
    fc.constantFrom("unknown", "", "10.0.0.1:80", "2001:db8:ffff::1", "::ffff:10.0.0.9", "010.0.0.1"),
  );
  const blanks = fc.constantFrom("", " ", "\t", "  ");
  const field = fc.array(fc.tuple(blanks, hop, blanks), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(field, (hops) => {
      if (peer === undefined) return false;
      const text = hops.map((parts) => parts.join("")).join(",");
      return proxies.clientBehind(peer, text)?.text === expected(hops.map(([, each]) => each));
    }),
    { numRuns: 5_000 },
  );

  function expected(hops: readonly string[]): string | undefined {
    const addresses = hops.map(parseAddress);
    const index = addresses.findLastIndex(
      (address) => address === undefined || !CIDRS.some((cidr) => prefixContains(parsePrefix(cidr), address)),
    );
    return addresses[Math.max(index, 0)]?.text;
  }
});

t.test("50 hops are read, 51 are not", async (t) => {
  if (peer === undefined) return;
  t.equal(proxies.clientBehind(peer, Array(50).fill("10.0.0.2").join(","))?.text, "10.0.0.2");
  t.equal(proxies.clientBehind(peer, Array(51).fill("10.0.0.2").join(",")), undefined);
  t.equal(proxies.clientBehind(peer, `${"x,".repeat(50)}203.0.113.7`), undefined);
});

t.test("without the field a trusted peer speaks for itself", async (t) => {
  if (peer !== undefined) t.equal(proxies.clientBehind(peer, undefined), peer);
});

t.test("nobody is trusted unless said so", async (t) => {
  const address = parseAddress("127.0.0.1");
  t.equal(address !== undefined && new TrustedProxies([]).includes(address), false);
  t.throws(() => new TrustedProxies(["10.0.0.1/8"]), { code: "address_invalid" });
});

t.test("the socket's address", async (t) => {
  t.equal(addressOfSocket("::ffff:203.0.113.7")?.text, "203.0.113.7");
  t.equal(addressOfSocket("203.0.113.7")?.text, "203.0.113.7");
  t.equal(addressOfSocket("fe80::1%eth0")?.text, "fe80::1");
  t.equal(addressOfSocket(undefined), undefined);
});
