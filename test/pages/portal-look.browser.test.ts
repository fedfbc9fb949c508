/**
 * The portal and the pages by which places come and go, as people see them: in English by light and in Dutch in the
 * dark, with nothing for axe to find, nothing that runs over a phone's edge, and no text left untranslated.
 * `SALLYPORT_PICTURES=docs/pictures` renews the pictures of the documentation.
 */
import type { BrowserContext } from "playwright-core";
import t from "tap";
import { launchBrowser } from "../support/browser.ts";
import { ask, CLINIC, type Clinics, HOME, OWNER, startClinics } from "../support/clinics.ts";
import { look, PASSES, PHONE } from "../support/page-look.ts";
import { PASSWORD, totpCode } from "../support/person-door.ts";
import { plantName } from "../support/planted-name.ts";

const SCOPE = `/v1/tenants/${CLINIC.id}`;
const IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Version/19.0 Mobile/15E148 Safari/604.1";

/** A clinic with something on every page. @returns the pages' names and paths */
async function furnish(clinics: Clinics): Promise<(readonly [name: string, path: string])[]> {
  const make = <Body>(thing: string, body: object) => clinics.admin<Body>("POST", `${SCOPE}/${thing}`, body);
  await make("allowlist", { cidr: "192.0.2.10", label: "Front desk" });
  await make("allowlist", { cidr: "198.51.100.0/24", label: "Branch in the old town", ttlSeconds: 2_592_000 });
  await plantName(clinics, ["203.0.113.40"]);
  await make("links", { label: "The laboratory", entryTtlSeconds: 604_800, allowedNetwork: "198.51.100.0/24" });
  const link = await make<{ id: string; url: string }>("links", { label: "Ben, night shift", maxUses: 3 });
  const use = { "x-forwarded-for": "198.51.100.77", "user-agent": IPHONE };
  await ask(clinics, "POST", new URL(link.url).pathname, use);
  const shortcut = await make<{ id: string }>("shortcuts", { label: "Anna's laptop" });
  const removed = "01ARZ3NDEKTSV4RRFFQ69G5FAV";
  const user = await make<{ id: string }>("users", { email: "carla@clinics.example", name: "Carla Mendes" });
  for (const last of [100, 101, 101, 102]) await ask(clinics, "GET", "/", { "x-forwarded-for": `203.0.113.${last}` });
  return [
    ["block", "../"],
    ["link", new URL(link.url).pathname.slice("/.sallyport/".length)],
    ["link-dead", "allow/x"],
    ["ask", "ask"],
    ["arrival", "place"],
    ["shortcuts", "shortcuts"],
    ["shortcut", `shortcuts/${shortcut.id}`],
    ["clinics", "clinics"],
    ["portal", "portal"],
    ["portal-removed", `portal?removed=${removed}&by=${shortcut.id}`],
    ["portal-links", "portal/links"],
    ["portal-link", `portal/links/${link.id}`],
    ["portal-shortcuts", "portal/shortcuts"],
    ["portal-people", "portal/people"],
    ["portal-person", `portal/people/${user.id}?ip=203.0.113.9`],
    ["portal-activity", "portal/activity"],
    ["portal-settings", "portal/settings"],
  ];
}

/** Signs in by what stands in the form, whatever its language. */
async function signIn(context: BrowserContext, origin: string): Promise<void> {
  const view = await context.newPage();
  await view.goto(`${origin}/.sallyport/sign-in`);
  await view.locator("#email").fill(OWNER);
  await view.locator("#password").fill(PASSWORD);
  for (let step = 0; step < 2; step += 1) await view.locator("form button").first().click();
  const secret = ((await view.locator(".secret").textContent()) ?? "").replaceAll(" ", "");
  await view.locator("#code").fill(totpCode(secret, Date.now()));
  await view.locator("form button").first().click();
  await view.locator(".codes").waitFor();
  await view.close();
}

async function askToBeLetIn(context: BrowserContext, origin: string): Promise<void> {
  const view = await context.newPage();
  await view.goto(`${origin}/.sallyport/ask?reference=k7q2m9xa`);
  await view.locator("#from").fill("Dan from the lab");
  await view.locator("#note").fill("I am at the branch today and need the diary.");
  await view.locator("form button").first().click();
  await view.locator(".notice.good").waitFor();
  await view.close();
}

for (const { language, colorScheme } of PASSES) {
  t.test(`${language}, ${colorScheme}`, { timeout: 120_000 }, async (t) => {
    const browser = await launchBrowser(t);
    if (browser === undefined) return;
    const clinics = await startClinics(t);
    const options = { locale: language, colorScheme, viewport: PHONE };
    const pages = await furnish(clinics);
    await askToBeLetIn(await clinics.from(browser, "203.0.113.101", options), clinics.origin);
    const context = await clinics.from(browser, HOME, options);
    await signIn(context, clinics.origin);
    const view = await context.newPage();
    const complaints: string[] = [];
    view.on("pageerror", (error) => complaints.push(error.message));
    view.on("console", (message) => {
      if (!message.text().includes("Failed to load resource")) complaints.push(message.text());
    });
    for (const [name, path] of pages) {
      await view.setViewportSize(PHONE);
      await view.goto(`${clinics.origin}/.sallyport/${path}`);
      t.equal(await view.locator("html").getAttribute("lang"), language, name);
      await look(t, view, name, colorScheme);
    }
    t.same(complaints, [], "the policy blocks nothing of ours");
  });
}
