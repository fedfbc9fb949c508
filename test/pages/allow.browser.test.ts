/** The page of a whitelist link in a real browser: looking changes nothing, one click lets the place in. */
import t from "tap";
import { launchBrowser } from "../support/browser.ts";
import { ask, CLINIC, type Clinics, HOME, openStream, startClinics } from "../support/clinics.ts";
import { mailedLink } from "../support/mailed-link.ts";

const POLICY = { secondFactor: "off" };

interface NewLink {
  readonly id: string;
  readonly url: string;
}

const links = `/v1/tenants/${CLINIC.id}/links`;

t.test("a link in a mail lets a colleague in with one click", { timeout: 60_000 }, async (t) => {
  const browser = await launchBrowser(t);
  if (browser === undefined) return;
  const clinics = await startClinics(t, { policy: POLICY });
  await clinics.admin("POST", links, { label: "Night shift", recipient: "ben@clinics.example" });
  const link = await mailedLink(clinics.mails, "ben@clinics.example", "allow");
  const context = await clinics.from(browser, HOME);
  const view = await context.newPage();
  t.equal((await view.goto(clinics.origin))?.status(), 403);

  const shown = await view.goto(link);
  t.equal(shown?.status(), 200);
  t.equal(shown?.headers()["referrer-policy"], "no-referrer");
  t.match(await view.locator("main").textContent(), /Happy Feet Podiatry.*203\.0\.113\.7.*Night shift/s);
  await view.reload({ waitUntil: "networkidle" });
  t.equal(await view.locator("script").count(), 0, "the page runs no script");
  t.equal((await ask(clinics, "HEAD", new URL(link).pathname)).status, 200);
  await view.evaluate(
    `document.head.append(Object.assign(document.createElement("link"), { rel: "prefetch", href: "${link}" }))`,
  );
  t.strictSame(await clinics.list(), [], "looking at it, in whatever way, has changed nothing");

  // The keyboard is enough: past the skip link comes the one button.
  for (const key of ["Tab", "Tab", "Enter"]) await view.keyboard.press(key);
  await view.getByText("You are in").waitFor();
  t.match(await clinics.list(), [{ cidr: `${HOME}/32`, kind: "link", label: "Night shift" }]);
  await view.getByRole("link", { name: "Go on to Happy Feet Podiatry" }).click();
  t.equal(await view.title(), "Patients");
});

t.test("without JavaScript, from IPv6: the /64", async (t) => {
  const browser = await launchBrowser(t);
  if (browser === undefined) return;
  const clinics = await startClinics(t, { policy: POLICY });
  const { url } = await clinics.admin<NewLink>("POST", links, { label: "Home" });
  const view = await (await clinics.from(browser, "2001:db8:1:2::3", { javaScriptEnabled: false })).newPage();
  await view.goto(url);
  await view.getByRole("button", { name: "Add this place" }).click();
  t.match(await clinics.list(), [{ cidr: "2001:db8:1:2::/64" }]);
  await view.getByRole("link", { name: /Go on/ }).click();
  t.equal(await view.title(), "Patients");
});

t.test("on a connection of both families, both addresses with one click", async (t) => {
  const browser = await launchBrowser(t);
  if (browser === undefined) return;
  const six = `six.${CLINIC.host}`;
  const tenant = { hosts: [CLINIC.host, six], altHosts: { ipv6: six } };
  const clinics = await startClinics(t, { policy: POLICY, tenant });
  const { url } = await clinics.admin<NewLink>("POST", links, { label: "Home" });
  const context = await clinics.from(browser, HOME);
  await context.route(`http://${six}:*/**`, async (route) => {
    await route.continue({ headers: { ...route.request().headers(), "x-forwarded-for": "2001:db8:1:2::3" } });
  });
  const view = await context.newPage();
  await view.goto(url);
  await view.getByRole("button", { name: "Add this place" }).click();
  await view.getByText("Your connection has a second address").waitFor();
  t.match(await clinics.list(), [{ cidr: `${HOME}/32` }, { cidr: "2001:db8:1:2::/64", label: "Home" }]);
});

const MANGLED = [
  "x",
  "a".repeat(900),
  "a".repeat(3_000),
  "a".repeat(16_000),
  "%00",
  "%C3%A9",
  "%FF",
  "x)",
  "x%3E",
  "%252e%252e",
];

t.test("whatever is wrong with a link, its page is the same", async (t) => {
  const clinics = await startClinics(t, { policy: POLICY });
  const make = (body: object) => clinics.admin<NewLink>("POST", links, body);
  const [good, deleted] = [await make({}), await make({})];
  await clinics.admin("DELETE", `${links}/${deleted.id}`);
  const other = await clinics.admin<NewLink>("POST", "/v1/tenants/bright-smile/links", {});
  const used = await make({ maxUses: 1 });
  t.equal((await post(clinics, used.url, "198.51.100.1")).status, 200, "a program needs no form");
  const token = good.url.slice(good.url.lastIndexOf("/") + 1);
  const flipped = token.slice(0, -1) + (token.endsWith("A") ? "B" : "A");
  const pages = new Set<string>();
  for (const bad of [deleted.url, other.url, used.url, flipped, ...MANGLED]) {
    const path = `/.sallyport/allow/${bad.slice(bad.lastIndexOf("/") + 1)}`;
    for (const method of ["GET", "POST"]) {
      const answer = await ask(clinics, method, path, { accept: "text/html" });
      t.equal(answer.status, 410, `${method} ${path.slice(0, 40)}`);
      t.match(answer.headers, {
        "cache-control": "no-store",
        "referrer-policy": "no-referrer",
        "content-security-policy": String,
      });
      pages.add(answer.body);
    }
  }
  t.equal(pages.size, 1);
  t.match([...pages][0], /This link no longer works/);
  t.equal((await clinics.list()).length, 1);
});

t.test("another site's form, and one without proof, are refused", async (t) => {
  const clinics = await startClinics(t, { policy: POLICY });
  const { url } = await clinics.admin<NewLink>("POST", links, {});
  const path = new URL(url).pathname;
  const form = { accept: "text/html", "content-type": "application/x-www-form-urlencoded" };
  for (const from of [
    { "sec-fetch-site": "cross-site" },
    { "sec-fetch-site": "same-site", origin: clinics.otherOrigin },
    { origin: "https://evil.example" },
    { origin: "null" },
    { "sec-fetch-site": "same-origin", origin: clinics.origin },
  ]) {
    t.equal((await ask(clinics, "POST", path, { ...form, ...from })).status, 403, JSON.stringify(from));
  }
  t.strictSame(await clinics.list(), []);
});

t.test("a link that is deleted takes its places with it, and what runs there ends", async (t) => {
  const clinics = await startClinics(t, { policy: POLICY });
  const { id, url } = await clinics.admin<NewLink>("POST", links, {});
  await post(clinics, url, HOME);
  const stream = await openStream(clinics, HOME);

  await clinics.admin("DELETE", `${links}/${id}`);
  await stream.ended;
  t.equal((await ask(clinics, "GET", "/", { "x-forwarded-for": HOME })).status, 403);
});

function post(clinics: Clinics, url: string, address: string) {
  return ask(clinics, "POST", new URL(url).pathname, { "x-forwarded-for": address });
}
