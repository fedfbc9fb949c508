/** Guessing is slowed, on every node, and never so that the rightful person is kept out by it. */
import t from "tap";
import { KNOWN_PLACE_KIND } from "../../src/person/known-places.ts";
import { BUSY_MS, PasswordHasher } from "../../src/person/password-hash.ts";
import { placeOf } from "../../src/person/visit.ts";
import {
  API,
  Browser,
  CHEAP,
  enrolledUser,
  leaveShares,
  mails,
  makeTenant,
  onEveryStore,
  PASSWORD,
  totpCode,
} from "../support/person-door.ts";

const WRONG = "wrong horse battery staple";
const NAT = "198.51.100.9";

onEveryStore(
  t,
  "delays grow with failures across factors and restarts, then the login is locked until lifted",
  async (t, { clock, tenant, node }) => {
    const one = await node();
    const user = await enrolledUser(one, tenant, clock);
    const nodes = [one, await node()];
    const waits: number[] = [];
    const stranger = new Browser(tenant);
    for (let index = 0; (waits.at(-1) ?? 0) < 3_600_000; index++) {
      // Another node, another address and another challenge each time; password and code in turn.
      const { door } = nodes[index % 2] ?? one;
      stranger.address = `198.51.100.${index}`;
      const { challenge, outcome } = await stranger.identify(door, user.email, index % 3 === 0 ? WRONG : PASSWORD);
      const guess = { kind: "totp" as const, code: "000000" };
      const judged = outcome.kind === "continue" ? await door.signIn.verify(stranger.visit, challenge, guess) : outcome;
      if (judged.kind !== "throttled") continue;
      waits.push(judged.retryAfterMs);
      clock.advance(judged.retryAfterMs % 86_400_000);
    }
    t.same(waits, [1000, 2000, 4000, 8000, 16_000, 32_000, 64_000, 86_400_000]);
    t.match(
      await stranger.identify(one.door, user.email, PASSWORD),
      { outcome: { kind: "throttled" } },
      "the right one too",
    );
    t.match(await one.door.users.get(tenant, user.id), {
      state: "locked",
      signIn: { possible: false, reasons: ["locked"] },
    });
    t.ok((await mails(one)).some((mail) => mail.notice === "locked" && mail.to === user.email));
    clock.advance(3_600_000);
    t.match(await stranger.identify(one.door, user.email, PASSWORD), { outcome: { kind: "throttled" } });
    await one.door.users.unlock(tenant, user.id, API);
    t.match(await stranger.identify(one.door, user.email, PASSWORD), { outcome: { kind: "continue" } });
  },
);

onEveryStore(
  t,
  "the network of a clinic is noted once a day, not by each who signs in",
  async (t, { clock, tenant, node }) => {
    const one = await node();
    const user = await enrolledUser(one, tenant, clock);
    const place = placeOf(new Browser(tenant, NAT).visit.address);
    const signIn = async () => {
      clock.advance(30_000);
      const code = totpCode(user.secret, clock.nowMs());
      t.match(await new Browser(tenant, NAT).signIn(one.door, user.email, { kind: "totp", code }), {
        kind: "signed-in",
      });
      return (await one.store.get(KNOWN_PLACE_KIND, `${tenant.id}/${place}`))?.revision;
    };
    const first = await signIn();
    t.ok(first);
    t.equal(await signIn(), first);
    clock.advance(24 * 3_600_000);
    t.not(await signIn(), first);
  },
);

onEveryStore(
  t,
  "a try that a busy server did not judge costs the address nothing",
  async (t, { clock, tenant, node }) => {
    const one = await node();
    const user = await enrolledUser(one, tenant, clock);
    const hasher = new PasswordHasher(CHEAP);
    hasher.verify = async () => undefined;
    const busy = await node({ hasher });
    const stranger = new Browser(tenant, NAT);
    await leaveShares(one.store, ["address", placeOf(stranger.visit.address)], 3);
    for (let index = 0; index < 5; index++)
      t.match(await stranger.identify(busy.door, user.email), {
        outcome: { kind: "throttled", retryAfterMs: BUSY_MS },
      });
    t.match(await stranger.identify(one.door, user.email), { outcome: { kind: "continue" } });
  },
);

