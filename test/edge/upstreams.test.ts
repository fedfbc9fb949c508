/** Which upstream a request goes to, how many connections there are, and when they close. */
import { once } from "node:events";
import t from "tap";
import { FixedClock } from "../../src/core/clock.ts";
import type { TenantId } from "../../src/core/ids.ts";
import { isRefusedPeer } from "../../src/core/upstream.ts";
import { Ticker } from "../../src/edge/ticker.ts";
import { Upstream, type UpstreamOptions, type Waiter } from "../../src/edge/upstream.ts";
import type { UpstreamConnection } from "../../src/edge/upstream-connection.ts";
import { targetOf } from "../../src/edge/upstream-socket.ts";
import { Upstreams } from "../../src/edge/upstreams.ts";
import { startUpstream } from "../support/upstream.ts";

const clock = new FixedClock(1_000_000);
const OPTIONS: UpstreamOptions = {
  connectMs: 1_000,
  maxConnections: 2,
  keepAliveMs: 30_000,
  responseHeadersMs: 1_000,
  responseIdleMs: 1_000,
  keepsOurCookies: false,
  ticker: new Ticker(1_000),
  clock,
};
const DEAD = "http://127.0.0.1:1";

function make(origin: string, options: Partial<UpstreamOptions> = {}): Upstream {
  return new Upstream(targetOf(origin, undefined), { ...OPTIONS, ...options });
}

function owner(id: string, ...upstreams: string[]) {
  return { id: id as TenantId, upstreams };
}

/** A waiter as a promise. */
function wait(upstream: Upstream): Promise<UpstreamConnection | Error> & { waiter: Waiter } {
  const { promise, resolve } = Promise.withResolvers<UpstreamConnection | Error>();
  const waiter: Waiter = { uploads: false, connected: resolve, unavailable: resolve };
  upstream.acquire(waiter);
  return Object.assign(promise, { waiter });
}

async function fail(upstream: Upstream): Promise<void> {
  const error = await wait(upstream);
  if (!(error instanceof Error)) throw new Error("it did connect");
}

t.test("the least used, equals in turn", async (t) => {
  const upstreams = new Upstreams(clock, make);
  const tenant = owner("a", "http://127.0.0.1:2", "http://127.0.0.1:3", "http://127.0.0.1:4");
  const chosen = new Set([1, 2, 3].map(() => upstreams.choose(tenant)));
  t.equal(chosen.size, 3);
  const [first, second, third] = [...chosen];
  if (first === undefined || second === undefined || third === undefined) throw new Error("not three");
  first.active = 2;
  second.active = 1;
  third.active = 2;
  t.equal(upstreams.choose(tenant), second);
  t.not(upstreams.choose(tenant, [second]), second, "one that was tried is not tried again");
  t.equal(upstreams.choose(tenant, [first, second, third]), undefined);
  t.equal(upstreams.choose(owner("none")), undefined);
});

t.test("one that cannot be reached rests, for longer each time, and is tried when nothing else is left", async (t) => {
  const upstreams = new Upstreams(clock, make);
  const tenant = owner("a", DEAD, "http://127.0.0.1:2");
  const dead = upstreams.choose(owner("b", DEAD));
  const other = upstreams.choose(owner("c", "http://127.0.0.1:2"));
  if (dead === undefined || other === undefined) throw new Error("nothing chosen");
  await fail(dead);
  other.active = 5;
  t.equal(upstreams.choose(tenant), other, "resting");
  t.equal(upstreams.choose(tenant, [other]), dead, "still tried when it is the last");
  t.equal(upstreams.choose(owner("b", DEAD)), dead, "still tried when it is the only one");
  clock.advance(1_001);
  t.equal(upstreams.choose(tenant), dead, "rested");
  await fail(dead);
  clock.advance(1_001);
  t.equal(upstreams.choose(tenant), other, "the second rest is longer");
  clock.advance(1_000);
  t.equal(upstreams.choose(tenant), dead);
  for (let round = 0; round < 12; round++) await fail(dead);
  t.equal(dead.downUntilMs, clock.nowMs() + 30_000, "but never longer than this");
});

