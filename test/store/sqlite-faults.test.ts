/** What can happen to a SQLite store's file: a full disk, damage, another process, a backup and its return. */
import { execFileSync } from "node:child_process";
import { chmodSync, closeSync, existsSync, openSync, readFileSync, statSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setImmediate as nextTurn } from "node:timers/promises";
import t, { type Test } from "tap";
import { FixedClock, systemClock } from "../../src/core/clock.ts";
import type { Store } from "../../src/core/store.ts";
import { openStore } from "../../src/store/open.ts";
import { SqliteStore } from "../../src/store/sqlite.ts";
import { backupSqlite, restoreSqlite } from "../../src/store/sqlite-backup.ts";
import { program } from "../support/programs.ts";

const put = (id: string, value: unknown) => ({ kind: "entry", id, value });

async function open(t: Test, file: string): Promise<Store> {
  const store = await openStore(`sqlite:${file}`, { clock: systemClock });
  t.teardown(() => store.close());
  return store;
}

await t.test("refuses on a full disk, and goes on when there is space", async (t) => {
  const prlimit = program(t, "prlimit");
  if (prlimit === undefined) return;
  const store = await open(t, join(t.testdir(), "store.db"));
  const revision = await store.commit({ writes: [put("before", 1)] });
  // Past the limit the kernel refuses to let a file of this process grow, and tells of it by a signal as well.
  const ignore = () => undefined;
  process.on("SIGXFSZ", ignore);
  const limitFiles = (soft: string) => execFileSync(prlimit, [`--pid=${process.pid}`, `--fsize=${soft}:`]);
  t.teardown(() => {
    limitFiles("unlimited");
    process.off("SIGXFSZ", ignore);
  });
  limitFiles("2000000");
  const fill = Array.from({ length: 5 }, (_, index) => put(`big/${index}`, "x".repeat(1_000_000)));
  await t.rejects(store.commit({ writes: fill }), { code: "store_unavailable" });
  await t.rejects(store.commit({ writes: fill }), { code: "store_unavailable" });
  t.equal((await store.get("entry", "before"))?.revision, revision, "reads go on");
  t.strictSame(await store.list({ kind: "entry", prefix: "big/", limit: 10 }), [], "nothing of it was written");
  limitFiles("unlimited");
  await store.commit({ writes: fill });
  t.equal((await store.list({ kind: "entry", prefix: "big/", limit: 10 })).length, 5);
  t.equal((await store.head()).revision > revision, true);
});

await t.test("shows a long commit whole or not at all, and serves reads meanwhile", async (t) => {
  const store = await open(t, join(t.testdir(), "store.db"));
  let done = false;
  let turns = 0;
  const writes = Array.from({ length: 20_000 }, (_, index) => put(String(index), index));
  const long = store.commit({ writes }).then(() => {
    done = true;
  });
  const follower = store.commit({ writes: [put("after", 1)] });
  while (!done) {
    const seen = await store.getMany("entry", ["0", "10000", "19999"]);
    // The flag is set a moment after the data can be seen.
    const present = seen.filter((document) => document !== undefined).length;
    t.ok(present === 0 || present === 3);
    turns += 1;
    await nextTurn();
  }
  await long;
  await follower;
  t.ok(turns >= 20, `${turns} turns of the event loop`);
});

await t.test("gives every commit of a shared transaction its own outcome", async (t) => {
  const store = await open(t, join(t.testdir(), "store.db"));
  const absent = { kind: "entry", id: "contested", revision: 0 };
  const commits = Array.from({ length: 300 }, (_, index) =>
    store.commit({
      writes: [put(index % 3 === 0 ? "contested" : `own/${index}`, index)],
      preconditions: index % 3 === 0 ? [absent] : [],
    }),
  );
  const outcomes = await Promise.allSettled(commits);
  const revisions = outcomes.filter((outcome) => outcome.status === "fulfilled").map(({ value }) => value);
  t.equal(revisions.length, 201);
  t.equal(new Set(revisions).size, 201, "a revision each");
  t.equal((await store.list({ kind: "entry", prefix: "own/", limit: 1_000 })).length, 200);
});

