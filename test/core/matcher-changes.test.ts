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

/** A change of one entry: a new one, or another expiry, the end, or end and return of one that is there or was. */
interface Step {
  readonly kind: "new" | "expiry" | "removal" | "again";
  readonly entry: MatcherEntry;
}

function carryOut({ kind, entry }: Step, matcher: AllowlistMatcher, model: Map<EntryId, MatcherEntry>): void {
  const gone = kind === "removal" || kind === "again" ? [entry] : [];
  const added = kind === "removal" ? [] : [entry];
  matcher.apply(added, gone);
  for (const { id } of gone) model.delete(id);
  for (const entry of added) model.set(entry.id, entry);
  if (matcher.size !== model.size) throw new Error(`size ${matcher.size}, expected ${model.size}`);
}

t.test("changes agree with the definition while a merge of thousands goes on over several calls", (t) => {
  const cidr = (n: number) => `${10 + (n >>> 14)}.${(n >>> 6) & 255}.${(n & 63) << 2}.0/${n % 3 === 0 ? 22 : 24}`;
  const base = Array.from({ length: 9_000 }, (_, i) => entry(i, cidr(i), i % 5 === 0 ? NOW : 0));
  const kinds = fc.constantFrom<Step["kind"]>("new", "expiry", "removal", "again");
  const choices = fc.array(fc.tuple(kinds, fc.nat(8_999), fc.nat(60), fc.constantFrom(0, NOW, NOW + 1)), {
    minLength: 600,
    maxLength: 600,
  });
  fc.assert(
    fc.property(choices, (choices) => {
      const matcher = AllowlistMatcher.compile(base);
      const model = new Map(base.map((entry) => [entry.id, entry]));
      const touched: MatcherEntry[] = [];
      choices.forEach(([kind, number, back, expiresAtSeconds], i) => {
        const known = touched.at(-1 - back) ?? (base[number] as MatcherEntry);
        const subject = kind === "new" ? entry(20_000 + i, cidr(number + 3)) : known;
        touched.push(subject);
        carryOut({ kind, entry: { ...subject, expiresAtSeconds } }, matcher, model);
        agrees(matcher, model.values(), firstOf(subject.prefix), NOW);
        if (i % 60 === 0) agreesAround(matcher, [...model.values()], prefixesOf(touched.slice(-20)));
      });
    }),
    { numRuns: 3 },
  );
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
