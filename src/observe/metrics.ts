/** What control counts, in the Prometheus text format. Labels hold tenants and codes, never an address, a user or a secret. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";

/** What an edge reports, as far as metrics need it: differences since its last report, and gauges. */
export interface TrafficReport {
  readonly requests: readonly {
    readonly tenant?: string;
    readonly outcome: string;
    readonly reason: string;
    readonly wouldBlock: boolean;
    readonly count: number;
  }[];
  readonly statuses: Readonly<Record<string, number>>;
  readonly denialsDropped: number;
  readonly connections: number;
  readonly tunnels: number;
  readonly inFlight: number;
  readonly latencyMs: { readonly bounds: readonly number[]; readonly counts: readonly number[]; readonly sum: number };
}

export interface EdgeProgress {
  /** `{node}/{worker}` */
  readonly id: string;
  readonly revision: number;
  readonly lagMs: number;
}

export interface Metrics {
  readonly registry: Registry;
  /** A request to the admin API; `route` is the pattern, never the path. */
  adminRequest(method: string, route: string, status: number, seconds: number): void;
  authenticationFailure(): void;
  /** A request for the gate's own pages from a network that had asked too often. */
  pageRefusal(): void;
  /** How many DNS names on allowlists get no good answer at present. */
  namesFailing(count: number): void;
  /** @param edge the edge's id, `{node}/{worker}` */
  traffic(edge: string, report: TrafficReport): void;
  /** Denials that control did not keep, besides those that an edge reports as dropped. */
  denialsDropped(count: number): void;
  /** The live edges, each with the store's revision that it has applied and how long that took. The gauges of others go. */
  edges(live: readonly EdgeProgress[]): void;
}

const ADMIN_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: "sallyport_control_" });
  const registers = [registry];
  const admin = new Histogram({
    name: "sallyport_admin_request_seconds",
    help: "Requests to the admin API, by route pattern.",
    labelNames: ["method", "route", "status"],
    buckets: ADMIN_BUCKETS,
    registers,
  });
  const failures = new Counter({
    name: "sallyport_admin_authentication_failures_total",
    help: "Requests to the admin API without a valid key.",
    registers,
  });
  const pages = new Counter({
    name: "sallyport_pages_refused_total",
    help: "Requests for the gate's own pages that were refused, their network having asked too often.",
    registers,
  });
  const failing = new Gauge({
    name: "sallyport_dns_names_failing",
    help: "DNS names on allowlists, of all tenants, that get no good answer; their last one counts for a day.",
    registers,
  });
  return {
    registry,
    adminRequest: (method, route, status, seconds) => admin.observe({ method, route, status }, seconds),
    authenticationFailure: () => failures.inc(),
    pageRefusal: () => pages.inc(),
    namesFailing: (count) => failing.set(count),
    ...createTrafficMetrics(registers),
  };
}

function createTrafficMetrics(registers: Registry[]): Pick<Metrics, "traffic" | "denialsDropped" | "edges"> {
  const requests = new Counter({
    name: "sallyport_requests_total",
    help: "Requests that the gate decided.",
    labelNames: ["tenant", "outcome", "reason", "would_block"],
    registers,
  });
  const statuses = new Counter({
    name: "sallyport_responses_total",
    help: "Responses by status.",
    labelNames: ["status"],
    registers,
  });
  const dropped = new Counter({
    name: "sallyport_denials_dropped_total",
    help: "Denials that were counted, but not kept for the activity log.",
    registers,
  });
  const latency = new LatencyHistogram(registers);
  const gauge = (name: string, help: string) =>
    new Gauge({ name: `sallyport_edge_${name}`, help, labelNames: ["edge"], registers });
  const connections = gauge("connections", "Open client connections.");
  const tunnels = gauge("tunnels", "Open upgraded connections.");
  const inFlight = gauge("requests_in_flight", "Requests under way.");
  const revision = gauge("revision", "The store's revision that the edge has applied.");
  const lag = gauge("lag_seconds", "How long the edge's latest change took to be applied.");
  const known = new Set<string>();
  const forget = (edge: string) => {
    known.delete(edge);
    for (const each of [connections, tunnels, inFlight, revision, lag]) each.remove({ edge });
  };
  return {
    traffic: (edge, report) => {
      for (const { tenant = "", outcome, reason, wouldBlock, count } of report.requests)
        requests.inc({ tenant, outcome, reason, would_block: String(wouldBlock) }, count);
      for (const [status, count] of Object.entries(report.statuses)) statuses.inc({ status }, count);
      dropped.inc(report.denialsDropped);
      latency.add(report.latencyMs);
      known.add(edge);
      connections.set({ edge }, report.connections);
      tunnels.set({ edge }, report.tunnels);
      inFlight.set({ edge }, report.inFlight);
    },
    denialsDropped: (count) => dropped.inc(count),
    edges: (live) => {
      const ids = new Set(live.map(({ id }) => id));
      for (const edge of known) if (!ids.has(edge)) forget(edge);
      for (const { id: edge, revision: applied, lagMs } of live) {
        known.add(edge);
        revision.set({ edge }, applied);
        lag.set({ edge }, lagMs / 1000);
      }
    },
  };
}

/** Sums of the edges' own histograms. prom-client's Histogram takes single observations only. */
class LatencyHistogram {
  readonly #buckets: Counter<"le">;
  readonly #sum: Counter;
  readonly #count: Counter;

  constructor(registers: Registry[]) {
    const name = "sallyport_request_duration_seconds";
    this.#buckets = new Counter({
      name: `${name}_bucket`,
      help: "Time from request to end of response.",
      labelNames: ["le"],
      registers,
    });
    this.#sum = new Counter({ name: `${name}_sum`, help: "Sum of request durations.", registers });
    this.#count = new Counter({ name: `${name}_count`, help: "Number of timed requests.", registers });
  }

  add({ bounds, counts, sum }: TrafficReport["latencyMs"]): void {
    let below = 0;
    for (const [index, count] of counts.entries()) {
      below += count;
      const bound = bounds[index];
      this.#buckets.inc({ le: bound === undefined ? "+Inf" : String(bound / 1000) }, below);
    }
    this.#sum.inc(sum / 1000);
    this.#count.inc(below);
  }
}
