import t, { type Test } from "tap";
import { type Clock, FixedClock } from "../../src/core/clock.ts";
import type { Commit, Store } from "../../src/core/store.ts";
import { healStore } from "../../src/replica/heal.ts";
import { openStore } from "../../src/store/open.ts";
import { entryRemoval, entryWrite, newEntry, newFollower, tenantWrite } from "../support/policy-store.ts";

const KEPT = newEntry("203.0.113.0/24");
const GONE = newEntry("2001:db8:1:2::/64");

/** A store as it was before its newest commits were lost, and a node that has seen them. */
async function rewound(t: Test) {
  const clock = new FixedClock(Date.now());
  const [older, truth] = await Promise.all([newStore(t, clock), newStore(t, clock)]);

  const common = [tenantWrite("happy"), entryWrite("happy", KEPT), entryWrite("happy", GONE)];
  await older.commit({ writes: [...common, { kind: "session", id: "happy/s", value: {} }] });
  const head = await older.head();
  clock.advance(1_000);
  const { follower, replica } = newFollower(truth, clock);
  await truth.commit({ writes: common });
  await follower.start();
  await follower.reached(await truth.commit({ writes: [entryRemoval("happy", GONE)] }));
  await follower.close();
  clock.advance(1_000);
  return { older, heal: (recent: readonly Commit[]) => healStore(older, head, recent, replica) };
}

async function newStore(t: Test, clock: Clock): Promise<Store> {
  const store = await openStore("sqlite::memory:", { clock });
  t.teardown(() => store.close());
  return store;
}

async function entriesOf(store: Store): Promise<string[]> {
  return (await store.list({ kind: "entry", limit: 10 })).map(({ id }) => id);
}

t.test("deletes again what was deleted, however long ago", async (t) => {
  const { older, heal } = await rewound(t);
  t.strictSame(await heal([]), { deleted: 1, restored: 0 });
  t.strictSame(await entriesOf(older), [`happy/${KEPT.id}`]);
  t.strictSame(await heal([]), { deleted: 0, restored: 0 }, "a second time changes nothing");
});

t.test("carries out again every kind of change that this node remembers", async (t) => {
  const { older, heal } = await rewound(t);
  const previous = (await older.head()).revision;
  const changes = [
    { kind: "session", id: "happy/s", value: null, was: {} },
    { kind: "user", id: "happy/anna", value: { name: "Anna" } },
  ];
  t.strictSame(await heal([{ revision: previous + 1, previous, changes }]), { deleted: 2, restored: 1 });
  t.equal(await older.get("session", "happy/s"), undefined);
  t.match(await older.get("user", "happy/anna"), { value: { name: "Anna" } });
});

t.test("leaves what others wrote after the loss", async (t) => {
  const { older, heal } = await rewound(t);
  const previous = (await older.head()).revision;
  const later = newEntry("198.51.100.0/24");
  await older.commit({
    writes: [entryWrite("happy", later), { kind: "session", id: "happy/s", value: { again: true } }],
  });
  const changes = [{ kind: "session", id: "happy/s", value: null, was: {} }];
  t.strictSame(await heal([{ revision: previous + 1, previous, changes }]), { deleted: 1, restored: 0 });
  t.strictSame(new Set(await entriesOf(older)), new Set([`happy/${KEPT.id}`, `happy/${later.id}`]));
  t.match(await older.get("session", "happy/s"), { value: { again: true } });
});
