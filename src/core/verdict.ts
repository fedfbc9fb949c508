/** The two doors: what the gate decides for one request of a known tenant. Pure. */
import { pathOf } from "./target.ts";
import type { Exemption, Policy } from "./tenant.ts";

/**
 * What to do with the request. `forward`: hand it to the upstream. `blocked`: the location door refuses (403).
 * `sign-in`: the person door asks for a session (303 or 401).
 */
export type Outcome = "forward" | "blocked" | "sign-in";

/** Why; stable, shown by `explain` and counted as a metric label. */
export type Reason =
  | "both-doors"
  | "location"
  | "person"
  | "exempt"
  | "observed"
  | "open"
  | "not-on-allowlist"
  | "no-session";

export interface Verdict {
  readonly outcome: Outcome;
  readonly reason: Reason;
  /** `network: observe` let pass what `enforce` would have blocked. */
  readonly wouldBlock: boolean;
}

/** Every verdict there is, made once, so that deciding allocates nothing. */
const verdict = (outcome: Outcome, reason: Reason, wouldBlock = false): Verdict =>
  Object.freeze({ outcome, reason, wouldBlock });
const BOTH_DOORS = verdict("forward", "both-doors");
const LOCATION = verdict("forward", "location");
const PERSON = verdict("forward", "person");
const EXEMPT = verdict("forward", "exempt");
const OPEN = verdict("forward", "open");
const OBSERVED = verdict("forward", "observed", true);
const BLOCKED = verdict("blocked", "not-on-allowlist");
const NO_SESSION = verdict("sign-in", "no-session");
const NO_SESSION_OBSERVED = verdict("sign-in", "no-session", true);

/**
 * The verdict from the facts of the two doors. A door whose setting is `off` is not there; `observe` is a
 * door that never blocks. With `combine: any`, one door that stands open is enough, and `observe` admits
 * nobody whom no door admits unless it is the only door.
 *
 * Hot path: no allocation, no throw.
 * @param located whether a live allowlist entry covers the address
 * @param person whether the request carries a live, fully proven session of this tenant
 */
export function decide(policy: Policy, located: boolean, person: boolean): Verdict {
  const network = policy.network;
  const needsPerson = policy.secondFactor === "required";
  if (policy.combine === "any") return decideAny(network, needsPerson, located, person);
  if (network === "enforce" && !located) return BLOCKED;
  const wouldBlock = network === "observe" && !located;
  if (needsPerson && !person) return wouldBlock ? NO_SESSION_OBSERVED : NO_SESSION;
  if (wouldBlock) return OBSERVED;
  if (network === "off") return needsPerson ? PERSON : OPEN;
  return needsPerson ? BOTH_DOORS : LOCATION;
}

function decideAny(network: Policy["network"], needsPerson: boolean, located: boolean, person: boolean): Verdict {
  if (network !== "off" && located) return LOCATION;
  if (needsPerson) return person ? PERSON : NO_SESSION;
  if (network === "off") return OPEN;
  return network === "observe" ? OBSERVED : BLOCKED;
}

/** Whether a request is exempt: path bytes equal, no decoding, query cut off; method equal. */
export function isExempt(exempt: readonly Exemption[], method: string, target: string): boolean {
  if (exempt.length === 0) return false;
  const path = pathOf(target);
  return exempt.some((rule) => rule.path === path && rule.methods.includes(method));
}

export { EXEMPT as EXEMPT_VERDICT };
