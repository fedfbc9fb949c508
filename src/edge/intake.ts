/** What the gate needs of a request's head, and the strictness that Node's parser leaves to us. */
import type { EdgeLimits } from "../config/settings.ts";
import type { ClientRequest } from "./client-message.ts";
import type { RefusalCode } from "./refusals.ts";

/** One is enough for a gate that judges one request at a time: nothing is allocated for a head. */
export class Intake {
  host = "";
  /** All `X-Forwarded-For` lines in order, joined by commas. */
  forwardedFor: string | undefined;
  forwardedProto: string | undefined;
  upgrade: string | undefined;
  /** All `Cookie` lines in order, joined by semicolons. */
  cookie: string | undefined;
  hasBody = false;

  readonly #limits: EdgeLimits;
  #hosts = 0;
  #transferCodings = 0;
  #bytes = 0;

  constructor(limits: EdgeLimits) {
    this.#limits = limits;
  }

  /**
   * Reads the head. Node's strict parser has already refused bare LF and CR, folded lines, white space before a
   * colon, Content-Length that is doubled, malformed or beside Transfer-Encoding, and codings that do not end in
   * `chunked`. It lets pass what is refused here: other HTTP versions, Transfer-Encoding in HTTP/1.0 or in any
   * other form than one plain `chunked`, and a Host that is absent from HTTP/1.0 or doubled.
   *
   * Hot path: one pass over the fields, no allocation.
   */
  read(req: ClientRequest): RefusalCode | undefined {
    this.#reset();
    if (req.httpVersionMajor !== 1 || req.httpVersionMinor > 1) return "version_refused";
    const target = req.url ?? "";
    if (target.length > this.#limits.targetBytes) return "target_too_long";
    const raw = req.rawHeaders;
    if (raw.length > 2 * this.#limits.headerCount) return "header_fields_too_large";
    this.#bytes = target.length + (req.method ?? "").length + " HTTP/1.1\r\n\r\n".length + 1;
    let wellFormed = true;
    for (let index = 0; index + 1 < raw.length; index += 2) {
      if (!this.#take(raw[index] ?? "", raw[index + 1] ?? "")) wellFormed = false;
    }
    if (this.#bytes > this.#limits.headerBytes) return "header_fields_too_large";
    if (!wellFormed || (this.#transferCodings > 0 && req.httpVersionMinor === 0)) return "request_invalid";
    if (this.#hosts !== 1) return "host_invalid";
    return req.method === "TRACE" ? "method_refused" : undefined;
  }

  #reset(): void {
    this.host = "";
    this.forwardedFor = undefined;
    this.forwardedProto = undefined;
    this.upgrade = undefined;
    this.cookie = undefined;
    this.hasBody = false;
    this.#hosts = 0;
    this.#transferCodings = 0;
  }

  /** Tells the few names that matter by their length first. @returns false for a field that breaks the framing */
  #take(name: string, value: string): boolean {
    this.#bytes += name.length + value.length + 4;
    switch (name.length) {
      case 4:
        if (is(name, "host")) {
          this.#hosts += 1;
          this.host = value;
        }
        return true;
      case 6:
        if (is(name, "cookie")) this.cookie = this.cookie === undefined ? value : `${this.cookie}; ${value}`;
        return true;
      case 7:
        if (is(name, "upgrade")) this.upgrade = joined(this.upgrade, value);
        return true;
      case 14:
        if (is(name, "content-length") && value !== "0") this.hasBody = true;
        return true;
      case 15:
        if (is(name, "x-forwarded-for")) this.forwardedFor = joined(this.forwardedFor, value);
        return true;
      case 17:
        if (is(name, "x-forwarded-proto")) this.forwardedProto = joined(this.forwardedProto, value);
        else if (is(name, "transfer-encoding")) return this.#takeTransferEncoding(value);
        return true;
      default:
        return true;
    }
  }

  #takeTransferEncoding(value: string): boolean {
    this.hasBody = true;
    this.#transferCodings += 1;
    return this.#transferCodings === 1 && is(value, "chunked");
  }
}

/** Equal but for the case of ASCII letters. */
function is(text: string, lower: string): boolean {
  return text === lower || text.toLowerCase() === lower;
}

function joined(earlier: string | undefined, value: string): string {
  return earlier === undefined ? value : `${earlier},${value}`;
}
