/** Counting: differences for control, totals for metrics, a bounded list of denials. */
import t from "tap";
import type { TenantId } from "../../src/core/ids.ts";
import { Tally } from "../../src/edge/tally.ts";

const HAPPY = "happy-feet" as TenantId;
const PASSED = { outcome: "forward", reason: "location", wouldBlock: false };
const BLOCKED = { outcome: "blocked", reason: "not-on-allowlist", wouldBlock: false };
const denial = { at: 1, reference: "00000000", address: "203.0.113.7", method: "GET", path: "/", reason: "x" };

t.test("a report holds what came since the last one", async (t) => {
  const tally = new Tally();
  tally.count(HAPPY, PASSED);
  tally.count(HAPPY, PASSED);
  tally.count(undefined, BLOCKED);
  tally.finish(200, 1.5);
  tally.finish(403, 40_000);
  tally.deny(denial);
  tally.connections = 3;
  const first = tally.drain();
  t.same(first.requests, [
    { tenant: HAPPY, ...PASSED, count: 2 },
    { ...BLOCKED, count: 1 },
  ]);
  t.same(first.statuses, { 200: 1, 403: 1 });
  t.same(first.denials, [denial]);
  t.equal(first.latencyMs.counts.length, first.latencyMs.bounds.length + 1);
  t.equal(first.latencyMs.counts[first.latencyMs.bounds.indexOf(2)], 1, "1.5 ms are at most 2");
  t.equal(first.latencyMs.counts.at(-1), 1, "what took longer than all");
  t.equal(first.latencyMs.sum, 40_001.5);
  tally.count(HAPPY, PASSED);
  const second = tally.drain();
  t.same(second.requests, [{ tenant: HAPPY, ...PASSED, count: 1 }]);
  t.same(second.statuses, {});
  t.same(second.denials, []);
  t.same([...new Set(second.latencyMs.counts)], [0]);
  t.equal(second.connections, 3, "a gauge is as it stands");
  t.same(JSON.parse(JSON.stringify(second)), second, "JSON data");
});

t.test("denials are bounded, and those not kept are counted", async (t) => {
  const tally = new Tally();
  for (let count = 0; count < 1_000; count++) tally.deny(denial);
  const report = tally.drain();
  t.equal(report.denials.length + report.denialsDropped, 1_000);
  t.ok(report.denialsDropped > 0);
  t.equal(tally.drain().denialsDropped, 0);
});

t.test("metrics are totals, whatever was reported", async (t) => {
  const tally = new Tally();
  tally.count(HAPPY, PASSED);
  tally.finish(200, 3);
  tally.drain();
  tally.count(HAPPY, PASSED);
  tally.finish(200, 7);
  tally.tunnels = 2;
  const text = tally.metrics();
  t.match(
    text,
    'sallyport_edge_requests_total{tenant="happy-feet",outcome="forward",reason="location",would_block="false"} 2\n',
  );
  t.match(text, 'sallyport_edge_responses_total{status="200"} 2\n');
  t.match(text, 'sallyport_edge_response_seconds_bucket{le="0.005"} 1\n');
  t.match(text, 'sallyport_edge_response_seconds_bucket{le="+Inf"} 2\n');
  t.match(text, "sallyport_edge_response_seconds_sum 0.01\n");
  t.match(text, "sallyport_edge_tunnels 2\n");
  for (const line of text.trimEnd().split("\n")) t.match(line, /^(# (HELP|TYPE) \w+ .+|\w+(\{.*\})? [\d.]+)$/);
});
