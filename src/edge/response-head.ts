/** The head of a response as the client gets it: one pass over the fields as the upstream sent them. */
import { setsOurCookie } from "../core/cookies.ts";
import { announcedTrailers, DIGITS, dropNominated, NO_LENGTH, nominatedBy, responseRule } from "./header-rules.ts";

/** What a reason phrase may consist of (RFC 9112, 4). */
const REASON = /^[\t\x20-\x7e\x80-\xff]*$/;
const CLOSE = /(?:^|,)[ \t]*close[ \t]*(?:,|$)/i;
const KEEP_ALIVE_TIMEOUT = /(?:^|[,;])[ \t]*timeout=([0-9]{1,9})/i;

/** Hot path: one pass, one array. */
export class ResponseHead {
  readonly status: number;
  /** Empty when the upstream's phrase is not well-formed. */
  readonly reason: string;
  /** Names and values in turn; never `Connection`, `Transfer-Encoding` or `Trailer`, which belong to our side. */
  fields: string[] = [];
  contentLength = NO_LENGTH;
  /** The `Trailer` field, as far as its trailers may pass. */
  trailer = "";
  upgrade = "";
  chunked = false;
  /** The upstream will send no other response on its connection. */
  closes = false;
  /** How long the upstream keeps its connection without a request; `undefined` when it does not say. */
  keepAliveSeconds: number | undefined;
  /**
   * Content-Length twice, not a number, or beside Transfer-Encoding; a transfer coding other than `chunked`,
   * with which the body could not be passed on as what it is.
   */
  malformed = false;
  readonly #nominated: string[] = [];

  /**
   * @param raw names and values in turn
   * @param keepsOurCookies for control's pages, which alone may set our cookies
   */
  constructor(status: number, reason: string, raw: readonly string[], keepsOurCookies: boolean) {
    this.status = status;
    this.reason = REASON.test(reason) ? reason : "";
    for (let index = 0; index + 1 < raw.length; index += 2) {
      const name = raw[index] ?? "";
      const rule = responseRule(name);
      if (rule === "pass") this.fields.push(name, raw[index + 1] ?? "");
      else if (rule !== "drop") this.#note(rule, name, raw[index + 1] ?? "", keepsOurCookies);
    }
    if (this.chunked && this.contentLength !== NO_LENGTH) this.malformed = true;
    if (this.#nominated.length > 0) this.fields = dropNominated(this.fields, this.#nominated);
    // A 204 has no body and no length (RFC 9110, 8.6).
    if (this.contentLength !== NO_LENGTH && status !== 204)
      this.fields.push("Content-Length", String(this.contentLength));
  }

  #note(rule: string, name: string, value: string, keepsOurCookies: boolean): void {
    switch (rule) {
      case "set-cookie":
        if (keepsOurCookies || !setsOurCookie(value)) this.fields.push(name, value);
        return;
      case "connection":
        if (CLOSE.test(value)) this.closes = true;
        for (const nominated of nominatedBy(value)) this.#nominated.push(nominated);
        return;
      case "keep-alive":
        this.keepAliveSeconds = secondsIn(value);
        return;
      case "content-length":
        if (this.contentLength !== NO_LENGTH || !DIGITS.test(value)) this.malformed = true;
        this.contentLength = Number(value);
        return;
      case "transfer-encoding":
        if (this.chunked || value.toLowerCase() !== "chunked") this.malformed = true;
        this.chunked = true;
        return;
      case "trailer":
        this.trailer = announcedTrailers(value);
        return;
      case "upgrade":
        this.upgrade = value;
    }
  }
}

function secondsIn(keepAlive: string): number | undefined {
  const seconds = KEEP_ALIVE_TIMEOUT.exec(keepAlive)?.[1];
  return seconds === undefined ? undefined : Number(seconds);
}
