/** A slot takes other tenants whether or not somebody lives in it. */
import { EventEmitter, once } from "node:events";
import t from "tap";
import { Slot } from "../../src/serve/slot.ts";
import type { FrailStart } from "../support/frail-child.ts";
import { SILENT } from "../support/silent-log.ts";

t.test("what is declared between a death and the restart is told to whoever comes next", async (t) => {
  const log = new EventEmitter<{ died: [object] }>();
  const slot = new Slot<FrailStart>(
    {
      name: "frail",
      entry: new URL("../support/frail-child.ts", import.meta.url),
      execArgv: [],
      start: {},
      serialization: "json",
      descriptors: [],
    },
    { ...SILENT, warn: (fields) => log.emit("died", fields) },
  );
  t.teardown(() => slot.kill());
  await slot.listening;
  const declared = once(log, "died").then(([death]) => {
    t.match(death, { exitCode: 1 });
    return slot.declare([], { exitCode: 3 });
  });
  await t.rejects(slot.declare([], { exitCode: 2 }), /ended before it answered/, "who dies of it has not taken it");
  await declared;
  const [death] = await once(log, "died");
  t.match(death, { exitCode: 3 });
});
