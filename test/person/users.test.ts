/** Managing users: states, tokens that work once, enrolment rules, and what ends when something changes. */
import t from "tap";
import { type Actor, AUDIT_KIND, type AuditRecord } from "../../src/core/audit.ts";
import { OUTBOX_KIND, type OutboxItem } from "../../src/notify/outbox.ts";
import {
  API,
  Browser,
  enrolledUser,
  mailedToken,
  mails,
  makeTenant,
  onEveryStore,
  PASSWORD,
  totpCode,
} from "../support/person-door.ts";

onEveryStore(t, "invited, accepts once, enrols, is in", async (t, { clock, tenant, node }) => {
  const one = await node();
  const { door } = one;
  const user = await door.users.create(tenant, { email: "new@happy-feet.example", name: "Nia", role: "owner" }, API);
  t.match(user, { state: "invited", factors: [], signIn: { possible: false, reasons: ["no-password"] } });
  const { link } = await door.invitations.invite(tenant, user.id, API);
  t.match(link, /^https:\/\/happy-feet\.example\/\.sallyport\/invite\/[A-Za-z0-9_-]{43}$/);
  const old = await mailedToken(one, "invite");
  clock.advance(1000);
  await door.invitations.invite(tenant, user.id, API);
  const token = await mailedToken(one, "invite");
  const browser = new Browser(tenant);
  for (const bad of [old, `${token.slice(0, -1)}_`, "", undefined, [token]]) {
    t.equal(await door.invitations.show(browser.visit, "invite", bad), undefined);
  }
  t.equal(await door.invitations.show(browser.visit, "reset", token), undefined, "not for another purpose");
  t.equal(await door.invitations.show(new Browser(makeTenant("other")).visit, "invite", token), undefined);
  for (let look = 0; look < 3; look++) {
    t.same(
      await door.invitations.show(browser.visit, "invite", token),
      { email: user.email },
      "looking changes nothing",
    );
  }
  await t.rejects(door.invitations.accept(browser.visit, "invite", token, "niahappyfeet"), {
    code: "password_refused",
  });
  const outcomes = await Promise.all(
    [0, 1].map(() => door.invitations.accept(browser.visit, "invite", token, PASSWORD)),
  );
  t.same(outcomes.map((outcome) => outcome.kind).sort(), ["continue", "gone"]);
  const accepted = outcomes.find((outcome) => outcome.kind === "continue");
  if (accepted?.kind !== "continue") throw new Error("not accepted");
  browser.keep(accepted);
  t.match(accepted.step, { stage: "enrol" });
  const set = { state: "active", signIn: { possible: true, reasons: [] } };
  t.match(await door.users.get(tenant, user.id), set, "the password is set; what is missing, signing in brings");
  const { enrolment } = await door.enrolments.beginTotp(browser.visit, accepted.step.challenge, "");
  const offer = await door.enrolments.showTotp(browser.visit, accepted.step.challenge, enrolment);
  const code = totpCode(offer?.secretText ?? "", clock.nowMs());
  browser.keep(await door.enrolments.confirm(browser.visit, accepted.step.challenge, enrolment, { code }));
  t.ok(await browser.session(door));
  t.match(await door.users.get(tenant, user.id), {
    state: "active",
    factors: [{ kind: "totp" }, { kind: "recovery" }],
  });
});

onEveryStore(
  t,
  "an unconfirmed authenticator counts for nothing; its secret is gone once confirmed",
  async (t, { clock, tenant, node }) => {
    const { door } = await node();
    const user = await door.users.create(tenant, { email: "ann@happy-feet.example", password: PASSWORD }, API);
    const browser = new Browser(tenant);
    const { challenge } = await browser.identify(door, user.email);
    const { enrolment } = await door.enrolments.beginTotp(browser.visit, challenge, " Tablet\u202e ");
    const offer = await door.enrolments.showTotp(browser.visit, challenge, enrolment);
    t.match(offer?.uri, /issuer=Happy%20Feet%20Podiatry/);
    const code = totpCode(offer?.secretText ?? "", clock.nowMs());
    const wrong = await door.enrolments.confirm(browser.visit, challenge, enrolment, {
      code: code === "000000" ? "000001" : "000000",
    });
    t.same(wrong, { kind: "refused" });
    t.same((await door.users.get(tenant, user.id)).factors, []);
    const thief = new Browser(tenant, "198.51.100.1");
    const { challenge: other } = await thief.identify(door, user.email);
    await t.rejects(door.enrolments.showTotp(thief.visit, challenge, enrolment), { code: "proof_required" });
    t.equal(await door.enrolments.showTotp(thief.visit, other, enrolment), undefined, "nor under another challenge");
    browser.keep(await door.enrolments.confirm(browser.visit, challenge, enrolment, { code }));
    t.equal(await door.enrolments.showTotp(browser.visit, undefined, enrolment), undefined, "the QR code is gone");
    t.match((await door.users.get(tenant, user.id)).factors, [{ kind: "totp", name: "Tablet" }, { kind: "recovery" }]);
    await t.rejects(
      door.enrolments.beginTotp(thief.visit, other, ""),
      { code: "proof_required" },
      "the first factor wins",
    );
    const again = await new Browser(tenant).identify(door, user.email);
    t.match(again.outcome, { kind: "continue", step: { stage: "factor" } });
    t.match(
      await door.signIn.verify(browser.visit, (await browser.identify(door, user.email)).challenge, {
        kind: "totp",
        code,
      }),
      { kind: "refused" },
      "the confirming code signs nobody in",
    );
  },
);

