/** An owner's day in a real browser: blocked, signs in, adds the place, sends a link, looks after the list. */
import t from "tap";
import { launchBrowser } from "../support/browser.ts";
import { ask, HOME, signInHere, startClinics } from "../support/clinics.ts";
import { mailedLink } from "../support/mailed-link.ts";

const ELSEWHERE = "198.51.100.20";

t.test("from blocked to the list, and a colleague in by a mailed link", { timeout: 90_000 }, async (t) => {
  const browser = await launchBrowser(t);
  if (browser === undefined) return;
  const clinics = await startClinics(t);
  const context = await clinics.from(browser, HOME);
  const view = await context.newPage();
  const portal = `${clinics.origin}/.sallyport/portal`;

  t.equal((await view.goto(clinics.origin))?.status(), 403);
  await view.getByRole("link", { name: "Sign in to add this place" }).click();
  await signInHere(view);
  t.match(
    await view.locator("main").textContent(),
    /You are at 203\.0\.113\.7, which is not on Happy Feet Podiatry's list/,
  );
  t.strictSame(await clinics.list(), [], "nothing happens until the click");
  await view.getByLabel("What do you call this place?").fill("Front desk");
  await view.getByRole("button", { name: "Yes, add it" }).click();
  t.equal(await view.title(), "Patients", "in at once");
  t.match(await clinics.list(), [{ cidr: `${HOME}/32`, kind: "self", label: "Front desk" }]);

  await view.goto(`${portal}/links`);
  await view.getByLabel("For whom?").fill("Ben, night shift");
  await view.getByLabel("E-mail", { exact: true }).fill("ben@clinics.example");
  await view.getByRole("button", { name: "Make the link" }).click();
  t.ok(await view.getByText("The link is on its way by e-mail.").isVisible());
  const link = await mailedLink(clinics.mails, "ben@clinics.example", "allow");
  const ben = await (await clinics.from(browser, ELSEWHERE)).newPage();
  await ben.goto(link);
  await ben.getByRole("button", { name: "Add this place" }).click();
  await ben.getByRole("link", { name: /Go on/ }).click();
  t.match(ben.url(), /sign-in/, "his place is on the list; the person's door comes next");

  await view.reload();
  t.match(await view.getByRole("table").textContent(), /198\.51\.100\.20/, "the owner sees the use");
  await view.getByRole("button", { name: "Not us" }).click();
  t.ok(await view.getByText("Taken back").isVisible());
  t.equal((await ask(clinics, "GET", "/", { "x-forwarded-for": ELSEWHERE })).status, 403, "out at once");

  await view.goto(portal);
  await view.getByRole("button", { name: "Remove Front desk" }).click();
  t.ok(await view.getByText("You are at 203.0.113.7 now").isVisible(), "a warning before one shuts oneself out");
  t.equal((await clinics.list()).length, 1);
  await view.getByRole("link", { name: "Leave it as it is" }).click();

  await view.getByLabel("Address").fill("192.0.2.1/24");
  await view.getByRole("button", { name: "Add the place" }).click();
  t.match(await view.getByRole("alert").textContent(), /Write 192\.0\.2\.0\/24 for the whole network/);
  await view.getByLabel("Address").fill("192.0.2.0/24");
  await view.getByRole("button", { name: "Add the place" }).click();
  const actions = view.locator(".row-actions").first();
  await view.getByText("The place was added").waitFor();
  await actions.locator("summary").click();
  const [change, remove] = [actions.locator("summary"), actions.getByRole("button", { name: /^Remove/ })];
  const [one, other] = [await change.boundingBox(), await remove.boundingBox()];
  t.ok(Math.abs((one?.y ?? 0) - (other?.y ?? 99)) < 8, "what is opened leaves the actions beside it in their row");
  await actions.locator("summary").click();
  await view.getByRole("button", { name: "Remove", exact: false }).nth(1).click();
  t.equal((await clinics.list()).length, 1);
  await view.getByRole("button", { name: "Undo" }).click();
  t.match(await clinics.list(), [{ label: "Front desk" }, { cidr: "192.0.2.0/24", kind: "static" }]);

  await view.getByRole("navigation").getByRole("button", { name: "Sign out" }).click();
  t.ok(await view.getByText("You are signed out").first().isVisible(), "one click from the portal");
  await view.goto(portal);
  t.match(view.url(), /sign-in/, "and the session is over");
});
