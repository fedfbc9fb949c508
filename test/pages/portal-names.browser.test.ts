/** A name that moves, on the portal in a real browser: refused, followed, and taken off the list again. */
import t from "tap";
import { launchBrowser } from "../support/browser.ts";
import { CLINIC, HOME, signInHere, startClinics } from "../support/clinics.ts";

t.test("an owner lets the gate follow a DNS name, and ends it", { timeout: 60_000 }, async (t) => {
  const browser = await launchBrowser(t);
  if (browser === undefined) return;
  const clinics = await startClinics(t);
  const view = await (await clinics.from(browser, HOME, { javaScriptEnabled: false })).newPage();
  const portal = `${clinics.origin}/.sallyport/portal`;
  const names = async () =>
    (await clinics.admin<{ items: object[] }>("GET", `/v1/tenants/${CLINIC.id}/names`)).items.length;
  await view.goto(portal);
  await signInHere(view);
  await view.goto(portal);
  for (const wrong of ["https://home.example/", "192.0.2.1", "localhost"]) {
    await view.getByLabel("DNS name").fill(wrong);
    await view.getByRole("button", { name: "Follow the name" }).click();
    t.match(await view.getByRole("alert").textContent(), /not a DNS name/, wrong);
  }
  t.equal(await view.getByLabel("DNS name").inputValue(), "localhost", "what was typed is kept");
  t.equal(await names(), 0);
  await view.getByLabel("DNS name").fill("home.localhost");
  await view.getByRole("button", { name: "Follow the name" }).click();
  t.ok(await view.getByText("The name was added.").isVisible());
  t.ok(await view.getByText(/Waiting for its first answer|No usable answer since/).isVisible());
  t.equal(await names(), 1);
  await view.getByRole("button", { name: "Remove home.localhost" }).click();
  t.ok(await view.getByText("The name was removed with all places").isVisible());
  t.equal(await names(), 0);
  await view.goto(`${portal}/activity`);
  t.ok(await view.getByText("The name home.localhost was added").isVisible());
});
