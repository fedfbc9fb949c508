/** A limit that one process keeps: the store's rule, and a memory with an end. */
import t from "tap";
import { FixedClock } from "../../src/core/clock.ts";
import { LocalLimit } from "../../src/core/local-limit.ts";

t.test("taken, given back, and there again with time", (t) => {
  const clock = new FixedClock(Date.UTC(2031, 0, 15));
  const limit = new LocalLimit({ burst: 2, periodMs: 1_000 }, clock, 10);
  t.strictSame([limit.take("a"), limit.take("a"), limit.take("a"), limit.take("b")], [0, 0, 500, 0]);
  limit.giveBack("a");
  t.strictSame([limit.take("a"), limit.take("a")], [0, 500]);
  clock.advance(500);
  t.strictSame([limit.take("a"), limit.take("a")], [0, 500]);
  t.end();
});

t.test("who goes on is remembered, and who has stopped is forgotten in the end", (t) => {
  const limit = new LocalLimit({ burst: 1, periodMs: 1_000 }, new FixedClock(0), 10);
  limit.take("a");
  for (let n = 0; n < 100; n += 1) {
    limit.take(`other ${n}`);
    if (n % 10 === 9) t.not(limit.take("a"), 0, `after ${n + 1} others`);
  }
  for (let n = 0; n < 20; n += 1) limit.take(`more ${n}`);
  t.equal(limit.take("a"), 0);
  t.end();
});
