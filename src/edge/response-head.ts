/** The head of a response as the client gets it: one pass over the fields as the upstream sent them. */
import { setsOurCookie } from "../core/cookies.ts";
import { announcedTrailers, dropNominated, NO_LENGTH, nominatedBy, responseRule } from "./header-rules.ts";

/** What a reason phrase may consist of (RFC 9112, 4). */
const REASON = /^[\t\x20-\x7e\x80-\xff]*$/;

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
  /** A transfer coding other than `chunked`: the body could not be passed on as what it is. */
  malformed = false;
  readonly #nominated: string[] = [];

  /**
   * @param raw names and values in turn; bytes are Latin-1
   * @param keepsOurCookies for control's pages, which alone may set our cookies
   */
  constructor(status: number, reason: string, raw: readonly (string | Buffer)[], keepsOurCookies: boolean) {
    this.status = status;
    this.reason = REASON.test(reason) ? reason : "";
    for (let index = 0; index + 1 < raw.length; index += 2) {
      const name = text(raw[index]);
      const rule = responseRule(name);
      if (rule === "pass") this.fields.push(name, text(raw[index + 1]));
      else if (rule !== "drop") this.#note(rule, name, text(raw[index + 1]), keepsOurCookies);
    }
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
        this.#nominated.push(...nominatedBy(value));
        return;
      case "content-length":
        this.contentLength = Number(value);
        return;
      case "transfer-encoding":
        if (value.toLowerCase() !== "chunked") this.malformed = true;
        return;
      case "trailer":
        this.trailer = announcedTrailers(value);
        return;
      case "upgrade":
        this.upgrade = value;
    }
  }
}

function text(value: string | Buffer | undefined): string {
  return typeof value === "string" ? value : (value?.toString("latin1") ?? "");
}
