/** What control tells the edges. The same messages, in the same frames, make up the snapshot on disk. */
import type { EntryId, SessionHash, TenantId } from "../core/ids.ts";
import type { SessionFacts } from "../core/session.ts";
import type { Tenant } from "../core/tenant.ts";

/** A full state follows, which replaces everything at its `at`. */
export interface ResetMessage {
  readonly type: "reset";
  readonly epoch: string;
}

export interface TenantMessage {
  readonly type: "tenant";
  readonly tenant: Omit<Tenant, "declared">;
  readonly revision: number;
}

export interface TenantGoneMessage {
  readonly type: "tenant-gone";
  readonly id: TenantId;
}

/** A tenant's whole compiled allowlist; the frame's bytes are the matcher's parts of these lengths. */
export interface ListMessage {
  readonly type: "list";
  readonly tenant: TenantId;
  readonly partBytes: readonly number[];
}

/** A few entries that came or went: `[id, cidr, expiry in seconds or 0]` and `[id, cidr]`. */
export interface DeltaMessage {
  readonly type: "delta";
  readonly tenant: TenantId;
  readonly upserts: readonly (readonly [EntryId, string, number])[];
  readonly removals: readonly (readonly [EntryId, string])[];
}

/** A session has ended: signed out, revoked, expired, or its user was changed. */
export interface SessionEndedMessage {
  readonly type: "session-ended";
  readonly tenant: TenantId;
  readonly hash: SessionHash;
}

/** The answer to an edge's question about a session. */
export interface SessionMessage {
  readonly type: "session";
  readonly ask: number;
  /** `null`: there is no such session. Absent: the store could not answer. */
  readonly session?: SessionFacts | null;
}

/** Control is there, whether or not the store is. */
export interface AliveMessage {
  readonly type: "alive";
}

/** Everything up to this revision has been said; the state is whole again. */
export interface AtMessage {
  readonly type: "at";
  readonly revision: number;
  /** When the store last confirmed this state, in milliseconds since 1970. */
  readonly confirmedAtMs: number;
}

export type PolicyMessage =
  | ResetMessage
  | TenantMessage
  | TenantGoneMessage
  | ListMessage
  | DeltaMessage
  | SessionEndedMessage
  | AtMessage;

/** All that control says to an edge. */
export type FeedMessage = PolicyMessage | SessionMessage | AliveMessage;

/** A message and the compiled bytes that go with it. */
export interface PolicyFrame {
  readonly message: PolicyMessage;
  readonly parts: readonly Uint8Array[];
}
