/** Codes by text message: few, to confirmed numbers, never doubled, and never a way around the count of failures. */
import t from "tap";
import type { Tenant } from "../../src/core/tenant.ts";
import { openSmsProvider } from "../../src/notify/open-sms.ts";
import type { TextProvider } from "../../src/notify/sms.ts";
import { SMS_CODE_KIND } from "../../src/person/sms-factor.ts";
import { placeOf } from "../../src/person/visit.ts";
import {
  API,
  Browser,
  enrolledUser,
  leaveShares,
  makeTenant,
  type Node,
  onEveryStore,
  PASSWORD,
  SMS_RULES,
  totpCode,
} from "../support/person-door.ts";
import { ACCOUNT_SID, AUTH_TOKEN, SERVICE_SID, startTwilio } from "../support/twilio.ts";

const NUMBER = "+44 7700 900123";
const SMS_ONLY = { factors: ["sms"] } as const;

/** Keeps what it is told to send. */
class Phone implements TextProvider {
  readonly mode = "text";
  readonly texts: string[] = [];
  async send(_to: string, body: string): Promise<void> {
    this.texts.push(body);
  }
  get code(): string {
    return /[0-9]{6}/.exec(this.texts.at(-1) ?? "")?.[0] ?? "";
  }
}

async function withNumber({ door }: Node, tenant: Tenant, phone: { readonly code: string }) {
  const user = await door.users.create(tenant, { email: "ann@happy-feet.example", password: PASSWORD }, API);
  const browser = new Browser(tenant);
  const { challenge } = await browser.identify(door, user.email);
  const { enrolment, ...sending } = await door.enrolments.beginSms(browser.visit, challenge, NUMBER, "");
  const proof = { code: phone.code };
  const outcome = browser.keep(await door.enrolments.confirm(browser.visit, challenge, enrolment, proof));
  return { user, browser, sending, outcome };
}

const wrong = (code: string) => (code === "000000" ? "000001" : "000000");

onEveryStore(t, "a number is confirmed, then its codes sign in, once each", async (t, { clock, node }) => {
  const tenant = makeTenant("happy-feet", SMS_ONLY);
  const phone = new Phone();
  const one = await node({ sms: phone });
  const { door } = one;
  const { user, browser, sending, outcome } = await withNumber(one, tenant, phone);
  t.same(sending, { sent: true });
  t.match(outcome, { kind: "signed-in", amr: ["pwd", "sms", "mfa"] });
  t.match(phone.texts[0], /Happy Feet Podiatry/);
  clock.advance(3_600_000);
  const { challenge, outcome: step } = await browser.identify(door, user.email);
  t.match(step, { step: { choices: [{ kind: "sms", hint: "•••• 123" }, { kind: "recovery" }] } });
  t.same(await door.proofRequests.sendSms(browser.visit, challenge), { sent: true });
  const stored = JSON.stringify(await one.store.list({ kind: SMS_CODE_KIND, limit: 10 }));
  t.notOk(stored.includes(phone.code), "no code is stored");
  const code = phone.code;
  t.match(await door.signIn.verify(browser.visit, challenge, { kind: "sms", code }), { kind: "signed-in" });
  const again = await browser.identify(door, user.email);
  t.same(await door.signIn.verify(browser.visit, again.challenge, { kind: "sms", code }), { kind: "refused" });
  t.same(await door.proofRequests.sendSms(browser.visit, again.challenge), { sent: true });
  clock.advance(5 * 60_000);
  const late = { kind: "sms" as const, code: phone.code };
  t.same(await door.signIn.verify(browser.visit, again.challenge, late), { kind: "refused" }, "after five minutes");
});

onEveryStore(
  t,
  "a hundred requests for one number: three sent; sending again forgives nothing",
  async (t, { clock, node }) => {
    const tenant = makeTenant("happy-feet", SMS_ONLY);
    const phone = new Phone();
    const nodes = [await node({ sms: phone }), await node({ sms: phone })];
    const [one, two] = nodes;
    if (one === undefined || two === undefined) return;
    const { user, browser } = await withNumber(one, tenant, phone);
    clock.advance(2 * 3_600_000);
    phone.texts.length = 0;
    const { challenge } = await browser.identify(one.door, user.email);
    const results: unknown[] = [];
    for (let index = 0; index < 100; index++) {
      results.push(await (index % 2 === 0 ? one : two).door.proofRequests.sendSms(browser.visit, challenge));
    }
    t.equal(phone.texts.length, 3);
    t.match(results[50], { sent: false, reason: "limit" });
    clock.advance(2 * 3_600_000);
    const { challenge: next } = await browser.identify(one.door, user.email);
    await one.door.proofRequests.sendSms(browser.visit, next);
    const refused = async () =>
      (await one.door.signIn.verify(browser.visit, next, { kind: "sms", code: wrong(phone.code) })).kind;
    const kinds: string[] = [];
    for (let index = 0; index < 3; index++) kinds.push(await refused());
    t.same(await one.door.proofRequests.sendSms(browser.visit, next), { sent: true });
    kinds.push(await refused());
    t.same(kinds, ["refused", "refused", "refused", "throttled"], "the delay goes on after sending again");
  },
);

