/** The Redis adapter on one server: the port's contract. */
import t, { type Test } from "tap";
import { FixedClock } from "../../src/core/clock.ts";
import { openStore } from "../../src/store/open.ts";
import { type RedisServer, startRedis } from "../support/redis.ts";
import { checkContract } from "./contract.ts";

const START_MS = Date.UTC(2026, 0, 1);

/** On an emptied server; what Redis itself expires is brought forward. */
async function start(t: Test, server: RedisServer) {
  const clock = new FixedClock(START_MS);
  const client = server.client();
  await client.flushall();
  const pass = async (ms: number) => {
    clock.advance(ms);
    for (const key of await client.keys("{sallyport}:once:*")) await client.pexpire(key, (await client.pttl(key)) - ms);
  };
  const open = async () => {
    const store = await openStore(server.url, { clock });
    t.teardown(() => store.close());
    return store;
  };
  return { clock, pass, open };
}

await t.test("one server", async (t) => {
  const server = await startRedis(t);
  if (server !== undefined) await checkContract(t, (t) => start(t, server));
});
