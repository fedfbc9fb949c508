/** Places that somebody asks from, and the tokens of the addresses that they were given. */
import { parseAddress } from "../../src/core/address.ts";
import type { Place } from "../../src/whitelist/place.ts";

export function place(text: string, userAgent = "Firefox on a laptop"): Place {
  const address = parseAddress(text);
  if (address === undefined) throw new Error(`not an address: ${text}`);
  return { address, userAgent };
}

/** The last segment of a link's, shortcut's or companion's address. */
export function tokenOf(url: string): string {
  return url.slice(url.lastIndexOf("/") + 1);
}
