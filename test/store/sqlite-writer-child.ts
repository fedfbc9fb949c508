/** A process that commits until it is killed, and says on its standard output what was acknowledged. */
import { writeSync } from "node:fs";
import { systemClock } from "../../src/core/clock.ts";
import { openStore } from "../../src/store/open.ts";

const [url = "", round = ""] = process.argv.slice(2);
const store = await openStore(url, { clock: systemClock });
const write = async (lane: number) => {
  for (let index = 0; ; index++) {
    const id = `${round}/${lane}/${index}`;
    const writes = ["left", "right"].map((kind) => ({ kind, id, value: index }));
    const revision = await store.commit({ writes });
    writeSync(1, `${id} ${revision}\n`);
  }
};
await Promise.all([0, 1, 2, 3].map(write));
