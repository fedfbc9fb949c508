/** Which upstream origins a tenant may name: the rules against turning the gate on its own infrastructure. */
import { isIP } from "node:net";
import { type Address, parseAddress, parsePrefix, prefixContains } from "./address.ts";

/**
 * Never an upstream: "this host", link-local (where clouds keep their metadata and credentials, RFC 3927),
 * multicast and reserved. Private and loopback addresses are where upstreams live, and stay allowed.
 */
const REFUSED = [
  "0.0.0.0/8",
  "169.254.0.0/16",
  "100.100.100.200/32",
  "192.0.0.192/32",
  "224.0.0.0/3",
  "::/128",
  "fe80::/10",
  "ff00::/8",
  "fd00:ec2::/32",
  "fd20:ce::254/128",
].map(parsePrefix);

/** The names under which clouds serve their metadata. */
const METADATA_NAMES = /^(metadata|metadata\.google\.internal|instance-data(\.ec2\.internal)?)\.?$/;

const ORIGIN = /^https?:\/\/(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:[0-9]{1,5})?\/?$/i;

/**
 * The canonical origin (`http://host` or `http://host:port`), or why it is refused. A name that resolves to
 * a refused address is found out when the edge connects, not here: names move.
 */
export function canonicalUpstream(text: string): { origin: string } | { refused: string } {
  const [, written] = ORIGIN.exec(text) ?? [];
  const url = written === undefined ? null : URL.parse(text);
  if (url === null || written === undefined)
    return { refused: "is not an http or https origin (no path, no user, no query)" };
  if (url.port === "0") return { refused: "has port 0, on which nothing can listen" };
  const host = url.hostname.replace(/^\[|\]$/g, "");
  if (isIP(host) === 0)
    return METADATA_NAMES.test(host) ? { refused: "is a cloud metadata name" } : { origin: url.origin };
  const address = parseAddress(written.replace(/^\[|\]$/g, ""));
  if (address === undefined) return { refused: "does not spell its address strictly" };
  return isRefused(address)
    ? { refused: "is a link-local, metadata, multicast or unspecified address" }
    : { origin: url.origin };
}

/** Whether a name resolved to an address that no upstream may have. What is no plain address is refused too. */
export function isRefusedPeer(text: string): boolean {
  const address = parseAddress(text);
  return address === undefined || isRefused(address);
}

function isRefused(address: Address): boolean {
  return REFUSED.some((prefix) => prefixContains(prefix, address));
}
