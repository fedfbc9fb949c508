/**
 * `npm run bench:match [-- --quick] [--json]`: the allowlist matcher against its targets and its peers.
 * Lookups are timed by the best of many short rounds, the rest in CPU time where that is less, so that a busy machine disturbs little;
 * it still shares its caches, so that the figures that count come from an idle one.
 */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { type Address, formatPrefix, type Prefix, parseAddress, parsePrefix } from "../src/core/address.ts";
import { newEntryId } from "../src/core/ids.ts";
import { AllowlistMatcher, type MatcherEntry } from "../src/core/matcher.ts";
import { blockList, ipaddrLoop, sortedRanges } from "./match-peers.ts";
import { addressesAround, randomPrefixes, type Spread } from "./match-sample.ts";

const NOW = 1_800_000_000;
const quick = process.argv.includes("--quick");
const json = process.argv.includes("--json");
const ROUNDS = quick ? 30 : 200;
/** Different addresses asked for in turn: as many as keep a node busy, and more than its caches hold the way to. */
const WARM = 1 << 13;
const COLD = 1 << 16;
const collectGarbage = exposeGc();

interface Row {
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  readonly target?: number;
}
const rows: Row[] = [];

function report(what: string, value: number, unit: string, target?: number): void {
  rows.push(target === undefined ? { what, value, unit } : { what, value, unit, target });
  if (json) return;
  const verdict =
    target === undefined ? "" : value <= target ? `  (target ${target}: met)` : `  (target ${target}: MISSED)`;
  console.log(`${what.padEnd(58)} ${value.toFixed(value < 10 ? 2 : 1).padStart(10)} ${unit}${verdict}`);
}

/** How long this took: CPU time of the process, or less where the clock says so. Both only ever say too much. */
function milliseconds(run: () => void): number {
  const start = performance.now();
  const before = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(before);
  return Math.min((user + system) / 1000, performance.now() - start);
}

/** Nanoseconds that `check` takes for one item: the best of many rounds too short to be interrupted in. */
function nanoseconds<T>(items: readonly T[], check: (item: T) => boolean, rounds = ROUNDS): number {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < rounds; round++) {
    const start = performance.now();
    for (const item of items) hits += check(item) ? 1 : 0;
    best = Math.min(best, ((performance.now() - start) * 1e6) / items.length);
  }
  return best;
}

/** Keeps the checks from being optimised away. */
let hits = 0;

function exposeGc(): () => void {
  setFlagsFromString("--expose-gc");
  return runInNewContext("gc") as () => void;
}

function toEntries(prefixes: readonly Prefix[]): MatcherEntry[] {
  return prefixes.map((prefix, i) => ({
    id: newEntryId(NOW * 1000 + i),
    prefix,
    expiresAtSeconds: i % 3 === 0 ? NOW + 3600 : 0,
  }));
}

function benchLookups(size: number, spread: Spread, target?: number): void {
  const prefixes = randomPrefixes(size, spread);
  const entries = toEntries(prefixes);
  const matcher = AllowlistMatcher.compile(entries);
  const compileMs = Math.min(...[1, 2, 3].map(() => milliseconds(() => AllowlistMatcher.compile(entries))));
  const texts = addressesAround(prefixes, WARM);
  const manyTexts = addressesAround(prefixes, COLD);
  collectGarbage();
  const addresses = texts.map((text) => parseAddress(text) as Address);
  const name = `${size.toLocaleString("en")} ${spread}`;
  const check = (text: string) => admits(matcher, parseAddress(text));
  for (const family of [4, 6] as const) {
    const some = texts.filter((text) => text.includes(":") === (family === 6));
    report(`${name}: text to verdict, IPv${family} alone`, nanoseconds(some, check), "ns");
  }
  report(
    `${name}: parsed address to verdict`,
    nanoseconds(addresses, (address) => admits(matcher, address)),
    "ns",
  );
  report(`${name}: text to verdict`, nanoseconds(texts, check), "ns", target);
  const coldNs = nanoseconds(manyTexts, check, ROUNDS / 5);
  report(`${name}: text to verdict, caches cold`, coldNs, "ns");
  report(`${name}: compile, per entry`, (compileMs * 1e6) / size, "ns", 1000);
  report(`${name}: memory, per entry`, matcher.byteLength / size, "bytes", 32);
  checkAgainst(matcher, prefixes, texts);
  benchPeers(name, prefixes, texts, size);
}

