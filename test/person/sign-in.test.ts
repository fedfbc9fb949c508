/** Signing in with password and authenticator, and what may not end in a session. */
import t from "tap";
import { hashSessionSecret } from "../../src/core/session.ts";
import {
  API,
  Browser,
  enrolledUser,
  mails,
  makeTenant,
  onEveryStore,
  PASSWORD,
  totpCode,
} from "../support/person-door.ts";

onEveryStore(t, "first sign-in enrols, the next asks for the code", async (t, { clock, tenant, node }) => {
  const one = await node();
  const { door } = one;
  const user = await enrolledUser(one, tenant, clock);
  t.equal(user.recoveryCodes.length, 10);
  const browser = new Browser(tenant);
  const { challenge, outcome } = await browser.identify(door, " Ann@Happy-Feet.Example ", PASSWORD, "/patients?id=1");
  t.match(outcome, { kind: "continue", step: { stage: "factor", choices: [{ kind: "totp" }, { kind: "recovery" }] } });
  t.equal(await browser.session(door), undefined, "a password alone is no session");
  const code = totpCode(user.secret, clock.nowMs());
  const done = browser.keep(await door.signIn.verify(browser.visit, challenge, { kind: "totp", code }));
  t.match(done, { kind: "signed-in", wayBack: "/patients?id=1", user: user.id, amr: ["pwd", "otp", "mfa"] });
  t.match(await browser.session(door), { user: user.id, email: user.email, role: "owner", amr: ["pwd", "otp", "mfa"] });
  t.match(await door.users.get(tenant, user.id), { state: "active", signIn: { possible: true, reasons: [] } });
  t.same(
    (await mails(one)).map((mail) => mail.notice),
    ["factor-added"],
  );
});

onEveryStore(
  t,
  "a wrong password, no such user, no password and a disabled user look the same",
  async (t, { tenant, node }) => {
    const { door } = await node();
    await door.users.create(tenant, { email: "ann@happy-feet.example", password: PASSWORD }, API);
    await door.users.create(tenant, { email: "new@happy-feet.example" }, API);
    const bob = await door.users.create(tenant, { email: "bob@happy-feet.example", password: PASSWORD }, API);
    await door.users.change(tenant, bob.id, { state: "disabled" }, API);
    const tries = [
      ["ann@happy-feet.example", "wrong horse battery staple"],
      ["nobody@happy-feet.example", PASSWORD],
      ["new@happy-feet.example", PASSWORD],
      ["bob@happy-feet.example", PASSWORD],
      ["not an address", PASSWORD],
    ] as const;
    for (const [email, password] of tries) {
      const { outcome } = await new Browser(tenant).identify(door, email, password);
      t.same(outcome, { kind: "refused" }, email);
    }
  },
);

onEveryStore(
  t,
  "a challenge is worth nothing in another browser, another tenant, later, or twice",
  async (t, { clock, tenant, node }) => {
    const one = await node();
    const { door } = one;
    const user = await enrolledUser(one, tenant, clock);
    const victim = new Browser(tenant);
    const { challenge } = await victim.identify(door, user.email);
    const proof = () => ({ kind: "totp" as const, code: totpCode(user.secret, clock.nowMs()) });
    const thief = new Browser(tenant);
    await thief.begin(door);
    t.same(await door.signIn.verify(thief.visit, challenge, proof()), { kind: "gone" });
    const elsewhere = new Browser(makeTenant("other"));
    elsewhere.cookies = { ...victim.cookies };
    t.same(await door.signIn.verify(elsewhere.visit, challenge, proof()), { kind: "gone" });
    t.equal((await door.signIn.verify(victim.visit, challenge, proof())).kind, "signed-in");
    clock.advance(30_000);
    t.same(await door.signIn.verify(victim.visit, challenge, proof()), { kind: "gone" });
    const late = await victim.identify(door, user.email);
    clock.advance(10 * 60_000);
    t.same(await door.signIn.verify(victim.visit, late.challenge, proof()), { kind: "gone" });
  },
);

