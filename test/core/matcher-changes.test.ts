import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import t from "tap";
import { type Prefix, parsePrefix, prefixContains } from "../../src/core/address.ts";
import type { EntryId } from "../../src/core/ids.ts";
import { AllowlistMatcher, type MatcherEntry } from "../../src/core/matcher.ts";
import { entryId, prefixes } from "../support/arbitrary-prefixes.ts";
import {
  admits,
  agrees,
  agreesAround,
  allowlists,
  entry,
  expiries,
  firstOf,
  NOW,
  prefixesOf,
  roundTrip,
} from "../support/matcher-oracle.ts";

t.test("any sequence of changes agrees with the definition after each, and with a round trip through bytes", (t) => {
  const changes = fc.array(
    fc.record({
      upserts: fc.array(fc.tuple(fc.nat(60), prefixes, expiries), { maxLength: 30 }),
      removals: fc.array(fc.nat(60), { maxLength: 12 }),
      ship: fc.boolean(),
    }),
    { maxLength: 12, size: "max" },
  );
  fc.assert(
    fc.property(allowlists(60), changes, (start, steps) => {
      const model = new Map(start.map((entry) => [entry.id, entry]));
      let matcher = AllowlistMatcher.compile(start);
      for (const { upserts, removals, ship } of steps) {
        const { added, gone } = change(model, upserts, removals);
        matcher.apply(added, gone);
        if (ship) matcher = roundTrip(matcher);
        const entries = [...model.values()];
        if (matcher.size !== model.size) throw new Error(`size ${matcher.size}, expected ${model.size}`);
        agreesAround(matcher, entries, prefixesOf([...entries.slice(-10), ...gone]));
        for (const { prefix } of entries) agrees(matcher, entries, firstOf(prefix), NOW);
        for (const key of [...entries, ...gone]) {
          const there = isDeepStrictEqual(model.get(key.id)?.prefix, key.prefix);
          if (matcher.has(key) !== there) throw new Error(`has(${key.id}) is ${!there}`);
        }
      }
    }),
    { numRuns: 300 },
  );
  t.end();
});

/** Applies a step to the model and says it as the matcher wants it: moved entries are among the removals. */
function change(
  model: Map<EntryId, MatcherEntry>,
  upserts: readonly [number, Prefix, number][],
  removals: readonly number[],
): { added: MatcherEntry[]; gone: MatcherEntry[] } {
  const gone: MatcherEntry[] = [];
  const remove = (id: EntryId) => {
    const known = model.get(id);
    if (known !== undefined) gone.push(known);
    model.delete(id);
  };
  for (const number of removals) remove(entryId(number));
  const added = upserts.map(([number, prefix, expiresAtSeconds]) => ({
    id: entryId(number),
    prefix,
    expiresAtSeconds,
  }));
  for (const { id, prefix } of added) if (!samePrefix(model.get(id)?.prefix, prefix)) remove(id);
  for (const entry of added) model.set(entry.id, entry);
  return { added, gone };
}

function samePrefix(left: Prefix | undefined, right: Prefix): boolean {
  return left !== undefined && left.length === right.length && prefixContains(left, right);
}

const LOWEST = 2_000_000;
const COUNT = 50_000;

/** Entry `n`: a /24 where it is even; where it is odd, the first half of the one before. */
function nested(n: number, expiresAtSeconds: number): MatcherEntry {
  const region = n >>> 1;
  const cidr = `${region >>> 16}.${(region >>> 8) & 255}.${region & 255}.0/${n % 2 === 0 ? 24 : 25}`;
  return entry(n, cidr, expiresAtSeconds);
}

/** Compares the lookup of entry `n`'s first address, by what is known of it and its neighbour. */
function checkNested(matcher: AllowlistMatcher, model: Map<number, number>, n: number): void {
  const even = n - (n % 2);
  const admitting = [even + 1, even].find((n) => (model.get(n) ?? NOW) !== NOW);
  const slot = matcher.lookup(firstOf(nested(n, 0).prefix), NOW);
  const found = slot < 0 ? undefined : matcher.entryId(slot);
  const expected = admitting === undefined ? undefined : entryId(admitting);
  if (found !== expected) throw new Error(`entry ${n}: ${found}, expected ${expected}`);
}

/** A removal of an entry touched lately or of any other, another expiry, or a new entry around the others. */
type Choice = readonly [kind: "end" | "remove" | "expiry" | "new", number: number, expiry: number];

function carryOut(
  [kind, number, expiry]: Choice,
  matcher: AllowlistMatcher,
  model: Map<number, number>,
  touched: number[],
) {
  let n = touched.at(-1 - (number % 300)) ?? LOWEST;
  if (kind === "remove") n = LOWEST + number;
  if (kind === "new") n = number % 2 === 0 ? LOWEST - (number % 3_000) : LOWEST + COUNT + (number % 3_000);
  const ends = kind === "end" || kind === "remove";
  const missed = matcher.apply(ends ? [] : [nested(n, expiry)], ends ? [nested(n, 0)] : []);
  if (missed !== (ends && !model.has(n) ? 1 : 0)) throw new Error(`entry ${n}: ${missed} missed`);
  if (ends) model.delete(n);
  else model.set(n, expiry);
  touched.push(n);
}

