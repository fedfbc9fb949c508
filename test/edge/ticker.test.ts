/** Waiting by looking: nobody is called too early, and nothing ticks when nobody waits. */
import { EventEmitter, once } from "node:events";
import t from "tap";
import { Ticker } from "../../src/edge/ticker.ts";

class Waiting extends EventEmitter {
  dueTick = Number.POSITIVE_INFINITY;
  expire(): void {
    this.emit("expired");
  }
}

t.test("what is due is told, not before its time and not long after", async (t) => {
  const keepAlive = setInterval(() => {}, 1_000);
  t.teardown(() => clearInterval(keepAlive));
  const ticker = new Ticker(100);
  const [one, other] = [new Waiting(), new Waiting()];
  other.on("expired", () => t.fail("the other still has time"));
  ticker.add(other);
  ticker.add(one);
  const startedAtMs = performance.now();
  one.dueTick = ticker.tickIn(100);
  await once(one, "expired");
  const tookMs = performance.now() - startedAtMs;
  t.ok(tookMs >= 99, `${tookMs} ms`);
  one.dueTick = ticker.tickIn(0);
  await once(one, "expired");
  ticker.delete(one);
  ticker.delete(other);
  t.notOk(process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length > 1, "no timer is left");
});
