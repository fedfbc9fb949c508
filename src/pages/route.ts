/** What a page is to the server: a route, the call that it answers, and its answer. */

import type { Readable } from "node:stream";
import type { Html } from "../look/html.ts";
import type { Language, Translate } from "../look/language.ts";
import type { Visit } from "../person/visit.ts";

/** The root of all pages; every route's path begins with it. */
export const ROOT = "/.sallyport";

/** One request, read and found sound. A `POST` has passed the checks against other sites' forms. */
export interface Call {
  readonly visit: Visit;
  readonly lang: Language;
  readonly text: Translate;
  readonly nowMs: number;
  /** The last path segment of a route that ends in `:token`. */
  readonly token: string;
  /** Where the edge says that the browser wanted to go. */
  readonly wanted: string | undefined;
  /** Whether a page is wanted; a program takes a line of text. */
  readonly wantsPage: boolean;
  readonly query: Readonly<Record<string, string | undefined>>;
  /** The fields that the route names, as sent; empty for a `GET`. */
  readonly form: Readonly<Record<string, string | undefined>>;
  /** What a form that posts to this path must carry. */
  readonly proofFor: (path: string) => string;
}

/** Cookies to set; `null` takes one away. */
export interface CookieChanges {
  readonly browser?: string;
  readonly session?: string | null;
  readonly known?: string;
  readonly device?: { readonly token: string; readonly expiresAtMs: number };
}

export interface PageContent {
  readonly title: string;
  readonly body: Html;
  readonly width?: "narrow" | "wide";
  readonly nav?: Html;
  /** Paths of module scripts, in the order they run. */
  readonly scripts?: readonly string[];
  /** Origins besides this one that the scripts speak to. */
  readonly connectTo?: readonly string[];
}

type Content =
  | { readonly kind: "page"; readonly status: number; readonly content: PageContent }
  | { readonly kind: "redirect"; readonly to: string }
  | {
      readonly kind: "json";
      readonly status: number;
      readonly body: unknown;
      /** Seconds that anybody may keep it; absent: not at all. */
      readonly maxAgeSeconds?: number;
    }
  | {
      readonly kind: "file";
      readonly status: number;
      readonly contentType: string;
      readonly body: string | Buffer;
      /** The name under which it is kept; absent: it is shown. */
      readonly name?: string;
    }
  | { readonly kind: "stream"; readonly contentType: string; readonly body: Readable };

export type Answer = Content & {
  readonly cookies?: CookieChanges;
  /** How long to wait before the next try; see {@link tooMany}. */
  readonly retryAfterMs?: number;
};

/** `GET` routes change nothing; `POST` routes are forms of this site, and `JSON` ones are posted by its scripts. */
export interface Route {
  readonly method: "GET" | "POST" | "JSON";
  /** Below {@link ROOT}; `:token` may stand for the last segment. */
  readonly path: string;
  /** The fields that a `POST` may send, each once; any other is refused. */
  readonly fields?: readonly string[];
  /**
   * The path holds a secret that is proof enough of itself, so that programs (which say nothing of an origin) and
   * the pages of the tenant's other hosts may post too.
   */
  readonly open?: boolean;
  readonly handle: (call: Call) => Promise<Answer> | Answer;
}

export function showPage(content: PageContent, status = 200, cookies: CookieChanges = {}): Answer {
  return { kind: "page", status, content, cookies };
}

/** The same, as 429: no more of this kind for so long. */
export function tooMany(answer: Answer, retryAfterMs: number): Answer {
  return "status" in answer ? { ...answer, status: 429, retryAfterMs } : answer;
}

/** 303: what comes next is a `GET`. */
export function redirectTo(to: string, cookies: CookieChanges = {}): Answer {
  return { kind: "redirect", to, cookies };
}

export function answerJson(body: unknown, status = 200): Answer {
  return { kind: "json", status, body };
}

/** A line for a program or a terminal. */
export function answerText(line: string, status = 200): Answer {
  return { kind: "file", status, contentType: "text/plain; charset=utf-8", body: `${line}\n` };
}

/** A path below the root with a query of the values that are there. */
export function pathTo(path: string, query: Readonly<Record<string, string | undefined>> = {}): string {
  const pairs = Object.entries(query).filter((pair): pair is [string, string] => pair[1] !== undefined);
  return `${ROOT}/${path}${pairs.length === 0 ? "" : `?${new URLSearchParams(pairs)}`}`;
}
