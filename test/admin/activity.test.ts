/** What came to a tenant's doors: denials by reference, places that were blocked or would have been, counts by day. */
import t from "tap";
import { Traffic } from "../../src/control/traffic.ts";
import { FixedClock } from "../../src/core/clock.ts";
import { ActivityLog } from "../../src/observe/activity.ts";
import { createMetrics } from "../../src/observe/metrics.ts";
import { START_MS, silent, startAdminApi } from "../support/admin-api.ts";

const DAY_MS = 86_400_000;

function report(requests: object[], denials: object[]) {
  const latencyMs = { bounds: [1], counts: [0, 0], sum: 0 };
  return { requests, denials, statuses: {}, denialsDropped: 0, connections: 0, tunnels: 0, inFlight: 0, latencyMs };
}

t.test("reports", async (t) => {
  const clock = new FixedClock(START_MS);
  const { call, tenant, store } = await startAdminApi(t, { clock });
  await tenant("a");
  await tenant("b");
  const nodes = ["one", "two"].map((node) => {
    const activity = new ActivityLog(store, node);
    return { activity, traffic: new Traffic({ store, metrics: createMetrics(), activity, clock, log: silent }) };
  });
  const flush = () => Promise.all(nodes.map(({ activity }) => activity.flush(clock.nowMs())));
  const denial = (reference: string, address: string, reason = "observed") => ({
    at: clock.nowMs(),
    reference,
    tenant: "a",
    address,
    method: "GET",
    path: "/records",
    reason,
  });
  const admitted = { tenant: "a", outcome: "forward", reason: "observed", wouldBlock: true, count: 3 };
  const blocked = { tenant: "a", outcome: "blocked", reason: "not-on-allowlist", wouldBlock: false, count: 2 };
  nodes[0]?.traffic.take("one/1", report([admitted], [denial("r1", "198.51.100.1"), denial("r2", "2001:db8::1")]));
  await flush();
  clock.advance(DAY_MS);
  nodes[0]?.traffic.take("one/1", report([admitted, blocked], [denial("r3", "2001:db8::2")]));
  nodes[1]?.traffic.take("two/1", report([blocked], [denial("r4", "203.0.113.1", "not-on-allowlist")]));
  await flush();
  nodes[1]?.traffic.take("two/1", report([blocked], []));
  await flush();

  const observed = (await call("GET", "/v1/tenants/a/report/observed")).body;
  t.match(observed, { total: 2, days: 7 });
  t.match(observed.items, [
    {
      cidr: "2001:db8::/64",
      address: "2001:db8::2",
      count: 2,
      lastAt: "2030-01-02T00:00:00.000Z",
      lastReference: "r3",
    },
    { cidr: "198.51.100.1/32", count: 1, firstAt: "2030-01-01T00:00:00.000Z", lastPath: "/records" },
  ]);
  t.match((await call("GET", "/v1/tenants/a/report/observed?days=1")).body.items, [{ count: 1 }]);
  t.match((await call("GET", "/v1/tenants/a/report/blocked")).body.items, [{ cidr: "203.0.113.1/32", count: 1 }]);
  t.strictSame((await call("GET", "/v1/tenants/a/report/activity?days=2")).body.items, [
    { day: "2030-01-01", admitted: 3, blocked: 0, signIn: 0, observed: 3 },
    { day: "2030-01-02", admitted: 3, blocked: 6, signIn: 0, observed: 3 },
  ]);
  t.match((await call("GET", "/v1/tenants/b/report/activity?days=1")).body.items, [{ admitted: 0 }]);

  const first = (await call("GET", "/v1/tenants/a/denials?limit=2")).body;
  const second = (await call("GET", `/v1/tenants/a/denials?limit=2&cursor=${first.next}`)).body;
  const listed = [...first.items, ...second.items].map(({ reference }: { reference: string }) => reference);
  t.strictSame(listed.slice(0, 2).sort(), ["r3", "r4"], "the newest first");
  t.strictSame(listed.slice(2).sort(), ["r1", "r2"]);
  t.match((await call("GET", "/v1/tenants/a/denials/r4")).body, { reason: "not-on-allowlist", address: "203.0.113.1" });
  for (const path of ["a/denials/r9", "b/denials/r4", "nobody/denials", "nobody/report/observed"])
    t.equal((await call("GET", `/v1/tenants/${path}`)).status, 404, path);
  clock.advance(8 * DAY_MS);
  t.strictSame((await call("GET", "/v1/tenants/a/denials")).body.items, [], "kept for a week");
});

t.test("counts that the store did not take are written the next time", async (t) => {
  const clock = new FixedClock(START_MS);
  const { call, tenant, store } = await startAdminApi(t, { clock });
  await tenant("a");
  let away = true;
  const commit: typeof store.commit = async (request) => {
    if (away) throw new Error("away");
    return await store.commit(request);
  };
  const flaky = Object.assign(Object.create(store) as typeof store, {
    commit,
    getMany: store.getMany.bind(store),
  });
  const activity = new ActivityLog(flaky, "one");
  const count = () =>
    activity.noteRequests([{ tenant: "a", outcome: "blocked", wouldBlock: false, count: 1 }], START_MS);
  count();
  await t.rejects(activity.flush(START_MS));
  count();
  away = false;
  await activity.flush(START_MS);
  t.match((await call("GET", "/v1/tenants/a/report/activity?days=1")).body.items, [{ blocked: 2 }]);
});
