/** Generated allowlists and addresses for the matcher's benchmark; the same at every run. */
import { formatAddress, type Prefix, parsePrefix } from "../src/core/address.ts";

/**
 * `spread`: anywhere in the unicast space. `clustered`: as providers hand addresses out, in a few dozen blocks,
 * IPv6 under a few /32s, with a handful of private and local prefixes far off.
 */
export type Spread = "spread" | "clustered";

/** Mulberry32: small, seeded, good enough to scatter addresses. */
function randomWords(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let word = Math.imul(state ^ (state >>> 15), 1 | state);
    word = (word + Math.imul(word ^ (word >>> 7), 61 | word)) ^ word;
    return (word ^ (word >>> 14)) >>> 0;
  };
}

const IPV4_LENGTHS = [32, 32, 32, 32, 32, 29, 28, 26, 24, 24, 22, 20, 16];
const IPV6_LENGTHS = [128, 128, 64, 64, 64, 64, 60, 56, 56, 48, 48, 40];
const FAR_OFF = ["10.0.0.0/8", "192.168.0.0/16", "127.0.0.0/8", "::1/128", "fd00::/8", "fe80::/10"];

/** As many prefixes, half of them IPv4. */
export function randomPrefixes(count: number, spread: Spread): Prefix[] {
  const random = randomWords(count + spread.length);
  const pick = (lengths: readonly number[]) => lengths[random() % lengths.length] as number;
  const far = spread === "clustered" ? FAR_OFF.map(parsePrefix) : [];
  return Array.from({ length: count }, (_, i) => {
    const own = far[i];
    if (own !== undefined) return own;
    if (i % 2 === 0) return cut(4, ipv4Word(random, spread), 0, 0, 0, pick(IPV4_LENGTHS));
    return cut(6, ipv6Word(random, spread), random(), random(), random(), pick(IPV6_LENGTHS));
  });
}

function ipv4Word(random: () => number, spread: Spread): number {
  if (spread === "spread") return 0x0b00_0000 + (random() % 0xd000_0000);
  return (0x5000_0000 + (random() % 32) * 0x0015_0000 + (random() & 0x000f_ffff)) >>> 0;
}

function ipv6Word(random: () => number, spread: Spread): number {
  if (spread === "spread") return (0x2000_0000 | (random() & 0x1fff_ffff)) >>> 0;
  return (0x2a02_0000 + (random() % 8) * 0x0801) >>> 0;
}

function cut(family: 4 | 6, a: number, b: number, c: number, d: number, length: number): Prefix {
  const words = { a: keep(a, length), b: keep(b, length - 32), c: keep(c, length - 64), d: keep(d, length - 96) };
  return { family, ...words, length };
}

function keep(word: number, bits: number): number {
  if (bits <= 0) return 0;
  return bits >= 32 ? word | 0 : word & (-1 << (32 - bits));
}

/**
 * Texts as a socket gives them, in random order: half inside a prefix, half where a bit of the network differs.
 * Each is one flat string, not a rope of the pieces that it was made from, which would be slower to read.
 */
export function addressesAround(prefixes: readonly Prefix[], count: number): string[] {
  const random = randomWords(count);
  const fill = (word: number, bits: number) => {
    const host = random();
    return word | (host ^ keep(host, bits));
  };
  return Array.from({ length: count }, (_, i) => {
    const { family, a, b, c, d, length } = prefixes[random() % prefixes.length] as Prefix;
    const flip = i % 2 === 0 ? 0 : 1 << (random() % 20);
    if (family === 4) return flat(formatAddress({ family, a: fill(a, length) ^ flip, b: 0, c: 0, d: 0 }));
    const [second, third, fourth] = [fill(b, length - 32), fill(c, length - 64), fill(d, length - 96)];
    return flat(formatAddress({ family, a: fill(a, length), b: second ^ flip, c: third, d: fourth }));
  });
}

function flat(text: string): string {
  return Buffer.from(text, "latin1").toString("latin1");
}
