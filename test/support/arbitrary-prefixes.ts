/** Generated allowlists that nest, repeat and touch, and addresses at the edges of their prefixes. */
import fc from "fast-check";
import { type Address, formatAddress, type Prefix, parseAddress, parsePrefix } from "../../src/core/address.ts";
import { type EntryId, encodeBase32 } from "../../src/core/ids.ts";

type Family = 4 | 6;

export function entryId(number: number | bigint): EntryId {
  return `e${encodeBase32(BigInt(number))}` as EntryId;
}

/** An address or prefix as one number. */
export function toNumber({ family, a, b, c, d }: Prefix | Address): bigint {
  const words = family === 4 ? [a] : [a, b, c, d];
  return words.reduce((number, word) => (number << 32n) | BigInt(word >>> 0), 0n);
}

/** The address with this number, wrapped around the end; undefined in the range of the IPv4-mapped ones. */
export function toAddress(family: Family, number: bigint): Address | undefined {
  const bits = BigInt.asUintN(family === 4 ? 32 : 128, number);
  const word = (shift: bigint) => Number(BigInt.asIntN(32, bits >> shift));
  const words = family === 4 ? [word(0n), 0, 0, 0] : [word(96n), word(64n), word(32n), word(0n)];
  const [a = 0, b = 0, c = 0, d = 0] = words;
  const address = parseAddress(formatAddress({ family, a, b, c, d }));
  return address?.family === family ? address : undefined;
}

function toPrefix(family: Family, number: bigint, length: number): Prefix | undefined {
  const host = BigInt((family === 4 ? 32 : 128) - length);
  const network = toAddress(family, (number >> host) << host);
  return network === undefined ? undefined : parsePrefix(`${network.text}/${length}`);
}

/** Few bits vary, in few places, so that prefixes nest and meet often. */
const seeds = (family: Family) => {
  const bits = family === 4 ? 32 : 128;
  const places = [0, 1, 2, 7, 8, 15, 16, 23, 24, 30, 31, 32, 33, 48, 63, 64, 65, 96, 120, 126, 127].filter(
    (i) => i < bits,
  );
  const sparse = fc.subarray(places).map((set) => set.reduce((sum, i) => sum | (1n << BigInt(bits - 1 - i)), 0n));
  return fc.oneof(
    { weight: 3, arbitrary: sparse },
    { weight: 1, arbitrary: fc.bigInt({ min: 0n, max: (1n << BigInt(bits)) - 1n }) },
  );
};

const lengths = (family: Family) => {
  const most = family === 4 ? 32 : 128;
  const edges = [0, 1, 2, 8, 16, 24, 31, 32, 33, 48, 63, 64, 65, 95, 96, 97, 127, 128].filter(
    (length) => length <= most,
  );
  return fc.oneof({ weight: 2, arbitrary: fc.constantFrom(...edges) }, { weight: 1, arbitrary: fc.nat(most) });
};

const prefixesOf = (family: Family) =>
  fc
    .tuple(seeds(family), lengths(family))
    .map(([seed, length]) => toPrefix(family, seed, length))
    .filter((prefix) => prefix !== undefined);

/** Prefixes of both families. */
export const prefixes: fc.Arbitrary<Prefix> = fc.oneof(prefixesOf(4), prefixesOf(6));

/** The first and last address of a prefix and those just outside, as far as they are of its family. */
export function edgeAddresses(prefix: Prefix): Address[] {
  const first = toNumber(prefix);
  const last = first + (1n << BigInt((prefix.family === 4 ? 32 : 128) - prefix.length)) - 1n;
  const numbers = [first - 1n, first, first + 1n, (first + last) / 2n, last - 1n, last, last + 1n];
  return numbers.map((number) => toAddress(prefix.family, number)).filter((address) => address !== undefined);
}
