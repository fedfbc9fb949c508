/** Which requests may leave HTTP for a tunnel. */
import { type Authority, parseAuthority } from "../core/host.ts";
import type { ClientRequest } from "./client-message.ts";
import type { Exchange } from "./exchange.ts";
import type { RefusalCode } from "./refusals.ts";

const UPGRADE_TOKEN = /(?:^|,)[ \t]*upgrade[ \t]*(?:,|$)/i;
/** Protocols that would take HTTP past the gate: further requests on such a connection would not be judged. */
const HTTP_AGAIN = /(?:^|,)[ \t]*(?:h2c?|h3|http|tls)[ \t]*(?:\/|,|$)/i;
const ORIGIN = /^(https?):\/\/([^/?#@]+)$/;
const DEFAULT_PORTS = { http: 80, https: 443 };

/** Whether the request asks to change the protocol; in HTTP/1.0 the field means nothing (RFC 9110 section 7.8). */
export function asksForUpgrade(req: ClientRequest): boolean {
  return req.httpVersionMinor === 1 && UPGRADE_TOKEN.test(req.headers.connection ?? "");
}

/**
 * Why a request that passed both doors may not have the tunnel that it asks for.
 * @param protocols the Upgrade field
 * @param own what the Host field names
 */
export function upgradeFault(
  exchange: Exchange,
  req: ClientRequest,
  protocols: string,
  own: Authority,
): RefusalCode | undefined {
  // A body would get between the request and the tunnel's bytes.
  if (exchange.hasBody || HTTP_AGAIN.test(protocols)) return "upgrade_refused";
  const { origin } = req.headers;
  return origin === undefined || mayConnect(origin, exchange, own) ? undefined : "origin_refused";
}

/**
 * Whether the page that opens a WebSocket may do so: it comes from one of the tenant's hosts, on the port that
 * this request came to and not in cleartext when this is TLS, or from an origin that the tenant names. Browsers
 * always send `Origin` with a WebSocket; what sends none has no cookies to misuse.
 */
function mayConnect(origin: string, { tenant, tls }: Exchange, own: Authority): boolean {
  if (tenant.policy.webSocketOrigins.includes(origin)) return true;
  const [, scheme, authorityText = ""] = ORIGIN.exec(origin) ?? [];
  const authority = parseAuthority(authorityText);
  if (authority === undefined || !tenant.hosts.includes(authority.host)) return false;
  if (tls && scheme !== "https") return false;
  const standard = DEFAULT_PORTS[scheme === "https" ? "https" : "http"];
  return (authority.port ?? standard) === (own.port ?? standard);
}
