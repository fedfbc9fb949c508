/** An owner's day in a real browser: blocked, signs in, adds the place, sends a link, looks after the list. */
import t from "tap";
import { launchBrowser } from "../support/browser.ts";
import { ask, CLINIC, HOME, signInHere, stand, startClinics } from "../support/clinics.ts";
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
  await view.getByRole("link", { name: "Keep it" }).click();

  await view.getByLabel("Address").fill("192.0.2.1/24");
  await view.getByRole("button", { name: "Add the place" }).click();
  t.match(await view.getByRole("alert").textContent(), /not an address/);
  await view.getByLabel("Address").fill("192.0.2.0/24");
  await view.getByRole("button", { name: "Add the place" }).click();
  await view.getByRole("button", { name: "Remove", exact: false }).nth(1).click();
  t.equal((await clinics.list()).length, 1);
  await view.getByRole("button", { name: "Undo" }).click();
  t.match(await clinics.list(), [{ label: "Front desk" }, { cidr: "192.0.2.0/24", kind: "static" }]);
});

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

t.test("only owners come in, and only with the second factor", { timeout: 60_000 }, async (t) => {
  const clinics = await startClinics(t);
  for (const path of ["", "/links", "/people", "/activity", "/settings", "/shortcuts", "/live"]) {
    const { status } = await ask(clinics, "GET", `/.sallyport/portal${path}`, { accept: "text/html" });
    t.equal(status, 303, path);
  }
  t.equal((await ask(clinics, "GET", `/.sallyport/clinics`, {})).status, 303);
  t.equal(CLINIC.id, "happy-feet");
});
