/** What is asked of the contestants. Each workload changes one thing against the first. */
import type { LoadRequest } from "./load.ts";

export interface Workload {
  readonly name: string;
  readonly quick: boolean;
  readonly load: Omit<LoadRequest, "url" | "headers" | "seconds"> & { readonly path: string };
  readonly idleConnections?: number;
  /** TLS 1.3, a connection per request: with a handshake of its own, or resuming the session before. */
  readonly handshakes?: "full" | "resumed";
  /** WebSocket frames of so many bytes, echoed by the upstream, in place of requests. */
  readonly frameBytes?: number;
  readonly entries: number;
  readonly tenants: number;
  readonly sessions: number;
  /** Only contestants that can hold such a list; the others are left out, with the reason. */
  readonly only?: readonly string[];
}

const BASE = {
  quick: false,
  load: { path: "/256", method: "GET", connections: 64 },
  entries: 10,
  tenants: 1,
  sessions: 1,
} as const;

const BOTH_DOORS = "Sallyport, both doors";

/** Those that compile their list, so that a million entries can be asked of them. */
const LARGE_LISTS = [BOTH_DOORS, "Sallyport, location only", "nginx geo", "HAProxy ACL file"];

export const SIZES: readonly string[] = [
  "Sallyport, 1,000,000 entries",
  "Sallyport, 10,000 tenants",
  "Sallyport, 100,000 sessions",
];

const TLS_CONTESTANTS = [
  ...[BOTH_DOORS, "Sallyport, location only", "nginx geo", "nginx geo + auth_request", "HAProxy ACL file"],
];
/** Half a dozen would be enough to keep a core busy with handshakes. */
const HANDSHAKING = { ...BASE.load, connections: 16 };

export const WORKLOADS: readonly Workload[] = [
  { ...BASE, name: "256 B", quick: true },
  { ...BASE, name: "64 KiB", load: { ...BASE.load, path: "/65536" } },
  { ...BASE, name: "POST 16 KiB", load: { ...BASE.load, path: "/post", method: "POST", bodyBytes: 16_384 } },
  { ...BASE, name: "1,000 idle connections beside", idleConnections: 1_000 },
  { ...BASE, name: "a connection per request", load: { ...BASE.load, newConnectionPerRequest: true } },
  { ...BASE, name: "TLS 1.3, full handshakes", load: HANDSHAKING, handshakes: "full", only: TLS_CONTESTANTS },
  { ...BASE, name: "TLS 1.3, resumed", load: HANDSHAKING, handshakes: "resumed", only: TLS_CONTESTANTS },
  { ...BASE, name: "WebSocket echo, 256 B", frameBytes: 256, only: [BOTH_DOORS, "raw TCP relay in Node"] },
  { ...BASE, name: "10,000 entries", entries: 10_000, only: LARGE_LISTS },
  { ...BASE, name: "1,000,000 entries", entries: 1_000_000, only: LARGE_LISTS },
  // Sessions take turns, ten or a thousand of them: a connection knows the one before, which one for all would be.
  { ...BASE, name: "sizes beside ten", tenants: 10, sessions: 10, only: [BOTH_DOORS, ...SIZES] },
  { ...BASE, name: "10,000 tenants", tenants: 10_000, only: [BOTH_DOORS] },
  {
    ...BASE,
    name: "100,000 sessions",
    sessions: 100_000,
    only: [BOTH_DOORS, "nginx geo + Lua shared dictionary"],
  },
];

/** CIDRs of which the first admits the load generator; the rest are scattered over public space, two fifths IPv6. */
export function entriesFor(count: number): string[] {
  const entries = ["127.0.0.1/32"];
  let seed = 0x2545f491;
  const next = (): number => {
    seed ^= seed << 13;
    seed ^= seed >>> 17;
    seed ^= seed << 5;
    return seed >>> 0;
  };
  const seen = new Set<string>();
  while (entries.length < count) {
    const word = next();
    const cidr =
      word % 5 < 3
        ? `${11 + ((word >>> 24) % 100)}.${(word >>> 16) & 255}.${(word >>> 8) & 255}.${word & 255}/32`
        : `2001:${(word >>> 20).toString(16)}:${((word >>> 4) & 0xffff).toString(16)}:${(next() & 0xffff).toString(16)}::/64`;
    const canonical = cidr.replace(/:0(?=:)/g, ":0");
    if (seen.has(canonical)) continue;
    seen.add(canonical);
    entries.push(canonical);
  }
  return entries;
}
