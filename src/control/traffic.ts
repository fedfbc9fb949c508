/** What the edges report: counted for the metrics, and denials kept for whoever asks about a reference. */
import Type, { type Static } from "typebox";
import { Compile } from "typebox/compile";
import type { Clock } from "../core/clock.ts";
import type { Logger } from "../core/log.ts";
import type { Store, Write } from "../core/store.ts";
import type { ActivityLog } from "../observe/activity.ts";
import { denialWrites } from "../observe/denials.ts";
import type { Metrics } from "../observe/metrics.ts";

/** Kept in each second at the most, in two documents each, so that a flood of strangers does not become one of writes. */
const DENIALS_PER_SECOND = 200;

const Text = (maxLength: number) => Type.String({ maxLength });
const Count = Type.Integer({ minimum: 0 });
const DenialSchema = Type.Object({
  at: Count,
  reference: Type.String({ pattern: "^[\\w-]{1,32}$" }),
  tenant: Type.Optional(Type.String({ pattern: "^[a-z0-9-]{1,63}$" })),
  address: Text(64),
  method: Text(32),
  path: Text(2048),
  reason: Text(64),
});
const Report = Compile(
  Type.Object({
    requests: Type.Array(
      Type.Object({
        tenant: Type.Optional(Text(63)),
        outcome: Text(32),
        reason: Text(64),
        wouldBlock: Type.Boolean(),
        count: Count,
      }),
      { maxItems: 200_000 },
    ),
    statuses: Type.Record(Type.String({ pattern: "^[1-5]\\d\\d$" }), Count),
    denials: Type.Array(DenialSchema, { maxItems: 1_000 }),
    denialsDropped: Count,
    connections: Count,
    tunnels: Count,
    inFlight: Count,
    latencyMs: Type.Object({
      bounds: Type.Array(Type.Number(), { maxItems: 64 }),
      counts: Type.Array(Count, { maxItems: 65 }),
      sum: Type.Number({ minimum: 0 }),
    }),
  }),
);

type Denial = Static<typeof DenialSchema>;

export interface TrafficOptions {
  readonly store: Store;
  readonly metrics: Metrics;
  readonly activity: ActivityLog;
  readonly clock: Clock;
  readonly log: Logger;
}

/** An edge faces the internet, so nothing of its report is believed before it is checked. */
export class Traffic {
  readonly #options: TrafficOptions;
  #second = 0;
  #deniedInSecond = 0;

  constructor(options: TrafficOptions) {
    this.#options = options;
  }

  take(edge: string, report: unknown): void {
    const { metrics, activity, clock, log } = this.#options;
    if (!Report.Check(report)) {
      log.error({ edge, wrong: Report.Errors(report).slice(0, 3) }, "an edge's report is malformed and is ignored");
      return;
    }
    metrics.traffic(edge, report);
    activity.noteRequests(report.requests, clock.nowMs());
    for (const denial of report.denials) {
      log.info({ edge, denial }, "turned away");
      activity.noteDenial(denial);
    }
    void this.#keep(report.denials);
  }

  async #keep(denials: readonly Denial[]): Promise<void> {
    const { store, metrics, clock, log } = this.#options;
    const writes: Write[] = [];
    let kept = 0;
    for (const denial of denials) {
      if (denial.tenant === undefined) continue;
      if (this.#mayKeep()) {
        writes.push(...denialWrites(denial.tenant, denial, clock.nowMs()));
        kept += 1;
      } else metrics.denialsDropped(1);
    }
    if (kept === 0) return;
    await store.commit({ writes }).catch((error: unknown) => {
      metrics.denialsDropped(kept);
      log.warn({ err: error }, "denials are only in the log");
    });
  }

  #mayKeep(): boolean {
    const second = Math.floor(this.#options.clock.nowMs() / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#deniedInSecond = 0;
    }
    this.#deniedInSecond += 1;
    return this.#deniedInSecond <= DENIALS_PER_SECOND;
  }
}