onEveryStore(
  t,
  "changing factors needs a fresh proof, ends other sessions, tells by mail, and keeps one",
  async (t, { clock, tenant, node }) => {
    const one = await node();
    const { door } = one;
    const user = await enrolledUser(one, tenant, clock);
    const signIn = async () => {
      clock.advance(30_000);
      const browser = new Browser(tenant);
      await browser.signIn(door, user.email, { kind: "totp", code: totpCode(user.secret, clock.nowMs()) });
      return browser;
    };
    const [browser, other] = [await signIn(), await signIn()];
    const before = browser.cookies.session;
    const { enrolment } = await door.enrolments.beginTotp(browser.visit, undefined, "Desk");
    const offer = await door.enrolments.showTotp(browser.visit, undefined, enrolment);
    const code = totpCode(offer?.secretText ?? "", clock.nowMs());
    const added = browser.keep(await door.enrolments.confirm(browser.visit, undefined, enrolment, { code }));
    t.equal(added.kind === "signed-in" && added.recoveryCodes, undefined, "recovery codes come once");
    t.not(browser.cookies.session, before, "a new session secret");
    t.ok(await browser.session(door));
    t.equal(await other.session(door), undefined);
    const [first, second] = (await door.users.get(tenant, user.id)).factors;
    browser.keep(await door.selfService.removeFactor(browser.visit, first?.id));
    t.ok(await browser.session(door));
    await t.rejects(
      door.selfService.removeFactor(browser.visit, second?.id),
      { code: "forbidden" },
      "the last one stays",
    );
    const notices = Object.groupBy(await mails(one), (mail) => mail.notice);
    t.match([notices["factor-added"]?.length, notices["factor-removed"]?.length], [2, 1]);
    clock.advance(10 * 60_000 + 1);
    t.ok(await browser.session(door));
    await t.rejects(door.enrolments.beginTotp(browser.visit, undefined, ""), { code: "proof_required" });
    await t.rejects(door.selfService.changePassword(browser.visit, PASSWORD), { code: "proof_required" });
  },
);

