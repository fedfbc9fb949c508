/** URLs as they may be logged. */

/** Pages whose next path segment is a secret. */
const TOKEN_PATH = /^(\/+\.sallyport\/+)([a-z0-9-]+)(\/+)[^?#]+/i;
/** Query values that anybody might paste a secret into; addresses and paging are worth more than they risk. */
const SHOWN_QUERY = new Set(["ip", "limit", "wait", "timeoutMs", "dryRun", "allowBroad", "confirm"]);
/** Page folders of which the rest is a name of ours. */
const OPEN_PAGES = new Set(["assets", "portal", "account"]);

/**
 * Takes the tokens out of `/.sallyport/allow/…`, `invite/…`, `reset/…` and any page that may come to have one,
 * however the prefix is spelt, and out of the query everything but a few harmless values.
 */
export function redactUrl(url: unknown): unknown {
  if (typeof url !== "string") return url;
  const cut = url.search(/[?#]/);
  const path = cut < 0 ? url : url.slice(0, cut);
  return redactPath(path) + (cut < 0 ? "" : redactQuery(url.slice(cut)));
}

function redactPath(path: string): string {
  const plain = path.replaceAll(/%2e/gi, ".").replaceAll(/%2f/gi, "/").replaceAll(/%73/gi, "s");
  const page = TOKEN_PATH.exec(plain);
  if (page === null || OPEN_PAGES.has(page[2]?.toLowerCase() ?? "")) return path;
  return `${page[1]}${page[2]}${page[3]}[hidden]`;
}

function redactQuery(query: string): string {
  const parts = query
    .slice(1)
    .split("&")
    .map((part) => {
      const name = part.split("=", 1)[0] ?? "";
      if (SHOWN_QUERY.has(name)) return part;
      return part === name ? "[hidden]" : `${name}=[hidden]`;
    });
  return `?${parts.join("&")}`;
}
