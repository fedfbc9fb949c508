/** Edge reports add up, and a gone edge's gauges go. */
import t from "tap";
import { createMetrics } from "../../src/observe/metrics.ts";

t.test("traffic", async (t) => {
  const metrics = createMetrics();
  const report = {
    requests: [{ tenant: "a", outcome: "blocked", reason: "not-on-allowlist", wouldBlock: false, count: 3 }],
    statuses: { "403": 3 },
    denialsDropped: 1,
    connections: 2,
    tunnels: 1,
    inFlight: 0,
    latencyMs: { bounds: [1, 2], counts: [1, 0, 2], sum: 30 },
  };
  metrics.traffic("n/1", report);
  metrics.traffic("n/2", report);
  metrics.edges([
    { id: "n/1", revision: 42, lagMs: 5 },
    { id: "n/2", revision: 42, lagMs: 5 },
  ]);
  metrics.adminRequest("GET", "/v1/tenants", 200, 0.01);
  const text = await metrics.registry.metrics();
  t.match(
    text,
    'sallyport_requests_total{tenant="a",outcome="blocked",reason="not-on-allowlist",would_block="false"} 6',
  );
  t.match(text, 'sallyport_responses_total{status="403"} 6');
  t.match(text, 'sallyport_request_duration_seconds_bucket{le="0.002"} 2');
  t.match(text, 'sallyport_request_duration_seconds_bucket{le="+Inf"} 6');
  t.match(text, "sallyport_request_duration_seconds_count 6");
  t.match(text, 'sallyport_edge_connections{edge="n/2"} 2');
  t.match(text, 'sallyport_edge_lag_seconds{edge="n/1"} 0.005');
  t.match(text, 'sallyport_admin_request_seconds_count{method="GET",route="/v1/tenants",status="200"} 1');
  metrics.edges([{ id: "n/1", revision: 42, lagMs: 5 }]);
  t.notMatch(await metrics.registry.metrics(), 'edge="n/2"');
});
