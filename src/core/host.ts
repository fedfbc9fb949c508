/** The strict reading of a Host field, so that every process means the same tenant by the same name. */
import { parseAddress } from "./address.ts";
import type { CanonicalHost } from "./ids.ts";

/** A name or address with the port as it was written. */
export interface Authority {
  readonly host: CanonicalHost;
  /** 1 to 65535, or `undefined` when none was written. */
  readonly port: number | undefined;
}

const AUTHORITY = /^(\[[0-9a-f:.]+\]|[a-z0-9.-]+)(?::([1-9][0-9]{0,4}))?$/i;
const LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?";
const NAME = new RegExp(`^(?=.{1,253}$)${LABEL}(?:\\.${LABEL})*$`);
/** What resolvers take for an IPv4 address in one of its many spellings (WHATWG URL, "ends in a number"). */
const ENDS_IN_A_NUMBER = /(?:^|\.)(?:[0-9]+|0x[0-9a-f]*)$/;

/**
 * The host and port of a Host field or of an absolute-form target (RFC 9110 section 7.2, RFC 9112 section
 * 3.2.2), or `undefined` for anything but an LDH name (RFC 1123) or a strictly spelt address, with or without
 * a port: no userinfo, no list, no white space, no bytes outside ASCII. Never throws.
 */
export function parseAuthority(text: string): Authority | undefined {
  const [, written, portText] = AUTHORITY.exec(text) ?? [];
  if (written === undefined) return undefined;
  const port = portText === undefined ? undefined : Number(portText);
  if (port !== undefined && port > 65_535) return undefined;
  const host = written.startsWith("[") ? canonicalIpv6(written) : canonicalName(written);
  return host === undefined ? undefined : { host, port };
}

/**
 * The one spelling of a host: lower case, no port, no trailing dot; an IPv6 address canonical in brackets.
 * `undefined` for what {@link parseAuthority} refuses.
 */
export function canonicalHost(text: string): CanonicalHost | undefined {
  return parseAuthority(text)?.host;
}

function canonicalIpv6(bracketed: string): CanonicalHost | undefined {
  const address = parseAddress(bracketed.slice(1, -1));
  return address?.family === 6 ? (`[${address.text}]` as CanonicalHost) : undefined;
}

function canonicalName(written: string): CanonicalHost | undefined {
  const name = (written.endsWith(".") ? written.slice(0, -1) : written).toLowerCase();
  if (!NAME.test(name)) return undefined;
  if (ENDS_IN_A_NUMBER.test(name) && (name.length !== written.length || parseAddress(name)?.family !== 4))
    return undefined;
  return name as CanonicalHost;
}
