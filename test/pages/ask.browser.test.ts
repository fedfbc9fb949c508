/** Asking to be let in, in a real browser: the block page's way out, and the owner's open page, which shows it by itself. */
import t from "tap";
import { launchBrowser } from "../support/browser.ts";
import { HOME, signInHere, startClinics } from "../support/clinics.ts";

const ELSEWHERE = "198.51.100.20";

t.test("somebody blocked asks to be let in, and the owner's open page shows it", { timeout: 90_000 }, async (t) => {
  const browser = await launchBrowser(t);
  if (browser === undefined) return;
  const clinics = await startClinics(t);
  const owner = await (await clinics.from(browser, HOME)).newPage();
  await owner.goto(`${clinics.origin}/.sallyport/portal`);
  await signInHere(owner);
  await owner.goto(`${clinics.origin}/.sallyport/portal`);
  const visitor = await (await clinics.from(browser, ELSEWHERE, { javaScriptEnabled: false })).newPage();
  await visitor.goto(clinics.origin);
  const reference = await visitor.locator(".fact dd").nth(1).textContent();
  await visitor.getByRole("link", { name: "Ask to be let in" }).click();
  await visitor.getByLabel("Your name").fill("Carla <b>");
  await visitor.getByLabel("A note").fill("At the branch in town");
  await visitor.getByRole("button", { name: "Send the request" }).click();
  t.ok(await visitor.getByText("Your request was sent").isVisible());
  await owner.getByText("Somebody asks to be let in").waitFor();
  const card = await owner.locator(".cards").textContent();
  for (const part of ["Carla <b>", "At the branch in town", ELSEWHERE, reference ?? "?"])
    t.ok(card?.includes(part), part);
  await owner.getByRole("button", { name: "Let this place in" }).click();
  t.match(await clinics.list(), [{ cidr: `${ELSEWHERE}/32`, label: "Carla <b>" }]);
});
