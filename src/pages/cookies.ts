/** The cookies that an answer brings, as `Set-Cookie` values. */
import { cookieNames, serializeCookie } from "../core/cookies.ts";
import type { SignedIn } from "../person/completion.ts";
import type { CookieChanges } from "./route.ts";

/** Browsers keep a cookie for 400 days at most. */
const KNOWN_SECONDS = 180 * 24 * 60 * 60;

/**
 * The session's cookie has no age of its own: it goes when the browser is closed, and ends before that on the
 * server. It alone must come along when another site's link leads to the application, hence `Lax`; so must the
 * browser's, or a link in a mail would break the forms that are open.
 */
export function setCookieFields(changes: CookieChanges, tls: boolean, nowMs: number): string[] {
  const names = cookieNames(tls);
  const { browser, session, known, device } = changes;
  const fields: string[] = [];
  if (browser !== undefined) fields.push(serializeCookie(names.browser, browser, { tls, sameSite: "Lax" }));
  if (session === null) {
    fields.push(serializeCookie(names.session, "", { tls, sameSite: "Lax", maxAgeSeconds: 0 }));
  } else if (session !== undefined) {
    fields.push(serializeCookie(names.session, session, { tls, sameSite: "Lax" }));
  }
  if (known !== undefined) {
    fields.push(serializeCookie(names.known, known, { tls, sameSite: "Strict", maxAgeSeconds: KNOWN_SECONDS }));
  }
  if (device !== undefined) {
    const maxAgeSeconds = Math.max(0, Math.floor((device.expiresAtMs - nowMs) / 1000));
    fields.push(serializeCookie(names.device, device.token, { tls, sameSite: "Strict", maxAgeSeconds }));
  }
  return fields;
}

/** What a browser keeps of a completed sign-in. */
export function cookiesOf({ session, known, device }: SignedIn): CookieChanges {
  return { session: session.secret, known, ...(device === undefined ? {} : { device }) };
}