t.test("changes hold at once and for good while merges of thousands go on over many calls", (t) => {
  const kinds = fc.constantFrom<Choice[0]>("end", "remove", "expiry", "new", "new");
  const choice = fc.tuple(kinds, fc.integer({ min: 0, max: COUNT - 1 }), fc.constantFrom(0, NOW + 1, NOW));
  const start = Array.from({ length: COUNT }, (_, i) => nested(LOWEST + i, 0));
  fc.assert(
    fc.property(fc.array(choice, { minLength: 2_500, maxLength: 2_500 }), (choices) => {
      const model = new Map(start.map((_, i) => [LOWEST + i, 0]));
      const matcher = AllowlistMatcher.compile(start);
      const touched: number[] = [];
      for (const choice of choices) {
        carryOut(choice, matcher, model, touched);
        for (const back of [1, 2, 20, 200]) checkNested(matcher, model, touched.at(-back) ?? LOWEST);
      }
      for (const n of [...touched, ...model.keys()]) checkNested(matcher, model, n);
      return matcher.size === model.size;
    }),
    { numRuns: 3 },
  );
  t.end();
});

t.test("what a merge has copied last is removed as well", (t) => {
  const even = (i: number) => nested(LOWEST + 2 * i, 0);
  for (let last = 4_093; last < 4_098; last++) {
    const matcher = AllowlistMatcher.compile(Array.from({ length: COUNT }, (_, i) => even(i)));
    for (let i = 0; i <= 2 * Math.sqrt(COUNT); i++) matcher.apply([even(COUNT + i)], []);
    const gone = Array.from({ length: 11 }, (_, i) => even(4_096 * i + last));
    for (const entry of gone) matcher.apply([], [entry]);
    for (let i = 0; i < 3; i++) matcher.apply([], []);
    t.same(
      gone.filter(({ prefix }) => matcher.lookup(firstOf(prefix), NOW) >= 0),
      [],
    );
  }
  t.end();
});

t.test("one prefix with several owners admits until the last of them is gone", (t) => {
  const owners = [1, 2, 3].map((number) => entry(number, "192.0.2.0/24"));
  const matcher = AllowlistMatcher.compile(owners);
  for (const owner of owners) {
    t.not(admits(matcher, "192.0.2.9"), undefined);
    t.equal(matcher.apply([], [owner]), 0);
  }
  t.equal(admits(matcher, "192.0.2.9"), undefined);
  t.equal(matcher.size, 0);
  t.end();
});

t.test("a removal needs the id and the prefix, and says when it found nothing", (t) => {
  const matcher = AllowlistMatcher.compile([entry(1, "10.0.0.0/8")]);
  t.equal(matcher.apply([], [entry(2, "10.0.0.0/8"), entry(1, "10.0.0.0/9"), entry(1, "::/8")]), 3);
  t.equal(admits(matcher, "10.0.0.1"), entryId(1));
  t.equal(matcher.apply([], [entry(1, "10.0.0.0/8")]), 0);
  t.equal(matcher.apply([], [entry(1, "10.0.0.0/8")]), 1, "twice");
  t.end();
});

t.test("of several upserts of one id the last holds", (t) => {
  const matcher = AllowlistMatcher.empty();
  matcher.apply([entry(1, "10.0.0.0/8"), entry(1, "10.0.0.0/8", NOW)], []);
  t.equal(admits(matcher, "10.0.0.1", NOW - 1), entryId(1));
  t.equal(admits(matcher, "10.0.0.1", NOW), undefined);
  t.end();
});

t.test("a malformed entry is refused and nothing has changed", (t) => {
  const sound = entry(1, "10.0.0.0/8");
  const malformed: MatcherEntry[] = [
    { ...sound, id: "e123" as EntryId },
    { ...sound, id: "eg000000000000" as EntryId },
    { ...sound, id: "x0000000000001" as EntryId },
    { ...sound, id: "e000000000000é" as EntryId },
    { ...sound, prefix: { ...sound.prefix, a: sound.prefix.a | 1 } },
    { ...sound, prefix: { ...sound.prefix, length: 33 } },
    { ...sound, prefix: { ...parsePrefix("2001:db8::/32"), d: 1 } },
  ];
  for (const bad of malformed) {
    const matcher = AllowlistMatcher.compile([sound]);
    t.throws(() => AllowlistMatcher.compile([sound, bad]), { code: "internal" });
    t.throws(() => matcher.apply([entry(2, "192.0.2.0/24"), bad], [sound]), { code: "internal" });
    t.equal(admits(matcher, "10.0.0.1"), entryId(1));
    t.equal(admits(matcher, "192.0.2.1"), undefined);
    t.equal(matcher.size, 1);
  }
  t.end();
});

t.test("memory stays flat over many changes, and within 32 bytes an entry", (t) => {
  const cidr = (n: number) =>
    n % 2 === 0 ? `10.${(n >>> 8) & 255}.${n & 255}.0/24` : `2001:db8:${n.toString(16)}::/48`;
  const matcher = AllowlistMatcher.compile(Array.from({ length: 10_000 }, (_, i) => entry(i, cidr(i))));
  t.ok(matcher.byteLength <= 32 * 10_000, `${matcher.byteLength}`);
  for (let i = 0; i < 4_000; i++) {
    matcher.apply(
      [entry(20_000 + i, cidr(20_000 + i))],
      [entry(i === 0 ? 0 : 19_999 + i, cidr(i === 0 ? 0 : 19_999 + i))],
    );
  }
  t.equal(matcher.size, 10_000);
  t.ok(matcher.byteLength <= 64 * 10_000, "at most twice that while a merge goes on");
  t.end();
});
