/** A whole edge on loopback, with the real replica, whose policy a test changes as the feed would. */
import type { Test } from "tap";
import type { EdgeConfig, ListenerConfig } from "../../src/config/settings.ts";
import { type Clock, systemClock } from "../../src/core/clock.ts";
import { type CanonicalHost, type EntryId, encodeBase32, type SessionHash, type TenantId } from "../../src/core/ids.ts";
import type { Logger } from "../../src/core/log.ts";
import type { SessionLookup } from "../../src/core/session.ts";
import { DEFAULT_POLICY, type Policy } from "../../src/core/tenant.ts";
import { type Edge, startEdge } from "../../src/edge/edge.ts";
import { SessionDirectory } from "../../src/edge/sessions.ts";
import { Tally } from "../../src/edge/tally.ts";
import type { PolicyMessage } from "../../src/replica/messages.ts";
import { PolicyReplica } from "../../src/replica/policy.ts";
import { TIMEOUTS } from "./forward-edge.ts";

export interface LiveEdgeOptions {
  readonly upstream: string;
  readonly listeners?: readonly Partial<ListenerConfig>[];
  readonly trustedProxies?: readonly string[];
  readonly timeouts?: Partial<EdgeConfig["timeouts"]>;
  readonly limits?: Partial<EdgeConfig["limits"]>;
  readonly healthListen?: EdgeConfig["healthListen"];
  readonly pagesSocket?: string;
  /** Who is signed in; nobody, unless the test says otherwise. */
  readonly lookupSession?: SessionLookup;
  readonly clock?: Clock;
  readonly log?: Logger;
}

/** Two tenants, each with one host; both doors but the location's are off. */
export const HAPPY = { id: "happy-feet" as TenantId, host: "happyfeet.example" as CanonicalHost };
export const OTHER = { id: "other-clinic" as TenantId, host: "other.example" as CanonicalHost };

const STALE_AFTER_MS = 900_000;
const SESSION_SECONDS = 30;
const SILENT: Logger = { debug() {}, info() {}, warn() {}, error() {} };

/** Writes policy into a replica, message by message. */
export class PolicyWriter {
  readonly replica = new PolicyReplica(STALE_AFTER_MS);
  readonly #clock: Clock;
  readonly #upstream: string;
  #revision = 0;
  #entries = 0;

  constructor(upstream: string, clock: Clock) {
    this.#upstream = upstream;
    this.#clock = clock;
  }

  load(): void {
    this.#apply({ type: "reset", epoch: "test" });
    for (const tenant of [HAPPY, OTHER]) this.#putTenant(tenant, {});
    this.confirm();
  }

  setPolicy(tenant: typeof HAPPY, policy: Partial<Policy>, hosts?: readonly CanonicalHost[]): void {
    this.#putTenant(tenant, policy, hosts);
    this.confirm();
  }

  removeTenant(tenant: typeof HAPPY): void {
    this.#apply({ type: "tenant-gone", id: tenant.id });
    this.confirm();
  }

  /** @returns the entry, for {@link remove} */
  allow(cidr: string, tenant = HAPPY, expiresAtSeconds = 0): { id: EntryId; cidr: string } {
    this.#entries += 1;
    const id = `e${encodeBase32(BigInt(this.#entries))}` as EntryId;
    this.#apply({ type: "delta", tenant: tenant.id, upserts: [[id, cidr, expiresAtSeconds]], removals: [] });
    this.confirm();
    return { id, cidr };
  }

  remove({ id, cidr }: { id: EntryId; cidr: string }, tenant = HAPPY): void {
    this.#apply({ type: "delta", tenant: tenant.id, upserts: [], removals: [[id, cidr]] });
    this.confirm();
  }

  endSession(hash: SessionHash, tenant = HAPPY): void {
    this.#apply({ type: "session-ended", tenant: tenant.id, hash });
    this.confirm();
  }

  /** Ends a commit, as the store's confirmation does. */
  confirm(): void {
    this.#revision += 1;
    this.#apply({ type: "at", revision: this.#revision, confirmedAtMs: this.#clock.nowMs() });
  }

  #putTenant({ id, host }: typeof HAPPY, policy: Partial<Policy>, hosts: readonly CanonicalHost[] = [host]): void {
    this.#apply({
      type: "tenant",
      revision: this.#revision + 1,
      tenant: {
        id,
        name: `Clinic ${id}`,
        hosts,
        upstreams: [this.#upstream],
        policy: { ...DEFAULT_POLICY, secondFactor: "off", ...policy },
        branding: {},
      },
    });
  }

  #apply(message: PolicyMessage): void {
    this.replica.apply(message, new Uint8Array(0));
  }
}

export interface LiveEdge {
  /** Of the first listener. */
  readonly port: number;
  readonly edge: Edge;
  readonly policy: PolicyWriter;
  readonly tally: Tally;
  readonly sessions: SessionDirectory;
}

/** Starts it; it ends with the test. Nobody is admitted until the test says so. @param loaded whether it knows its policy */
export async function startLiveEdge(t: Test, options: LiveEdgeOptions, loaded = true): Promise<LiveEdge> {
  const clock = options.clock ?? systemClock;
  const policy = new PolicyWriter(options.upstream, clock);
  if (loaded) policy.load();
  const tally = new Tally();
  const sessions = new SessionDirectory({
    lookup: options.lookupSession ?? (async () => undefined),
    clock,
    log: SILENT,
    leaseMs: SESSION_SECONDS * 1000,
    capacity: 1_000,
  });
  const edge = await startEdge({
    config: configOf(options),
    staleness: { allowlistSeconds: STALE_AFTER_MS / 1000, sessionSeconds: SESSION_SECONDS },
    replica: policy.replica,
    pagesSocket: options.pagesSocket ?? "/nonexistent",
    tally,
    sessions,
    clock,
    log: options.log ?? SILENT,
  });
  t.teardown(() => edge.close());
  return { port: edge.addresses[0]?.port ?? 0, edge, policy, tally, sessions };
}

function configOf(options: LiveEdgeOptions): EdgeConfig {
  const listeners = options.listeners ?? [{}];
  return {
    listen: listeners.map((listener) => ({ host: "127.0.0.1", port: 0, proxyProtocol: false, ...listener })),
    workers: 0,
    cpuAffinity: "off",
    trustedProxies: options.trustedProxies ?? [],
    ...(options.healthListen !== undefined && { healthListen: options.healthListen }),
    drainSeconds: 30,
    limits: {
      headerBytes: 32_768,
      headerCount: 200,
      targetBytes: 16_384,
      connections: 20_000,
      connectionsPerAddress: 0,
      ...options.limits,
    },
    timeouts: { ...TIMEOUTS, ...options.timeouts },
    upstream: { keepAliveSeconds: 30, maxConnections: 256 },
  };
}
