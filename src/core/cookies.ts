/** The names of our cookies: in one place, so that what the pages set is what the edge reads and takes away. */

/** The session's cookie on a TLS listener. The `__Host-` prefix keeps other hosts from planting it. */
export const SESSION_COOKIE = "__Host-sallyport";
/** The session's cookie on a cleartext development listener, where browsers refuse the prefix. */
export const CLEARTEXT_SESSION_COOKIE = "sallyport";

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