function admits(matcher: AllowlistMatcher, address: Address | undefined): boolean {
  return address !== undefined && matcher.lookup(address, NOW) >= 0;
}

/** A contestant that answers otherwise than the rest is not worth timing. */
function checkAgainst(matcher: AllowlistMatcher, prefixes: readonly Prefix[], texts: readonly string[]): void {
  const ranges = sortedRanges(prefixes);
  for (const text of texts) {
    if (admits(matcher, parseAddress(text)) !== ranges(text)) throw new Error(`the contestants disagree on ${text}`);
  }
}

function benchPeers(name: string, prefixes: readonly Prefix[], texts: readonly string[], size: number): void {
  report(`${name}: sorted ranges`, nanoseconds(texts, sortedRanges(prefixes)), "ns");
  if (size > 10_000 && quick) return;
  const few = (wanted: number) => texts.slice(0, wanted);
  report(`${name}: net.BlockList`, nanoseconds(few(2e8 / size), blockList(prefixes), 3), "ns");
  report(`${name}: ipaddr.js in a loop`, nanoseconds(few(1e7 / size), ipaddrLoop(prefixes), 3), "ns");
}

/** Single changes among many entries: half of them new, half removed again. */
function benchChanges(size: number): void {
  const matcher = AllowlistMatcher.compile(toEntries(randomPrefixes(size, "spread")));
  const extra = toEntries(randomPrefixes(quick ? 4_000 : 20_000, "spread"));
  collectGarbage();
  const times: number[] = [];
  extra.forEach((entry, i) => {
    const former = extra[i - 3];
    const removals = former !== undefined && i % 2 === 0 ? [former] : [];
    times.push(milliseconds(() => matcher.apply([entry], removals)));
  });
  times.sort((left, right) => left - right);
  const quantile = (share: number) => times[Math.min(times.length - 1, Math.floor(times.length * share))] as number;
  const name = `one change among ${size.toLocaleString("en")}`;
  report(`${name}: median`, quantile(0.5), "ms");
  report(`${name}: p99`, quantile(0.99), "ms");
  report(`${name}: longest of ${times.length}`, quantile(1), "ms", 5);
  const parts = matcher.toParts();
  report(
    `to bytes, ${size.toLocaleString("en")}`,
    milliseconds(() => matcher.toParts()),
    "ms",
  );
  report(
    `from bytes, ${size.toLocaleString("en")}`,
    milliseconds(() => AllowlistMatcher.fromParts(parts)),
    "ms",
  );
}

/** What 10,000 tenants with a hundred entries each take, everything counted. */
function benchTenants(): void {
  const tenants = 10_000;
  const prefixes = randomPrefixes(100, "spread");
  const matchers: AllowlistMatcher[] = [];
  const entries = toEntries(prefixes);
  const before = usedBytes();
  for (let i = 0; i < tenants; i++) matchers.push(AllowlistMatcher.compile(entries));
  const full = usedBytes();
  for (let i = 0; i < tenants; i++) matchers.push(AllowlistMatcher.empty());
  report("a tenant of 100 entries, everything counted", (full - before) / tenants, "bytes");
  report("a tenant of none", (usedBytes() - full) / tenants, "bytes");
  if (matchers.length !== 2 * tenants) throw new Error("collected too early");
}

function usedBytes(): number {
  collectGarbage();
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

function benchParsing(): void {
  const texts = addressesAround(randomPrefixes(1000, "spread"), 4096);
  for (const family of [4, 6] as const) {
    const some = texts.filter((text) => text.includes(":") === (family === 6));
    report(
      `parse an IPv${family} address`,
      nanoseconds(some, (text) => parseAddress(text) !== undefined),
      "ns",
    );
  }
  const cidrs = randomPrefixes(4096, "spread").map(formatPrefix);
  report(
    "parse a prefix",
    nanoseconds(cidrs, (cidr) => parsePrefix(cidr).length >= 0),
    "ns",
  );
}

benchTenants();
benchChanges(1_000_000);
benchParsing();
benchLookups(10_000, "spread", 100);
benchLookups(10_000, "clustered", 100);
benchLookups(1_000_000, "spread", 200);
benchLookups(1_000_000, "clustered", 200);
if (json) console.log(JSON.stringify({ node: process.version, quick, hits, rows }, undefined, 2));
