/** The whole way in a real browser: invited, password, authenticator by QR code, recovery codes, the application, out, and in again. */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import type { Page } from "playwright-core";
import t from "tap";
import { launchBrowser } from "../support/browser.ts";
import { invite, startPersonSite } from "../support/person-site.ts";
import { program } from "../support/programs.ts";

const EMAIL = "ann@happyfeet.example";
const PASSWORD = "correct pony battery staple";

t.test("invited, enrolled, in, out, and in again", { timeout: 60_000 }, async (t) => {
  const [browser, oathtool, zbarimg] = [await launchBrowser(t), program(t, "oathtool"), program(t, "zbarimg")];
  if (browser === undefined || oathtool === undefined || zbarimg === undefined) return;
  const site = await startPersonSite(t);
  const view = await (await browser.newContext()).newPage();
  const code = (secret: string) => execFileSync(oathtool, ["--totp", "--base32", secret], { encoding: "utf8" }).trim();

  await view.goto(await invite(site, EMAIL));
  await view.getByLabel("New password").fill("happy feet podiatry");
  await view.getByRole("button", { name: "Set password" }).click();
  t.ok(await view.locator(".error").isVisible(), "a password made of the clinic's name is refused");
  await view.getByLabel("New password").fill(PASSWORD);
  await view.getByRole("button", { name: "Set password" }).click();
  await view.getByRole("button", { name: "Set up an app" }).click();

  const picture = join(t.testdir(), "qr.png");
  await view.locator(".qr").screenshot({ path: picture });
  const address = execFileSync(zbarimg, ["--quiet", "--raw", picture], { encoding: "utf8" }).trim();
  const enrolled = new URL(address);
  const secret = enrolled.searchParams.get("secret") ?? "";
  t.equal(enrolled.searchParams.get("issuer"), "Happy Feet Podiatry", "the entry has the clinic's name");
  t.equal(decodeURIComponent(enrolled.pathname), `/Happy Feet Podiatry:${EMAIL}`);
  t.equal((await view.locator(".secret").textContent())?.replaceAll(" ", ""), secret, "the text is the same key");
  const enrolmentPage = view.url();

  await view.getByLabel("Code").fill("12345");
  await view.getByRole("button", { name: "Confirm" }).click();
  t.match(await view.locator(".error").textContent(), /six digits/);
  await view.getByLabel("Code").fill(code(secret));
  await view.getByRole("button", { name: "Confirm" }).click();
  const codes = await view.locator(".codes li").allTextContents();
  t.equal(codes.length, 10);
  t.equal(new Set(codes).size, 10);
  await view.getByRole("link", { name: /I have kept them/ }).click();
  t.match(await whoCame(view), { email: EMAIL, tenant: "happy-feet", amr: ["pwd", "otp", "mfa"] });

  t.equal((await view.goto(enrolmentPage))?.status(), 410, "the secret is never shown again");
  t.notMatch(await view.content(), secret);

  await view.goto(`${site.origin}/.sallyport/sign-out`);
  t.match(await whoCame(await view.context().newPage(), site.origin), { email: EMAIL }, "a GET signs nobody out");
  await view.goto(`${site.origin}/.sallyport/account`);
  await view.getByRole("button", { name: "Sign out", exact: true }).click();
  t.ok(await view.getByText("You are signed out").first().isVisible());

  await view.goto(`${site.origin}/patients?id=7`);
  t.match(view.url(), /^[^?]+\/\.sallyport\/sign-in\?to=[\w.%-]+$/, "the way back is behind an opaque id");
  t.notMatch(view.url(), /patients/);
  await view.getByLabel("E-mail").fill(EMAIL);
  await view.getByLabel("Password").fill("not the password at all");
  await view.getByRole("button", { name: "Continue" }).click();
  t.match(await view.getByRole("alert").textContent(), /do not match/);
  await view.getByLabel("Password").fill(PASSWORD);
  await view.getByRole("button", { name: "Continue" }).click();
  // Chromium focuses the field only as it draws the page.
  await view.locator("input:focus").waitFor();
  t.equal(await view.evaluate("document.activeElement.name"), "code", "the code can be typed at once");
  await view.getByRole("link", { name: "Recovery code" }).click();
  await view.getByLabel("Recovery code").fill(codes[0] ?? "");
  await view.getByRole("button", { name: "Sign in" }).click();
  t.match(await whoCame(view), { path: "/patients?id=7", email: EMAIL, amr: ["pwd", "recovery", "mfa"] });
  t.notMatch(await whoCame(view), { cookie: /sallyport/ });
});

/** What the application says of who came. */
async function whoCame(view: Page, address?: string): Promise<Record<string, unknown>> {
  if (address !== undefined) await view.goto(address);
  return JSON.parse((await view.locator("pre").textContent()) ?? "") as Record<string, unknown>;
}
