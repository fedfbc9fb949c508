import fc from "fast-check";
import t from "tap";
import {
  type Address,
  formatAddress,
  type Prefix,
  parseAddress,
  parsePrefix,
  prefixContains,
} from "../../src/core/address.ts";
import type { EntryId } from "../../src/core/ids.ts";
import { AllowlistMatcher, type MatcherEntry } from "../../src/core/matcher.ts";
import { edgeAddresses, entryId, prefixes } from "../support/arbitrary-prefixes.ts";

const NOW = 1_000_000;

function entry(number: number, cidr: string, expiresAtSeconds = 0): MatcherEntry {
  return { id: entryId(number), prefix: parsePrefix(cidr), expiresAtSeconds };
}

function address(text: string): Address {
  const parsed = parseAddress(text);
  if (parsed === undefined) throw new Error(`${text} was refused`);
  return parsed;
}

function firstOf(prefix: Prefix): Address {
  return address(formatAddress(prefix));
}

/** The entry that admits an address, or undefined. */
function admits(matcher: AllowlistMatcher, text: string, nowSeconds = NOW): EntryId | undefined {
  const slot = matcher.lookup(address(text), nowSeconds);
  return slot < 0 ? undefined : matcher.entryId(slot);
}

/** The definition: among the live entries that contain the address, one with the longest prefix. */
function naive(entries: Iterable<MatcherEntry>, address: Address, nowSeconds: number): MatcherEntry[] {
  const covering = [...entries].filter(
    ({ prefix, expiresAtSeconds }) =>
      (expiresAtSeconds === 0 || expiresAtSeconds > nowSeconds) && prefixContains(prefix, address),
  );
  const longest = Math.max(...covering.map(({ prefix }) => prefix.length));
  return covering.filter(({ prefix }) => prefix.length === longest);
}

/** Compares a lookup with the definition. */
function agrees(
  matcher: AllowlistMatcher,
  entries: Iterable<MatcherEntry>,
  address: Address,
  nowSeconds: number,
): void {
  const expected = naive(entries, address, nowSeconds);
  const slot = matcher.lookup(address, nowSeconds);
  if (expected.length === 0 && slot < 0) return;
  const found = slot < 0 ? undefined : expected.find(({ id }) => id === matcher.entryId(slot));
  if (found !== undefined && matcher.expiresAtSeconds(slot) === found.expiresAtSeconds) return;
  throw new Error(`${address.text}: slot ${slot}, expected one of ${expected.map(({ id }) => id)}`);
}

/** Compares lookups all around these prefixes. */
function agreesAround(matcher: AllowlistMatcher, entries: readonly MatcherEntry[], probes: Iterable<Prefix>): void {
  for (const prefix of probes) {
    for (const address of edgeAddresses(prefix)) agrees(matcher, entries, address, NOW);
  }
}

const prefixesOf = (entries: readonly MatcherEntry[]) => entries.map(({ prefix }) => prefix);

const expiries = fc.constantFrom(0, 0, NOW - 1, NOW, NOW + 1, 1, 2 ** 32 - 2);

const allowlists = (maxLength: number) =>
  fc
    .array(fc.tuple(prefixes, expiries), { maxLength, size: "max" })
    .map((list): MatcherEntry[] =>
      list.map(([prefix, expiresAtSeconds], i) => ({ id: entryId(i + 1), prefix, expiresAtSeconds })),
    );

t.test("an empty allowlist admits nobody", (t) => {
  for (const matcher of [AllowlistMatcher.empty(), AllowlistMatcher.compile([]), roundTrip(AllowlistMatcher.empty())]) {
    t.equal(admits(matcher, "0.0.0.0"), undefined);
    t.equal(admits(matcher, "::"), undefined);
    t.equal(matcher.size, 0);
    t.equal(matcher.nextExpirySeconds(0), 0);
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
    { numRuns: 500 },
  );
  t.end();
});

t.test("compiled lookups agree with the definition on lists large enough for the index", (t) => {
  fc.assert(
    fc.property(fc.array(fc.tuple(prefixes, expiries), { minLength: 150, maxLength: 400 }), (list) => {
      const entries = list.map(([prefix, expiresAtSeconds], i) => ({ id: entryId(i), prefix, expiresAtSeconds }));
      agreesAround(AllowlistMatcher.compile(entries), entries, prefixesOf(entries));
    }),
    { numRuns: 6 },
  );
  t.end();
});

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
    { numRuns: 120 },
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

function roundTrip(matcher: AllowlistMatcher): AllowlistMatcher {
  const parts = matcher.toParts().map((part) => Buffer.concat([Buffer.from([0]), part]).subarray(1));
  return AllowlistMatcher.fromParts(parts);
}
