/** What every adapter of the store port must do: one suite, run by each adapter's test against its real server. */
import { setTimeout as delay } from "node:timers/promises";
import type { Test } from "tap";
import type { FixedClock } from "../../src/core/clock.ts";
import { ConflictError } from "../../src/core/errors.ts";
import type { Changes, Commit, Store } from "../../src/core/store.ts";
import { checkModel } from "./model.ts";

export interface StoreUnderTest {
  readonly clock: FixedClock;
  /** A client of the store; another one each time, as another node has it (SQLite: always the same). */
  open(): Promise<Store>;
  /** Lets time pass: for the clock, and for what the server itself expires. */
  pass(ms: number): Promise<void>;
}

type Check = (t: Test, store: Store, underTest: StoreUnderTest) => Promise<void>;

const put = (id: string, value: unknown) => ({ kind: "entry", id, value });

/** The feed's commits after `revision`. */
export async function commitsSince(store: Store, revision: number, limit = 1_000): Promise<readonly Commit[]> {
  const changes: Changes = await store.changesSince(revision, limit);
  if (changes.gap) throw new Error("there is a gap");
  return changes.commits;
}

async function snapshotOf(store: Store, kinds: readonly string[]): Promise<string[]> {
  const ids: string[] = [];
  for await (const batch of (await store.snapshot(kinds)).batches) ids.push(...batch.map(({ id }) => id));
  return ids;
}