onEveryStore(
  t,
  "signing in again replaces the browser's session; a revocation voids a challenge under way",
  async (t, { clock, tenant, node }) => {
    const one = await node();
    const { door } = one;
    const user = await enrolledUser(one, tenant, clock);
    const browser = new Browser(tenant);
    await browser.signIn(door, user.email, { kind: "totp", code: totpCode(user.secret, clock.nowMs()) });
    const before = browser.cookies.session ?? "";
    clock.advance(30_000);
    await browser.signIn(door, user.email, { kind: "totp", code: totpCode(user.secret, clock.nowMs()) });
    t.not(browser.cookies.session, before);
    t.equal(await door.sessions.lookup(tenant, hashSessionSecret(before)), undefined);
    t.ok(await browser.session(door));
    const { challenge } = await browser.identify(door, user.email);
    await door.users.endSessions(tenant, user.id, API);
    t.equal(await browser.session(door), undefined);
    t.equal(await door.signIn.show(browser.visit, challenge), undefined);
    clock.advance(30_000);
    const code = totpCode(user.secret, clock.nowMs());
    t.same(await door.signIn.verify(browser.visit, challenge, { kind: "totp", code }), { kind: "gone" });
  },
);

onEveryStore(t, "with firstFactor none, nothing tells whether a login exists", async (t, { clock, node }) => {
  const one = await node();
  const { door } = one;
  const password = makeTenant("happy-feet");
  const user = await enrolledUser(one, password, clock);
  const tenant = makeTenant("happy-feet", { firstFactor: "none" });
  const known = new Browser(tenant);
  const unknown = new Browser(tenant, "203.0.113.8");
  const first = await known.identify(door, user.email);
  const second = await unknown.identify(door, "nobody@happy-feet.example");
  const shape = (step: typeof first) => {
    const { outcome } = step;
    return outcome.kind === "continue" ? { ...outcome.step, challenge: "", email: "" } : outcome;
  };
  t.same(shape(first), shape(second));
  t.same(await door.signIn.verify(unknown.visit, second.challenge, { kind: "totp", code: "123456" }), {
    kind: "refused",
  });
  const code = totpCode(user.secret, clock.nowMs());
  t.match(await door.signIn.verify(known.visit, first.challenge, { kind: "totp", code }), {
    kind: "signed-in",
    amr: ["otp"],
  });
  const keys = await door.proofRequests.requestPasskey(unknown.visit, second.challenge);
  t.same(keys?.allowCredentials, [], "no key is named before anything is proven");
});

onEveryStore(t, "with firstFactor none, an e-mail alone enrols nothing", async (t, { node }) => {
  const { door } = await node();
  const tenant = makeTenant("happy-feet", { firstFactor: "none" });
  const user = await door.users.create(tenant, { email: "ann@happy-feet.example" }, API);
  t.same(user.signIn, { possible: false, reasons: ["not-enrolled"] });
  const browser = new Browser(tenant);
  const { challenge, outcome } = await browser.identify(door, user.email);
  t.match(outcome, { kind: "continue", step: { stage: "factor" } });
  await t.rejects(door.enrolments.beginTotp(browser.visit, challenge, "x"), { code: "proof_required" });
});

onEveryStore(
  t,
  "a remembered device skips the factor, never the password, and not where a fresh proof is asked",
  async (t, { clock, node }) => {
    const one = await node();
    const { door } = one;
    const session = { idleSeconds: 3600, maxSeconds: 43200, rememberDeviceSeconds: 86400 };
    const tenant = makeTenant("happy-feet", { session });
    const user = await enrolledUser(one, tenant, clock);
    const browser = new Browser(tenant);
    await browser.signIn(door, user.email, { kind: "totp", code: totpCode(user.secret, clock.nowMs()) }, true);
    t.ok(browser.cookies.device);
    const again = await browser.identify(door, user.email);
    t.match(again.outcome, { kind: "signed-in", amr: ["pwd", "device", "mfa"] });
    browser.keep(again.outcome);
    await t.rejects(door.enrolments.beginTotp(browser.visit, undefined, "x"), { code: "proof_required" });
    t.same((await browser.identify(door, user.email, "wrong horse battery staple")).outcome, { kind: "refused" });
    const fresh = await browser.begin(door, "/.sallyport/account", true);
    const asked = await door.signIn.identify(browser.visit, fresh, { email: user.email, password: PASSWORD });
    t.match(asked, { kind: "continue", step: { stage: "factor" } });
    const bob = await enrolledUser(one, tenant, clock, "bob@happy-feet.example");
    t.match(
      (await browser.identify(door, bob.email)).outcome,
      { kind: "continue" },
      "another user's device is not mine",
    );
    await door.users.endSessions(tenant, user.id, API);
    t.match(
      (await browser.identify(door, user.email)).outcome,
      { kind: "continue" },
      "signing out everywhere forgets it",
    );
  },
);

