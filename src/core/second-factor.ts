/** Which second factor a session's proofs show, and whether a policy accepts it. Pure. */
import type { Factor, Policy } from "./tenant.ts";

/** How the person of a session proved who they are. */
export interface SessionProofs {
  /** Authentication methods: RFC 8176 where there is a word, else ours. */
  readonly amr: readonly string[];
  /** With the method `device`: those by which the device came to be remembered. */
  readonly remembered?: readonly string[];
}

const KINDS: ReadonlyMap<string, Factor | "recovery"> = new Map([
  ["otp", "totp"],
  ["sms", "sms"],
  ["hwk", "passkey"],
  ["swk", "passkey"],
  ["recovery", "recovery"],
]);
/** A remembered browser: it proves what was proven when it was remembered, and nothing of its own. */
export const DEVICE_METHOD = "device";

/** Whether one of these methods is a second factor of any kind. */
export function provesSecondFactor(amr: readonly string[]): boolean {
  return amr.some((method) => method === DEVICE_METHOD || KINDS.has(method));
}

/** Whether this policy asks for no second factor, or one of these proofs is one that it accepts. Hot path. */
export function isEnough(policy: Policy, proofs: SessionProofs): boolean {
  return policy.secondFactor === "off" || provesAccepted(policy, proofs);
}

/**
 * Whether one of these proofs is a second factor that this policy accepts, be it asked for or not. A recovery code
 * always is, since it stands in for whatever a policy accepts. Hot path: no allocation.
 */
export function provesAccepted(policy: Policy, { amr, remembered }: SessionProofs): boolean {
  for (const method of amr) {
    if (isAccepted(policy, method)) return true;
    if (method !== DEVICE_METHOD || remembered === undefined) continue;
    for (const earlier of remembered) if (isAccepted(policy, earlier)) return true;
  }
  return false;
}

function isAccepted({ factors }: Policy, method: string): boolean {
  const kind = KINDS.get(method);
  return kind !== undefined && (kind === "recovery" || factors.includes(kind));
}
