/** Which admitted requests may leave HTTP for a tunnel. */
import type { IncomingMessage } from "node:http";
import { canonicalHost } from "../core/host.ts";
import type { TenantPolicy } from "../replica/policy.ts";
import type { Fault } from "./fault-answer.ts";
import type { RequestHead } from "./request-head.ts";

/** Protocols that would carry further requests past the gate's eyes, or hide them. */
const REFUSED_PROTOCOLS = /(?:^|,)[ \t]*(?:h2c?|h3|http|tls)[ \t]*(?:\/|,|$)/i;
const ORIGIN = /^(https?):\/\/([^/?#@\s]+)$/i;

/** What the rules need of a tenant. */
export interface OriginRules {
  readonly hosts: TenantPolicy["hosts"];
  readonly policy: Pick<TenantPolicy["policy"], "webSocketOrigins">;
}

/** Why the request may not have the tunnel that it asks for; `undefined` when it may. */
export function upgradeFault(
  req: IncomingMessage,
  head: RequestHead,
  rules: OriginRules,
  tls: boolean,
): Fault | undefined {
  // A body would stand between the request and the tunnel's bytes.
  if (head.malformed || head.hasBody || head.upgrade === "") return "request_invalid";
  if (REFUSED_PROTOCOLS.test(head.upgrade)) return "upgrade_refused";
  const origins = req.headersDistinct["origin"] ?? [];
  return origins.every((origin) => mayConnect(origin, rules, tls)) && origins.length <= 1
    ? undefined
    : "origin_refused";
}

/**
 * Whether a page of this origin may open a tunnel: it is served under one of the tenant's hosts, and not with
 * less protection than the tunnel, or the tenant names it. Browsers send `Origin` with every WebSocket; what
 * sends none is no browser and holds no cookies that a page could misuse.
 */
function mayConnect(origin: string, { hosts, policy }: OriginRules, tls: boolean): boolean {
  if (policy.webSocketOrigins.includes(origin)) return true;
  const [, scheme = "", authority = ""] = ORIGIN.exec(origin) ?? [];
  const host = canonicalHost(authority);
  if (host === undefined || !hosts.includes(host)) return false;
  return !tls || scheme.toLowerCase() === "https";
}
