/** The second half of the demo, in a real browser: the owner, another town, a whitelist link, and a receptionist of two clinics. */
import type { Browser, Page } from "playwright-core";
import t from "tap";
import { launchBrowser } from "../support/browser.ts";
import { sallyport } from "../support/command-line.ts";
import { Demo, ROOT } from "../support/demo.ts";

/** As `npm run -s demo code KEY` prints it. */
async function codeOf(key: string): Promise<string> {
  return (await sallyport(["demo", "code", key], ROOT)).stdout.slice(0, 6);
}

async function newView(browser: Browser): Promise<Page> {
  return await (await browser.newContext()).newPage();
}

async function readText(view: Page): Promise<string> {
  return (await view.locator("body").textContent()) ?? "";
}

t.test("both doors, as the demo tells", { timeout: 100_000 }, async (t) => {
  const browser = await launchBrowser(t);
  if (browser === undefined) return;
  const demo = new Demo(t);
  const invitations = await demo.says(/http\S+\/invite\/\S+/, 2);
  const [, email = "", password = ""] = /^ +(\S+@\S+), ([^,]+), and a code/m.exec(demo.said) ?? [];
  const [, key = ""] = /demo code (\w+)$/m.exec(demo.said) ?? [];
  const here = `http://happyfeet.localhost:${demo.port}/`;
  const elsewhere = `http://happyfeet.localhost:${demo.elsewherePort}/`;

  const owner = await newView(browser);
  t.equal((await owner.goto(here))?.status(), 403);
  await owner.getByRole("link", { name: "Sign in" }).first().click();
  await owner.getByLabel("E-mail").fill(email);
  await owner.getByLabel("Password").fill(password);
  await owner.getByRole("button", { name: "Continue" }).click();
  await owner.getByLabel("Code").fill(await codeOf(key));
  await owner.getByRole("button", { name: "Sign in" }).click();
  t.match(await readText(owner), /You are at 127\.0\.0\.1, which is not on Happy Feet Podiatry's list/);
  await owner.getByRole("button", { name: /add/i }).click();
  t.match(await readText(owner), /Today's appointments/);
  t.match(await readText(owner), email, "the application knows who is signed in");
  t.equal((await owner.goto(elsewhere))?.status(), 403, "elsewhere the same session does not suffice");
  t.match(await readText(owner), /198\.51\.100\.20/);

  await owner.goto(`${here}.sallyport/portal/links`);
  await owner.getByLabel("For whom?").fill("Kim, at home");
  await owner.getByLabel("E-mail").fill("kim@elsewhere.example");
  await owner.getByRole("button", { name: "Make the link" }).click();
  const [link = ""] = await demo.says(/http\S+\/allow\/\S+/);
  const kim = await newView(browser);
  await kim.goto(link.replace(`:${demo.port}/`, `:${demo.elsewherePort}/`));
  await kim.getByRole("button", { name: "Add this place" }).click();
  t.match(await readText(kim), /You are in/);
  t.equal((await owner.goto(elsewhere))?.status(), 200, "the other town is let in");

  const keys = new Set<string>();
  for (const invitation of invitations) {
    const robin = await newView(browser);
    await robin.goto(invitation);
    await robin.getByLabel("New password").fill("nine orange kites over a harbour");
    await robin.getByRole("button", { name: "Set password" }).click();
    await robin.getByRole("button", { name: "Set up an app" }).click();
    const shown = (await robin.locator(".secret").textContent()) ?? "";
    keys.add(shown);
    await robin.getByLabel("Code").fill(await codeOf(shown));
    await robin.getByRole("button", { name: "Confirm" }).click();
    await robin.getByRole("link", { name: /I have kept them/ }).click();
    t.match(await readText(robin), /(Happy Feet Podiatry|Bright Smiles Dental)[\s\S]*robin@reception\.example/);
  }
  t.equal(keys.size, 2, "each clinic enrols her by itself");
});