await t.test("waits for another process's lock, but not for long", async (t) => {
  const file = join(t.testdir(), "store.db");
  const store = await open(t, file);
  const other = new DatabaseSync(file);
  t.teardown(() => other.close());
  other.exec("BEGIN IMMEDIATE");
  const waiting = store.commit({ writes: [put("a", 1)] });
  await nextTurn();
  other.exec("COMMIT");
  await waiting;
  other.exec("BEGIN IMMEDIATE");
  const began = performance.now();
  await t.rejects(store.commit({ writes: [put("b", 1)] }), { code: "store_unavailable" });
  t.ok(performance.now() - began < 1_500);
  other.exec("COMMIT");
  await store.commit({ writes: [put("b", 1)] });
});

await t.test("bounds the feed by commits and by bytes", async (t) => {
  const clock = new FixedClock(1_000);
  const store = new SqliteStore(":memory:", { clock, feed: { commits: 3, bytes: 5_000 } });
  t.teardown(() => store.close());
  const revisions: number[] = [];
  for (let index = 0; index < 6; index++) revisions.push(await store.commit({ writes: [put("a", index)] }));
  t.equal((await store.changesSince(revisions[1] ?? 0, 10)).gap, true);
  const kept = await store.changesSince(revisions[2] ?? 0, 10);
  t.equal(!kept.gap && kept.commits.length, 3);
  const large = await store.commit({ writes: [put("a", "x".repeat(10_000))] });
  t.equal((await store.changesSince(revisions[5] ?? 0, 10)).gap, false, "the newest commit stays, whatever its size");
  await store.commit({ writes: [put("a", "x".repeat(4_000))] });
  t.equal((await store.changesSince(revisions[5] ?? 0, 10)).gap, true);
  t.equal((await store.changesSince(large, 10)).gap, false);
});

await t.test("keeps the file from other users", async (t) => {
  const file = join(t.testdir(), "store.db");
  const store = await open(t, file);
  await store.commit({ writes: [put("a", 1)] });
  for (const suffix of ["", "-wal", "-shm"]) t.equal(statSync(`${file}${suffix}`).mode & 0o777, 0o600, suffix);
});

await t.test("refuses a damaged file, and says what to do", async (t) => {
  const file = join(t.testdir(), "store.db");
  const store = await openStore(`sqlite:${file}`, { clock: systemClock });
  await store.commit({ writes: Array.from({ length: 2_000 }, (_, index) => put(String(index), "x".repeat(100))) });
  await store.close();
  const handle = openSync(file, "r+");
  for (let page = 4; page < 40; page++) writeSync(handle, Buffer.alloc(512, 0xa5), 0, 512, page * 4_096);
  closeSync(handle);
  await t.rejects(openStore(`sqlite:${file}`, { clock: systemClock }), {
    code: "store_corrupt",
    message: /sallyport restore/,
  });
  writeFileSync(file, "not a database, and long enough to be read as one".repeat(100));
  await t.rejects(openStore(`sqlite:${file}`, { clock: systemClock }), { code: "store_corrupt" });
});

await t.test("refuses a file that is not its own, or of a newer version", async (t) => {
  const folder = t.testdir();
  const foreign = new DatabaseSync(join(folder, "foreign.db"));
  foreign.exec("CREATE TABLE patients (name TEXT)");
  foreign.close();
  await t.rejects(open(t, join(folder, "foreign.db")), { code: "config_invalid" });
  const file = join(folder, "newer.db");
  await (await openStore(`sqlite:${file}`, { clock: systemClock })).close();
  const newer = new DatabaseSync(file);
  newer.exec("PRAGMA user_version = 99");
  newer.close();
  await t.rejects(open(t, file), { code: "config_invalid", message: /newer Sallyport/ });
  await t.rejects(open(t, join(file, "below-a-file.db")), { code: "store_unavailable" });
});