onEveryStore(
  t,
  "a change without a fresh proof is audited, with what was tried, and once in a while",
  async (t, { clock, node }) => {
    const one = await node();
    const { door, store } = one;
    const refused = async () => {
      const records = (await store.list({ kind: AUDIT_KIND, limit: 1000 })).map(({ value }) => value as AuditRecord);
      // The newest is listed first.
      return records.filter(({ action }) => action === "factor.refused").reverse();
    };
    const session = { idleSeconds: 3600, maxSeconds: 43_200, rememberDeviceSeconds: 86_400 };
    const tenant = makeTenant("happy-feet", { session });
    const user = await enrolledUser(one, tenant, clock);
    const browser = new Browser(tenant, "198.51.100.9");
    await browser.signIn(door, user.email, { kind: "totp", code: totpCode(user.secret, clock.nowMs()) }, true);
    clock.advance(10 * 60_000 + 1);
    const required = { code: "proof_required" };
    const tries = {
      "enrol-totp": () => door.enrolments.beginTotp(browser.visit, undefined, "x"),
      "enrol-passkey": () => door.enrolments.beginPasskey(browser.visit, undefined, "x"),
      "remove-factor": () => door.selfService.removeFactor(browser.visit, "fac_1"),
      "rename-factor": () => door.selfService.renameFactor(browser.visit, "fac_1", "x"),
      "recovery-codes": () => door.selfService.renewRecoveryCodes(browser.visit),
      password: () => door.selfService.changePassword(browser.visit, PASSWORD),
    };
    const id = (await browser.session(door))?.id;
    for (const attempt of Object.values<() => Promise<unknown>>(tries)) {
      for (let count = 0; count < 5; count += 1) await t.rejects(async () => await attempt(), required);
    }
    await t.rejects(door.enrolments.showTotp(browser.visit, undefined, "x"), required, "to look is no attempt");
    t.same(
      (await refused()).map(({ actor, target, after }) => ({ actor, target, after })),
      Object.keys(tries).map((attempt) => ({
        actor: { kind: "user", id: user.id, address: "198.51.100.9" },
        target: user.id,
        after: { attempt, why: "proof-too-old", session: id },
      })),
    );

    browser.keep((await browser.identify(door, user.email)).outcome);
    clock.advance(10 * 60_000);
    await t.rejects(async () => await tries.password(), required);
    t.match((await refused()).at(-1)?.after, { attempt: "password", why: "remembered-device" });
    const { challenge } = await new Browser(tenant).identify(door, user.email);
    await t.rejects(door.enrolments.beginTotp(browser.visit, challenge, "x"), required, "of another browser");
    const stranger = new Browser(tenant, "203.0.113.99");
    const own = await stranger.identify(door, user.email);
    await t.rejects(door.enrolments.beginTotp(stranger.visit, own.challenge, "x"), required);
    t.match((await refused()).at(-1), { actor: { address: "203.0.113.99" }, after: { why: "factor-not-proven" } });

    const before = (await refused()).length;
    for (let place = 1; place <= 40; place += 1) {
      browser.address = `192.0.2.${place}`;
      await t.rejects(async () => await tries.password(), required);
    }
    t.ok((await refused()).length - before <= 20, "twenty an hour, wherever they come from");
  },
);

onEveryStore(t, "a changed password ends the others; the old one is no more", async (t, { clock, tenant, node }) => {
  const one = await node();
  const { door } = one;
  const user = await enrolledUser(one, tenant, clock);
  const browser = new Browser(tenant);
  await browser.signIn(door, user.email, { kind: "totp", code: totpCode(user.secret, clock.nowMs()) });
  browser.keep(await door.selfService.changePassword(browser.visit, "lamp river quilt seven"));
  t.ok(await browser.session(door));
  t.same((await new Browser(tenant).identify(door, user.email)).outcome, { kind: "refused" });
  const { outcome } = await new Browser(tenant).identify(door, user.email, "lamp river quilt seven");
  t.equal(outcome.kind, "continue");
});

onEveryStore(
  t,
  "a forgotten password: same answer for all, the factor is still asked, and a lock is lifted",
  async (t, { clock, tenant, node }) => {
    const one = await node();
    const { door } = one;
    const user = await enrolledUser(one, tenant, clock);
    const browser = new Browser(tenant, "192.0.2.77");
    for (const email of ["nobody@happy-feet.example", "no address", ["x"]]) {
      t.equal(await door.invitations.requestReset(browser.visit, email), undefined);
    }
    for (let index = 0; index < 10; index++) await door.invitations.requestReset(browser.visit, user.email);
    t.equal((await mails(one)).filter((mail) => mail.notice === "password-reset").length, 3);
    for (let index = 0; index < 40; index++) {
      const { outcome } = await new Browser(tenant, "198.51.100.1").identify(
        door,
        user.email,
        "wrong horse battery staple",
      );
      clock.advance(outcome.kind === "throttled" ? outcome.retryAfterMs % 86_400_000 : 0);
    }
    t.equal((await door.users.get(tenant, user.id)).state, "locked");
    const token = await mailedToken(one, "password-reset");
    const accepted = browser.keep(
      await door.invitations.accept(browser.visit, "reset", token, "lamp river quilt seven"),
    );
    t.match(accepted, { kind: "continue", step: { stage: "factor" } }, "no way around the factor");
    t.equal((await door.users.get(tenant, user.id)).state, "active");
    t.match(await door.invitations.accept(browser.visit, "reset", token, "lamp river quilt eight"), { kind: "gone" });
    await door.invitations.requestReset(new Browser(tenant, "192.0.2.78").visit, user.email);
    clock.advance(3_600_000);
    t.match(await door.invitations.show(browser.visit, "reset", await mailedToken(one, "password-reset")), undefined);
  },
);

