/** The style sheets: read and made small once at start, hashed for the policy and for their address. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { accentPair } from "./colour.ts";

/** The path under which control serves what never changes under its name. */
const ASSETS_PATH = "/.sallyport/assets/";

/** A file that may be cached for ever, because its name carries its hash. */
export interface Asset {
  readonly path: string;
  readonly contentType: string;
  readonly body: Buffer;
}

/** Style text for a `<style>` element, and its source expression for the content security policy. */
export interface InlineStyle {
  readonly text: string;
  readonly source: string;
}

/** The `Cache-Control` of an {@link Asset}. */
export const ASSET_CACHE_CONTROL = "public, max-age=31536000, immutable";

/** @param name as in `look.css`; the hash goes before the last dot. */
export function hashedAsset(name: string, contentType: string, body: Buffer | string): Asset {
  const hash = createHash("sha256").update(body).digest("hex").slice(0, 16);
  const dot = name.lastIndexOf(".");
  return {
    path: `${ASSETS_PATH}${name.slice(0, dot)}-${hash}${name.slice(dot)}`,
    contentType,
    body: Buffer.from(body),
  };
}

/** Enough for the pages that the edge sends by itself; inside the page, since control may be away. */
export const REFUSAL_STYLE: InlineStyle = inline(readCss("base.css"));

/** Everything, for the pages that control serves. */
export const STYLESHEET: Asset = hashedAsset(
  "look.css",
  "text/css; charset=utf-8",
  readCss("base.css") + readCss("pages.css") + readCss("portal.css"),
);

const MOST_ACCENTS = 10_000;
const accents = new Map<string, InlineStyle>();

/** The tenant's accent as a tiny style, made readable in both themes; remembered by colour. */
export function accentStyle(accent: string | undefined): InlineStyle | undefined {
  if (accent === undefined) return undefined;
  let style = accents.get(accent);
  if (style === undefined) {
    const { light, dark } = accentPair(accent);
    style = inline(`:root{--accent:${light}}@media(prefers-color-scheme:dark){:root{--accent:${dark}}}`);
    if (accents.size >= MOST_ACCENTS) accents.clear();
    accents.set(accent, style);
  }
  return style;
}

function inline(text: string): InlineStyle {
  return { text, source: `'sha256-${createHash("sha256").update(text).digest("base64")}'` };
}

/** Our own style sheets hold no comment markers or doubled spaces inside strings, so this is enough. */
function readCss(name: string): string {
  return readFileSync(new URL(name, import.meta.url), "utf8")
    .replace(/\/\*.*?\*\//gs, "")
    .replace(/\s+/g, " ")
    .replace(/ ?([{};,>]) ?/g, "$1")
    .replace(/: /g, ":")
    .replace(/;}/g, "}")
    .trim();
}