await t.test("backs up while it is written to, and restores under a new epoch", async (t) => {
  const folder = t.testdir();
  const file = join(folder, "store.db");
  const copy = join(folder, "copy.db");
  const store = await openStore(`sqlite:${file}`, { clock: systemClock });
  const before = await store.commit({ writes: [put("a", "before")] });
  const { epoch } = await store.head();
  let writing = true;
  const writer = (async () => {
    for (let index = 0; writing; index++)
      await store.commit({ writes: [put(`l/${index}`, index), put(`r/${index}`, index)] });
  })();
  await backupSqlite(file, copy);
  writing = false;
  await writer;
  const after = await store.commit({ writes: [put("a", "after")] });
  t.equal(statSync(copy).mode & 0o777, 0o600);
  chmodSync(copy, 0o644);
  t.notOk(existsSync(`${copy}-wal`));
  await t.rejects(restoreSqlite(copy, file, systemClock), { code: "store_unavailable", message: /stop Sallyport/ });
  t.strictSame((await store.get("entry", "a"))?.value, "after", "refused while in use, and left alone");
  await store.close();

  const replaced = await restoreSqlite(copy, file, systemClock);
  const restored = await open(t, file);
  t.strictSame(await restored.get("entry", "a"), { ...put("a", "before"), revision: before });
  const list = (prefix: string) => restored.list({ kind: "entry", prefix, limit: 1_000 });
  t.equal((await list("l/")).length, (await list("r/")).length, "of one moment");
  t.not((await restored.head()).epoch, epoch);
  t.equal((await restored.changesSince(after, 10)).gap, true);
  t.ok((await restored.commit({ writes: [put("a", "new")] })) > after, "no revision is given twice");
  t.ok(replaced !== undefined && existsSync(replaced));
  t.equal(statSync(file).mode & 0o777, 0o600);
});

await t.test("restores over a damaged file, but not from one", async (t) => {
  const folder = t.testdir();
  const file = join(folder, "store.db");
  const copy = join(folder, "copy.db");
  const store = await openStore(`sqlite:${file}`, { clock: systemClock });
  await store.commit({ writes: [put("a", 1)] });
  await backupSqlite(file, copy);
  await store.close();
  writeFileSync(file, "damaged");
  const replaced = await restoreSqlite(copy, file, systemClock);
  t.ok(await (await open(t, file)).get("entry", "a"));
  t.equal(readFileSync(replaced ?? "", "utf8"), "damaged");
  const bad = join(folder, "bad.db");
  writeFileSync(bad, "no backup at all".repeat(100));
  await t.rejects(restoreSqlite(bad, join(folder, "other.db"), systemClock), {
    message: /bad\.db is damaged, or no backup/,
  });
  await t.rejects(restoreSqlite(join(folder, "absent.db"), join(folder, "other.db"), systemClock), {
    code: "config_invalid",
  });
  await t.rejects(backupSqlite(join(folder, "absent.db"), copy), { code: "store_unavailable" });
  writeFileSync(bad, "");
  await t.rejects(restoreSqlite(bad, join(folder, "other.db"), systemClock), { code: "config_invalid" });
  t.notOk(existsSync(join(folder, "other.db")));
  t.notOk(existsSync(join(folder, "other.db.restoring")));
});

await t.test("waits for what is queued before it closes", async (t) => {
  const file = join(t.testdir(), "store.db");
  const store = await openStore(`sqlite:${file}`, { clock: systemClock });
  const commits = Array.from({ length: 50 }, (_, index) => store.commit({ writes: [put(String(index), index)] }));
  await Promise.resolve();
  await store.close();
  const settled = await Promise.allSettled(commits);
  const again = await open(t, file);
  const kept = await again.list({ kind: "entry", limit: 100 });
  t.equal(kept.length, settled.filter(({ status }) => status === "fulfilled").length);
});

await t.test("restoring again, also in the same second, leaves every store that was put aside", async (t) => {
  const folder = t.testdir();
  const file = join(folder, "store.db");
  const copy = join(folder, "copy.db");
  const clock = new FixedClock(Date.UTC(2026, 10, 22, 8, 48, 45));
  await (await openStore(`sqlite:${file}`, { clock })).close();
  await backupSqlite(file, copy);
  const kept = new Map<string, string>();
  for (const text of ["the original", "the second", "the third"]) {
    writeFileSync(file, text);
    kept.set((await restoreSqlite(copy, file, clock)) ?? "", text);
  }
  const name = `${file}.replaced-2026-11-22T08-48-45Z`;
  t.strictSame([...kept.keys()], [name, `${name}-2`, `${name}-3`]);
  for (const [path, text] of kept) t.equal(readFileSync(path, "utf8"), text);
});
