/** The same test over an admin API on SQLite and on Redis: each start has a store of its own, on a real server. */
import type { Test } from "tap";
import { FixedClock } from "../../src/core/clock.ts";
import { openStore } from "../../src/store/open.ts";
import { type AdminFixture, type FixtureOptions, START_MS, startAdminApi } from "./admin-api.ts";
import { startRedis } from "./redis.ts";

/** As {@link startAdminApi}; what it starts ends with the test. */
export type Start = (options?: Omit<FixtureOptions, "store">) => Promise<AdminFixture>;

const DATABASES = 64;

export function onEveryStore(t: Test, name: string, body: (t: Test, start: Start) => Promise<void>): void {
  t.test(`${name} (SQLite)`, async (t) => await body(t, (options) => startAdminApi(t, options)));
  t.test(`${name} (Redis)`, async (t) => {
    const server = await startRedis(t, ["--databases", String(DATABASES)]);
    if (server === undefined) return;
    let database = 0;
    await body(t, async (options = {}) => {
      const clock = options.clock ?? new FixedClock(START_MS);
      const store = await openStore(server.url.replace(/0$/, String(database++)), { clock });
      t.teardown(async () => await store.close());
      return await startAdminApi(t, { ...options, clock, store });
    });
  });
}
