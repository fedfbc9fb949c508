/**
 * Every page of the person door as people see it: in English by light and in Dutch in the dark, with nothing for
 * axe to find, nothing that runs over a phone's edge, and no text left untranslated.
 * `SALLYPORT_PICTURES=docs/pictures` renews the pictures of the documentation.
 */
import type { Page } from "playwright-core";
import t from "tap";
import { launchBrowser } from "../support/browser.ts";
import { look, PASSES, PHONE } from "../support/page-look.ts";
import { API, PASSWORD, totpCode } from "../support/person-door.ts";
import { type PersonSite, startPersonSite } from "../support/person-site.ts";

const PAGES = "/.sallyport";
const POLICY = { session: { idleSeconds: 3600, maxSeconds: 43_200, rememberDeviceSeconds: 30 * 86_400 } };

/** Goes through every page as one new person. @param look called on each, with its name */
async function walk(view: Page, site: PersonSite, email: string, look: (name: string) => Promise<void>): Promise<void> {
  const { door, tenant, origin } = site;
  const user = await door.users.create(tenant, { email, role: "owner" }, API);
  const { link } = await door.invitations.invite(tenant, user.id, API);
  const go = async (path: string) => await view.goto(`${origin}${PAGES}/${path}`);
  const send = async (within = "form") => await view.locator(`${within} button`).first().click();
  const fill = async (selector: string, value: string) => await view.locator(selector).fill(value);

  await view.goto(link);
  await fill("#password", "happy feet podiatry");
  await send();
  await look("invitation");
  await fill("#password", PASSWORD);
  await send();
  await look("enrol");
  await send();
  await look("enrol-app");
  const secret = ((await view.locator(".secret").textContent()) ?? "").replaceAll(" ", "");
  await fill("#code", totpCode(secret, Date.now()));
  await send();
  await look("recovery-codes");
  const codes = await view.locator(".codes li").allTextContents();
  await go("account");
  await look("account");
  await go("enrol");
  await look("enrol-more");
  await fill("#number", "+447700900123");
  await send('form[action$="sms/begin"]');
  await look("enrol-text-message");
  await go("sign-out");
  await look("sign-out");
  await send();
  await look("signed-out");

  await go("sign-in");
  await look("sign-in");
  await fill("#email", email);
  await fill("#password", "not the password");
  await send();
  await look("sign-in-refused");
  await fill("#password", PASSWORD);
  await send();
  await look("verify");
  await fill("#code", "000000");
  await send();
  await look("verify-refused");
  await view.locator(".ways a").last().click();
  await fill("#code", codes[0] ?? "");
  await look("verify-recovery");
  await send();
  await go("forgot-password");
  await look("forgot-password");
  await go(`reset/${"x".repeat(43)}`);
  await look("dead-link");
  await go("verify");
  await look("begin-again");
  await go("sign-in?fresh=1");
  await look("prove-first");
}

for (const { language, colorScheme } of PASSES) {
  t.test(`${language}, ${colorScheme}`, { timeout: 90_000 }, async (t) => {
    const browser = await launchBrowser(t);
    if (browser === undefined) return;
    const site = await startPersonSite(t, { policy: POLICY });
    const context = await browser.newContext({ locale: language, colorScheme, viewport: PHONE });
    const view = await context.newPage();
    const complaints: string[] = [];
    view.on("pageerror", (error) => complaints.push(error.message));
    view.on("console", (message) => {
      if (!message.text().includes("Failed to load resource")) complaints.push(message.text());
    });
    await walk(view, site, "ann@happyfeet.example", async (name) => {
      t.equal(await view.locator("html").getAttribute("lang"), language, name);
      await look(t, view, name, colorScheme);
    });
    t.same(complaints, [], "the policy blocks nothing of ours");
  });
}
