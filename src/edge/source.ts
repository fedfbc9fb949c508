/** The source address: who a request comes from, as far as anybody trusted vouches for it. */
import { type Address, parseAddress, parsePrefix } from "../core/address.ts";
import { withoutBlanks } from "../core/blanks.ts";
import { type EntryId, encodeBase32 } from "../core/ids.ts";
import { AllowlistMatcher } from "../core/matcher.ts";

/** More hops than any real chain of proxies has. */
const MAX_HOPS = 50;

/** The proxies that may say whom they speak for. */
export class TrustedProxies {
  readonly #matcher: AllowlistMatcher;

  /** @throws SallyportError `address_invalid` for a prefix that is not spelt strictly */
  constructor(cidrs: readonly string[]) {
    this.#matcher = AllowlistMatcher.compile(
      cidrs.map((cidr, index) => ({
        id: `e${encodeBase32(BigInt(index))}` as EntryId,
        prefix: parsePrefix(cidr),
        expiresAtSeconds: 0,
      })),
    );
  }

  includes(address: Address): boolean {
    return this.#matcher.lookup(address, 0) >= 0;
  }

  /**
   * The client behind a trusted peer: the chain of `X-Forwarded-For` and the peer, walked from the right to the
   * first hop that is not trusted. What stands left of it is that hop's own claim and is not read. Where every
   * hop is trusted (a proxy asks for itself, so also without the field) the leftmost one is the client.
   *
   * `undefined`, which denies, when a hop that counts is not a plain address (`unknown`, empty, with a port,
   * a zone or quotes) or when the field has more hops than a real chain.
   * @param forwardedFor the field's lines in order, joined by commas
   */
  clientBehind(peer: Address, forwardedFor: string | undefined): Address | undefined {
    if (forwardedFor === undefined) return peer;
    const hops = forwardedFor.split(",", MAX_HOPS + 1);
    if (hops.length > MAX_HOPS) return undefined;
    let client: Address | undefined = peer;
    for (let index = hops.length - 1; index >= 0; index--) {
      client = parseAddress(withoutBlanks(hops[index] ?? ""));
      if (client === undefined || !this.includes(client)) return client;
    }
    return client;
  }
}

/** The address of a socket's other end. The zone that the kernel adds to a link-local one is no part of it. */
export function addressOfSocket(remoteAddress: string | undefined): Address | undefined {
  if (remoteAddress === undefined) return undefined;
  const zone = remoteAddress.indexOf("%");
  return parseAddress(zone < 0 ? remoteAddress : remoteAddress.slice(0, zone));
}
