/** The gate's own pages, asked for too often by one network: refused before anything is done, and nobody else with it. */
import t from "tap";
import { PageTurns } from "../../src/control/page-turns.ts";
import { parseAddress } from "../../src/core/address.ts";
import { FixedClock } from "../../src/core/clock.ts";
import { ROOT } from "../../src/pages/route.ts";
import { ask, CLINIC, OTHER_CLINIC, startClinics } from "../support/clinics.ts";

function address(text: string) {
  const parsed = parseAddress(text);
  if (parsed === undefined) throw new Error(text);
  return parsed;
}

t.test("a thousand at once, then fifty a second, of an IPv4 address or an IPv6 /64", (t) => {
  const clock = new FixedClock(Date.UTC(2031, 0, 15));
  let refused = 0;
  const turns = new PageTurns(clock, () => {
    refused += 1;
  });
  const taken = (text: string, tries: number) =>
    Array.from({ length: tries }, () => turns.take("a", address(text))).filter((waitMs) => waitMs === 0).length;
  t.equal(taken("203.0.113.7", 1_500), 1_000);
  t.equal(refused, 500);
  t.equal(turns.take("a", address("203.0.113.7")), 20);
  t.equal(taken("203.0.113.8", 1), 1, "another address is another");
  clock.advance(1_000);
  t.equal(taken("203.0.113.7", 100), 50);
  const half = (n: number) => `2001:db8:1:2::${n.toString(16)}`;
  for (let n = 1; n <= 1_000; n += 1) turns.take("a", address(half(n)));
  t.not(turns.take("a", address(half(1_001))), 0);
  t.equal(turns.take("a", address("2001:db8:1:3::1")), 0);
  clock.advance(20_000);
  t.equal(taken("203.0.113.7", 1_500), 1_000);
  t.end();
});

t.test("a hospital of which 200 people a minute sign in from one address", (t) => {
  const clock = new FixedClock(Date.UTC(2031, 0, 15));
  const turns = new PageTurns(clock, () => t.fail("nobody has to wait"));
  const here = address("203.0.113.7");
  // Everybody opens the application as the shift begins, which leads each to the sign-in; then they finish.
  for (let asked = 0; asked < 2 * 400; asked += 1) turns.take("a", here);
  for (let tenth = 0; tenth < 600; tenth += 1) {
    clock.advance(100);
    for (let asked = 0; asked < 4; asked += 1) turns.take("a", here);
  }
  t.end();
});

t.test("what is asked of one tenant takes nothing from the others, up to four times as much of all", (t) => {
  const turns = new PageTurns(new FixedClock(Date.UTC(2031, 0, 15)), () => {});
  const here = address("203.0.113.7");
  const taken = (tenant: string, tries: number) =>
    Array.from({ length: tries }, () => turns.take(tenant, here)).filter((waitMs) => waitMs === 0).length;
  t.equal(taken("a", 10_000), 1_000);
  t.equal(taken("b", 1), 1);
  t.equal(
    Array.from({ length: 10 }, (_, n) => taken(`c${n}`, 1_000)).reduce((sum, each) => sum + each),
    2_999,
  );
  t.equal(turns.take("z", here), 5);
  t.equal(turns.take("z", address("203.0.113.8")), 0, "another network is another");
  t.end();
});

t.test("who is refused for asking of all keeps what one tenant allows", (t) => {
  const clock = new FixedClock(Date.UTC(2031, 0, 15));
  const turns = new PageTurns(clock, () => {});
  const here = address("203.0.113.7");
  for (const tenant of ["a", "b", "c", "d"]) for (let n = 0; n < 1_000; n += 1) turns.take(tenant, here);
  for (let n = 0; n < 5_000; n += 1) t.not(turns.take("e", here), 0);
  clock.advance(5_000);
  let taken = 0;
  for (let n = 0; n < 1_500; n += 1) taken += turns.take("e", here) === 0 ? 1 : 0;
  t.equal(taken, 1_000);
  t.end();
});

t.test("what is remembered has an end", (t) => {
  const turns = new PageTurns(new FixedClock(0), () => {}, 10);
  for (let asked = 0; asked < 1_001; asked += 1) turns.take("a", address("203.0.113.7"));
  for (let n = 0; n < 9; n += 1) turns.take("a", address(`198.51.100.${n}`));
  t.not(turns.take("a", address("203.0.113.7")), 0, "who goes on is not forgotten");
  for (let n = 0; n < 20; n += 1) turns.take("a", address(`192.0.2.${n}`));
  t.equal(turns.take("a", address("203.0.113.7")), 0);
  t.end();
});

t.test("the whole gate: 429 with a page of its own, and the next network is served", async (t) => {
  const clinics = await startClinics(t);
  const path = `${ROOT}/sign-in`;
  let refused: Awaited<ReturnType<typeof ask>> | undefined;
  for (let round = 0; round < 100 && refused === undefined; round += 1) {
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => ask(clinics, "GET", path, { accept: "text/html" })),
    );
    refused = answers.find(({ status }) => status === 429);
  }
  t.match(refused?.headers, { "retry-after": "1", "cache-control": "no-store", "content-security-policy": String });
  t.match(refused?.body, /Many requests from your network.*Wait one second/s);
  t.match(refused?.body, CLINIC.name);
  // Turns come back while the next ones are asked for: what is refused is so whatever the path, mangled or not there.
  const everything = [`${ROOT}/allow/%FF`, `${ROOT}/nothing`, `${ROOT}/portal`, "/"];
  for (const other of everything) {
    const answers = await Promise.all(
      Array.from({ length: 300 }, () => ask(clinics, "GET", other, { accept: "text/html" })),
    );
    if (other !== "/")
      t.ok(
        answers.some(({ status }) => status === 429),
        other,
      );
    else
      t.ok(
        answers.every(({ status }) => status === 403),
        "the block page is the edge's own",
      );
  }
  t.equal((await ask(clinics, "GET", path, { host: OTHER_CLINIC.host })).status, 200, "another clinic is served");
  const styles = /href="([^"]*\/assets\/[^"]+\.css)"/.exec(
    (await ask(clinics, "GET", path, { "x-forwarded-for": "203.0.113.8" })).body,
  );
  t.ok(styles, "another address is served");
  const sheets = await Promise.all(Array.from({ length: 100 }, () => ask(clinics, "GET", styles?.[1] ?? "")));
  t.ok(
    sheets.every(({ status }) => status === 200),
    "what is the same for everybody takes no turn",
  );
  const metrics = await (await clinics.gate.admin("GET", "/metrics")).text();
  t.match(metrics, /^sallyport_pages_refused_total [1-9]/m);
});
