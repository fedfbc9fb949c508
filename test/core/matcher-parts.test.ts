import fc from "fast-check";
import t from "tap";
import { SallyportError } from "../../src/core/errors.ts";
import { AllowlistMatcher } from "../../src/core/matcher.ts";
import { entryId } from "../support/arbitrary-prefixes.ts";
import { admits, entry, NOW } from "../support/matcher-oracle.ts";

t.test("bytes that toParts did not make are refused or harmless", (t) => {
  const entries = ["10.0.0.0/8", "10.1.0.0/16", "192.0.2.1", "2001:db8::/32", "2001:db8:1::/48"].map((cidr, i) =>
    entry(i, cidr, i % 2 === 0 ? 0 : NOW),
  );
  const parts = AllowlistMatcher.compile(entries).toParts();
  const refused = { code: "internal" };
  t.throws(() => AllowlistMatcher.fromParts([]), refused);
  t.throws(() => AllowlistMatcher.fromParts(parts.slice(0, 2)), refused);
  t.throws(() => AllowlistMatcher.fromParts([...parts, new Uint8Array(0)]), refused);
  parts.forEach((part, i) => {
    t.throws(() => AllowlistMatcher.fromParts(parts.with(i, part.subarray(0, -1))), refused, "cut by a byte");
    t.throws(() => AllowlistMatcher.fromParts(parts.with(i, part.subarray(0, -4))), refused, "cut by a word");
    t.throws(
      () => AllowlistMatcher.fromParts(parts.with(i, Buffer.from(part).swap32())),
      refused,
      "of the other byte order",
    );
  });
  const [header, ipv4] = parts as [Uint8Array, Uint8Array];
  const swapped = Buffer.concat([ipv4.subarray(20, 40), ipv4.subarray(0, 20), ipv4.subarray(40)]);
  t.throws(() => AllowlistMatcher.fromParts([header, swapped, parts[2] as Uint8Array]), refused, "out of order");
  fc.assert(
    fc.property(fc.nat(2), fc.nat(), fc.nat(7), (which, at, bit) => {
      const changed = Uint8Array.from(parts[which] as Uint8Array);
      changed[at % changed.length] = (changed[at % changed.length] as number) ^ (1 << bit);
      try {
        const matcher = AllowlistMatcher.fromParts(parts.with(which, changed));
        AllowlistMatcher.fromParts(matcher.toParts());
        return matcher.size === entries.length;
      } catch (error) {
        return error instanceof SallyportError && error.code === "internal";
      }
    }),
    { numRuns: 2_000 },
  );
  t.end();
});

t.test("parts share no memory with the matcher", (t) => {
  const matcher = AllowlistMatcher.compile([entry(1, "10.0.0.0/8")]);
  const parts = matcher.toParts();
  const copy = AllowlistMatcher.fromParts(parts);
  for (const part of parts) part.fill(0);
  t.equal(admits(matcher, "10.0.0.1"), entryId(1));
  t.equal(admits(copy, "10.0.0.1"), entryId(1));
  t.end();
});
