/** What the sections `mail` and `sms` settle to, and the mistakes they name. */

import t from "tap";
import Schema from "typebox/schema";
import { MailConfig, SmsConfig } from "../../src/notify/config.ts";
import { settleMail, settleSms, settleSmsLimits } from "../../src/notify/settings.ts";

const context = { base: "/etc/sallyport", defaultFolder: "/var/lib/sallyport/mail" };
const from = "gate@sallyport.example";
const accountSid = `AC${"0".repeat(32)}`;

function reporter(): { mistakes: string[]; report: (path: readonly string[]) => void } {
  const mistakes: string[] = [];
  return { mistakes, report: (path) => mistakes.push(path.join(".")) };
}

t.test("mail", async (t) => {
  const { mistakes, report } = reporter();
  t.same(settleMail({}, context, report), { transport: "none" });
  t.same(settleMail({ transport: "file", from }, context, report), {
    transport: "file",
    from,
    senderName: "{tenant} via Sallyport",
    folder: "/var/lib/sallyport/mail",
  });
  const smtp = { host: "mail.example", user: "gate", ca: "ca.pem" };
  t.match(settleMail({ transport: "smtp", from, smtp }, { ...context, smtpPassword: "s" }, report), {
    smtp: { port: 587, security: "starttls", auth: { user: "gate", pass: "s" }, ca: "/etc/sallyport/ca.pem" },
  });
  t.match(settleMail({ transport: "smtp", from, smtp: { host: "m", security: "tls" } }, context, report), {
    smtp: { port: 465 },
  });
  t.match(settleMail({ transport: "smtp", from, smtp: { host: "localhost", security: "none" } }, context, report), {
    transport: "smtp",
  });
  t.same(mistakes, []);
  settleMail({ transport: "smtp" }, context, report);
  settleMail({ transport: "smtp", from }, context, report);
  settleMail(
    { transport: "smtp", from, smtp: { host: "mail.example", security: "none", user: "gate" } },
    context,
    report,
  );
  t.same(mistakes, ["mail.from", "mail.smtp", "mail.smtp.security", "mail.smtp.user"]);
});

t.test("sms", async (t) => {
  const { mistakes, report } = reporter();
  const secrets = { twilioAuthToken: "token" };
  t.same(settleSms({}, {}, report), { provider: "none" });
  t.same(settleSmsLimits({ countries: ["+31"] }), { countries: ["+31"], dailyPerTenant: 300 });
  t.match(settleSms({ provider: "twilio", accountSid, from: "HappyFeet", timeout: "5s" }, secrets, report), {
    sender: { from: "HappyFeet" },
    twilio: { accountSid, authToken: "token", timeoutMs: 5000 },
  });
  t.same(mistakes, []);
  settleSms({ provider: "twilio" }, {}, report);
  settleSms({ provider: "twilio-verify", accountSid, baseUrl: "http://sms.example" }, secrets, report);
  t.same(mistakes, ["sms.accountSid", "sms.provider", "sms.from", "sms.baseUrl", "sms.verifyServiceSid"]);
});

t.test("the schemas refuse what is not theirs", async (t) => {
  const mail = Schema.Compile(MailConfig);
  t.ok(mail.Check({ transport: "smtp", from, smtp: { host: "m", port: 25 } }));
  for (const bad of [
    { transport: "pigeon" },
    { password: "x" },
    { from: "a@b@c" },
    { from: "a\r\n@b" },
    { smtp: { host: "m", port: "25" } },
    { senderName: "a\r\nBcc: b" },
  ]) {
    t.notOk(mail.Check(bad), JSON.stringify(bad));
  }
  const sms = Schema.Compile(SmsConfig);
  for (const bad of [
    { provider: "x" },
    { authToken: "x" },
    { from: "+44 7700" },
    { baseUrl: "http://a/b" },
    { accountSid: "AC1" },
    { countries: ["44"] },
    { countries: [] },
  ]) {
    t.notOk(sms.Check(bad), JSON.stringify(bad));
  }
});
