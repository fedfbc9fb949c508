/** The SQLite adapter: the port's contract, and what a file can do to it. */
import { join } from "node:path";
import t, { type Test } from "tap";
import { FixedClock } from "../../src/core/clock.ts";
import { openStore } from "../../src/store/open.ts";
import { checkContract } from "./contract.ts";

const START_MS = Date.UTC(2026, 0, 1);

async function start(t: Test, url: string) {
  const clock = new FixedClock(START_MS);
  const store = await openStore(url, { clock });
  t.teardown(() => store.close());
  const pass = async (ms: number) => clock.advance(ms);
  return { clock, pass, open: async () => store };
}

await t.test("in a file", async (t) => {
  await checkContract(t, (t) => start(t, `sqlite:${join(t.testdir(), "new", "store.db")}`));
});

await t.test("in memory", async (t) => {
  await checkContract(t, (t) => start(t, "sqlite::memory:"));
});
