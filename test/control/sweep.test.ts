/** What has expired goes, however much of it there is. */
import t from "tap";
import { sweepExpired } from "../../src/control/sweep.ts";
import { FixedClock } from "../../src/core/clock.ts";
import { openStore } from "../../src/store/open.ts";

t.test("a sweep goes on until nothing is left that has expired", async (t) => {
  const clock = new FixedClock(Date.parse("2030-01-01T00:00:00Z"));
  const store = await openStore("sqlite::memory:", { clock });
  t.teardown(() => store.close());
  const expiresAtMs = clock.nowMs() + 1000;
  const writes = Array.from({ length: 2500 }, (_, n) => ({
    kind: "k",
    id: `i${n}`,
    value: 1,
    expiresAtMs,
    quiet: true,
  }));
  await store.commit({ writes });
  clock.advance(1000);
  await sweepExpired(store);
  t.equal(await store.sweep(1000), 0);
});
