/** The layout of every page, with the response fields that fit it. */
import type { Branding } from "../core/tenant.ts";
import { type Html, html, raw, trustedMarkup } from "./html.ts";
import { type Language, translator } from "./language.ts";
import { contentSecurityPolicy, securityHeaders } from "./security-headers.ts";
import { accentStyle, REFUSAL_STYLE, STYLESHEET } from "./stylesheet.ts";

/** Whose page it is; texts and colours of the tenant, never HTML. */
export interface PageTenant {
  readonly name: string;
  readonly branding: Branding;
}

export interface PageOptions {
  /** Without the tenant's name, which is added. */
  readonly title: string;
  /** Absent where no tenant may be shown. */
  readonly tenant?: PageTenant | undefined;
  readonly lang: Language;
  /** The content of `<main>`: as a rule one or more `<section class="panel">`. */
  readonly body: Html;
  /** Navigation in the page's head. */
  readonly nav?: Html | undefined;
  /** `wide` for lists, `narrow` (default) for one thing at a time. */
  readonly width?: "narrow" | "wide";
  /** Paths on this host of module scripts. */
  readonly scripts?: readonly string[];
  /** Origins besides this one that the scripts speak to. */
  readonly connectTo?: readonly string[];
  /** `inline` makes the page need nothing else, for when control may be away. */
  readonly styles?: "linked" | "inline";
}

/** A finished page and the response fields that belong to it (the policy lists the page's own styles). */
export interface Page {
  readonly html: string;
  readonly headers: Readonly<Record<string, string>>;
}

const MARK = raw`<svg viewBox="0 0 28 28" fill="none" stroke="currentColor" stroke-width="2.25" stroke-linejoin="round" aria-hidden="true"><path d="M3 26V13a11 11 0 0 1 22 0v13z"/><path d="M9 26V14a5 5 0 0 1 10 0v12z" fill="currentColor" stroke="none"/></svg>`;
const ICON =
  "data:image/svg+xml;base64," +
  Buffer.from(
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 28 28" fill="none" stroke="#2b8a80" stroke-width="2.5" stroke-linejoin="round"><path d="M3 26V13a11 11 0 0 1 22 0v13z"/><path d="M9 26V14a5 5 0 0 1 10 0v12z" fill="#2b8a80" stroke="none"/></svg>',
  ).toString("base64");
/** An inline logo is part of every refusal, which an attacker can ask for at will; beyond this the name must do. */
const MOST_INLINE_LOGO = 8 * 1024;

/** Lays a page out. The caller sends `headers` unchanged and adds the status and, over TLS, HSTS. */
export function page(options: PageOptions): Page {
  const { tenant, lang, scripts = [], styles = "linked" } = options;
  const text = translator(lang);
  const accent = accentStyle(tenant?.branding.accent);
  const inline = styles === "inline" ? [REFUSAL_STYLE] : [];
  if (accent !== undefined) inline.push(accent);
  const markup = html`<!doctype html>
<html lang="${lang}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<meta name="robots" content="noindex, nofollow">
<title>${options.title}${tenant && ` · ${tenant.name}`}</title>
<link rel="icon" href="${trustedMarkup(ICON)}">
${styles === "linked" && html`<link rel="stylesheet" href="${STYLESHEET.path}">`}${inline.map(styleElement)}
${scripts.map((path) => html`<script type="module" src="${path}"></script>`)}
</head>
<body${options.width === "wide" && raw` class="wide"`}>
<a class="skip" href="#content">${text("page.skip")}</a>
<header class="brand">${brand(tenant, styles)}${options.nav}</header>
<main id="content" tabindex="-1">${options.body}</main>
<footer>${text("page.guarded")}</footer>
</body>
</html>
`;
  return { html: markup.toString(), headers: headersFor(inline, styles === "linked", options) };
}

function headersFor(
  inline: readonly { source: string }[],
  linkedStyles: boolean,
  { scripts = [], connectTo = [] }: PageOptions,
): Page["headers"] {
  const styles = inline.map((style) => style.source);
  const policy = contentSecurityPolicy({ styles, linkedStyles, scripts: scripts.length > 0, connectTo });
  return Object.freeze({ ...securityHeaders(policy), "content-type": "text/html; charset=utf-8" });
}

function styleElement(style: { readonly text: string }): Html {
  return trustedMarkup(`<style>${style.text}</style>`);
}

function brand(tenant: PageTenant | undefined, styles: "linked" | "inline"): Html {
  if (tenant === undefined) return html`${MARK}<span>Sallyport</span>`;
  const { logo } = tenant.branding;
  const shown = logo !== undefined && (styles === "linked" || logo.length <= MOST_INLINE_LOGO);
  return html`${shown ? html`<img src="${logo}" alt="">` : MARK}<span>${tenant.name}</span>`;
}
