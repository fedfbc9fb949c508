/** A child process cannot bring its supervisor down by what it says. */
import t from "tap";
import { ChildProcess } from "../../src/serve/child-process.ts";

t.test("what is not a report is passed over", async (t) => {
  const entry = new URL("../support/hostile-child.ts", import.meta.url);
  const child = new ChildProcess({
    name: "hostile",
    entry,
    execArgv: [],
    start: {},
    serialization: "json",
    descriptors: [],
  });
  t.strictSame(await child.listening, ["127.0.0.1:1"]);
  child.kill();
  t.match(await child.exited, { signal: "SIGKILL" });
  await t.rejects(child.declare([]), { message: /has ended/ });
});