onEveryStore(
  t,
  "how many new passwords one address may ask for, and a clinic after the holidays",
  async (t, { clock, tenant, node }) => {
    const one = await node();
    const user = await enrolledUser(one, tenant, clock);
    const ask = async (browser: Browser, times: number) => {
      for (let index = 0; index < times; index++)
        await one.door.invitations.requestReset(browser.visit, `person-${index}@happy-feet.example`);
    };
    const stranger = new Browser(tenant, "192.0.2.77");
    await ask(stranger, 20);
    await t.rejects(one.door.invitations.requestReset(stranger.visit, user.email), { code: "limit_reached" });
    const clinic = new Browser(tenant, "192.0.2.77");
    clinic.located = true;
    await ask(clinic, 40);
    await one.door.invitations.requestReset(clinic.visit, user.email);
    t.equal((await mails(one)).filter((mail) => mail.notice === "password-reset").length, 1);
  },
);

onEveryStore(
  t,
  "a reset is answered before anything is looked up, for all alike",
  async (t, { clock, tenant, node }) => {
    const held = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    const one = await node({
      beforeCommit: async ({ audit }) => {
        if (audit.every(({ action }) => action !== "reset.requested")) return;
        begun.resolve();
        await held.promise;
      },
    });
    const user = await enrolledUser(one, tenant, clock);
    const { visit } = new Browser(tenant, "192.0.2.77");
    for (const email of [user.email, "nobody@happy-feet.example"])
      await one.door.invitations.requestReset(visit, email);
    await begun.promise;
    const read = one.store.list({ kind: OUTBOX_KIND, limit: 100 });
    t.notOk(
      (await read).some(({ value }) => (value as OutboxItem).notice === "password-reset"),
      "the write is held up",
    );
    held.resolve();
    await one.door.settle();
    t.ok(await mailedToken(one, "password-reset"), "the mail is written before the door is shut");
  },
);

onEveryStore(t, "a ticket stands for the first step, for a minute, once", async (t, { clock, node }) => {
  const one = await node();
  const { door } = one;
  const tenant = makeTenant("happy-feet", { firstFactor: "none" });
  const user = await door.users.create(tenant, { email: "ann@happy-feet.example" }, API);
  const browser = new Browser(tenant);
  const late = await door.invitations.ticket(tenant.id, user.id, API);
  clock.advance(60_000);
  t.match(await door.invitations.redeemTicket(browser.visit, late.token), { kind: "gone" });
  await t.rejects(door.invitations.ticket(tenant.id, user.id, API, "//evil.example"), { code: "body_invalid" });
  const { token } = await door.invitations.ticket(tenant.id, user.id, API, "/diary");
  const outcomes = await Promise.all([0, 1].map(() => door.invitations.redeemTicket(browser.visit, token)));
  t.same(outcomes.map((outcome) => outcome.kind).sort(), ["continue", "gone"]);
  const taken = browser.keep(outcomes.find((outcome) => outcome.kind === "continue") ?? { kind: "gone" as const });
  if (taken.kind !== "continue") throw new Error("not taken");
  t.equal(taken.step.stage, "enrol");
  const { enrolment } = await door.enrolments.beginTotp(browser.visit, taken.step.challenge, "");
  const offer = await door.enrolments.showTotp(browser.visit, taken.step.challenge, enrolment);
  const code = totpCode(offer?.secretText ?? "", clock.nowMs());
  const done = await door.enrolments.confirm(browser.visit, taken.step.challenge, enrolment, { code });
  t.match(done, { kind: "signed-in", amr: ["ticket", "otp", "mfa"], wayBack: "/diary" });
  const unused = await door.invitations.ticket(tenant.id, user.id, API);
  await door.users.change(tenant, user.id, { state: "disabled" }, API);
  t.match(await door.invitations.redeemTicket(browser.visit, unused.token), { kind: "gone" });
});

onEveryStore(t, "a lost phone: reset, the next sign-in enrols again", async (t, { clock, tenant, node }) => {
  const one = await node();
  const { door } = one;
  const user = await enrolledUser(one, tenant, clock);
  const browser = new Browser(tenant);
  await browser.signIn(door, user.email, { kind: "totp", code: totpCode(user.secret, clock.nowMs()) });
  t.same((await door.users.resetFactors(tenant, user.id, API)).factors, []);
  t.equal(await browser.session(door), undefined);
  t.ok((await mails(one)).some((mail) => mail.notice === "factors-reset"));
  const { outcome, challenge } = await browser.identify(door, user.email);
  t.match(outcome, { kind: "continue", step: { stage: "enrol" } });
  const [code = ""] = user.recoveryCodes;
  t.same(await door.signIn.verify(browser.visit, challenge, { kind: "recovery", code }), { kind: "gone" });
});

