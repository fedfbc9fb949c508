/** The job that every contestant does: who is admitted, what is asked, and how a contestant is started. */

export const HOST = "happyfeet.example";
/** Allowed, and where wrk comes from. */
export const ALLOWED_ADDRESS = "127.0.0.1";
/** On no list. */
export const BLOCKED_ADDRESS = "127.0.0.9";

/** What all contestants of a run have in common. */
export interface Scenario {
  /** The upstream: answers `/{bytes}` with that many bytes, and takes any POST. */
  readonly upstreamPort: number;
  readonly upstreamPid: number;
  /** CIDRs that are allowed; the first is {@link ALLOWED_ADDRESS}. */
  readonly entries: readonly string[];
  readonly tenants: number;
  readonly sessions: number;
  /** PEM files, where the workload is TLS. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** An empty folder of the contestant's own. */
  readonly folder: string;
  readonly port: number;
}

/** A contestant that listens on the scenario's port. */
export interface Running {
  /** All its processes now: workers, and the auth server where it needs one. */
  pids(): number[];
  /** The `Cookie` fields of live sessions, which take turns, where it has a second door. */
  readonly cookies?: readonly string[];
  stop(): Promise<void>;
}

export interface Contestant {
  readonly name: string;
  /** Which doors it guards; each is checked before it is timed. */
  readonly doors: "both" | "location" | "none";
  start(scenario: Scenario): Promise<Running>;
}
