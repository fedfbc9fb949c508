/** The request target: where a request is bound, by the exact bytes that the upstream will see. */
import type { Authority } from "./host.ts";
import { parseAuthority } from "./host.ts";

/** `pages`: control's, under `/.sallyport`. `upstream`: the tenant's application. */
export type Route = "pages" | "upstream";

const PAGES = "/.sallyport";
/** The only spelling in which control's pages are reached: unreserved characters, no empty and no dot segment. */
const PAGES_PATH = /^\/\.sallyport(?:\/(?!\.{1,2}(?:\/|$))[A-Za-z0-9._~-]+)*\/?$/;
/**
 * The last segment of these is a secret that whoever asks may have mangled: with `%` and what else a segment may hold
 * (RFC 3986, 3.3), but nothing that a decoder could take for another segment, nor `;`.
 */
const TOKEN_PATH =
  /^\/\.sallyport\/(?:allow|invite|reset)\/(?!(?:\.|%2[Ee]){1,2}$)(?:[\w.~!$&'()*+,=:@-]|%(?!2[Ff]|5[Cc])[0-9A-Fa-f]{2})+$/;
/** What a target must hold, as it is or percent-encoded, to be ours in any spelling. */
const SUSPECT = /%|sallyport/i;
const MAX_DECODINGS = 4;

const ABSOLUTE = /^https?:\/\/([^/?#]*)(.*)$/is;

/**
 * Where an origin-form target leads, or `undefined` when it must be refused: control's pages have exactly one
 * spelling, and a target that some decoder or normaliser would turn into theirs (`/%2esallyport`,
 * `//.sallyport`, `/x/../.sallyport`, `/.Sallyport`, `/.sallyport;x`) is neither theirs nor the upstream's.
 * Every other target is forwarded as it stands.
 *
 * Hot path: one search for targets without a percent sign.
 */
export function routeOf(target: string): Route | undefined {
  if (!SUSPECT.test(target)) return "upstream";
  const path = pathOf(target);
  if (PAGES_PATH.test(path) || TOKEN_PATH.test(path)) return "pages";
  return isPages(path) || couldMeanPages(path) ? undefined : "upstream";
}

/** The target up to its query. */
export function pathOf(target: string): string {
  const query = target.indexOf("?");
  return query < 0 ? target : target.slice(0, query);
}

/** A target in absolute form (RFC 9112 section 3.2.2) as its authority and its origin form; `undefined` for any other. */
export function parseAbsolute(target: string): { authority: Authority; target: string } | undefined {
  const [, authorityText = "", rest = ""] = ABSOLUTE.exec(target) ?? [];
  const authority = parseAuthority(authorityText);
  if (authority === undefined) return undefined;
  return { authority, target: rest.startsWith("/") ? rest : `/${rest}` };
}

/** Whether decoding, repeatedly, and resolving the path as lenient servers do would lead to control's pages. */
function couldMeanPages(path: string): boolean {
  let text = path;
  for (let round = 0; round < MAX_DECODINGS; round++) {
    if (/sallyport/i.test(text) && isPages(resolve(text))) return true;
    const decoded = text.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
    if (decoded === text) return false;
    text = decoded;
  }
  return /sallyport/i.test(text);
}

/** Lower case, `\` as `/`, path parameters and what follows a control character, `?` or `#` cut off, dot and empty segments resolved. */
function resolve(path: string): string {
  const resolved: string[] = [];
  for (const written of path.toLowerCase().replaceAll("\\", "/").split("/")) {
    const segment = written.replace(/[^a-z0-9._~-].*$/s, "");
    if (segment === "..") resolved.pop();
    else if (segment !== "" && segment !== ".") resolved.push(segment);
  }
  return `/${resolved.join("/")}`;
}

function isPages(path: string): boolean {
  return path === PAGES || path.startsWith(`${PAGES}/`);
}