onEveryStore(t, "the same e-mail in two tenants is two users", async (t, { clock, node }) => {
  const one = await node();
  const { door } = one;
  const feet = makeTenant("feet", {}, "Happy Feet");
  const teeth = makeTenant("teeth", {}, "Happy Teeth");
  const first = await enrolledUser(one, feet, clock, "rita@desk.example");
  const second = await enrolledUser(one, teeth, clock, "rita@desk.example");
  t.not(first.id, second.id);
  const browser = new Browser(feet);
  await browser.signIn(door, "rita@desk.example", { kind: "totp", code: totpCode(second.secret, clock.nowMs()) });
  t.equal(await browser.session(door), undefined, "the other clinic's authenticator does not count here");
  await browser.signIn(door, "rita@desk.example", { kind: "totp", code: totpCode(first.secret, clock.nowMs()) });
  t.ok(await browser.session(door));
  const moved = new Browser(teeth);
  moved.cookies = { ...browser.cookies };
  t.equal(await moved.session(door), undefined, "nor does its session");
  await t.rejects(door.users.create(feet, { email: "RITA@desk.example" }, API), { code: "email_taken" });
});

onEveryStore(t, "a sign-in in a new browser and from a new place is told", async (t, { clock, tenant, node }) => {
  const one = await node();
  const user = await enrolledUser(one, tenant, clock);
  const told = async () => (await mails(one)).filter((mail) => mail.notice === "new-place");
  const signIn = async (browser: Browser) => {
    clock.advance(30_000);
    const proof = { kind: "totp" as const, code: totpCode(user.secret, clock.nowMs()) };
    t.match(await browser.signIn(one.door, user.email, proof), { kind: "signed-in" });
  };
  const browser = new Browser(tenant);
  await signIn(browser);
  browser.address = "198.51.100.1";
  await signIn(browser);
  t.equal((await told()).length, 0, "neither the place of the first sign-in nor a browser that is known");
  const listed = new Browser(tenant, "198.51.100.2");
  listed.located = true;
  await signIn(listed);
  t.equal((await told()).length, 0, "nor a place on the allowlist");
  const stranger = new Browser(tenant, "198.51.100.3", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Firefox/140.0");
  await signIn(stranger);
  const [mail] = await told();
  t.equal(mail?.to, user.email);
  t.match(mail?.text, /198\.51\.100\.3/);
  t.match(mail?.text, /Firefox, Linux/);
  await signIn(new Browser(tenant, "198.51.100.3"));
  t.equal((await told()).length, 1, "which is known from then on");
});

onEveryStore(t, "ten proofs may be tried on one challenge", async (t, { clock, tenant, node }) => {
  const one = await node();
  const { door } = one;
  const user = await enrolledUser(one, tenant, clock);
  const browser = new Browser(tenant);
  const { challenge } = await browser.identify(door, user.email);
  for (let index = 0; index < 10; index++) {
    const guess = { kind: "recovery" as const, code: "0000-0000-0000-0000" };
    t.same(await door.signIn.verify(browser.visit, challenge, guess), { kind: "refused" });
    await door.users.unlock(tenant, user.id, API);
  }
  const code = totpCode(user.secret, clock.nowMs());
  t.same(await door.signIn.verify(browser.visit, challenge, { kind: "totp", code }), { kind: "gone" });
});