onEveryStore(t, "who is refused by the clinic's limit keeps what their own allows", async (t, { clock, node }) => {
  const tenant = makeTenant("happy-feet", SMS_ONLY);
  const phone = new Phone();
  const once = { burst: 1, periodMs: 60_000 };
  const { door, ...one } = await node({ sms: phone, smsRules: { ...SMS_RULES, perTenant: once } });
  const { user, browser } = await withNumber({ door, ...one }, tenant, phone);
  const { challenge } = await browser.identify(door, user.email);
  for (let index = 0; index < 10; index++)
    t.match(await door.proofRequests.sendSms(browser.visit, challenge), { sent: false, reason: "limit" });
  clock.advance(60_000);
  t.same(await door.proofRequests.sendSms(browser.visit, challenge), { sent: true });
});

onEveryStore(t, "five wrong tries end a code, also after sending again", async (t, { clock, node }) => {
  const tenant = makeTenant("happy-feet", SMS_ONLY);
  const phone = new Phone();
  const smsRules = { ...SMS_RULES, perNumber: { burst: 50, periodMs: 1000 }, perUser: { burst: 50, periodMs: 1000 } };
  const one = await node({ sms: phone, smsRules });
  const { door } = one;
  const { user, browser } = await withNumber(one, tenant, phone);
  const { challenge } = await browser.identify(door, user.email);
  for (let index = 0; index < 5; index++) {
    await door.users.unlock(tenant, user.id, API);
    t.same(await door.proofRequests.sendSms(browser.visit, challenge), { sent: true });
    const guess = { kind: "sms" as const, code: wrong(phone.code) };
    t.same(await door.signIn.verify(browser.visit, challenge, guess), { kind: "refused" });
  }
  await door.users.unlock(tenant, user.id, API);
  t.match(await door.proofRequests.sendSms(browser.visit, challenge), { sent: false, reason: "limit" });
  t.same(await door.signIn.verify(browser.visit, challenge, { kind: "sms", code: phone.code }), { kind: "refused" });
  clock.advance(5 * 60_000);
});

onEveryStore(t, "other countries, and text messages beside nothing stronger", async (t, { tenant, node }) => {
  const phone = new Phone();
  const { door } = await node({ sms: phone });
  const user = await door.users.create(tenant, { email: "ann@happy-feet.example", password: PASSWORD }, API);
  const browser = new Browser(tenant);
  const { challenge } = await browser.identify(door, user.email);
  await t.rejects(door.enrolments.beginSms(browser.visit, challenge, NUMBER, ""), { code: "forbidden" });
  const alone = makeTenant("alone", SMS_ONLY);
  await door.users.create(alone, { email: "ann@happy-feet.example", password: PASSWORD }, API);
  const there = new Browser(alone);
  const begun = await there.identify(door, "ann@happy-feet.example");
  for (const number of ["+1 876 555 0100", "+2250102030405"]) {
    t.match(await door.enrolments.beginSms(there.visit, begun.challenge, number, ""), {
      sent: false,
      reason: "country",
    });
  }
  for (const number of ["07700 900123", "+44", ["+447700900123"], "+４４7700900123", `+44${"7".repeat(2000)}`]) {
    await t.rejects(door.enrolments.beginSms(there.visit, begun.challenge, number, ""), { code: "number_invalid" });
  }
  t.same(phone.texts, []);
});

