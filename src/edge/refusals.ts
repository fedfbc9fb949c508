/** Every way in which the gate can refuse, with its stable code: one table for answers, counters and the denial log. */
import type { Address } from "../core/address.ts";
import type { Verdict } from "../core/verdict.ts";
import type { TenantPolicy } from "../replica/policy.ts";
import type { Exchange } from "./exchange.ts";
import type { Mark } from "./tally.ts";

interface RefusalKind {
  readonly status: number;
  readonly title: string;
  /** The connection ends with the answer: its framing cannot be trusted, or nothing more can come of it. */
  readonly closes: boolean;
  /** Shown to operations as a denial, with its reference. */
  readonly listed: boolean;
}

const kind = (status: number, title: string, closes = false, listed = false): RefusalKind => ({
  status,
  title,
  closes,
  listed,
});

/** The `code` of a refusal's `application/problem+json` (RFC 9457); stable. */
export const REFUSALS = {
  expectation_refused: kind(417, "The expectation is not supported"),
  header_fields_too_large: kind(431, "The header fields are too large or too many", true),
  host_invalid: kind(400, "The Host field is absent, doubled or malformed", true),
  host_unknown: kind(421, "No site is served under this name", false, true),
  internal: kind(500, "The gate could not decide", true),
  method_refused: kind(405, "The method is not supported", true),
  no_session: kind(401, "A sign-in is required"),
  not_on_allowlist: kind(403, "The address is not on the allowlist", false, true),
  not_ready: kind(503, "The gate is not ready"),
  origin_refused: kind(403, "Pages of another origin may not open a connection here", true, true),
  policy_stale: kind(503, "The gate cannot decide at the moment"),
  request_invalid: kind(400, "The request is not well-formed", true),
  request_timeout: kind(408, "The request took too long", true),
  session_unknown: kind(503, "The session cannot be checked at the moment"),
  source_invalid: kind(400, "The source address cannot be told", true, true),
  target_invalid: kind(400, "The request target is not allowed", true),
  target_too_long: kind(414, "The request target is too long", true),
  upgrade_refused: kind(400, "The protocol cannot be changed here", true),
  version_refused: kind(505, "The HTTP version is not supported", true),
} as const satisfies Record<string, RefusalKind>;

export type RefusalCode = keyof typeof REFUSALS;

/** One request refused, with what the gate had found out by then. */
export class Refusal {
  readonly code: RefusalCode;
  readonly tenant: TenantPolicy | undefined;
  readonly address: Address | undefined;
  /** What it counts as: the verdict's own words where the doors refused. */
  readonly mark: Mark;
  /** What a sign-in would let through. */
  readonly exchange: Exchange | undefined;
  constructor(code: RefusalCode, tenant?: TenantPolicy, address?: Address, verdict?: Verdict, exchange?: Exchange) {
    this.code = code;
    this.tenant = tenant;
    this.address = address;
    this.mark = verdict ?? MARKS[code];
    this.exchange = exchange;
  }
}

const MARKS = Object.fromEntries(
  Object.keys(REFUSALS).map((code) => [
    code,
    { outcome: "refused", reason: code.replaceAll("_", "-"), wouldBlock: false },
  ]),
) as Record<RefusalCode, Mark>;

/** What a refusal counts as where nothing more is known of the request. */
export function markOf(code: RefusalCode): Mark {
  return MARKS[code];
}
