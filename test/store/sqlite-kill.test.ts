/** What was acknowledged outlives `kill -9`, and no commit is there by half. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import t from "tap";
import { systemClock } from "../../src/core/clock.ts";
import { openStore } from "../../src/store/open.ts";

/** Runs the writing child, kills it after some acknowledgements, and gives back what it was told. */
async function writeAndKill(file: string, round: number, acknowledgements: number): Promise<Map<string, number>> {
  const script = fileURLToPath(new URL("./sqlite-writer-child.ts", import.meta.url));
  const child = spawn(process.execPath, [script, `sqlite:${file}`, String(round)], {
    env: {},
    stdio: ["ignore", "pipe", "inherit"],
  });
  const acknowledged = new Map<string, number>();
  for await (const line of createInterface({ input: child.stdout })) {
    const [id, revision] = line.split(" ");
    if (id !== undefined && revision !== undefined) acknowledged.set(id, Number(revision));
    if (acknowledged.size === acknowledgements) child.kill("SIGKILL");
  }
  return acknowledged;
}

await t.test("keeps everything acknowledged when the process is killed, 15 times", async (t) => {
  const file = join(t.testdir(), "store.db");
  const acknowledged = new Map<string, number>();
  for (let round = 0; round < 15; round++) {
    for (const [id, revision] of await writeAndKill(file, round, 1 + ((round * 37) % 200)))
      acknowledged.set(id, revision);
  }
  const store = await openStore(`sqlite:${file}`, { clock: systemClock });
  t.teardown(() => store.close());
  const ids = [...acknowledged.keys()];
  const kept = new Map<string, number>();
  for (let from = 0; from < ids.length; from += 1_000) {
    for (const document of await store.getMany("left", ids.slice(from, from + 1_000))) {
      if (document !== undefined) kept.set(document.id, document.revision);
    }
  }
  t.strictSame(kept, acknowledged);
  const count = async (kind: string) => {
    let documents = 0;
    for await (const batch of (await store.snapshot([kind])).batches) documents += batch.length;
    return documents;
  };
  t.equal(await count("left"), await count("right"), "no commit is there by half");
  t.ok(acknowledged.size > 500, `${acknowledged.size} acknowledged`);
});
