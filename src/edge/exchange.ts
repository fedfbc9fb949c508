/** One request that the gate let through, for as long as its answer or its tunnel lasts. */
import type { Address } from "../core/address.ts";
import type { CanonicalHost } from "../core/ids.ts";
import type { Route } from "../core/target.ts";
import type { Verdict } from "../core/verdict.ts";
import type { TenantPolicy } from "../replica/policy.ts";
import type { Connection } from "./connection.ts";
import type { CachedSession } from "./sessions.ts";

/** What the gate established, in the words of whoever carries the request on, and what it takes to decide again. */
export interface Exchange {
  readonly connection: Connection;
  readonly tenant: TenantPolicy;
  /** The client's, as far as trusted peers vouch for it. */
  readonly address: Address;
  readonly tls: boolean;
  readonly host: CanonicalHost;
  /** As the Host field names it. */
  readonly port: number | undefined;
  readonly method: string;
  /** Origin form, the bytes as they came. */
  readonly target: string;
  readonly route: Route;
  readonly hasBody: boolean;
  readonly requestId: string;
  /** `undefined` for control's pages, which are open from anywhere. */
  verdict: Verdict | undefined;
  /** The session that it was let through with, or could have been. */
  session: CachedSession | undefined;
  /** What the upstream is told of that session. */
  assertion: string | undefined;
  /** Asks for a tunnel, and may have one. */
  upgrades: boolean;
  /** When it must be decided anew (the entry that admits it expires, a lease ends), in seconds since 1970; 0: not by itself. */
  expiresAtSeconds: number;
  /** Neighbours in the list of what runs for one tenant. */
  previous: Exchange | undefined;
  next: Exchange | undefined;
}
