/** A rotation waits for every node. */
import t from "tap";
import { systemClock } from "../../src/core/clock.ts";
import { Keyring } from "../../src/core/keyring.ts";
import { resealAll, sealingNode } from "../../src/core/reseal.ts";
import { openStore } from "../../src/store/open.ts";

t.test("a node that seals with another key is found among however many", async (t) => {
  const store = await openStore("sqlite::memory:", { clock: systemClock });
  t.teardown(() => store.close());
  const [old, fresh] = [7, 8].map((byte) => new Keyring([new Uint8Array(32).fill(byte)])) as [Keyring, Keyring];
  const nodes = Array.from({ length: 1000 }, (_, n) => sealingNode(`a${n}`, fresh, Date.now()));
  await store.commit({ writes: [...nodes, sealingNode("behind", old, Date.now())] });
  await t.rejects(resealAll(store, fresh, [], Date.now()), { code: "config_invalid", message: /in use by behind:/ });
});
