/** When a key was last used: noted in batches, not lost by a store that is away for a moment, not kept for ever. */
import t, { type Test } from "tap";
import type { Author } from "../../src/core/audit.ts";
import { FixedClock } from "../../src/core/clock.ts";
import { StoreUnavailableError } from "../../src/core/errors.ts";
import { KeyRules } from "../../src/core/keys.ts";
import type { Store } from "../../src/core/store.ts";
import { openStore } from "../../src/store/open.ts";

const DAY_MS = 86_400_000;
const AUTHOR: Author = { actor: { kind: "system", id: "test" } };
const clock = new FixedClock(Date.parse("2030-01-01T00:00:00Z"));

async function openKeys(t: Test): Promise<{ store: Store; keys: KeyRules; make: () => Promise<string> }> {
  const store = await openStore("sqlite::memory:", { clock });
  t.teardown(() => store.close());
  const keys = new KeyRules({ store, clock });
  const make = async () => {
    const { result, change } = await keys.planCreate({ access: "write" }, AUTHOR);
    await store.commit({ writes: change.writes });
    await keys.authenticate(result.token);
    return result.key.id;
  };
  return { store, keys, make };
}

t.test("uses that the store does not take are written the next time, with those noted meanwhile", async (t) => {
  const { store, keys, make } = await openKeys(t);
  const id = await make();
  const commit = store.commit.bind(store);
  store.commit = async () => {
    throw new StoreUnavailableError("away");
  };
  await t.rejects(keys.flushUses(), { code: "store_unavailable" });
  store.commit = async (request) => {
    if (request.writes[0]?.kind === "apikeyuse") {
      store.commit = commit;
      await make();
    }
    return await commit(request);
  };
  await keys.flushUses();
  const fresh = new KeyRules({ store, clock });
  t.match(await fresh.read(id, undefined), { lastUsedAt: "2030-01-01T00:00:00.000Z" });
  await keys.flushUses();
  t.equal((await store.list({ kind: "apikeyuse", limit: 10 })).length, 2);
});

t.test("what says when a key was used goes some time after the use, also where the key is gone", async (t) => {
  const { store, keys, make } = await openKeys(t);
  const id = await make();
  await store.commit({ writes: (await keys.planRevoke(id, undefined, AUTHOR, undefined)).change.writes });
  await keys.flushUses();
  clock.advance(399 * DAY_MS);
  t.equal((await store.list({ kind: "apikeyuse", limit: 10 })).length, 1);
  clock.advance(2 * DAY_MS);
  t.equal((await store.list({ kind: "apikeyuse", limit: 10 })).length, 0);
});
