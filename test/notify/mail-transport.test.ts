/** Mail on the wire: never in the clear beyond this machine, failures told apart, headers that cannot be injected into. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import t, { type Test } from "tap";
import { DeliveryError } from "../../src/notify/delivery-error.ts";
import { type MailTransport, type OutgoingMail, openMailTransport } from "../../src/notify/mail-transport.ts";
import type { SmtpSettings } from "../../src/notify/settings.ts";
import { selfSigned } from "../support/certificate.ts";
import { startSmtp } from "../support/smtp.ts";

const MAIL: OutgoingMail = {
  id: "mail_0123",
  dateMs: Date.UTC(2026, 10, 21, 12),
  from: { name: 'Happy "Feet", Podiatry via Sallyport', address: "gate@sallyport.example" },
  to: { name: "Zoë", address: "zoe@clinic.example" },
  replyTo: "desk@happyfeet.example",
  subject: "Your login for Happy Feet – welcome",
  text: "Hello\n.\n.dot\n",
  html: "<p>Hello</p>",
};

async function smtp(smtpSettings: Omit<SmtpSettings, "host">): Promise<MailTransport> {
  const settings = { host: "127.0.0.1", ...smtpSettings };
  const transport = await openMailTransport({
    transport: "smtp",
    from: "a@b.example",
    senderName: "x",
    smtp: settings,
  });
  if (transport === undefined) throw new Error("no transport");
  return transport;
}

async function failure(call: Promise<void>): Promise<DeliveryError> {
  const error: unknown = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof DeliveryError)) throw new Error("it did not fail as expected", { cause: error });
  return error;
}

t.test("STARTTLS and a login", async (t) => {
  const certificate = selfSigned(t, ["IP:127.0.0.1"]);
  if (certificate === undefined) return;
  const auth = { user: "gate", pass: "s3cret" };
  const server = await startSmtp(t, { tls: certificate, auth });
  const transport = await smtp({ port: server.port, security: "starttls", auth, ca: certificate.certFile });
  await transport.send(MAIL);
  const [mail] = server.mails;
  t.match(mail, { from: "gate@sallyport.example", to: ["zoe@clinic.example"], secure: true, user: "gate" });
  const data = mail?.data ?? "";
  t.match(data, /^From: "Happy \\"Feet\\", Podiatry via Sallyport" <gate@sallyport\.example>$/m);
  t.match(data, /^To: =\?UTF-8\?\S+\?= <zoe@clinic\.example>$/m);
  t.match(data, /^Message-ID: <mail_0123@sallyport\.example>$/m);
  t.match(data, /^Date: Sat, 21 Nov 2026 12:00:00 \+0000$/m);
  t.match(data, /^Auto-Submitted: auto-generated$/m);
  t.match(data, /^Content-Type: multipart\/alternative/m);

  const stranger = await smtp({ port: server.port, security: "starttls", auth });
  t.match(await failure(stranger.send(MAIL)), { detail: "smtp ESOCKET" }, "a certificate of nobody we trust");
  const wrong = await smtp({
    port: server.port,
    security: "starttls",
    auth: { user: "gate", pass: "no" },
    ca: certificate.certFile,
  });
  t.match(await failure(wrong.send(MAIL)), { outcome: "not-sent", detail: "smtp 535" });
  t.equal(server.mails.length, 1);
});

t.test("without STARTTLS on offer nothing is said in the clear", async (t) => {
  const server = await startSmtp(t, { auth: { user: "gate", pass: "s3cret" } });
  const transport = await smtp({ port: server.port, security: "starttls", auth: { user: "gate", pass: "s3cret" } });
  t.match(await failure(transport.send(MAIL)), { outcome: "not-sent" });
  t.equal(server.mails.length, 0);
});

t.test("what the server answers", async (t) => {
  const server = await startSmtp(t);
  const transport = await smtp({ port: server.port, security: "none" });
  const cases = [
    ["RCPT", "550 5.1.1 no such mailbox", "refused", "smtp 550"],
    ["RCPT", "450 4.2.0 greylisted", "not-sent", "smtp 450"],
    ["MAIL", "550 5.7.1 sender refused", "not-sent", "smtp 550"],
    ["DATA", "503 bad sequence", "not-sent", "smtp 503"],
    ["DATA-END", "554 5.7.1 refused as spam", "refused", "smtp 554"],
    ["DATA-END", "451 4.3.0 try later", "not-sent", "smtp 451"],
    ["RCPT", "hang-up", "unknown", undefined],
    ["DATA-END", "hang-up", "unknown", undefined],
  ] as const;
  for (const [command, answer, outcome, detail] of cases) {
    server.faults.set(command, answer);
    const error = await failure(transport.send(MAIL));
    t.equal(error.outcome, outcome, `${command}: ${answer}`);
    if (detail !== undefined) t.equal(error.detail, detail);
    t.notMatch(error.message, /clinic\.example|mailbox/, "repeats nothing");
  }
  const nobody = await smtp({ port: 1, security: "none" });
  t.match(await failure(nobody.send(MAIL)), { detail: "smtp ESOCKET" });
});

t.test("nothing ends a header early", async (t) => {
  const server = await startSmtp(t);
  const transport = await smtp({ port: server.port, security: "none" });
  const attack = "x\r\nBcc: evil@evil.example\r\n\r\nbody";
  await transport.send({
    ...MAIL,
    subject: attack,
    from: { ...MAIL.from, name: attack },
    to: { ...MAIL.to, name: attack },
  });
  t.same(server.mails[0]?.to, ["zoe@clinic.example"]);
  t.notMatch(server.mails[0]?.data, /^Bcc:/m);
});

t.test("into a folder: one private file per mail, however often it is tried", async (t: Test) => {
  const folder = join(t.testdir(), "mail");
  const transport = await openMailTransport({ transport: "file", from: "a@b.example", senderName: "x", folder });
  await transport?.send(MAIL);
  await transport?.send(MAIL);
  t.same(readdirSync(folder), ["2026-11-21T12-00-00-000Z-mail_0123.eml"]);
  const file = join(folder, readdirSync(folder)[0] ?? "");
  t.equal(statSync(file).mode & 0o777, 0o600);
  t.equal(statSync(folder).mode & 0o777, 0o700);
  t.match(readFileSync(file, "utf8"), /^Reply-To: desk@happyfeet\.example\r$/m);
  t.equal(await openMailTransport({ transport: "none" }), undefined);
});
