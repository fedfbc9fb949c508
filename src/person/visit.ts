/** Who stands at the person door: the facts of one request, as the edge established them, and the cookies it brought. */
import type { Address } from "../core/address.ts";
import { type CanonicalHost, digest } from "../core/ids.ts";
import type { Tenant } from "../core/tenant.ts";
import type { Language } from "../look/language.ts";
import type { Recipient } from "../notify/outbox.ts";

/** Cookie values as received: proof of nothing until a rule has checked them. */
export interface VisitCookies {
  /** Binds challenges to this browser. */
  readonly browser?: string;
  readonly session?: string;
  /** Says that this browser signed in before ({@link ../person/known-browser.ts}). */
  readonly known?: string;
  /** A remembered device. */
  readonly device?: string;
}

export interface Visit {
  readonly tenant: Tenant;
  /** One of the tenant's hosts; the relying party of a passkey ceremony. */
  readonly host: CanonicalHost;
  /** `scheme://host[:port]` as the browser sees this site. */
  readonly origin: string;
  readonly address: Address;
  readonly userAgent: string;
  /** What the browser asked to be answered in. */
  readonly lang: Language;
  /** Whether the tenant's allowlist covers the address. */
  readonly located: boolean;
  readonly cookies: VisitCookies;
}

/** Whoever makes the visit, for a mail that their own doing causes: in the language they read. */
export function readerOf({ lang }: Visit, { email, name }: Recipient): Recipient {
  return { email, lang, ...(name === undefined ? {} : { name }) };
}

/** The network that counts as one place: an IPv4 address, or an IPv6 /64. Not readable back. */
export function placeOf(address: Address): string {
  return digest(address.family === 4 ? `4/${address.a}` : `6/${address.a}.${address.b}`).slice(0, 16);
}

/** Whether two addresses are far apart: in different IPv4 /16 or IPv6 /32 networks, or of different families. */
export function farApart(one: Address, other: Address): boolean {
  if (one.family !== other.family) return true;
  return one.family === 4 ? one.a >>> 16 !== other.a >>> 16 : one.a !== other.a;
}
