/** From what the edge says of a request to the visit that the person door judges: the one place that reads it. */
import { parseAddress } from "../core/address.ts";
import type { Clock } from "../core/clock.ts";
import { cookieNames, readCookie } from "../core/cookies.ts";
import { canonicalHost } from "../core/host.ts";
import type { TenantId } from "../core/ids.ts";
import type { Tenant } from "../core/tenant.ts";
import { negotiateLanguage } from "../look/language.ts";
import type { Visit } from "../person/visit.ts";
import type { TenantPolicy } from "../replica/policy.ts";

/** Header fields, as Node gives them. Those that begin with `sallyport-` are the edge's own. */
export type RequestFields = Readonly<Record<string, string | readonly string[] | undefined>>;

export type FindTenant = (id: TenantId) => TenantPolicy | undefined;

/** A visit, and how its browser is spoken to. */
export interface Caller {
  readonly visit: Visit;
  /** Over TLS cookies have their `__Host-` names. */
  readonly tls: boolean;
}

/** @returns `undefined` when a fact is missing or does not fit the tenant: no page is served on a doubt */
export function readCaller(fields: RequestFields, findTenant: FindTenant, clock: Clock): Caller | undefined {
  const policy = findTenant(textOf(fields["sallyport-tenant"]) as TenantId);
  const host = canonicalHost(textOf(fields["host"]));
  const address = parseAddress(textOf(fields["sallyport-client-address"]));
  const tls = textOf(fields["sallyport-tls"]);
  const port = textOf(fields["sallyport-port"]);
  if (policy === undefined || host === undefined || address === undefined || !/^[01]$/.test(tls)) return undefined;
  if (!policy.hosts.includes(host)) return undefined;
  const secure = tls === "1";
  const visit: Visit = {
    tenant: tenantOf(policy),
    host,
    origin: new URL(`${secure ? "https" : "http"}://${host}${port === "" ? "" : `:${port}`}`).origin,
    address,
    userAgent: textOf(fields["user-agent"]),
    lang: negotiateLanguage(textOf(fields["accept-language"])),
    located: policy.matcher.lookup(address, Math.floor(clock.nowMs() / 1000)) >= 0,
    cookies: readCookies(textOf(fields["cookie"]), secure),
  };
  return { visit, tls: secure };
}

function readCookies(field: string, tls: boolean): Visit["cookies"] {
  const names = cookieNames(tls);
  const cookies: { -readonly [Role in keyof Visit["cookies"]]: Visit["cookies"][Role] } = {};
  for (const role of ["browser", "session", "known", "device"] as const) {
    const value = readCookie(field, names[role]);
    if (value !== undefined) cookies[role] = value;
  }
  return cookies;
}

const tenants = new WeakMap<TenantPolicy, Tenant>();

/** The replica's tenant as the rules take it; who declared it concerns the admin API alone. */
function tenantOf(policy: TenantPolicy): Tenant {
  let tenant = tenants.get(policy);
  if (tenant === undefined) {
    const { id, name, hosts, upstreams, branding } = policy;
    tenant = { id, name, hosts, upstreams, policy: policy.policy, branding, declared: false };
    tenants.set(policy, tenant);
  }
  return tenant;
}

function textOf(field: string | readonly string[] | undefined): string {
  return typeof field === "string" ? field : "";
}