onEveryStore(
  t,
  "one account, ten thousand addresses: slowed, and the owner still gets in",
  async (t, { clock, tenant, node }) => {
    const one = await node();
    const user = await enrolledUser(one, tenant, clock);
    const own = new Browser(tenant, "203.0.113.7");
    await own.signIn(one.door, user.email, { kind: "totp", code: totpCode(user.secret, clock.nowMs()) });
    let judged = 0;
    for (let index = 0; index < 10_000; index += 50) {
      const stranger = new Browser(tenant, `198.${index >> 8}.${index & 255}.9`);
      const { outcome } = await stranger.identify(one.door, user.email, WRONG);
      if (outcome.kind === "refused") judged++;
      clock.advance(1_000);
    }
    t.ok(judged <= 10, `${judged} of 200 guesses were judged`);
    const code = () => ({ kind: "totp" as const, code: totpCode(user.secret, clock.nowMs()) });
    const moved = new Browser(tenant, "192.0.2.44");
    moved.cookies = { ...own.cookies };
    t.equal((await moved.signIn(one.door, user.email, code())).kind, "signed-in", "known browser, new place");
    clock.advance(30_000);
    t.equal(
      (await new Browser(tenant, "203.0.113.7").signIn(one.door, user.email, code())).kind,
      "signed-in",
      "known place",
    );
    clock.advance(30_000);
    const located = new Browser(tenant, "192.0.2.45");
    located.located = true;
    t.equal((await located.signIn(one.door, user.email, code())).kind, "signed-in", "a place on the allowlist");
    t.match(await new Browser(tenant, "192.0.2.46").signIn(one.door, user.email, code()), { kind: "throttled" });
    t.match((await one.door.users.get(tenant, user.id)).signIn, { possible: false, reasons: ["locked"] });
  },
);

onEveryStore(
  t,
  "one address, ten thousand accounts: slowed, while others and known browsers are not",
  async (t, { clock, tenant, node }) => {
    const one = await node();
    const user = await enrolledUser(one, tenant, clock);
    const own = new Browser(tenant, "198.51.100.9");
    await own.signIn(one.door, user.email, { kind: "totp", code: totpCode(user.secret, clock.nowMs()) });
    clock.advance(3_600_000);
    let refused = 0;
    for (let index = 0; index < 130; index++) {
      const { outcome } = await new Browser(tenant, "198.51.100.9").identify(
        one.door,
        `user${index}@happy-feet.example`,
        WRONG,
      );
      if (outcome.kind === "refused") refused++;
    }
    t.equal(refused, 100);
    t.match(
      await own.identify(one.door, user.email),
      { outcome: { kind: "continue" } },
      "a known browser at that address",
    );
    t.match(await new Browser(tenant, "192.0.2.1").identify(one.door, user.email), { outcome: { kind: "continue" } });
  },
);

onEveryStore(t, "unknown logins are locked like known ones", async (t, { clock, tenant, node }) => {
  const one = await node();
  const known = await enrolledUser(one, tenant, clock);
  const course = async (email: string) => {
    const kinds: string[] = [];
    for (let index = 0; index < 14; index++) {
      const { outcome } = await new Browser(tenant, "198.51.100.9").identify(one.door, email, WRONG);
      kinds.push(outcome.kind === "throttled" ? `wait ${outcome.retryAfterMs}` : outcome.kind);
      clock.advance(outcome.kind === "throttled" ? outcome.retryAfterMs % 86_400_000 : 0);
    }
    return kinds;
  };
  t.same(await course("nobody@happy-feet.example"), await course(known.email));
});

onEveryStore(
  t,
  "in a user's own network nothing tells an unknown login from a known one",
  async (t, { clock, tenant, node }) => {
    const one = await node();
    const known = await enrolledUser(one, tenant, clock);
    const code = { kind: "totp" as const, code: totpCode(known.secret, clock.nowMs()) };
    t.match(await new Browser(tenant, NAT).signIn(one.door, known.email, code), { kind: "signed-in" });
    clock.advance(3_600_000);
    const guess = async (email: string, address: string) => {
      const { outcome } = await new Browser(tenant, address).identify(one.door, email, WRONG);
      return outcome.kind === "throttled" ? `wait ${outcome.retryAfterMs}` : outcome.kind;
    };
    const course = async (email: string) => {
      const told: string[] = [];
      for (let index = 0; index < 4; index++) told.push(await guess(email, "192.0.2.99"));
      for (let index = 0; index < 4; index++) told.push(await guess(email, NAT));
      return told;
    };
    const told = await course(known.email);
    t.same(told, [...Array(3).fill("refused"), "wait 1000", ...Array(3).fill("refused"), "wait 1000"]);
    t.same(await course("nobody@happy-feet.example"), told);
    await leaveShares(one.store, ["address", placeOf(new Browser(tenant, NAT).visit.address)], 0);
    clock.advance(1_000);
    t.match([await guess(known.email, NAT), await guess("nobody@happy-feet.example", NAT)], [/^wait/, /^wait/]);
  },
);

onEveryStore(t, "places that an insider makes known buy few guesses", async (t, { clock, tenant: { id }, node }) => {
  const tenant = makeTenant(id, { secondFactor: "off" });
  const one = await node();
  const own = await one.door.users.create(tenant, { email: "own@happy-feet.example", password: PASSWORD }, API);
  let judged = 0;
  for (let index = 0; index < 60; index++) {
    const address = `198.51.100.${index}`;
    t.match(await new Browser(tenant, address).identify(one.door, own.email), { outcome: { kind: "signed-in" } });
    const { outcome } = await new Browser(tenant, address).identify(one.door, "ann@happy-feet.example", WRONG);
    if (outcome.kind === "refused") judged++;
  }
  t.ok(judged <= 24, `${judged} of 60 guesses were judged`);
  clock.advance(1_000);
});

