/** What is declared is the list that was accepted last, also while the store comes and goes. */
import { setTimeout as after } from "node:timers/promises";
import t, { type Test } from "tap";
import { Declaration } from "../../src/control/declaration.ts";
import type { ChangeCommitter } from "../../src/core/audit.ts";
import { FixedClock } from "../../src/core/clock.ts";
import { StoreUnavailableError } from "../../src/core/errors.ts";
import { Keyring } from "../../src/core/keyring.ts";
import { readAll } from "../../src/core/read-all.ts";
import { TENANT_KIND, type Tenant } from "../../src/core/tenant.ts";
import { Ledger } from "../../src/observe/ledger.ts";
import { parseTenantInput } from "../../src/schema/tenant.ts";
import { openStore } from "../../src/store/open.ts";
import { until } from "../support/redis.ts";
import { SILENT } from "../support/silent-log.ts";

const tenants = (...ids: string[]) =>
  ids.map((id) => parseTenantInput({ id, name: id, hosts: [`${id}.example`], upstreams: ["http://127.0.0.1:9000"] }));

/** @param first what becomes of each commit before it is carried out */
async function setUp(t: Test, first: () => Promise<void>, ...ids: string[]) {
  const clock = new FixedClock(Date.parse("2030-01-01T00:00:00Z"));
  const store = await openStore("sqlite::memory:", { clock });
  t.teardown(() => store.close());
  const kept = new Ledger({ store, keyring: new Keyring([new Uint8Array(32).fill(1)]), chain: "a", clock });
  const ledger: ChangeCommitter = {
    commit: async (change) => {
      await first();
      return await kept.commit(change);
    },
  };
  const follower = { reached: async () => {} };
  const declaration = new Declaration({ store, ledger, follower, log: SILENT }, tenants(...ids));
  t.teardown(() => declaration.close());
  const declared = async (): Promise<string[]> => {
    const found: string[] = [];
    for await (const { id, value } of readAll(store, { kind: TENANT_KIND }))
      if ((value as Tenant).declared) found.push(id);
    return found;
  };
  return { declaration, declared };
}

t.test("what was refused while the store was away is not declared when it is back", async (t) => {
  let away = true;
  const commit = async () => {
    if (away) throw new StoreUnavailableError("away");
  };
  const { declaration, declared } = await setUp(t, commit, "first");
  await declaration.start();
  await t.rejects(declaration.declare(tenants("first", "second")), StoreUnavailableError);
  away = false;
  await until(async () => (await declared()).length > 0);
  t.strictSame(await declared(), ["first"]);
  await declaration.declare(tenants("first", "second"));
  t.strictSame(await declared(), ["first", "second"]);
});

t.test("a list that is still under way does not undo a later one", async (t) => {
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  let commits = 0;
  const { declaration, declared } = await setUp(t, () => (commits++ === 0 ? released : Promise.resolve()), "first");
  const started = declaration.start();
  const later = declaration.declare(tenants("first", "second"));
  await Promise.race([later, after(100)]);
  release();
  await Promise.all([started, later]);
  t.strictSame(await declared(), ["first", "second"]);
});
