/** Every form by which places come and go, from everywhere else; and every GET, which changes nothing, not even for an owner. */
import t from "tap";
import type { PlacePages } from "../../src/pages/place-pages.ts";
import { placeRoutes } from "../../src/pages/place-routes.ts";
import { launchBrowser } from "../support/browser.ts";
import { ask, CLINIC, HOME, signInHere, startClinics } from "../support/clinics.ts";

const ROUTES = placeRoutes({} as PlacePages);
const FORM = { accept: "text/html", "content-type": "application/x-www-form-urlencoded" };
const SCOPE = `/v1/tenants/${CLINIC.id}`;
/** The last segment of a route stands for something that is there. */
const FOLDERS = ["allow/", "portal/shortcuts/", "portal/links/", "portal/people/", "shortcuts/"] as const;

t.test("nobody who is not signed in sees the portal", async (t) => {
  const clinics = await startClinics(t);
  for (const { method, path } of ROUTES.filter((route) => /^(?:portal|shortcut|place|clinics)/.test(route.path))) {
    if (method !== "GET") continue;
    t.equal(
      (await ask(clinics, "GET", `/.sallyport/${path.replace(":token", "x")}`, { accept: "text/html" })).status,
      303,
      path,
    );
  }
});

t.test(
  "with an owner's session: other sites' forms are refused, and no GET changes anything",
  { timeout: 60_000 },
  async (t) => {
    const browser = await launchBrowser(t);
    if (browser === undefined) return;
    const clinics = await startClinics(t, { policy: { shortcut: "auto" } });
    const context = await clinics.from(browser, HOME);
    const view = await context.newPage();
    await view.goto(`${clinics.origin}/.sallyport/portal`);
    await signInHere(view);
    const cookie = (await context.cookies()).map(({ name, value }) => `${name}=${value}`).join("; ");
    const link = await clinics.admin<{ id: string; url: string }>("POST", `${SCOPE}/links`, { label: "L" });
    const shortcut = await clinics.admin<{ id: string; url: string }>("POST", `${SCOPE}/shortcuts`, { label: "S" });
    const users = await clinics.admin<{ items: { id: string }[] }>("GET", `${SCOPE}/users`);
    const owner = users.items[0]?.id;
    const own = await clinics.admin<{ id: string }>("POST", `${SCOPE}/shortcuts`, { label: "Mine", user: owner });
    const tokens = [new URL(link.url).pathname.split("/").at(-1), shortcut.id, link.id, owner, own.id];
    const named = (path: string) => {
      const index = FOLDERS.findIndex((folder) => path === `${folder}:token`);
      const file = path.startsWith("portal/") ? `${shortcut.id}.url` : `${own.id}.url`;
      return `/.sallyport/${path.replace(":token", index < 0 ? file : (tokens[index] ?? ""))}`;
    };
    const state = async () => JSON.stringify(await clinics.admin("GET", "/v1/audit?limit=200"));

    const before = await state();
    for (const { path } of ROUTES.filter(({ method }) => method === "POST")) {
      for (const from of [
        { "sec-fetch-site": "cross-site" },
        { "sec-fetch-site": "same-site", origin: clinics.otherOrigin },
        { origin: "https://evil.example" },
        // Our own origin, but without the proof that only our page holds.
        { "sec-fetch-site": "same-origin", origin: clinics.origin },
      ]) {
        const { status } = await ask(clinics, "POST", named(path), { ...FORM, ...from, cookie });
        t.equal(status, 403, `${path} ${JSON.stringify(from)}`);
      }
    }
    for (const { path } of ROUTES.filter(({ method, path }) => method === "GET" && path !== "portal/live")) {
      for (const method of ["GET", "HEAD"]) {
        const { status } = await ask(clinics, method, named(path), { accept: "text/html", cookie });
        t.equal(status, 200, `${method} ${path}`);
      }
    }
    t.equal((await ask(clinics, "HEAD", "/.sallyport/portal/live", { cookie })).status, 200);
    t.equal(await state(), before, "nothing was changed, and nothing recorded");
    t.strictSame(await clinics.list(), []);
  },
);
