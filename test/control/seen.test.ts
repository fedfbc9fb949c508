/** When an entry last admitted somebody: told by the edges, and not kept for ever. */
import t from "tap";
import { writeSeen } from "../../src/control/seen.ts";
import { FixedClock } from "../../src/core/clock.ts";
import { SEEN_KIND } from "../../src/core/entry.ts";
import type { EntryId, TenantId } from "../../src/core/ids.ts";
import { openStore } from "../../src/store/open.ts";
import { SILENT } from "../support/silent-log.ts";

const DAY_MS = 86_400_000;

t.test("what an entry's last use leaves goes some time after it, whatever became of the entry", async (t) => {
  const clock = new FixedClock(Date.parse("2030-01-01T00:00:00Z"));
  const store = await openStore("sqlite::memory:", { clock });
  t.teardown(() => store.close());
  const use = () => writeSeen(store, [["a" as TenantId, [["e1" as EntryId, clock.nowMs() / 1000]]]], SILENT);
  const left = async () => (await store.list({ kind: SEEN_KIND, limit: 10 })).length;
  await use();
  clock.advance(300 * DAY_MS);
  await use();
  clock.advance(399 * DAY_MS);
  t.equal(await left(), 1);
  clock.advance(2 * DAY_MS);
  t.equal(await left(), 0);
});
