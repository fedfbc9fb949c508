/** What a matcher must answer, by definition, and allowlists to ask it about. */
import fc from "fast-check";
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
import { edgeAddresses, entryId, prefixes } from "./arbitrary-prefixes.ts";

export const NOW = 1_000_000;

export function entry(number: number, cidr: string, expiresAtSeconds = 0): MatcherEntry {
  return { id: entryId(number), prefix: parsePrefix(cidr), expiresAtSeconds };
}

export function address(text: string): Address {
  const parsed = parseAddress(text);
  if (parsed === undefined) throw new Error(`${text} was refused`);
  return parsed;
}

export function firstOf(prefix: Prefix): Address {
  return address(formatAddress(prefix));
}

/** The entry that admits an address, or undefined. */
export function admits(matcher: AllowlistMatcher, text: string, nowSeconds = NOW): EntryId | undefined {
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
export function agrees(
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
export function agreesAround(
  matcher: AllowlistMatcher,
  entries: readonly MatcherEntry[],
  probes: Iterable<Prefix>,
): void {
  for (const prefix of probes) {
    for (const address of edgeAddresses(prefix)) agrees(matcher, entries, address, NOW);
  }
}

export const prefixesOf = (entries: readonly MatcherEntry[]) => entries.map(({ prefix }) => prefix);

export const expiries = fc.constantFrom(0, 0, NOW - 1, NOW, NOW + 1, 1, 2 ** 32 - 2);

export const allowlists = (maxLength: number) =>
  fc
    .array(fc.tuple(prefixes, expiries), { maxLength, size: "max" })
    .map((list): MatcherEntry[] =>
      list.map(([prefix, expiresAtSeconds], i) => ({ id: entryId(i + 1), prefix, expiresAtSeconds })),
    );

/** Through bytes that are not aligned. */
export function roundTrip(matcher: AllowlistMatcher): AllowlistMatcher {
  const parts = matcher.toParts().map((part) => Buffer.concat([Buffer.from([0]), part]).subarray(1));
  return AllowlistMatcher.fromParts(parts);
}
