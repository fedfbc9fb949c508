/** The Redis adapter behind Sentinels: it finds the master, and follows a failover. */
import t from "tap";
import { systemClock } from "../../src/core/clock.ts";
import { openStore } from "../../src/store/open.ts";
import { startSentinelSet, until } from "../support/redis.ts";

const put = (id: string, value: unknown) => ({ kind: "entry", id, value });

await t.test("a failover", async (t) => {
  const set = await startSentinelSet(t);
  if (set === undefined) return;
  const store = await openStore(`${set.url}?waitReplicas=1`, { clock: systemClock });
  const follower = await openStore(set.url, { clock: systemClock });
  t.teardown(() => Promise.all([store.close(), follower.close()]));
  let woken = 0;
  follower.watch(() => {
    woken += 1;
  });
  const acknowledged: [string, number][] = [];
  for (let index = 0; index < 50; index++) {
    acknowledged.push([String(index), await store.commit({ writes: [put(String(index), index)] })]);
  }
  const { epoch, revision } = await follower.head();

  await set.servers[0]?.kill();
  const began = performance.now();
  await t.rejects(follower.commit({ writes: [put("lost", 1)] }), { code: "store_unavailable" });
  t.ok(performance.now() - began < 1_000, "refused in under a second");

  let after = 0;
  await until(async () => {
    after = await follower.commit({ writes: [put("after", 1)] });
    return true;
  }, 15_000);
  const kept = await follower.getMany(
    "entry",
    acknowledged.map(([id]) => id),
  );
  t.strictSame(
    kept.map((document) => [document?.id, document?.revision]),
    acknowledged,
    "all that a replica acknowledged",
  );
  t.equal((await follower.head()).epoch, epoch);
  t.ok(after > revision);
  const changes = await follower.changesSince(revision, 10);
  t.equal(!changes.gap && changes.commits[0]?.previous, revision, "the feed goes on where it was");
  const before = woken;
  await until(async () => (await follower.commit({ writes: [put("woken", 1)] })) > 0 && woken > before);
});
