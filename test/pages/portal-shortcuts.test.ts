/** A clinic's shortcut on the portal: made, handed over and left again without leaving the portal's frame. */
import t from "tap";
import { CLINIC, startClinics } from "../support/clinics.ts";
import { signInOwner } from "../support/owner-pages.ts";

const SHORTCUTS = "/.sallyport/portal/shortcuts";

t.test("making one leads to its page in the portal, and from there back to the list", async (t) => {
  const clinics = await startClinics(t, { policy: { selfAllow: "nobody" } });
  const owner = await signInOwner(clinics.origin);
  const made = await owner.submit(await owner.get(SHORTCUTS), SHORTCUTS, { label: "Reception" });
  t.match(made.headers["location"], new RegExp(`^${SHORTCUTS}/sct_`));
  const { body } = await owner.follow(made);
  t.match(body, /<nav aria-label="Portal">/);
  t.match(body, /<h1>Reception<\/h1>/);
  t.match(body, `<a href="${SHORTCUTS}">Back to the shortcuts</a>`);
  const files = [...body.matchAll(/<a class="button secondary" href="([^"]*)" download>/g)].map(
    ([, href = ""]) => href,
  );
  t.equal(files.length, 5);
  for (const file of files) t.equal((await owner.get(file)).status, 200, file);
  t.match(body, 'href="/.sallyport/icon.png" download>', "for the systems whose files bring none");
  const icon = await owner.get("/.sallyport/icon.png");
  t.match(icon.headers, {
    "content-type": "image/png",
    "content-disposition": `attachment; filename="${CLINIC.id}.png"`,
  });
  const list = await owner.get(SHORTCUTS);
  t.match(list.body, `<a href="${made.headers["location"]}">Reception</a>`);
});

t.test("removing a shortcut's place says that it comes back, and offers the shortcut's end", async (t) => {
  const clinics = await startClinics(t);
  const owner = await signInOwner(clinics.origin);
  const path = `/v1/tenants/${CLINIC.id}/shortcuts`;
  const { id, url } = await clinics.admin<{ id: string; url: string }>("POST", path, { label: "Anna's <laptop>" });
  const { pathname } = new URL(url);
  const run = async () => await owner.submit(await owner.get(pathname), pathname);
  await run();
  const portal = "/.sallyport/portal";
  const remove = async () =>
    await owner.follow(await owner.submit(await owner.get(portal), `${portal}/remove`, { confirm: "yes" }));
  const { body } = await remove();
  t.match(body, "The shortcut “Anna&#39;s &lt;laptop&gt;” brings it back when it is opened there again.");
  t.notMatch(body, /Nobody gets in from there any more/);
  await run();
  t.equal((await clinics.list()).length, 1, "as it says");
  const said = await remove();
  const ended = await owner.submit(said, `${SHORTCUTS}/remove`, { id });
  t.equal(ended.status, 303);
  t.strictSame((await clinics.admin<{ items: object[] }>("GET", path)).items, []);
  const stale = await owner.get(`${portal}?removed=e0000000000000&by=${id}`);
  t.match(stale.body, /Nobody gets in from there any more/, "the shortcut has ended");
  t.equal((await owner.get(`${portal}?removed=x&by=nothing`)).status, 200);
});

t.test("a name that was pasted with what does not show is taken without it", async (t) => {
  const clinics = await startClinics(t);
  const owner = await signInOwner(clinics.origin);
  const own = "/.sallyport/shortcuts";
  for (const page of [own, SHORTCUTS]) {
    const made = await owner.submit(await owner.get(page), page, { label: "\u200eMy \ufefflaptop\u200f " });
    t.equal(made.status, 303, page);
    t.match((await owner.follow(made)).body, "<h1>My laptop</h1>");
  }
});

t.test("the account's pages show a person's own alone", async (t) => {
  const clinics = await startClinics(t);
  const owner = await signInOwner(clinics.origin);
  const { id } = await clinics.admin<{ id: string }>("POST", `/v1/tenants/${CLINIC.id}/shortcuts`, { label: "Router" });
  t.equal((await owner.get(`/.sallyport/shortcuts/${id}`)).status, 404);
  t.equal((await owner.get(`/.sallyport/shortcut-file/${id}.url`)).status, 404);
  t.equal((await owner.get(`${SHORTCUTS}/${id}`)).status, 200);
});
