/** What tenants leave behind. */
import t from "tap";
import { systemClock } from "../../src/core/clock.ts";
import type { TenantId } from "../../src/core/ids.ts";
import { REMAINS_KIND, TenantRules } from "../../src/core/tenants.ts";
import { openStore } from "../../src/store/open.ts";

t.test("a purge that was broken off goes on, however many remains are kept", async (t) => {
  const store = await openStore("sqlite::memory:", { clock: systemClock });
  t.teardown(() => store.close());
  const kept = Array.from({ length: 1000 }, (_, n) => ({ kind: REMAINS_KIND, id: `a${n}`, value: { kept: true } }));
  const left = { kind: "owned", id: "gone/1", value: 1 };
  const owned = { kind: "owned", id: "a7/1", value: 1 };
  await store.commit({ writes: [...kept, { kind: REMAINS_KIND, id: "gone", value: { kept: false } }, left, owned] });
  await new TenantRules({ store, ownedKinds: ["owned"] }).resumePurges();
  t.equal(await store.get(REMAINS_KIND, "gone" as TenantId), undefined);
  t.match(await store.list({ kind: "owned", limit: 10 }), [{ id: "a7/1" }]);
});