onEveryStore(t, "guesses at once on two nodes are counted one by one", async (t, { clock, tenant, node }) => {
  const nodes = [await node(), await node()];
  const user = await enrolledUser(nodes[0] ?? (await node()), tenant, clock);
  const outcomes = await Promise.all(
    Array.from({ length: 20 }, async (_, index) => {
      const { door } = nodes[index % 2] ?? (await node());
      return (await new Browser(tenant, `198.51.100.${index}`).identify(door, user.email, WRONG)).outcome.kind;
    }),
  );
  t.same(new Set(outcomes), new Set(["refused", "throttled"]));
  t.equal(outcomes.filter((kind) => kind === "refused").length, 3);
});

onEveryStore(
  t,
  "behind one address any number of people sign in, while what fails or is abandoned is bounded",
  async (t, { clock, tenant, node }) => {
    const one = await node();
    const place = placeOf(new Browser(tenant, NAT).visit.address);
    const people = [];
    for (let index = 0; index < 8; index++) {
      people.push(await enrolledUser(one, tenant, clock, `person${index}@happy-feet.example`));
    }
    await leaveShares(one.store, ["begin", place], 2);
    await leaveShares(one.store, ["address", place], 2);
    await leaveShares(one.store, ["clinic", tenant.id], 2);
    for (const { email, secret } of people) {
      const code = totpCode(secret, clock.nowMs());
      t.match(await new Browser(tenant, NAT).signIn(one.door, email, { kind: "totp", code }), { kind: "signed-in" });
    }
    t.match(await new Browser(tenant, NAT).identify(one.door, "nobody@happy-feet.example", WRONG), {
      outcome: { kind: "refused" },
    });
    await new Browser(tenant, NAT).begin(one.door);
    await t.rejects(new Browser(tenant, NAT).begin(one.door), { code: "limit_reached" }, "two that were not finished");
    await t.resolves(new Browser(tenant, "198.51.100.10").begin(one.door), "another address");
  },
);

onEveryStore(
  t,
  "whoever owns a login buys no guesses with it, and signs in often but not without end",
  async (t, { tenant: { id }, node }) => {
    const tenant = makeTenant(id, { secondFactor: "off" });
    const one = await node();
    const own = await one.door.users.create(tenant, { email: "own@happy-feet.example", password: PASSWORD }, API);
    const place = placeOf(new Browser(tenant, NAT).visit.address);
    await leaveShares(one.store, ["begin", place], 40);
    await leaveShares(one.store, ["address", place], 20);
    let refused = 0;
    let mark: { known?: string } = {};
    for (let index = 0; index < 30; index++) {
      // One challenge: a guess at somebody else's login, then the own one.
      const guesser = new Browser(tenant, NAT);
      guesser.cookies = { ...mark };
      const challenge = await guesser.begin(one.door);
      const guess = { email: `user${index}@happy-feet.example`, password: WRONG };
      if ((await one.door.signIn.identify(guesser.visit, challenge, guess)).kind === "refused") refused++;
      const right = { email: own.email, password: PASSWORD };
      const outcome = await one.door.signIn.identify(guesser.visit, challenge, right);
      t.match(outcome, { kind: "signed-in" });
      if (outcome.kind === "signed-in") mark = { known: outcome.known };
    }
    t.equal(refused, 20);
    let finished = 30;
    const again = async () => {
      const browser = new Browser(tenant, NAT);
      browser.cookies = { ...mark };
      return (await browser.identify(one.door, own.email)).outcome;
    };
    await t.rejects(
      (async () => {
        for (; finished < 500; finished++) await again();
      })(),
      { code: "limit_reached" },
    );
    t.equal(finished, 140, "a hundred gave back, forty did not");
  },
);

onEveryStore(
  t,
  "an owner reads how often it failed, since when, and until when to wait",
  async (t, { clock, tenant, node }) => {
    const one = await node();
    const { door } = one;
    const user = await enrolledUser(one, tenant, clock);
    const outlook = async () => (await door.users.get(tenant, user.id)).signIn;
    t.same(await outlook(), { possible: true, reasons: [] });
    const stranger = new Browser(tenant, "198.51.100.4");
    const since = new Date(clock.nowMs()).toISOString();
    for (let index = 0; index < 3; index++) {
      await stranger.identify(door, user.email, WRONG);
      clock.advance(500);
    }
    const waitUntil = new Date(clock.nowMs() + 500).toISOString();
    t.same(await outlook(), { possible: false, reasons: ["waiting"], failures: { count: 3, since, waitUntil } });
    t.same((await door.users.list(tenant, { limit: 1 }))[0]?.signIn.failures, { count: 3, since, waitUntil });
    clock.advance(500);
    t.same(await outlook(), { possible: true, reasons: [], failures: { count: 3, since } }, "the wait is over");
    await stranger.identify(door, user.email);
    t.same((await outlook()).failures, { count: 3, since }, "the password alone forgives nothing");
    await door.users.unlock(tenant, user.id, API);
    t.same(await outlook(), { possible: true, reasons: [] });
  },
);
