/** The other ways to prove oneself, in a real browser: passkeys by Chromium's virtual authenticator, text messages by a local Twilio. */
import { execFileSync } from "node:child_process";
import type { Browser, Page } from "playwright-core";
import t, { type Test } from "tap";
import { launchBrowser } from "../support/browser.ts";
import { invite, type PersonSite, startPersonSite } from "../support/person-site.ts";
import { program } from "../support/programs.ts";

const EMAIL = "ann@happyfeet.example";
const PASSWORD = "correct pony battery staple";

/** A browser with a platform authenticator that says yes at once. */
async function visitor(browser: Browser): Promise<Page> {
  const view = await (await browser.newContext()).newPage();
  const devtools = await view.context().newCDPSession(view);
  await devtools.send("WebAuthn.enable");
  await devtools.send("WebAuthn.addVirtualAuthenticator", {
    options: {
      protocol: "ctap2",
      transport: "internal",
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
  return view;
}

async function acceptInvitation(view: Page, site: PersonSite): Promise<void> {
  await view.goto(await invite(site, EMAIL));
  await view.getByLabel("New password").fill(PASSWORD);
  await view.getByRole("button", { name: "Set password" }).click();
}

async function begin(view: Page, site: PersonSite, path = "/"): Promise<void> {
  await view.context().clearCookies();
  await view.goto(site.origin + path);
}

async function typePassword(view: Page): Promise<void> {
  await view.getByLabel("E-mail").fill(EMAIL);
  await view.getByLabel("Password").fill(PASSWORD);
  await view.getByRole("button", { name: "Continue" }).click();
}

async function who(view: Page): Promise<{ path: string; amr: string[] }> {
  return JSON.parse((await view.locator("pre").textContent()) ?? "");
}

t.test("passkey: enrolled, as the second step, and alone", { timeout: 60_000 }, async (t) => {
  const browser = await launchBrowser(t);
  if (browser === undefined) return;
  const site = await startPersonSite(t);
  const view = await visitor(browser);
  const complaints: string[] = [];
  view.on("pageerror", (error) => complaints.push(error.message));
  await acceptInvitation(view, site);
  await view.getByRole("button", { name: "Set up a passkey" }).click();
  await view.getByRole("link", { name: /I have kept them/ }).click();
  t.match((await who(view)).amr, ["pwd", "hwk", "mfa"]);

  await begin(view, site, "/second");
  await typePassword(view);
  await view.getByRole("button", { name: "Use my passkey" }).click();
  t.match(await who(view), { path: "/second", amr: ["pwd", /^[hs]wk$/] });

  await begin(view, site, "/alone");
  await view.getByRole("button", { name: "Use a passkey" }).click();
  t.match(await who(view), { path: "/alone", amr: [/^[hs]wk$/, "user"] });
  t.same(complaints, []);
});

t.test("text message: beside an app, resent, and without scripts", { timeout: 60_000 }, async (t) => {
  const [browser, oathtool] = [await launchBrowser(t), program(t, "oathtool")];
  if (browser === undefined || oathtool === undefined) return;
  const site = await startPersonSite(t);
  // Everything here works without scripts.
  const view = await (await browser.newContext({ javaScriptEnabled: false })).newPage();
  await acceptInvitation(view, site);
  t.equal(await view.getByLabel("Mobile number").count(), 0, "a text message is only a second way");
  await enrolApp(view, oathtool);
  await view.goto(`${site.origin}/.sallyport/enrol`);
  await view.getByLabel("Mobile number").fill("07700 900123");
  await view.getByRole("button", { name: "Send me a code" }).click();
  t.match(await view.locator(".error").textContent(), /country code/);
  await view.getByLabel("Mobile number").fill("+44 7700 900123");
  await view.getByRole("button", { name: "Send me a code" }).click();
  await view.getByLabel("Code").fill(await texted(t, site, 1));
  await view.getByRole("button", { name: "Confirm" }).click();
  await view.getByText("Your sign-in steps").waitFor();

  await begin(view, site, "/chart");
  await typePassword(view);
  t.equal(
    await view.getByLabel("Code", { exact: true }).count(),
    1,
    "the app, which was used last, is asked for first",
  );
  await view.locator(".ways a", { hasText: "123" }).click();
  t.equal(site.texts.requests.length, 1, "a page that is only looked at sends nothing");
  await view.getByRole("button", { name: "Send me a code" }).click();
  await view.getByText("A code is on its way to •••• 123").waitFor();
  const first = await texted(t, site, 2);
  await view.getByLabel("Code", { exact: true }).fill("000 000");
  await view.getByRole("button", { name: "Sign in" }).click();
  t.match(await view.locator(".error").textContent(), /not accepted/);
  await view.getByRole("button", { name: "Send another code" }).click();
  const second = await texted(t, site, 3);
  t.not(first, second);
  await view.getByLabel("Code", { exact: true }).fill(`${second.slice(0, 3)} ${second.slice(3)}`);
  await view.getByRole("button", { name: "Sign in" }).click();
  t.match(await who(view), { path: "/chart", amr: ["pwd", "sms", "mfa"] });
});

t.test(
  "text message alone: the first sign-in of a clinic that accepts nothing else",
  { timeout: 60_000 },
  async (t) => {
    const browser = await launchBrowser(t);
    if (browser === undefined) return;
    const site = await startPersonSite(t, { policy: { factors: ["sms"] } });
    const view = await (await browser.newContext()).newPage();
    const complaints: string[] = [];
    view.on("pageerror", (error) => complaints.push(error.message));
    await acceptInvitation(view, site);
    t.equal(await view.getByRole("button", { name: /^Set up/ }).count(), 0, "nothing else is offered");
    t.equal(site.texts.requests.length, 0, "and nothing sent unasked");
    await view.getByLabel("Mobile number").fill("+44 7700 900123");
    await view.getByRole("button", { name: "Send me a code" }).click();
    await view.getByText("A code is on its way").waitFor();
    t.equal(site.texts.requests[0]?.form.get("To"), "+447700900123");
    const code = await texted(t, site, 1);
    await view.getByLabel("Code").fill(code === "000000" ? "000001" : "000000");
    await view.getByRole("button", { name: "Confirm" }).click();
    t.match(await view.locator(".error").textContent(), /not accepted/);
    await view.getByLabel("Code").fill(code);
    await view.getByRole("button", { name: "Confirm" }).click();
    t.equal(await view.locator("li code").count(), 10, "recovery codes, shown once");
    await view.getByRole("link", { name: /I have kept them/ }).click();
    t.match((await who(view)).amr, ["pwd", "sms", "mfa"]);

    await begin(view, site, "/chart");
    await typePassword(view);
    await view.getByRole("button", { name: "Send me a code" }).click();
    await view.getByText("A code is on its way to •••• 123").waitFor();
    await view.getByLabel("Code", { exact: true }).fill(await texted(t, site, 2));
    await view.getByRole("button", { name: "Sign in" }).click();
    t.match(await who(view), { path: "/chart", amr: ["pwd", "sms", "mfa"] });
    t.same(complaints, []);
  },
);

async function enrolApp(view: Page, oathtool: string): Promise<void> {
  await view.getByRole("button", { name: "Set up an app" }).click();
  const secret = ((await view.locator(".secret").textContent()) ?? "").replaceAll(" ", "");
  const code = execFileSync(oathtool, ["--totp", "--base32", secret], { encoding: "utf8" }).trim();
  await view.getByLabel("Code").fill(code);
  await view.getByRole("button", { name: "Confirm" }).click();
  await view.getByRole("link", { name: /I have kept them/ }).waitFor();
}

/** The code of the message with this number. */
async function texted(t: Test, site: PersonSite, count: number): Promise<string> {
  t.equal(site.texts.requests.length, count);
  const body = site.texts.requests.at(-1)?.form.get("Body") ?? "";
  t.match(body, /Happy Feet Podiatry/);
  return /\b\d{6}\b/.exec(body)?.[0] ?? "";
}
