/**
 * The rules of a tenant's fields that no shape can say. Where `undefined` stands in a list, a wrong value was left out.
 * What a tenant has already is `known`, and never refused: rules grow, and one who must be changed in a hurry cannot
 * first be mended.
 */
import { parseAddress } from "../core/address.ts";
import type { Issue } from "../core/errors.ts";
import { canonicalHost } from "../core/host.ts";
import type { CanonicalHost } from "../core/ids.ts";
import type { AltHosts, Exemption, Policy, Tenant } from "../core/tenant.ts";
import { canonicalUpstream } from "../core/upstream.ts";
import { pointer } from "./issues.ts";
import { originIssue } from "./origin.ts";

type GivenPolicy = Pick<Policy, "factors" | "session"> & {
  readonly exempt: readonly (Partial<Exemption> | undefined)[];
  readonly webSocketOrigins: readonly (string | undefined)[];
};

const DNS_NAME = "write a DNS name alone, such as clinic.example, without scheme, port or path";

export function parseHosts(
  hosts: readonly (string | undefined)[],
  issues: Issue[],
  known: Tenant["hosts"] = [],
): CanonicalHost[] {
  const seen = new Set<CanonicalHost>();
  for (const [index, text] of hosts.entries()) {
    if (text === undefined) continue;
    const at = pointer("hosts", index);
    const host = /[:/@]/.test(text) && !text.startsWith("[") ? undefined : canonicalHost(text);
    if (host === undefined) issues.push({ at, message: "is not a host name", hint: hostHint(text) });
    else if (isAddress(host) && !known.includes(host))
      issues.push({ at, message: "is an IP address, not a host name", hint: DNS_NAME });
    else if (seen.has(host)) issues.push({ at, message: "is there twice" });
    else seen.add(host);
  }
  return [...seen];
}

function hostHint(text: string): string {
  const plain = /^[^\s:/?#@\\]+$/u.test(text) ? URL.parse(`http://${text}`)?.hostname : undefined;
  // What ends in a number is read as an address (WHATWG URL), which nobody meant who wrote a name.
  if (plain !== undefined && canonicalHost(plain) !== undefined && !isAddress(plain)) return `write "${plain}"`;
  return DNS_NAME;
}

/** Whoever comes upon an address of the gate must not learn whose it is; nor can a passkey be made for one (WebAuthn, 5.1.2). */
function isAddress(host: string): boolean {
  return host.startsWith("[") || parseAddress(host) !== undefined;
}

export function parseAltHosts(
  given: { readonly ipv4?: string; readonly ipv6?: string },
  hosts: readonly CanonicalHost[],
  issues: Issue[],
): AltHosts {
  const parsed: { ipv4?: CanonicalHost; ipv6?: CanonicalHost } = {};
  for (const family of ["ipv4", "ipv6"] as const) {
    const text = given[family];
    if (text === undefined) continue;
    const host = hosts.find((each) => each === canonicalHost(text));
    if (host === undefined) issues.push({ at: pointer("altHosts", family), message: "must be one of hosts" });
    else parsed[family] = host;
  }
  return parsed;
}

export function parseUpstreams(
  upstreams: readonly (string | undefined)[],
  issues: Issue[],
  known: Tenant["upstreams"] = [],
): string[] {
  const origins = new Set<string>();
  for (const [index, text] of upstreams.entries()) {
    if (text === undefined) continue;
    const result = known.includes(text) ? { origin: text } : canonicalUpstream(text);
    const at = pointer("upstreams", index);
    if ("refused" in result)
      issues.push({ at, message: result.refused, hint: "write an origin such as http://10.0.0.5:9000" });
    else if (origins.has(result.origin)) issues.push({ at, message: "is there twice" });
    else origins.add(result.origin);
  }
  return [...origins];
}

/** What the shape alone cannot say. */
export function* policyIssues(
  { factors, session, exempt, webSocketOrigins }: GivenPolicy,
  known: Pick<Policy, "exempt"> = { exempt: [] },
): Generator<Issue> {
  if (factors.every((factor) => factor === "sms"))
    yield { at: "/policy/factors", message: "sms alone is too weak", hint: 'add "totp" or "passkey"' };
  if (session.idleSeconds < 60) yield { at: "/policy/session/idle", message: "must be a minute or more" };
  if (session.maxSeconds < session.idleSeconds)
    yield { at: "/policy/session/max", message: "must not be shorter than idle", hint: "raise max or lower idle" };
  if (session.maxSeconds > 30 * 86_400) yield { at: "/policy/session/max", message: "must be 30d or less" };
  if (session.rememberDeviceSeconds > 90 * 86_400)
    yield { at: "/policy/session/rememberDevice", message: "must be 90d or less" };
  for (const [index, exemption] of exempt.entries())
    if (/^\/(\.|%2e)sallyport/i.test(exemption?.path ?? ""))
      yield { at: pointer("policy", "exempt", index, "path"), message: "belongs to the gate itself" };
  for (const [index, exemption] of exempt.entries())
    if (exemption?.path?.endsWith("*") === true && !known.exempt.some(({ path }) => path === exemption.path))
      yield {
        at: pointer("policy", "exempt", index, "path"),
        message: "must not end in *: paths are exact",
        hint: "write each path in full, such as /webhooks/lab",
      };
  for (const [index, text] of webSocketOrigins.entries()) {
    const message = text === undefined ? undefined : originIssue(text);
    if (message !== undefined) yield { at: pointer("policy", "webSocketOrigins", index), message };
  }
}
