/** A place that somebody asks from: its address, the network that would be admitted for it, and how often it may ask. */
import { createHash } from "node:crypto";
import { type Address, formatPrefix, networkOf } from "../core/address.ts";
import { encodeBase32, type TenantId } from "../core/ids.ts";
import { takeAll } from "../core/rate-limits.ts";
import type { RateLimit, Store } from "../core/store.ts";

/** The facts of one request, as the edge established them; a page's `Visit` is one. */
export interface Place {
  readonly address: Address;
  readonly userAgent: string;
}

/** What is kept of a browser's own words. */
const USER_AGENT = 300;

/** Of a network: a ward's devices behind one address may run their shortcuts at once. */
const PER_NETWORK: RateLimit = { burst: 60, periodMs: 60_000 };
/** Of a link: a shift that got it by mail may open it at once. */
const PER_SOURCE: RateLimit = { burst: 60, periodMs: 60_000 };
const PER_TENANT: RateLimit = { burst: 1_000, periodMs: 60_000 };

/** What is admitted for an address: the address itself, or the /64 of an IPv6 one. */
export function cidrOf(place: Pick<Place, "address">): string {
  return formatPrefix(networkOf(place.address));
}

/** Names a network in the id of a document: 13 digits. */
export function networkId(cidr: string): string {
  return encodeBase32(createHash("sha256").update(cidr).digest().readBigUInt64BE());
}

export function browserOf({ userAgent }: Place): string {
  return userAgent.replace(/[\p{C}\p{Zl}\p{Zp}]+/gu, " ").slice(0, USER_AGENT);
}

/**
 * Takes one use of a link, shortcut or form from the limits of the address, of the source and of the tenant.
 * @param source names what is used, within the tenant
 * @returns how long to wait; 0 when it may go on
 */
export async function takeUse(store: Store, tenant: TenantId, source: string, place: Place): Promise<number> {
  const network = networkId(cidrOf(place));
  return await takeAll(store, [
    [`allow/${tenant}/address/${network}`, PER_NETWORK],
    [`allow/${tenant}/source/${source}`, PER_SOURCE],
    [`allow/${tenant}/all`, PER_TENANT],
  ]);
}
