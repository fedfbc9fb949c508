import { appendFileSync, existsSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t, { type Test } from "tap";
import { systemClock } from "../../src/core/clock.ts";
import { PolicyReplica } from "../../src/replica/policy.ts";
import { SnapshotFile } from "../../src/replica/snapshot-file.ts";
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
import { SILENT } from "../support/silent-log.ts";

const KEY = Buffer.alloc(32, 7);

async function written(t: Test) {
  const path = join(t.testdir(), "policy.snapshot");
  const store = await openStore("sqlite::memory:", { clock: systemClock });
  const { follower, replica } = newFollower(store, systemClock);
  const file = new SnapshotFile({
    path,
    macKey: KEY,
    clock: systemClock,
    log: SILENT,
    fullState: () => follower.fullState(),
  });
  follower.onFrames((frames) => file.append(frames));
  const [kept, revoked] = [newEntry("203.0.113.7/32"), newEntry("198.51.100.0/24")];
  await store.commit({ writes: [tenantWrite("happy"), entryWrite("happy", kept), entryWrite("happy", revoked)] });
  await follower.start();
  const commit = async (...writes: ReturnType<typeof entryRemoval>[]): Promise<void> =>
    await follower.reached(await store.commit({ writes }));
  t.teardown(async () => {
    await follower.close();
    file.close();
    await store.close();
  });
  return { path, kept, revoked, replica, commit };
}

function load(path: string, macKey: Uint8Array = KEY): { loaded: boolean; replica: PolicyReplica } {
  const replica = new PolicyReplica(STALE_AFTER_MS);
  const file = new SnapshotFile({ path, macKey, clock: systemClock, log: SILENT, fullState: () => [] });
  return { loaded: file.load(replica), replica };
}

t.test("a restart finds every change that was said", async (t) => {
  const { path, revoked, commit, replica: before } = await written(t);
  await commit(entryRemoval("happy", revoked));
  const { loaded, replica } = load(path);
  t.equal(loaded, true);
  t.equal(replica.revision, before.revision);
  t.equal(replica.epoch, before.epoch);
  t.equal(admits(replica, "happy", "203.0.113.7"), true);
  t.equal(admits(replica, "happy", "198.51.100.9"), false, "the revocation is not undone");
  t.equal(
    replica.state(before.confirmedAtMs + STALE_AFTER_MS + 1),
    "stale",
    "its age counts from the store's last word",
  );
});

t.test("a torn last record is cut off; a damaged one makes the whole file worthless", async (t) => {
  const { path, revoked, commit } = await written(t);
  const full = readFileSync(path).byteLength;
  await commit(entryRemoval("happy", revoked));
  const whole = readFileSync(path);
  truncateSync(path, full + 5);
  t.equal(admits(load(path).replica, "happy", "198.51.100.9"), true, "what was never said in full is not there");
  for (const at of [20, full - 20, whole.byteLength - 3]) {
    const damaged = Buffer.from(whole);
    damaged[at] = (damaged[at] ?? 0) ^ 1;
    writeFileSync(path, damaged);
    const { loaded, replica } = load(path);
    t.equal(loaded, false, `byte ${at}`);
    t.equal(replica.state(Date.now()), "empty");
  }
});

t.test("another key's file, an empty one and none are no snapshot", async (t) => {
  const { path } = await written(t);
  t.equal(load(path, Buffer.alloc(32, 8)).loaded, false);
  writeFileSync(path, "");
  t.equal(load(path).loaded, false);
  t.equal(load(`${path}.absent`).loaded, false);
  appendFileSync(path, "sallyport policy 1\n");
  t.equal(load(path).loaded, false);
});

t.test("when a change cannot be written the file goes, so that nothing is undone", async (t) => {
  const path = "/dev/full";
  const replica = new PolicyReplica(STALE_AFTER_MS);
  replica.apply({ type: "reset", epoch: "e" }, new Uint8Array());
  const missing = join(t.testdir(), "file-in-the-way");
  writeFileSync(missing, "");
  const file = new SnapshotFile({
    path: join(missing, "policy.snapshot"),
    macKey: KEY,
    clock: systemClock,
    log: SILENT,
    fullState: () => [{ message: { type: "at", revision: 1, confirmedAtMs: 1 }, parts: [] }],
  });
  t.doesNotThrow(() => file.append([{ message: { type: "reset", epoch: "e" }, parts: [] }]));
  t.equal(existsSync(join(missing, "policy.snapshot")), false);
  t.equal(existsSync(path), true);
});
