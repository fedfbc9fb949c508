/** What the gate knows of a session; the rules that make and end one are the person door's. */
import { digest, type SessionHash, type TenantId } from "./ids.ts";
import type { SessionProofs } from "./second-factor.ts";

/** Documents `{tenant}/{session hash}`. Written quietly; their deletion is in the feed, so that every edge drops them. */
export const SESSION_KIND = "session";

/** A live session as the edge needs it. Holds no secret: neither the cookie's value nor its hash opens anything here. */
export interface SessionFacts extends SessionProofs {
  /** The public id, as lists and the audit log show it. */
  readonly id: string;
  readonly user: string;
  readonly email: string;
  /** Ends then at the latest, whatever else happens; milliseconds since 1970. */
  readonly expiresAtMs: number;
  /** The `Sallyport-Assertion` to send upstream, minted by control, and until when it may be sent. */
  readonly assertion?: string;
  readonly assertionUntilMs?: number;
}

/**
 * Looks a session up where the truth is. `undefined`: there is no such session.
 * @throws when the truth cannot be reached; the request is then denied with "try again shortly"
 */
export type SessionLookup = (tenant: TenantId, hash: SessionHash) => Promise<SessionFacts | undefined>;

/** Sessions that were used, with the second of their last request: batched by the edge, written by control. */
export type SessionUse = readonly (readonly [TenantId, SessionHash, number])[];

export function hashSessionSecret(secret: string): SessionHash {
  return digest(secret) as SessionHash;
}