t.test("tenants with the same origin share its connections, which close when the last one leaves", async (t) => {
  const server = await startUpstream(t, () => {});
  const upstreams = new Upstreams(clock, make);
  const shared = upstreams.choose(owner("a", server.origin));
  t.equal(upstreams.choose(owner("b", server.origin)), shared);
  const connection = await wait(shared ?? make(DEAD));
  if (connection instanceof Error) throw connection;
  shared?.free(connection);
  upstreams.update(owner("a", "http://127.0.0.1:2"));
  upstreams.forget("nobody" as TenantId);
  t.equal(upstreams.choose(owner("b", server.origin)), shared, "still in use");
  const closed = once(server.connections[0]?.socket ?? t, "close");
  upstreams.forget("b" as TenantId);
  await closed;
  t.not(upstreams.choose(owner("b", server.origin)), shared);
});

t.test("no more connections than allowed; who waits is served in order, or told in time", async (t) => {
  const server = await startUpstream(t, () => {});
  const upstream = make(server.origin, { connectMs: 100 });
  const [first, second] = await Promise.all([wait(upstream), wait(upstream)]);
  if (first instanceof Error || second instanceof Error) throw new Error("no connection");
  const cancelled = wait(upstream);
  const third = wait(upstream);
  const late = Array.from({ length: 6 }, () => wait(upstream));
  t.match(await wait(upstream), { code: "EDGE_BUSY" }, "the queue is bounded");
  upstream.cancel(cancelled.waiter);
  upstream.free(first);
  t.equal(await third, first);
  for (const error of await Promise.all(late)) t.match(error, { code: "EDGE_BUSY" });
  t.equal(server.connections.length, 2);
  upstream.destroy();
});

t.test("uploads that become whole while they wait get connections of their own, longest wait first", async (t) => {
  const origin = (await startUpstream(t, () => {})).origin;
  const upstream = make(origin, { maxConnections: 16 });
  for (let count = 0; count < 8; count += 1) upstream.uploadBegan();
  const order: number[] = [];
  const waiters = Array.from({ length: 8 }, (_, index) => {
    const { promise, resolve } = Promise.withResolvers<UpstreamConnection | Error>();
    const connected = (connection: UpstreamConnection): void => {
      order.push(index);
      resolve(connection);
    };
    const waiter = { uploads: true, connected, unavailable: resolve };
    upstream.acquire(waiter);
    return { waiter, promise };
  });
  for (const { waiter } of waiters) waiter.uploads = false;
  for (const outcome of await Promise.all(waiters.map(({ promise }) => promise)))
    t.notOk(outcome instanceof Error, "is served");
  t.strictSame(order, [0, 1, 2, 3, 4, 5, 6, 7]);
  upstream.destroy();
});

t.test("a connection that is lost makes room for the next", async (t) => {
  const server = await startUpstream(t, () => {});
  const upstream = make(server.origin, { maxConnections: 1 });
  const first = await wait(upstream);
  if (first instanceof Error) throw first;
  const next = wait(upstream);
  first.destroy();
  upstream.gone(first);
  const second = await next;
  t.notOk(second instanceof Error);
  t.not(second, first);
  upstream.destroy();
});

t.test("a name may not lead to the cloud's metadata, to multicast, or to what is no address", async (t) => {
  for (const text of ["169.254.169.254", "::ffff:169.254.169.254", "fe80::1%eth0", "fd00:ec2::254", "224.0.0.1", ""]) {
    t.ok(isRefusedPeer(text), text);
  }
  for (const text of ["127.0.0.1", "10.0.0.1", "::1", "2001:db8::1"]) t.notOk(isRefusedPeer(text), text);
});