onEveryStore(
  t,
  "Twilio down, slow or refusing: one request each, and the person is told to use another way",
  async (t, { clock, node }) => {
    const server = await startTwilio(t);
    const twilio = { accountSid: ACCOUNT_SID, authToken: AUTH_TOKEN, baseUrl: server.baseUrl, timeoutMs: 200 };
    const sender = { from: "+15005550006" };
    const sms = await openSmsProvider({ provider: "twilio", twilio, sender }, { development: false });
    const tenant = makeTenant("happy-feet", SMS_ONLY);
    const one = await node(sms === undefined ? {} : { sms });
    const phone = {
      get code() {
        return /[0-9]{6}/.exec(server.requests.at(-1)?.form.get("Body") ?? "")?.[0] ?? "";
      },
    };
    const { user, browser } = await withNumber(one, tenant, phone);
    for (const fault of [
      { status: 500 },
      { status: 429 },
      { status: 400, code: 60203 },
      "hang",
      "slow-body",
      "reset",
    ] as const) {
      clock.advance(2 * 3_600_000);
      const { challenge } = await browser.identify(one.door, user.email);
      const before = server.requests.length;
      server.faults.push(fault);
      t.match(await one.door.proofRequests.sendSms(browser.visit, challenge), { sent: false, reason: "unavailable" });
      t.equal(server.requests.length, before + 1, "sent once");
      t.match(await one.door.signIn.show(browser.visit, challenge), {
        choices: [{ kind: "sms" }, { kind: "recovery" }],
      });
    }
  },
);

onEveryStore(t, "Twilio Verify judges the code; its word counts once", async (t, { clock, node }) => {
  const server = await startTwilio(t);
  const twilio = { accountSid: ACCOUNT_SID, authToken: AUTH_TOKEN, baseUrl: server.baseUrl, timeoutMs: 500 };
  const settings = { provider: "twilio-verify", twilio, verifyServiceSid: SERVICE_SID } as const;
  const sms = await openSmsProvider(settings, { development: false });
  const tenant = makeTenant("happy-feet", SMS_ONLY);
  const one = await node(sms === undefined ? {} : { sms });
  const { user, browser, outcome } = await withNumber(one, tenant, server);
  t.equal(outcome.kind, "signed-in");
  clock.advance(3_600_000);
  const { challenge } = await browser.identify(one.door, user.email);
  t.same(await one.door.proofRequests.sendSms(browser.visit, challenge), { sent: true });
  const verify = async (code: string) =>
    (await one.door.signIn.verify(browser.visit, challenge, { kind: "sms", code })).kind;
  t.equal(await verify(wrong(server.code)), "refused");
  t.equal(await verify(server.code), "signed-in");
});

onEveryStore(
  t,
  "an address runs out of messages by those that prove nobody, and of no others",
  async (t, { clock, node }) => {
    const phone = new Phone();
    const one = await node({ sms: phone });
    await withNumber(one, makeTenant("happy-feet", SMS_ONLY), phone);
    clock.advance(3_600_000);
    const tenant = makeTenant("happy-feet", { ...SMS_ONLY, firstFactor: "none" });
    const ask = async (browser: Browser) => {
      const { challenge } = await browser.identify(one.door, "ann@happy-feet.example");
      const sending = await one.door.proofRequests.sendSms(browser.visit, challenge);
      await one.door.settle();
      return { challenge, sending };
    };
    await leaveShares(one.store, ["sms", placeOf(new Browser(tenant).visit.address)], 1);
    for (let index = 0; index < 2; index++) {
      const browser = new Browser(tenant);
      const { challenge, sending } = await ask(browser);
      t.same(sending, { sent: true });
      const proof = { kind: "sms" as const, code: phone.code };
      t.match(await one.door.signIn.verify(browser.visit, challenge, proof), { kind: "signed-in" });
    }
    t.match(await ask(new Browser(tenant)), { sending: { sent: true } });
    t.match(await ask(new Browser(tenant)), { sending: { sent: false, reason: "limit" } }, "one is not finished");
  },
);

onEveryStore(t, "what was used last is offered first; what is set up beside it is not", async (t, { clock, node }) => {
  const tenant = makeTenant("happy-feet", { factors: ["sms", "totp"] });
  const phone = new Phone();
  const one = await node({ sms: phone });
  const { door } = one;
  const { email, secret } = await enrolledUser(one, tenant, clock);
  const browser = new Browser(tenant);
  await browser.signIn(door, email, { kind: "totp", code: totpCode(secret, clock.nowMs()) });
  const { enrolment } = await door.enrolments.beginSms(browser.visit, undefined, NUMBER, "");
  browser.keep(await door.enrolments.confirm(browser.visit, undefined, enrolment, { code: phone.code }));
  clock.advance(3_600_000);
  const first = async () => {
    const { challenge, outcome } = await new Browser(tenant).identify(door, email);
    return { challenge, choices: outcome.kind === "continue" ? outcome.step.choices.map(({ kind }) => kind) : [] };
  };
  t.same((await first()).choices, ["totp", "sms", "recovery"]);
  const { challenge } = await browser.identify(door, email);
  await door.proofRequests.sendSms(browser.visit, challenge);
  t.match(await door.signIn.verify(browser.visit, challenge, { kind: "sms", code: phone.code }), { kind: "signed-in" });
  t.same((await first()).choices, ["sms", "totp", "recovery"]);
});
