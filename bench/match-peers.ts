/** What else could check addresses against an allowlist: each answers for an address as text. */
import { BlockList } from "node:net";
import ipaddr from "ipaddr.js";
import { formatAddress, formatPrefix, type Prefix, parseAddress } from "../src/core/address.ts";

export type Check = (address: string) => boolean;

export function blockList(prefixes: readonly Prefix[]): Check {
  const list = new BlockList();
  for (const prefix of prefixes) list.addSubnet(formatAddress(prefix), prefix.length, `ipv${prefix.family}`);
  return (address) => list.check(address, address.includes(":") ? "ipv6" : "ipv4");
}

export function ipaddrLoop(prefixes: readonly Prefix[]): Check {
  const ranges = prefixes.map((prefix) => ipaddr.parseCIDR(formatPrefix(prefix)));
  return (text) => {
    const address = ipaddr.process(text);
    return ranges.some(([range, length]) => range.kind() === address.kind() && address.match(range, length));
  };
}

/**
 * Merged ranges in sorted arrays and a binary search: the plain way. It does not know which entry matched, when
 * one expires, or how to change without being built anew. Reads addresses with our parser, so that only the
 * search differs.
 */
export function sortedRanges(prefixes: readonly Prefix[]): Check {
  const families = { 4: mergedRanges(prefixes, 4), 6: mergedRanges(prefixes, 6) };
  return (text) => {
    const address = parseAddress(text);
    if (address === undefined) return false;
    const { starts, ends, width } = families[address.family];
    const words = [address.a >>> 0, address.b >>> 0, address.c >>> 0, address.d >>> 0];
    let low = 0;
    let high = starts.length / width;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compare(starts, middle * width, words, 0, width) <= 0) low = middle + 1;
      else high = middle;
    }
    return low > 0 && compare(ends, (low - 1) * width, words, 0, width) >= 0;
  };
}

type Words = ArrayLike<number>;

function compare(left: Words, leftAt: number, right: Words, rightAt: number, width: number): number {
  for (let i = 0; i < width; i++) {
    const difference = (left[leftAt + i] as number) - (right[rightAt + i] as number);
    if (difference !== 0) return difference;
  }
  return 0;
}

function mergedRanges(prefixes: readonly Prefix[], family: 4 | 6) {
  const width = family === 4 ? 1 : 4;
  const ranges = prefixes
    .filter((prefix) => prefix.family === family)
    .map(({ a, b, c, d, length }) => ({
      start: [a, b, c, d].map((word) => word >>> 0),
      end: [a, b, c, d].map((word, i) => last(word, length - 32 * i)),
    }))
    .sort((left, right) => compare(left.start, 0, right.start, 0, 4));
  const merged: typeof ranges = [];
  for (const range of ranges) {
    const before = merged.at(-1);
    if (before === undefined || compare(range.start, 0, before.end, 0, width) > 0) merged.push(range);
    else if (compare(range.end, 0, before.end, 0, width) > 0) before.end = range.end;
  }
  const flat = (side: "start" | "end") => Uint32Array.from(merged.flatMap((range) => range[side].slice(0, width)));
  return { starts: flat("start"), ends: flat("end"), width };
}

/** The word with all bits set after the first `bits`. */
function last(word: number, bits: number): number {
  if (bits >= 32) return word >>> 0;
  return bits <= 0 ? 0xffff_ffff : (word | (0xffff_ffff >>> bits)) >>> 0;
}
