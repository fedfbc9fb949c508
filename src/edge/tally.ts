/** What an edge counts: totals for its own metrics, differences for control, and the latest denials. */
import type { TenantId } from "../core/ids.ts";

/** A kind of decision. Identity matters: each is made once, like the verdicts, and counted by reference. */
export interface Mark {
  readonly outcome: string;
  readonly reason: string;
  readonly wouldBlock: boolean;
}

/** One request turned away, or, with the reason `observed`, let pass only because the tenant observes. */
export interface Denial {
  /** Milliseconds since 1970. */
  readonly at: number;
  /** What the page shows and operations look up. */
  readonly reference: string;
  readonly tenant?: TenantId;
  readonly address: string;
  readonly method: string;
  /** Without query; `/.sallyport/…` for our own pages, whose paths hold tokens. */
  readonly path: string;
  readonly reason: string;
}

export interface RequestCount {
  /** Absent where no tenant was found. */
  readonly tenant?: TenantId;
  readonly outcome: string;
  readonly reason: string;
  readonly wouldBlock: boolean;
  readonly count: number;
}

/** What happened since the last report; gauges and `latencyMs.bounds` are as they stand. */
export interface TallyReport {
  readonly requests: readonly RequestCount[];
  readonly statuses: Readonly<Record<string, number>>;
  readonly denials: readonly Denial[];
  /** Denials that were not kept because there were too many. */
  readonly denialsDropped: number;
  readonly connections: number;
  readonly tunnels: number;
  readonly inFlight: number;
  /** `counts` has one more than `bounds`, for what took longer than all of them. */
  readonly latencyMs: { readonly bounds: readonly number[]; readonly counts: readonly number[]; readonly sum: number };
}

/** A count with what of it was already reported. */
class Counter {
  total = 0;
  #reported = 0;

  take(): number {
    const difference = this.total - this.#reported;
    this.#reported = this.total;
    return difference;
  }
}

type ByMark = Map<Mark, Counter>;

const BOUNDS_MS: readonly number[] = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000];
const MAX_DENIALS = 500;

export class Tally {
  /** Gauges, kept by those who own what they count. */
  connections = 0;
  tunnels = 0;
  inFlight = 0;

  readonly #byTenant = new Map<TenantId | undefined, ByMark>();
  readonly #statuses = new Map<number, Counter>();
  readonly #latency = Array.from({ length: BOUNDS_MS.length + 1 }, () => new Counter());
  readonly #latencySum = new Counter();
  #denials: Denial[] = [];
  #denialsDropped = 0;

  /** Hot path: two hash look-ups, no allocation for what was counted before. */
  count(tenant: TenantId | undefined, mark: Mark): void {
    let marks = this.#byTenant.get(tenant);
    if (marks === undefined) {
      marks = new Map();
      this.#byTenant.set(tenant, marks);
    }
    increment(marks, mark);
  }

  /** One answer of the upstream, control or the gate went out, or was broken off. Hot path. */
  finish(status: number, milliseconds: number): void {
    increment(this.#statuses, status);
    let bucket = 0;
    while (bucket < BOUNDS_MS.length && milliseconds > (BOUNDS_MS[bucket] ?? 0)) bucket += 1;
    const counter = this.#latency[bucket];
    if (counter !== undefined) counter.total += 1;
    this.#latencySum.total += milliseconds;
  }

  /** Keeps a denial until the next report; at most 500. */
  deny(denial: Denial): void {
    if (this.#denials.length < MAX_DENIALS) this.#denials.push(denial);
    else this.#denialsDropped += 1;
  }

  /** What came since the last call. */
  drain(): TallyReport {
    const denials = this.#denials;
    const denialsDropped = this.#denialsDropped;
    this.#denials = [];
    this.#denialsDropped = 0;
    return {
      requests: [...this.#requestCounts((counter) => counter.take())].filter(({ count }) => count > 0),
      statuses: Object.fromEntries(
        [...this.#statuses].map(([status, counter]) => [status, counter.take()]).filter(([, count]) => count !== 0),
      ),
      denials,
      denialsDropped,
      connections: this.connections,
      tunnels: this.tunnels,
      inFlight: this.inFlight,
      latencyMs: {
        bounds: BOUNDS_MS,
        counts: this.#latency.map((counter) => counter.take()),
        sum: this.#latencySum.take(),
      },
    };
  }

  /** This edge's totals in the Prometheus text format 0.0.4. */
  metrics(): string {
    const requests = [...this.#requestCounts((counter) => counter.total)].map(
      ({ tenant, outcome, reason, wouldBlock, count }) =>
        `sallyport_edge_requests_total{tenant="${tenant ?? ""}",outcome="${outcome}",reason="${reason}",would_block="${wouldBlock}"} ${count}`,
    );
    const statuses = [...this.#statuses].map(
      ([status, counter]) => `sallyport_edge_responses_total{status="${status}"} ${counter.total}`,
    );
    return `${[
      ...metric("sallyport_edge_requests_total", "counter", "Requests by what the gate decided.", requests),
      ...metric("sallyport_edge_responses_total", "counter", "Responses by status.", statuses),
      ...metric(
        "sallyport_edge_response_seconds",
        "histogram",
        "Time from head to end of response.",
        this.#histogram(),
      ),
      ...gauge("sallyport_edge_connections", "Open client connections.", this.connections),
      ...gauge("sallyport_edge_tunnels", "Open tunnels.", this.tunnels),
      ...gauge("sallyport_edge_requests_in_flight", "Requests under way.", this.inFlight),
    ].join("\n")}\n`;
  }

  *#requestCounts(read: (counter: Counter) => number): Generator<RequestCount> {
    for (const [tenant, marks] of this.#byTenant) {
      for (const [{ outcome, reason, wouldBlock }, counter] of marks) {
        yield { ...(tenant !== undefined && { tenant }), outcome, reason, wouldBlock, count: read(counter) };
      }
    }
  }

  #histogram(): string[] {
    const lines: string[] = [];
    let cumulative = 0;
    for (const [index, counter] of this.#latency.entries()) {
      cumulative += counter.total;
      const bound = BOUNDS_MS[index];
      const le = bound === undefined ? "+Inf" : bound / 1_000;
      lines.push(`sallyport_edge_response_seconds_bucket{le="${le}"} ${cumulative}`);
    }
    lines.push(`sallyport_edge_response_seconds_sum ${this.#latencySum.total / 1_000}`);
    lines.push(`sallyport_edge_response_seconds_count ${cumulative}`);
    return lines;
  }
}

function increment<Key>(counters: Map<Key, Counter>, key: Key): void {
  let counter = counters.get(key);
  if (counter === undefined) {
    counter = new Counter();
    counters.set(key, counter);
  }
  counter.total += 1;
}

function metric(name: string, type: string, help: string, samples: readonly string[]): string[] {
  return samples.length === 0 ? [] : [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...samples];
}

function gauge(name: string, help: string, value: number): string[] {
  return metric(name, "gauge", help, [`${name} ${value}`]);
}
