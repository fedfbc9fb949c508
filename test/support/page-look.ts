/** What every page must look like, and its picture for the documentation. */
import { AxeBuilder } from "@axe-core/playwright";
import type { Page } from "playwright-core";
import type { Test } from "tap";

export const PHONE = { width: 390, height: 844 };
const DESKTOP = { width: 1280, height: 900 };
/** Where pictures go, if they are to be made. */
export const PICTURES = process.env["SALLYPORT_PICTURES"];

/** A language and a theme for each pass; pictures are all in English. */
export const PASSES = [
  { language: "en-GB", colorScheme: "light" },
  { language: PICTURES === undefined ? "nl" : "en-GB", colorScheme: "dark" },
] as const;

/** The page is fit to be seen, or its picture is taken. */
export async function look(t: Test, view: Page, name: string, scheme: string): Promise<void> {
  if (PICTURES === undefined) await check(t, view, name, scheme);
  else await picture(view, name, scheme);
}

/** Only contrast depends on the theme: the dark pages are asked about nothing else. */
async function check(t: Test, view: Page, name: string, scheme: string): Promise<void> {
  const axe = new AxeBuilder({ page: view }).setLegacyMode();
  const { violations } = await (scheme === "light" ? axe : axe.withRules(["color-contrast"])).analyze();
  const found = violations.map(({ id, nodes }) => [id, nodes.map((node) => node.html)]);
  t.same(found, [], `${name}: axe finds nothing`);
  t.ok(await view.evaluate<boolean>("document.documentElement.scrollWidth <= innerWidth"), `${name}: fits a phone`);
  t.notMatch(
    await view.locator("body").textContent(),
    /\{\w+\}|undefined|\[object/,
    `${name}: every text is filled in`,
  );
}

async function picture(view: Page, name: string, scheme: string): Promise<void> {
  for (const [device, size] of [["desktop", DESKTOP] as const, ["phone", PHONE] as const]) {
    await view.setViewportSize(size);
    await view.screenshot({
      path: `${PICTURES}/${name}-${device}-${scheme}.png`,
      fullPage: true,
      animations: "disabled",
    });
  }
}
