import fc from "fast-check";
import t from "tap";
import { AllowlistMatcher } from "../../src/core/matcher.ts";
import { entryId, prefixes } from "../support/arbitrary-prefixes.ts";
import {
  address,
  admits,
  agreesAround,
  allowlists,
  entry,
  expiries,
  NOW,
  prefixesOf,
  roundTrip,
} from "../support/matcher-oracle.ts";

t.test("an empty allowlist admits nobody", (t) => {
  for (const matcher of [AllowlistMatcher.empty(), AllowlistMatcher.compile([]), roundTrip(AllowlistMatcher.empty())]) {
    t.equal(admits(matcher, "0.0.0.0"), undefined);
    t.equal(admits(matcher, "::"), undefined);
    t.equal(matcher.size, 0);
  }
  t.end();
});

t.test("empty matchers share nothing that changes", (t) => {
  const one = AllowlistMatcher.empty();
  one.apply([entry(1, "10.0.0.0/8")], []);
  t.equal(admits(one, "10.1.1.1"), entryId(1));
  t.equal(admits(AllowlistMatcher.empty(), "10.1.1.1"), undefined);
  t.end();
});

t.test("compiled lookups agree with the definition", (t) => {
  fc.assert(
    fc.property(allowlists(40), fc.array(prefixes, { maxLength: 3 }), (entries, probes) => {
      const matcher = AllowlistMatcher.compile(entries);
      agreesAround(matcher, entries, [...prefixesOf(entries), ...probes]);
      return matcher.size === entries.length;
    }),
    { numRuns: 1_500 },
  );
  t.end();
});

t.test("compiled lookups agree with the definition on lists large enough for the index", (t) => {
  fc.assert(
    fc.property(fc.array(fc.tuple(prefixes, expiries), { minLength: 150, maxLength: 400 }), (list) => {
      const entries = list.map(([prefix, expiresAtSeconds], i) => ({ id: entryId(i), prefix, expiresAtSeconds }));
      agreesAround(AllowlistMatcher.compile(entries), entries, prefixesOf(entries));
    }),
    { numRuns: 20 },
  );
  t.end();
});

t.test("a prefix with a hundred thousand owners costs its neighbours nothing", (t) => {
  const owners = Array.from({ length: 100_000 }, (_, i) => entry(i, "192.0.2.0/25"));
  const matcher = AllowlistMatcher.compile(owners);
  const neighbour = address("192.0.2.200");
  const start = process.cpuUsage();
  for (let i = 0; i < 50_000; i++) if (matcher.lookup(neighbour, NOW) >= 0) t.fail("admitted");
  t.ok(process.cpuUsage(start).user < 2_000_000, "a walk over all owners would take minutes");
  t.end();
});

t.test("entries expire to the second, without a change", (t) => {
  const matcher = AllowlistMatcher.compile([
    entry(1, "10.0.0.0/8"),
    entry(2, "10.1.0.0/16", NOW),
    entry(3, "2001:db8::/32", NOW),
  ]);
  t.equal(admits(matcher, "10.1.0.1", NOW - 1), entryId(2));
  t.equal(admits(matcher, "10.1.0.1", NOW), entryId(1), "the wider entry admits from then on");
  t.equal(admits(matcher, "2001:db8::1", NOW - 0.001), entryId(3));
  t.equal(admits(matcher, "2001:db8::1", NOW), undefined);
  t.end();
});

t.test("a time that is none has expired", (t) => {
  for (const seconds of [-1, 0.5, Number.NaN, Number.NEGATIVE_INFINITY]) {
    const matcher = AllowlistMatcher.compile([entry(1, "10.0.0.0/8", seconds)]);
    t.equal(admits(matcher, "10.0.0.1", 1), undefined, String(seconds));
  }
  const far = AllowlistMatcher.compile([entry(1, "10.0.0.0/8", 2 ** 40)]);
  t.equal(admits(far, "10.0.0.1"), entryId(1));
  t.not(far.expiresAtSeconds(far.lookup(address("10.0.0.1"), NOW)), 0, "it does not become never");
  t.end();
});

t.test("notes an entry once a minute until asked", (t) => {
  const matcher = AllowlistMatcher.compile([entry(1, "10.0.0.0/8"), entry(2, "2001:db8::/32")]);
  const note = (text: string, seconds: number) => matcher.noteSeen(matcher.lookup(address(text), seconds), seconds);
  t.same(matcher.takeSeen(), []);
  note("10.0.0.1", 600);
  note("10.0.0.2", 659);
  note("2001:db8::1", 601);
  t.same(matcher.takeSeen(), [
    [entryId(1), 600],
    [entryId(2), 601],
  ]);
  note("10.0.0.1", 659);
  t.same(matcher.takeSeen(), [], "the minute is not over");
  note("10.0.0.1", 660);
  matcher.apply([entry(3, "10.1.0.0/16")], []);
  note("10.1.0.1", 661);
  t.same(matcher.takeSeen(), [
    [entryId(1), 660],
    [entryId(3), 661],
  ]);
  t.end();
});
