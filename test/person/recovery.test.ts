/** Recovery codes: shown once, stored hashed, each good for one sign-in. */
import t from "tap";
import { CREDENTIAL_KIND } from "../../src/person/account.ts";
import { Browser, enrolledUser, mails, meeting, onEveryStore, totpCode } from "../support/person-door.ts";

onEveryStore(t, "a code used twice at once: one success; few left is told", async (t, { clock, tenant, node }) => {
  const user = await enrolledUser(await node(), tenant, clock);
  const beforeCommit = meeting("session.started", 2);
  const [one, two] = [await node({ beforeCommit }), await node({ beforeCommit })];
  const stored = JSON.stringify((await one.store.get(CREDENTIAL_KIND, `${tenant.id}/${user.id}`))?.value);
  for (const code of user.recoveryCodes) t.notOk(stored.includes(code.replaceAll("-", "")), "no code is stored");
  const browsers = [new Browser(tenant), new Browser(tenant, "203.0.113.8")];
  const nodes = [one, two];
  const [code = ""] = user.recoveryCodes;
  const challenges = await Promise.all(
    browsers.map(async (browser, index) => (await browser.identify((nodes[index] ?? one).door, user.email)).challenge),
  );
  const outcomes = await Promise.all(
    browsers.map((browser, index) =>
      (nodes[index] ?? one).door.signIn.verify(browser.visit, challenges[index], { kind: "recovery", code }),
    ),
  );
  t.same(outcomes.map((outcome) => outcome.kind).sort(), ["refused", "signed-in"]);
  const browser = new Browser(tenant);
  for (const [index, next] of user.recoveryCodes.slice(1).entries()) {
    const outcome = await browser.signIn(one.door, user.email, { kind: "recovery", code: next.toUpperCase() });
    t.match(outcome, { kind: "signed-in", amr: ["pwd", "recovery", "mfa"] });
    const left = 8 - index;
    t.equal(
      outcome.kind === "signed-in" ? outcome.recoveryCodesLeft : -1,
      left <= 3 ? left : undefined,
      `${left} left`,
    );
  }
  const last = await browser.identify(one.door, user.email);
  t.match(last.outcome, { step: { choices: [{ kind: "totp" }] } }, "a used-up set is not offered");
  t.equal((await mails(one)).filter((mail) => mail.notice === "recovery-code-used").length, 10);
});

onEveryStore(t, "renewing makes the old codes void", async (t, { clock, tenant, node }) => {
  const one = await node();
  const user = await enrolledUser(one, tenant, clock);
  const browser = new Browser(tenant);
  await browser.signIn(one.door, user.email, { kind: "totp", code: totpCode(user.secret, clock.nowMs()) });
  const renewed = browser.keep(await one.door.selfService.renewRecoveryCodes(browser.visit));
  t.equal(renewed.recoveryCodes?.length, 10);
  const [old = ""] = user.recoveryCodes;
  const [fresh = ""] = renewed.recoveryCodes ?? [];
  t.equal((await browser.signIn(one.door, user.email, { kind: "recovery", code: old })).kind, "refused");
  t.equal((await browser.signIn(one.door, user.email, { kind: "recovery", code: fresh })).kind, "signed-in");
});