const CHECKS: Record<string, Check> = {
  "gives back what was committed": async (t, store) => {
    const value = { text: '£ü✓ \u2028\n"/\\', list: [], nested: { n: -0.5, yes: true, no: null } };
    const revision = await store.commit({ writes: [put("a/1", value), put('odd "id" \\ ~', 1)] });
    t.strictSame(await store.get("entry", "a/1"), { kind: "entry", id: "a/1", revision, value });
    t.strictSame((await store.get("entry", 'odd "id" \\ ~'))?.value, 1);
    t.equal(await store.get("entry", "a/2"), undefined);
    t.equal(await store.get("other", "a/1"), undefined);
    const many = await store.getMany("entry", ["a/2", "a/1", "a/1"]);
    t.strictSame(
      many.map((document) => document?.id),
      [undefined, "a/1", "a/1"],
    );
    t.strictSame(await store.getMany("entry", []), []);
  },

  "replaces and deletes": async (t, store) => {
    const first = await store.commit({ writes: [put("a", 1), put("b", 1)] });
    const second = await store.commit({ writes: [put("a", 2), { ...put("b", null) }] });
    t.ok(second > first, "revisions grow");
    t.strictSame((await store.get("entry", "a"))?.value, 2);
    t.equal(await store.get("entry", "b"), undefined);
    await store.commit({ writes: [put("never", null)] });
    t.strictSame(
      (await store.list({ kind: "entry", limit: 10 })).map(({ id }) => id),
      ["a"],
    );
  },

  "writes all or nothing": async (t, store) => {
    const revision = await store.commit({ writes: [put("a", 1)] });
    const before = await store.head();
    const stale = {
      writes: [put("a", 2), put("b", 2)],
      preconditions: [{ kind: "entry", id: "a", revision: revision - 1 }],
    };
    const error: unknown = await store.commit(stale).catch((reason: unknown) => reason);
    t.match(error, { code: "precondition_failed", kind: "entry", id: "a" });
    t.ok(error instanceof ConflictError);
    t.strictSame((await store.get("entry", "a"))?.value, 1);
    t.equal(await store.get("entry", "b"), undefined);
    t.strictSame(await store.head(), before);
    await t.rejects(store.commit({ writes: [put("c", 1), put("big", "x".repeat(1 << 20))] }), {
      code: "payload_too_large",
    });
    await t.rejects(store.commit({ writes: [put("c", 1), put("c", 2)] }), RangeError, "the same document twice");
    await t.rejects(store.commit({ writes: [put("c", 1), put("caf\u00e9", 2)] }), RangeError);
    await t.rejects(store.commit({ writes: [put("c", undefined)] }), RangeError);
    t.equal(await store.get("entry", "c"), undefined);
  },

  "takes preconditions of presence and absence": async (t, store) => {
    const absent = { kind: "entry", id: "a", revision: 0 };
    const first = await store.commit({ writes: [put("a", 1)], preconditions: [absent] });
    await t.rejects(store.commit({ writes: [put("a", 2)], preconditions: [absent] }), ConflictError);
    await store.commit({ writes: [put("a", 3)], preconditions: [{ kind: "entry", id: "a", revision: first }] });
    await t.rejects(
      store.commit({ writes: [put("a", 4)], preconditions: [{ kind: "entry", id: "a", revision: first }] }),
      ConflictError,
    );
    t.strictSame((await store.get("entry", "a"))?.value, 3);
  },

  "lets one of many win": async (t, store, underTest) => {
    const other = await underTest.open();
    const { revision = 0 } = (await store.get("entry", "a")) ?? {};
    const attempt = (client: Store, value: number) =>
      client.commit({ writes: [put("a", value)], preconditions: [{ kind: "entry", id: "a", revision }] });
    const racers = Array.from({ length: 20 }, (_, index) => attempt(index % 2 === 0 ? store : other, index));
    const outcomes = await Promise.allSettled(racers);
    t.equal(outcomes.filter(({ status }) => status === "fulfilled").length, 1);
    for (const outcome of outcomes) if (outcome.status === "rejected") t.ok(outcome.reason instanceof ConflictError);
  },

  "lists by prefix, in order, after an id": async (t, store) => {
    const ids = ["A/1", "a", "a/1", "a/10", "a/2", "a0", "a~", "b/1"];
    await store.commit({ writes: ids.toReversed().map((id) => put(id, id)) });
    const list = async (request: object) =>
      (await store.list({ kind: "entry", limit: 100, ...request })).map(({ id }) => id);
    t.strictSame(await list({}), ids);
    t.strictSame(await list({ prefix: "a/" }), ["a/1", "a/10", "a/2"]);
    t.strictSame(await list({ prefix: "a/", after: "a/1" }), ["a/10", "a/2"]);
    t.strictSame(await list({ prefix: "a/", after: "A" }), ["a/1", "a/10", "a/2"]);
    t.strictSame(await list({ prefix: "a/", after: "b" }), []);
    t.strictSame(await list({ prefix: "a/", limit: 2 }), ["a/1", "a/10"]);
    t.strictSame(await list({ prefix: "c" }), []);
    await t.rejects(store.list({ kind: "entry", limit: 0 }), RangeError);
    await t.rejects(store.list({ kind: "entry", limit: 1_001 }), RangeError);
  },

  "feeds commits in order and resumes": async (t, store) => {
    const start = (await store.head()).revision;
    const first = await store.commit({ writes: [put("a", 1), { ...put("b", 2), expiresAtMs: 2 ** 45 }] });
    await store.commit({ writes: [{ ...put("q", 1), quiet: true }] });
    const second = await store.commit({ writes: [{ ...put("q", 2), quiet: true }, put("a", null), put("none", null)] });
    const all = await commitsSince(store, start);
    t.strictSame(all, [
      {
        revision: first,
        previous: start,
        changes: [put("a", 1), { ...put("b", 2), expiresAtMs: 2 ** 45 }],
      },
      { revision: second, previous: first, changes: [{ ...put("a", null), was: 1 }, put("none", null)] },
    ]);
    t.strictSame(await commitsSince(store, start, 1), all.slice(0, 1));
    t.strictSame(await commitsSince(store, first), all.slice(1));
    t.strictSame(await commitsSince(store, second), []);
    t.equal((await store.head()).revision, second);
  },

  "shows a gap to a reader of another history": async (t, store) => {
    const first = await store.commit({ writes: [put("a", 1)] });
    const second = await store.commit({ writes: [put("a", 2)] });
    for (const revision of [first - 1, first + 1, second - 1, second + 1]) {
      const changes = await store.changesSince(revision, 10);
      t.strictSame(changes, { gap: true, head: await store.head() }, `after ${revision - first}`);
    }
  },

  "keeps a quiet commit out of the feed": async (t, store) => {
    const head = await store.head();
    const revision = await store.commit({ writes: [{ ...put("q", 1), quiet: true }] });
    t.ok(revision > head.revision);
    t.strictSame(await store.head(), head);
    t.equal((await store.get("entry", "q"))?.revision, revision);
  },

  "expires without a sweep": async (t, store, { clock, pass }) => {
    const expiresAtMs = clock.nowMs() + 1_000;
    const revision = await store.commit({ writes: [{ ...put("a", 1), expiresAtMs }, put("b", 1)] });
    t.strictSame(await store.get("entry", "a"), { ...put("a", 1), revision, expiresAtMs });
    await pass(999);
    t.ok(await store.get("entry", "a"));
    await pass(1);
    t.equal(await store.get("entry", "a"), undefined);
    t.strictSame(
      (await store.getMany("entry", ["a", "b"])).map((document) => document?.id),
      [undefined, "b"],
    );
    t.strictSame(
      (await store.list({ kind: "entry", limit: 1 })).map(({ id }) => id),
      ["b"],
    );
    t.strictSame(await snapshotOf(store, ["entry"]), ["b"]);
    const seen = [{ kind: "entry", id: "a", revision }];
    await t.rejects(store.commit({ writes: [put("a", 2)], preconditions: seen }), ConflictError);
    await store.commit({ writes: [put("a", 2)], preconditions: [{ kind: "entry", id: "a", revision: 0 }] });
    t.equal(await store.sweep(10), 0, "what was written anew is not swept");
    t.strictSame((await store.get("entry", "a"))?.value, 2);
  },

  "sweeps what has expired, and says so in the feed": async (t, store, { clock, pass }) => {
    const expiresAtMs = clock.nowMs() + 1_000;
    const due = ["a", "b", "c"].map((id) => ({ ...put(id, id), expiresAtMs }));
    await store.commit({ writes: [...due, { ...put("q", 1), expiresAtMs, quiet: true }, put("stays", 1)] });
    const { revision } = await store.head();
    t.equal(await store.sweep(10), 0);
    t.equal((await store.head()).revision, revision, "nothing due, nothing in the feed");
    await pass(1_000);
    const counts = [await store.sweep(3), await store.sweep(3), await store.sweep(3)];
    t.strictSame(counts, [3, 1, 0]);
    const changes = (await commitsSince(store, revision)).flatMap((commit) => commit.changes);
    t.strictSame(
      changes.sort((a, b) => a.id.localeCompare(b.id)),
      ["a", "b", "c"].map((id) => ({ ...put(id, null), was: id })),
    );
    t.strictSame(await snapshotOf(store, ["entry"]), ["stays"]);
  },

  "takes a snapshot of some kinds, in batches": async (t, store) => {
    const writes = Array.from({ length: 2_500 }, (_, index) => put(String(index).padStart(5, "0"), index));
    await store.commit({
      writes: [...writes, { kind: "tenant", id: "t", value: 1 }, { kind: "user", id: "u", value: 1 }],
    });
    const { head, batches } = await store.snapshot(["tenant", "entry", "absent"]);
    t.strictSame(head, await store.head());
    const ids: string[] = [];
    for await (const batch of batches) {
      t.ok(batch.length <= 1_000);
      ids.push(...batch.map(({ id }) => id));
    }
    t.strictSame(ids, ["t", ...writes.map(({ id }) => id)]);
  },

  "carries a large commit": async (t, store) => {
    const start = (await store.head()).revision;
    const label = "x".repeat(150);
    const writes = Array.from({ length: 20_000 }, (_, index) => put(`t/${index}`, { index, label }));
    await store.commit({ writes });
    const [commit] = await commitsSince(store, start);
    t.strictSame(commit?.changes, writes);
    await store.commit({ writes: writes.map(({ id }) => put(id, null)) });
    t.strictSame(await store.list({ kind: "entry", limit: 10 }), []);
    t.strictSame(commit && (await commitsSince(store, commit.revision))[0]?.changes.at(-1)?.was, writes.at(-1)?.value);
  },

  "feeds large commits in full": async (t, store) => {
    const start = (await store.head()).revision;
    const revisions: number[] = [];
    for (let index = 0; index < 20; index++) {
      revisions.push(await store.commit({ writes: [put("a", `${index}${"x".repeat(900_000)}`)] }));
    }
    const all = await commitsSince(store, start);
    t.strictSame(
      all.map(({ revision }) => revision),
      revisions,
    );
    t.strictSame((await commitsSince(store, start, 12)).length, 12);
  },

  "wakes watchers on any client": async (t, store, underTest) => {
    const other = await underTest.open();
    let woken = Promise.withResolvers<void>();
    const end = other.watch(() => woken.resolve());
    // A subscription takes a moment: commits go on until one is heard of.
    for (let heard = false; !heard; ) {
      await store.commit({ writes: [put("a", 1)] });
      heard = await Promise.race([woken.promise.then(() => true), delay(50, false)]);
    }
    woken = Promise.withResolvers<void>();
    end();
    await store.commit({ writes: [put("a", 2)] });
    t.equal(await Promise.race([woken.promise.then(() => true), delay(50, false)]), false, "ended");
  },

  "lets a key be used once": async (t, store, underTest) => {
    const other = await underTest.open();
    const uses = Array.from({ length: 50 }, (_, index) =>
      (index % 2 === 0 ? store : other).useOnce("totp/u/1", 90_000),
    );
    t.equal((await Promise.all(uses)).filter(Boolean).length, 1);
    t.equal(await store.useOnce("totp/u/2", 90_000), true, "another key");
    await underTest.pass(89_000);
    t.equal(await other.useOnce("totp/u/1", 90_000), false);
    await store.sweep(10);
    t.equal(await other.useOnce("totp/u/1", 90_000), false, "a sweep leaves it");
    await underTest.pass(1_100);
    t.equal(await other.useOnce("totp/u/1", 90_000), true);
  },

  "limits a rate across clients": async (t, store, underTest) => {
    const other = await underTest.open();
    const limit = { burst: 3, periodMs: 30_000 };
    const takes = Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? store : other).take("sms/1", limit));
    const decisions = await Promise.all(takes);
    t.equal(decisions.filter(({ allowed }) => allowed).length, 3);
    t.strictSame(await store.take("sms/1", limit), { allowed: false, retryAfterMs: 10_000 });
    t.strictSame(await store.take("sms/2", limit), { allowed: true, retryAfterMs: 0 }, "another bucket");
    await underTest.pass(9_999);
    t.strictSame(await other.take("sms/1", limit), { allowed: false, retryAfterMs: 1 });
    await underTest.pass(1);
    t.strictSame(await other.take("sms/1", limit), { allowed: true, retryAfterMs: 0 });
    t.strictSame(await other.take("sms/1", limit), { allowed: false, retryAfterMs: 10_000 });
  },

  "gives back what was taken, and never more": async (t, store, underTest) => {
    const other = await underTest.open();
    const limit = { burst: 3, periodMs: 30_000 };
    await store.giveBack("begin/1", limit);
    const taken = await Promise.all([1, 2, 3, 4, 5].map(() => store.take("begin/1", limit)));
    t.equal(taken.filter(({ allowed }) => allowed).length, 3, "an unused bucket holds no more for it");
    await Promise.all([store.giveBack("begin/1", limit), other.giveBack("begin/1", limit)]);
    const again = await Promise.all([1, 2, 3, 4, 5].map(() => other.take("begin/1", limit)));
    t.equal(again.filter(({ allowed }) => allowed).length, 2, "two clients at once");
    await underTest.pass(25_000);
    for (let count = 0; count < 9; count++) await store.giveBack("begin/1", limit);
    const full = await Promise.all([1, 2, 3, 4, 5].map(() => store.take("begin/1", limit)));
    t.equal(full.filter(({ allowed }) => allowed).length, 3, "a full bucket stays full");
  },

  "does not shut out for longer than the period when the clock is set back": async (t, store, { clock }) => {
    const limit = { burst: 1, periodMs: 1_000 };
    clock.advance(3_600_000);
    t.equal((await store.take("b", limit)).allowed, true);
    clock.advance(-3_600_000);
    t.strictSame(await store.take("b", limit), { allowed: false, retryAfterMs: 1_000 });
  },

  "refuses once closed": async (t, _store, underTest) => {
    const store = await underTest.open();
    await store.close();
    await store.close();
    const refused = { name: "StoreUnavailableError", code: "store_unavailable" };
    await t.rejects(store.head(), refused);
    await t.rejects(store.get("entry", "a"), refused);
    await t.rejects(store.commit({ writes: [put("a", 1)] }), refused);
  },

  "equals a model under generated commands, by snapshot and by feed": async (t, store, underTest) => {
    await checkModel(t, store, underTest);
  },
};

/** Runs every check on a store of its own. `start` also registers the teardown. */
export async function checkContract(t: Test, start: (t: Test) => Promise<StoreUnderTest>): Promise<void> {
  for (const [name, check] of Object.entries(CHECKS)) {
    await t.test(name, async (t) => {
      const underTest = await start(t);
      await check(t, await underTest.open(), underTest);
    });
  }
}