onEveryStore(t, "changes: at once, e-mail, role, self-harm, deletion", async (t, { clock, tenant, node }) => {
  const [one, two] = [await node(), await node()];
  const { door } = one;
  const ann = await enrolledUser(one, tenant, clock);
  const bob = await door.users.create(tenant, { email: "bob@happy-feet.example", password: PASSWORD }, API);
  await Promise.all([
    door.users.change(tenant, bob.id, { name: "Bob B" }, API),
    two.door.users.change(tenant, bob.id, { role: "owner" }, API),
  ]);
  t.match(await door.users.get(tenant, bob.id), { name: "Bob B", role: "owner" }, "both hold");
  await t.rejects(door.users.change(tenant, ann.id, { email: bob.email }, API), { code: "email_taken" });
  const browser = new Browser(tenant);
  await browser.signIn(door, ann.email, { kind: "totp", code: totpCode(ann.secret, clock.nowMs()) });
  await door.users.change(tenant, ann.id, { email: ann.email, name: "Ann" }, API);
  t.notOk(
    (await mails(one)).some(({ notice }) => notice === "email-changed"),
    "nothing to tell",
  );
  t.match(await door.users.change(tenant, ann.id, { email: "Anna@happy-feet.example", name: null }, API), {
    email: "anna@happy-feet.example",
  });
  const told = (await mails(one)).filter(({ notice }) => notice === "email-changed");
  t.same(told.map(({ to }) => to).sort(), ["ann@happy-feet.example", "anna@happy-feet.example"]);
  t.ok(told.every(({ text }) => text.includes("anna@happy-feet.example")));
  t.equal(await browser.session(door), undefined, "another login, no session");
  t.equal(await door.users.byEmail(tenant, ann.email), undefined);
  t.match(await door.users.byEmail(tenant, "ANNA@happy-feet.example"), { id: ann.id });
  const self: Actor = { kind: "user", id: ann.id };
  for (const change of [{ state: "disabled" }, { role: "user" }] as const) {
    await t.rejects(door.users.change(tenant, ann.id, change, self), { code: "forbidden" });
  }
  await t.rejects(door.users.delete(tenant, ann.id, self), { code: "forbidden" });
  t.same(
    (await door.users.list(tenant, { limit: 1 })).map(({ id }) => id),
    [ann.id],
  );
  t.same(
    (await door.users.list(tenant, { limit: 5, after: ann.id })).map(({ id }) => id),
    [bob.id],
  );
  t.same(await door.users.list(makeTenant("other"), { limit: 5 }), []);
  await t.rejects(door.users.get(makeTenant("other"), ann.id), { code: "not_found" });
  await door.users.delete(tenant, bob.id, API);
  await t.rejects(door.users.get(tenant, bob.id), { code: "not_found" });
  t.equal((await door.users.create(tenant, { email: bob.email }, API)).state, "invited", "its e-mail is free again");
  await t.rejects(door.users.create(tenant, { email: "x" }, API), { code: "email_invalid" });
});

onEveryStore(t, "a mail that somebody's own doing causes is in the language of the browser", async (t, site) => {
  const { clock, tenant } = site;
  const one = await site.node();
  const { door } = one;
  const { id, email, secret } = await enrolledUser(one, tenant, clock);
  const browser = new Browser(tenant);
  browser.lang = "nl";
  await door.invitations.requestReset(browser.visit, email);
  const token = await mailedToken(one, "password-reset");
  browser.keep(await door.invitations.accept(browser.visit, "reset", token, "another pony battery staple"));
  const { challenge } = await browser.identify(door, email, "another pony battery staple");
  const proof = { kind: "totp", code: totpCode(secret, clock.nowMs()) } as const;
  browser.keep(await door.signIn.verify(browser.visit, challenge, proof));
  browser.keep(await door.selfService.renewRecoveryCodes(browser.visit));
  // Another's doing tells nothing of what the reader reads.
  await door.users.resetFactors(tenant, id, API);
  const texts = new Map((await mails(one)).map(({ notice, text }) => [notice, text]));
  for (const notice of ["password-reset", "password-changed", "recovery-codes-renewed"]) {
    t.match(texts.get(notice), /^Hallo/m, notice);
  }
  t.match(texts.get("factors-reset"), /^Hello/m);
});
