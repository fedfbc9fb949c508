/** Asks DNS for all addresses of a name, with their lifetimes, and leaves out those that are nobody's place. */
import { Resolver } from "node:dns/promises";
import { type Address, parseAddress, parsePrefix, prefixContains } from "../core/address.ts";

export interface Answer {
  readonly addresses: readonly Address[];
  readonly ttlSeconds: number;
}

/** What came of one family: its addresses, none (the name has none), or no answer. */
export type FamilyAnswer = Answer | "none" | "failed";

export interface DnsLookup {
  lookup(hostname: string, family: 4 | 6): Promise<FamilyAnswer>;
}

const TIMEOUT_MS = 3_000;
const TRIES = 2;
/** "It has none": an authoritative word, and no failure. */
const NONE = new Set(["ENODATA", "ENOTFOUND"]);

/** @param servers `address:port`; the system's by default */
export function dnsLookup(servers?: readonly string[]): DnsLookup {
  const resolver = new Resolver({ timeout: TIMEOUT_MS, tries: TRIES });
  if (servers !== undefined) resolver.setServers(servers);
  return {
    async lookup(hostname, family) {
      try {
        const records = await (family === 4
          ? resolver.resolve4(hostname, { ttl: true })
          : resolver.resolve6(hostname, { ttl: true }));
        const addresses = records.flatMap(({ address }) => parseAddress(address) ?? []);
        return { addresses, ttlSeconds: Math.min(...records.map(({ ttl }) => ttl)) };
      } catch (error) {
        return NONE.has((error as NodeJS.ErrnoException).code ?? "") ? "none" : "failed";
      }
    },
  };
}

/** Addresses that many networks use at once: a rule for one of them says nothing about who comes. */
const PRIVATE = [
  ...["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "127.0.0.0/8"],
  ...["::1/128", "fc00::/7"],
].map(parsePrefix);
/** Addresses that no client comes from. */
const NOBODYS = ["0.0.0.0/8", "169.254.0.0/16", "224.0.0.0/3", "::/128", "fe80::/10", "ff00::/8"].map(parsePrefix);

/** Whether an answer may become an entry. */
export function isAdmissible(address: Address, allowPrivate: boolean): boolean {
  const among = (prefixes: typeof PRIVATE) => prefixes.some((prefix) => prefixContains(prefix, address));
  return !among(NOBODYS) && (allowPrivate || !among(PRIVATE));
}
