import t from "tap";
import { FixedClock, systemClock } from "../../src/core/clock.ts";
import { StoreUnavailableError } from "../../src/core/errors.ts";
import type { Store } from "../../src/core/store.ts";
import { openStore } from "../../src/store/open.ts";
import {
  admits,
  entryRemoval,
  entryWrite,
  newEntry,
  newFollower,
  STALE_AFTER_MS,
  tenantWrite,
} from "../support/policy-store.ts";

async function newStore(): Promise<Store> {
  return await openStore("sqlite::memory:", { clock: systemClock });
}

t.test("loads what is there and follows every change", async (t) => {
  const store = await newStore();
  const office = newEntry("203.0.113.0/24");
  await store.commit({ writes: [tenantWrite("happy"), entryWrite("happy", office)] });
  const { follower, replica } = newFollower(store, systemClock);
  t.equal(replica.state(Date.now()), "empty");
  await follower.start();
  t.equal(replica.state(Date.now()), "serving");
  t.equal(admits(replica, "happy", "203.0.113.9"), true);
  t.equal(admits(replica, "happy", "198.51.100.1"), false);

  const home = newEntry("2001:db8:1:2::/64");
  const added = await store.commit({ writes: [entryWrite("happy", home)] });
  await follower.reached(added);
  t.equal(admits(replica, "happy", "2001:db8:1:2::7"), true);

  const removed = await store.commit({ writes: [entryRemoval("happy", office)] });
  await follower.reached(removed);
  t.equal(admits(replica, "happy", "203.0.113.9"), false);

  const gone = await store.commit({ writes: [{ kind: "tenant", id: "happy", value: null }] });
  await follower.reached(gone);
  t.equal(admits(replica, "happy", "2001:db8:1:2::7"), undefined);
  await follower.close();
  await store.close();
});

t.test("a large commit is said in pieces, what came before what went", async (t) => {
  const store = await newStore();
  const old = Array.from({ length: 1200 }, (_, index) => newEntry(`10.0.${index >> 8}.${index & 255}/32`));
  await store.commit({ writes: [tenantWrite("happy"), ...old.map((entry) => entryWrite("happy", entry))] });
  const { follower, replica } = newFollower(store, systemClock);
  await follower.start();
  const said: string[] = [];
  follower.onFrames((frames) => {
    for (const { message } of frames) {
      if (message.type === "delta") said.push(message.upserts.length > 0 ? "came" : "went");
    }
  });
  const fresh = Array.from({ length: 1200 }, (_, index) => newEntry(`10.1.${index >> 8}.${index & 255}/32`));
  const writes = [
    ...old.map((entry) => entryRemoval("happy", entry)),
    ...fresh.map((entry) => entryWrite("happy", entry)),
  ];
  await follower.reached(await store.commit({ writes }));
  t.strictSame(said, ["came", "came", "came", "went", "went", "went"]);
  t.equal(admits(replica, "happy", "10.0.4.1"), false);
  t.equal(admits(replica, "happy", "10.1.4.1"), true);
  t.equal(replica.list("happy" as never)?.size, 1200);
  await follower.close();
  await store.close();
});

t.test("an unconfirmed state grows stale, and a store that is back makes it fresh", async (t) => {
  const clock = new FixedClock(Date.now());
  const store = await newStore();
  await store.commit({ writes: [tenantWrite("happy")] });
  let away = false;
  const flaky: Store = Object.assign(Object.create(store) as Store, {
    commit: store.commit.bind(store),
    snapshot: store.snapshot.bind(store),
    head: store.head.bind(store),
    watch: store.watch.bind(store),
    changesSince: async (revision: number, limit: number) => {
      if (away) throw new Error("away");
      return await store.changesSince(revision, limit);
    },
  });
  const { follower, replica } = newFollower(flaky, clock);
  await follower.start();
  away = true;
  clock.advance(STALE_AFTER_MS + 1);
  t.equal(replica.state(clock.nowMs()), "stale");
  away = false;
  const fresh = new Promise<void>((resolve) => follower.onFrames(() => resolve()));
  await fresh;
  t.equal(replica.state(clock.nowMs()), "serving");
  t.equal(follower.state, "following");
  await follower.close();
  await store.close();
});

t.test("an entry's expiry is honoured to the second, with no change in the store", async (t) => {
  const store = await newStore();
  const nowMs = Math.floor(Date.now() / 1000) * 1000;
  const entry = newEntry("203.0.113.7/32", { expiresAt: new Date(nowMs + 5_000).toISOString() });
  await store.commit({ writes: [tenantWrite("happy"), entryWrite("happy", entry)] });
  const { follower, replica } = newFollower(store, systemClock);
  await follower.start();
  t.equal(admits(replica, "happy", "203.0.113.7", nowMs + 4_999), true);
  t.equal(admits(replica, "happy", "203.0.113.7", nowMs + 5_000), false);
  await follower.close();
  await store.close();
});

t.test("a host moves from one tenant to another in one commit", async (t) => {
  const store = await newStore();
  const host = "shared.example" as never;
  await store.commit({ writes: [tenantWrite("a", { hosts: [host] }), tenantWrite("b", { hosts: [] })] });
  const { follower, replica } = newFollower(store, systemClock);
  await follower.start();
  t.equal(replica.tenantByHost(host)?.id, "a");
  for (const writes of [
    [tenantWrite("b", { hosts: [host] }), tenantWrite("a", { hosts: [] })],
    [tenantWrite("b", { hosts: [] }), tenantWrite("a", { hosts: [host] })],
  ]) {
    await follower.reached(await store.commit({ writes }));
    t.equal(
      replica.tenantByHost(host)?.id,
      writes[0]?.id === "b" && (writes[0].value as { hosts: string[] }).hosts.length > 0 ? "b" : "a",
    );
  }
  await follower.close();
  await store.close();
});

t.test("who waits for a revision is told when the store goes away, is replaced, or the follower closes", async (t) => {
  const store = await newStore();
  await store.commit({ writes: [tenantWrite("happy")] });
  let changesSince: Store["changesSince"] = (revision, limit) => store.changesSince(revision, limit);
  const changing: Store = Object.assign(Object.create(store) as Store, {
    snapshot: store.snapshot.bind(store),
    watch: () => () => {},
    changesSince: (revision: number, limit: number) => changesSince(revision, limit),
  });
  const { follower } = newFollower(changing, systemClock);
  await follower.start();
  const refused = { code: "store_unavailable" };

  changesSince = async () => {
    throw new StoreUnavailableError("away");
  };
  const revision = await store.commit({ writes: [tenantWrite("glad")] });
  await t.rejects(follower.reached(revision), refused);
  t.equal(follower.state, "store-away");

  changesSince = async () => ({ gap: false, head: { epoch: "another", revision }, commits: [] });
  await t.rejects(follower.reached(revision), refused);
  t.equal(follower.state, "store-replaced");

  changesSince = (revision, limit) => store.changesSince(revision, limit);
  await follower.reached(revision);

  const hanging = Promise.withResolvers<never>();
  const asked = Promise.withResolvers<void>();
  changesSince = () => {
    asked.resolve();
    return hanging.promise;
  };
  const waiting = t.rejects(follower.reached(revision + 1), refused);
  await asked.promise;
  const closed = follower.close();
  await waiting;
  hanging.reject(new StoreUnavailableError("away"));
  await closed;
  await t.rejects(follower.reached(revision + 1), refused, "and at once, when it is closed");
  await store.close();
});
