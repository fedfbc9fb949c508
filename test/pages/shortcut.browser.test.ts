/** A shortcut's life in a real browser: made, handed over, run from place to place, removed. */
import t from "tap";
import { launchBrowser } from "../support/browser.ts";
import { ask, HOME, signInHere, stand, startClinics } from "../support/clinics.ts";

const ELSEWHERE = "198.51.100.20";

t.test(
  "a shortcut run from three places leaves one entry, and goes with its removal",
  { timeout: 90_000 },
  async (t) => {
    const browser = await launchBrowser(t);
    if (browser === undefined) return;
    const clinics = await startClinics(t, { policy: { shortcut: "auto" } });
    const context = await clinics.from(browser, HOME);
    const view = await context.newPage();
    await view.goto(`${clinics.origin}/.sallyport/portal/shortcuts`);
    await signInHere(view);
    await view.goto(`${clinics.origin}/.sallyport/shortcuts`);
    await view.getByLabel("For which device?").fill("Olivia's laptop");
    await view.getByRole("button", { name: "Make the shortcut" }).click();
    const url = (await view.getByRole("link", { name: /Whitelist me/ }).getAttribute("href")) ?? "";
    const [download] = await Promise.all([
      view.waitForEvent("download"),
      view.getByRole("link", { name: "Windows" }).click(),
    ]);
    t.equal(download.suggestedFilename(), "Whitelist me - Happy Feet Podiatry.url");

    const places = [HOME, ELSEWHERE, "2001:db8:7:8::9"];
    for (const place of places) {
      await stand(context, place);
      const run = await context.newPage();
      await run.goto(url);
      await run.getByText("You are in").waitFor();
      await run.close();
    }
    t.match(await clinics.list(), [{ cidr: "2001:db8:7:8::/64", kind: "shortcut", label: "Olivia's laptop" }]);
    t.equal((await clinics.list()).length, 1);
    const [line] = await view.locator("code.line").allTextContents();
    t.ok(line?.includes(url));
    t.equal(
      (await ask(clinics, "POST", new URL(url).pathname, { "x-forwarded-for": HOME })).status,
      200,
      "as curl runs it",
    );
    t.match(await clinics.list(), [{ cidr: `${HOME}/32` }]);
    await view.goto(`${clinics.origin}/.sallyport/shortcuts`);
    await view.getByRole("button", { name: /Remove/ }).click();
    t.strictSame(await clinics.list(), []);
    t.equal((await ask(clinics, "POST", new URL(url).pathname)).status, 410);
  },
);
