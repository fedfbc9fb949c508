/** The response fields that keep a page from being framed, sniffed, leaked or made to run anything foreign. */

export interface PolicySources {
  /** Source expressions of inline styles (`'sha256-…'`). */
  readonly styles?: readonly string[];
  /** Whether the page loads the style sheet from this host. */
  readonly linkedStyles?: boolean;
  /** Whether the page loads scripts, always from this host, and speaks to it. */
  readonly scripts?: boolean;
  /** Origins besides this one that they speak to. */
  readonly connectTo?: readonly string[];
}

/**
 * A content security policy (CSP level 3) without `unsafe-inline`: nothing loads unless it is named. Trusted
 * types are demanded and no policy for them may be made, so that a script cannot turn text into markup.
 */
export function contentSecurityPolicy(sources: PolicySources): string {
  const { styles = [], linkedStyles = false, scripts = false, connectTo = [] } = sources;
  const styleSources = [...(linkedStyles ? ["'self'"] : []), ...styles];
  return [
    "default-src 'none'",
    `style-src ${styleSources.length === 0 ? "'none'" : styleSources.join(" ")}`,
    "img-src 'self' data:",
    ...(scripts ? ["script-src 'self'", ["connect-src 'self'", ...connectTo].join(" ")] : []),
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join("; ");
}

/**
 * The fields of every page. With `no-referrer` a browser sends `Origin: null` even with a same-origin form
 * post (Fetch, "append a request Origin header"), so checks against cross-site posts look at `Sec-Fetch-Site`.
 * @param policy of {@link contentSecurityPolicy}
 */
export function securityHeaders(policy: string): Readonly<Record<string, string>> {
  return Object.freeze({
    "content-security-policy": policy,
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "x-robots-tag": "noindex, nofollow",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy":
      "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=(), publickey-credentials-get=(self), publickey-credentials-create=(self)",
    "cache-control": "no-store",
  });
}
