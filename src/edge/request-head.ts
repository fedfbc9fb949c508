/** The head of a request as the upstream gets it: one pass over the fields as they came. */
import type { Address } from "../core/address.ts";
import { withoutOurCookies } from "../core/cookies.ts";
import type { CanonicalHost, TenantId } from "../core/ids.ts";
import {
  announcedTrailers,
  DIGITS,
  dropNominated,
  linesOf,
  NO_LENGTH,
  nominatedBy,
  requestRule,
} from "./header-rules.ts";

/** What the edge itself vouches for. */
export interface RequestFacts {
  readonly host: CanonicalHost;
  readonly address: Address;
  readonly tls: boolean;
  readonly assertion?: string | undefined;
}

/** What control's pages are told besides. */
export interface ControlFacts extends RequestFacts {
  readonly tenant: { readonly id: TenantId };
  readonly requestId: string;
  /** As the Host field names it. */
  readonly port?: number | undefined;
  /** The target that a sign-in should lead back to. */
  readonly wanted?: string;
}

/**
 * Reads the fields of a request and sorts them: what passes, and what the edge must know of the rest. What a
 * `Connection` field nominates is dropped before ours are added, so that it can never touch ours or the framing.
 *
 * Hot path: one pass, one array.
 */
export class RequestHead {
  /** Names and values in turn, those that pass. */
  fields: string[] = [];
  contentLength = NO_LENGTH;
  chunked = false;
  /** Content-Length twice, not a number, or beside Transfer-Encoding; a transfer coding other than `chunked`. */
  malformed = false;
  expectsContinue = false;
  /** The `Trailer` field, as far as its trailers may pass. */
  trailer = "";
  upgrade = "";
  readonly #nominated: string[] = [];

  readonly #keepsOurCookies: boolean;

  /**
   * @param raw names and values in turn
   * @param keepsOurCookies for control's pages, which alone are told our cookies
   */
  constructor(raw: readonly string[], keepsOurCookies = false) {
    this.#keepsOurCookies = keepsOurCookies;
    for (let index = 0; index + 1 < raw.length; index += 2) {
      const name = raw[index] ?? "";
      const rule = requestRule(name);
      if (rule === "pass") this.fields.push(name, raw[index + 1] ?? "");
      else if (rule !== "drop") this.#note(rule, name, raw[index + 1] ?? "");
    }
    if (this.chunked && this.contentLength !== NO_LENGTH) this.malformed = true;
    // An expectation without a body asks for nothing (RFC 9110, 10.1.1).
    if (!this.hasBody) this.expectsContinue = false;
    if (this.#nominated.length > 0) this.fields = dropNominated(this.fields, this.#nominated);
  }

  /** Not where `Connection` nominates anything: it may be one of them (RFC 9110, 7.6.1). */
  get passesTrailers(): boolean {
    return this.#nominated.length === 0;
  }

  get hasBody(): boolean {
    return this.chunked || this.contentLength > 0;
  }

  /** Adds the fields of an application's upstream: the forwarding fields rebuilt, and the assertion. */
  forUpstream(facts: RequestFacts): string[] {
    const { fields } = this;
    fields.push("Host", facts.host, "X-Forwarded-For", facts.address.text);
    fields.push("X-Forwarded-Proto", facts.tls ? "https" : "http", "X-Forwarded-Host", facts.host);
    if (facts.assertion !== undefined) fields.push("Sallyport-Assertion", facts.assertion);
    if (this.contentLength !== NO_LENGTH) fields.push("Content-Length", String(this.contentLength));
    return fields;
  }

  /** Adds the fields of control's pages: what the edge established, and the length of the body that it read. */
  forControl(facts: ControlFacts, bodyLength: number): string[] {
    const { fields } = this;
    fields.push("Host", facts.host, "Sallyport-Client-Address", facts.address.text);
    fields.push("Sallyport-Tenant", facts.tenant.id, "Sallyport-Tls", facts.tls ? "1" : "0");
    fields.push("Sallyport-Request-Id", facts.requestId);
    if (facts.port !== undefined) fields.push("Sallyport-Port", String(facts.port));
    if (facts.wanted !== undefined) fields.push("Sallyport-Target", facts.wanted);
    if (this.hasBody || this.contentLength !== NO_LENGTH) fields.push("Content-Length", String(bodyLength));
    return fields;
  }

  #note(rule: string, name: string, value: string): void {
    switch (rule) {
      case "cookie": {
        const kept = this.#keepsOurCookies ? value : withoutOurCookies(value);
        if (kept !== undefined) this.fields.push(name, kept);
        return;
      }
      case "connection":
        for (const nominated of nominatedBy(value)) this.#nominated.push(nominated);
        return;
      case "content-length":
        if (this.contentLength !== NO_LENGTH || !DIGITS.test(value)) this.malformed = true;
        this.contentLength = Number(value);
        return;
      case "transfer-encoding":
        if (this.chunked || value.toLowerCase() !== "chunked") this.malformed = true;
        this.chunked = true;
        return;
      case "te":
        // The edge passes trailers on, so it may ask for them; every other coding is between two hops.
        if (/(?:^|,)\s*trailers\s*(?:,|$)/i.test(value)) this.fields.push("TE", "trailers", "Connection", "TE");
        return;
      case "trailer":
        this.trailer = [this.trailer, announcedTrailers(value)].filter((part) => part !== "").join(", ");
        return;
      case "expect":
        this.expectsContinue = true;
        return;
      case "upgrade":
        this.upgrade = this.upgrade === "" ? value : `${this.upgrade}, ${value}`;
    }
  }
}

/** A request's head, and what an upstream is sent of it. */
export interface SentHead {
  readonly head: RequestHead;
  /** Its fields with those that the edge adds, each with its CR LF. */
  readonly lines: string;
  /** The one among them. */
  readonly assertion: string | undefined;
}

/** @param raw names and values in turn, as they came */
export function sentHead(raw: readonly string[], facts: RequestFacts): SentHead {
  const head = new RequestHead(raw);
  return { head, lines: linesOf(head.forUpstream(facts)), assertion: facts.assertion };
}
