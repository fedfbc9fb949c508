/** The names of our cookies: in one place, so that what the pages set is what the edge reads and takes away. */
import { withoutBlanks } from "./blanks.ts";

/** The session's cookie on a TLS listener. The `__Host-` prefix keeps other hosts from planting it. */
const SESSION_COOKIE = "__Host-sallyport";
/** The session's cookie on a cleartext development listener, where browsers refuse the prefix. */
export const CLEARTEXT_SESSION_COOKIE = "sallyport";

/** Our cookies on one kind of listener, by what they carry. */
export interface CookieNames {
  readonly session: string;
  /** Binds forms and challenges to a browser. */
  readonly browser: string;
  /** Says that somebody has signed in from this browser before. */
  readonly known: string;
  /** A remembered device. */
  readonly device: string;
}

const SECURE_NAMES = namesFrom(SESSION_COOKIE);
const CLEARTEXT_NAMES = namesFrom(CLEARTEXT_SESSION_COOKIE);

export function cookieNames(tls: boolean): CookieNames {
  return tls ? SECURE_NAMES : CLEARTEXT_NAMES;
}

function namesFrom(session: string): CookieNames {
  return { session, browser: `${session}-browser`, known: `${session}-known`, device: `${session}-device` };
}

/**
 * The value of a cookie in a `Cookie` field: `undefined` when it is not there, or there twice. A name is what the
 * browser took it for, no-break spaces included: with them the `__Host-` prefix would keep nobody from planting it.
 */
export function readCookie(field: string, name: string): string | undefined {
  let found: string | undefined;
  for (const pair of field.split(";")) {
    const equals = pair.indexOf("=");
    if (equals < 0 || withoutBlanks(pair.slice(0, equals)) !== name) continue;
    if (found !== undefined) return undefined;
    found = withoutBlanks(pair.slice(equals + 1));
  }
  return found;
}

export interface CookieAttributes {
  readonly tls: boolean;
  /** `Lax` is sent when another site's link leads here, `Strict` is not. */
  readonly sameSite: "Lax" | "Strict";
  /** Absent: until the browser is closed. 0: gone at once. */
  readonly maxAgeSeconds?: number;
}

/** A `Set-Cookie` value (RFC 6265bis): for this host alone, hidden from scripts. @param value of cookie octets only */
export function serializeCookie(name: string, value: string, attributes: CookieAttributes): string {
  const { tls, sameSite, maxAgeSeconds } = attributes;
  const age = maxAgeSeconds === undefined ? "" : `; Max-Age=${maxAgeSeconds}`;
  return `${name}=${value}; Path=/; HttpOnly; SameSite=${sameSite}${tls ? "; Secure" : ""}${age}`;
}

/** Every name that starts so is ours; letter case does not count, since browsers ignore it in the prefix. */
const OURS = /^[\s=]*(?:__host-|__secure-)?sallyport/i;
const MENTIONS_OURS = /sallyport/i;

/**
 * A `Cookie` value without our cookies, all others byte for byte as they were; `undefined` when none is left.
 * A nameless cookie (`=sallyport=x`, which browsers send as `sallyport=x`) counts by what it looks like.
 */
export function withoutOurCookies(value: string): string | undefined {
  if (!MENTIONS_OURS.test(value)) return value;
  const kept = value
    .split(";")
    .filter((pair) => !OURS.test(pair))
    .join(";")
    .trimStart();
  return kept === "" ? undefined : kept;
}

/** Whether a `Set-Cookie` value would set one of our cookies. */
export function setsOurCookie(value: string): boolean {
  return OURS.test(value);
}
