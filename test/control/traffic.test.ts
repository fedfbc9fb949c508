/** Under a flood of denials some are not kept, and all of those are counted. */
import t from "tap";
import { Traffic } from "../../src/control/traffic.ts";
import { FixedClock } from "../../src/core/clock.ts";
import { StoreUnavailableError } from "../../src/core/errors.ts";
import { ActivityLog } from "../../src/observe/activity.ts";
import { DENIAL_KIND } from "../../src/observe/denials.ts";
import { createMetrics } from "../../src/observe/metrics.ts";
import { openStore } from "../../src/store/open.ts";
import { SILENT } from "../support/silent-log.ts";

const gauges = { statuses: {}, connections: 0, tunnels: 0, inFlight: 0 };
const latencyMs = { bounds: [1], counts: [0, 0], sum: 0 };

t.test("denials that are not kept are counted: by the edge, over the limit of a second, not taken", async (t) => {
  const clock = new FixedClock(Date.parse("2030-01-01T00:00:00Z"));
  const store = await openStore("sqlite::memory:", { clock });
  t.teardown(() => store.close());
  const metrics = createMetrics();
  const log = { ...SILENT, warn: () => told?.() };
  const traffic = new Traffic({ store, metrics, activity: new ActivityLog(store, "one"), clock, log });
  let told: (() => void) | undefined;
  let made = 0;
  const deny = (count: number, tenant?: string) => {
    const denials = Array.from({ length: count }, () => {
      const seen = { at: clock.nowMs(), address: "198.51.100.1", method: "GET", path: "/", reason: "not-on-allowlist" };
      return { ...seen, reference: `r${made++}`, ...(tenant === undefined ? {} : { tenant }) };
    });
    traffic.take("one/1", { ...gauges, latencyMs, requests: [], denials, denialsDropped: 3 });
  };
  const dropped = async () => /^sallyport_denials_dropped_total (\d+)$/m.exec(await metrics.registry.metrics())?.[1];

  deny(150, "a");
  deny(10);
  t.equal(await dropped(), "6", "those of no tenant have no place to be kept");
  deny(60, "a");
  t.equal(await dropped(), "19", "200 are kept in a second");
  // Whose turn comes after the commits that are under way.
  await store.sweep(1);
  t.equal((await store.list({ kind: DENIAL_KIND, limit: 1000 })).length, 200);
  clock.advance(1000);
  store.commit = async () => {
    throw new StoreUnavailableError("away");
  };
  const warned = new Promise<void>((resolve) => {
    told = resolve;
  });
  deny(5, "a");
  await warned;
  t.equal(await dropped(), "27");
});
