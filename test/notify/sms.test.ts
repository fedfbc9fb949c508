/** Text messages: sent once and never again by themselves, failures told apart, nothing secret in an error. */
import { inspect } from "node:util";
import t, { type Test } from "tap";
import { DeliveryError, type DeliveryOutcome } from "../../src/notify/delivery-error.ts";
import { openSmsProvider } from "../../src/notify/open-sms.ts";
import type { SmsSettings, TwilioSettings } from "../../src/notify/settings.ts";
import type { TextProvider, VerifyProvider } from "../../src/notify/sms.ts";
import { ACCOUNT_SID, AUTH_TOKEN, SERVICE_SID, startTwilio, type TwilioFault } from "../support/twilio.ts";

const NUMBER = "+447700900123";
const BODY = "424242 is your code";
const serve = { development: false };

const twilio = (baseUrl: string): TwilioSettings => ({
  accountSid: ACCOUNT_SID,
  authToken: AUTH_TOKEN,
  baseUrl,
  timeoutMs: 300,
});

async function texts(baseUrl: string): Promise<TextProvider> {
  const settings: SmsSettings = { provider: "twilio", twilio: twilio(baseUrl), sender: { from: "+15005550006" } };
  return (await openSmsProvider(settings, serve)) as TextProvider;
}

async function verify(baseUrl: string): Promise<VerifyProvider> {
  const settings: SmsSettings = { provider: "twilio-verify", twilio: twilio(baseUrl), verifyServiceSid: SERVICE_SID };
  return (await openSmsProvider(settings, serve)) as VerifyProvider;
}

async function outcomeOf(t: Test, call: Promise<unknown>): Promise<DeliveryError> {
  const error: unknown = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof DeliveryError)) throw new Error("it did not fail as expected", { cause: error });
  t.notMatch(
    inspect(error, { depth: 9 }),
    new RegExp(`${AUTH_TOKEN}|7700900123|424242|Authorization`),
    "repeats nothing",
  );
  return error;
}

t.test("Twilio Messages", async (t) => {
  const server = await startTwilio(t);
  const provider = await texts(server.baseUrl);
  await provider.send(NUMBER, BODY);
  t.equal(server.requests.length, 1);
  const form = server.requests[0]?.form;
  t.same(
    [form?.get("To"), form?.get("Body"), form?.get("From"), form?.get("ValidityPeriod")],
    [NUMBER, BODY, "+15005550006", "300"],
  );
});

t.test("nothing is printed, whatever the environment asks of Twilio's client", async (t) => {
  const server = await startTwilio(t);
  const printed = t.capture(console, "log");
  process.env["TWILIO_LOG_LEVEL"] = "debug";
  t.teardown(() => delete process.env["TWILIO_LOG_LEVEL"]);
  await (await texts(server.baseUrl)).send(NUMBER, BODY);
  t.same(printed(), []);
});

t.test("every failure is told apart, and no request is ever repeated", async (t) => {
  const server = await startTwilio(t);
  const provider = await texts(server.baseUrl);
  const cases: [TwilioFault, DeliveryOutcome][] = [
    [{ status: 400, code: 21211 }, "refused"],
    [{ status: 400, code: 21610 }, "refused"],
    [{ status: 400, code: 21614 }, "refused"],
    [{ status: 400, code: 21408 }, "refused"],
    [{ status: 400, code: 60200 }, "refused"],
    [{ status: 403, code: 60410 }, "refused"],
    [{ status: 429, code: 20429 }, "limited"],
    [{ status: 429 }, "limited"],
    [{ status: 429, code: 60203 }, "limited"],
    [{ status: 401, code: 20003 }, "not-sent"],
    [{ status: 400, code: 21603 }, "not-sent"],
    [{ status: 500, code: 20500 }, "unknown"],
    [{ status: 503, code: 20503 }, "unknown"],
    ["not-json", "unknown"],
    ["hang", "unknown"],
    ["slow-body", "unknown"],
    ["reset", "unknown"],
  ];
  for (const [index, [fault, outcome]] of cases.entries()) {
    server.faults.push(fault);
    const error = await outcomeOf(t, provider.send(NUMBER, BODY));
    t.equal(error.outcome, outcome, JSON.stringify(fault));
    t.equal(server.requests.length, index + 1, "one request");
  }
  await provider.send(NUMBER, BODY);
  t.equal(server.requests.length, cases.length + 1, "and it works again afterwards");
});

t.test("nobody listens: nothing was sent", async (t) => {
  const server = await startTwilio(t);
  const provider = await texts(server.baseUrl.replace(/\d+$/, "1"));
  t.equal((await outcomeOf(t, provider.send(NUMBER, BODY))).outcome, "not-sent");
});

t.test("a number that is not E.164 never leaves", async (t) => {
  const server = await startTwilio(t);
  const [sender, verifier] = [await texts(server.baseUrl), await verify(server.baseUrl)];
  for (const to of ["07700900123", "+0447700900123", "+44 7700 900123", "+447700900123\n", "", "+٤٤٧٧٠٠٩٠٠١٢٣"]) {
    t.equal((await outcomeOf(t, sender.send(to, BODY))).outcome, "refused", JSON.stringify(to));
    t.equal((await outcomeOf(t, verifier.start(to, "nl"))).outcome, "refused");
  }
  t.equal(server.requests.length, 0);
});

t.test("Twilio Verify", async (t) => {
  const server = await startTwilio(t);
  const provider = await verify(server.baseUrl);
  const id = await provider.start(NUMBER, "nl");
  t.equal(server.requests[0]?.form.get("Locale"), "nl");
  t.equal(await provider.check(id, "000000"), "wrong");
  t.equal(await provider.check(id, server.code), "approved");
  t.equal(await provider.check("VEgone", server.code), "gone");
  server.faults.push({ status: 429, code: 60202 });
  t.equal((await outcomeOf(t, provider.check(id, "000000"))).outcome, "limited");
  server.faults.push("hang");
  t.equal((await outcomeOf(t, provider.start(NUMBER, "nl"))).outcome, "unknown");
});

t.test("the console provider works in development only", async (t) => {
  await t.rejects(openSmsProvider({ provider: "console" }, serve), { code: "config_invalid" });
  const lines: string[] = [];
  const provider = await openSmsProvider(
    { provider: "console" },
    { development: true, print: (line) => lines.push(line) },
  );
  await (provider as TextProvider).send(NUMBER, BODY);
  t.same(lines, [`SMS to ${NUMBER}: ${BODY}`]);
  t.equal(await openSmsProvider({ provider: "none" }, serve), undefined);
});
