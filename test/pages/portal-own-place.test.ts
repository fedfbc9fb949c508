/** What takes away the place where the owner stands asks first, by whatever way it goes; then it is done. */
import t, { type Test } from "tap";
import { CLINIC, type Clinics, startClinics } from "../support/clinics.ts";
import { signInOwner } from "../support/owner-pages.ts";
import type { PageClient } from "../support/page-client.ts";

const PORTAL = "/.sallyport/portal";
const SCOPE = `/v1/tenants/${CLINIC.id}`;

interface Made {
  readonly id: string;
  readonly url: string;
}

/** Opened and confirmed by the owner, so that it admits the place where they stand. */
async function use({ admin }: Clinics, owner: PageClient, kind: "links" | "shortcuts", user?: string): Promise<string> {
  const { id, url } = await admin<Made>("POST", `${SCOPE}/${kind}`, { label: "Ben", user });
  const { pathname } = new URL(url);
  await owner.submit(await owner.get(pathname), pathname);
  return id;
}

/** The form is sent twice: asked, then confirmed. */
async function takeAway(t: Test, clinics: Clinics, owner: PageClient, page: string, action: string, said: RegExp) {
  t.equal((await clinics.list()).length, 1);
  const asked = await owner.submit(await owner.get(page), action);
  t.equal(asked.status, 409, action);
  t.match(asked.body, said);
  t.equal((await clinics.list()).length, 1, "nothing is gone yet");
  t.equal((await owner.submit(asked, action)).status, 303);
  t.strictSame(await clinics.list(), []);
}

t.test("a link that is revoked", async (t) => {
  const clinics = await startClinics(t);
  const owner = await signInOwner(clinics.origin);
  const id = await use(clinics, owner, "links");
  await takeAway(t, clinics, owner, `${PORTAL}/links/${id}`, `${PORTAL}/links/remove`, /only this link has put it/);
});

t.test("a use of a link that was not us", async (t) => {
  const clinics = await startClinics(t);
  const owner = await signInOwner(clinics.origin);
  const id = await use(clinics, owner, "links");
  await takeAway(t, clinics, owner, `${PORTAL}/links/${id}`, `${PORTAL}/links/not-us`, /nothing else on the list/);
});

t.test("a shortcut that is removed", async (t) => {
  const clinics = await startClinics(t);
  const owner = await signInOwner(clinics.origin);
  await use(clinics, owner, "shortcuts");
  const action = `${PORTAL}/shortcuts/remove`;
  await takeAway(t, clinics, owner, `${PORTAL}/shortcuts`, action, /only this shortcut has put it/);
});

t.test("a person who is disabled, with the shortcut that they have", async (t) => {
  const clinics = await startClinics(t);
  const owner = await signInOwner(clinics.origin);
  const { id } = await clinics.admin<Made>("POST", `${SCOPE}/users`, { email: "ben@clinics.example" });
  await use(clinics, owner, "shortcuts", id);
  const page = `${PORTAL}/people/${id}`;
  await takeAway(
    t,
    clinics,
    owner,
    page,
    `${PORTAL}/people/disable`,
    /a place that this person added, or a shortcut of theirs/,
  );
});

t.test("one's own shortcut, on the account's page", async (t) => {
  const clinics = await startClinics(t);
  const owner = await signInOwner(clinics.origin);
  const { items } = await clinics.admin<{ items: { id: string }[] }>("GET", `${SCOPE}/users`);
  await use(clinics, owner, "shortcuts", items[0]?.id);
  const page = "/.sallyport/shortcuts";
  await takeAway(t, clinics, owner, page, `${page}/remove`, /only this shortcut has put it/);
});

t.test("the owners' only way in stays, unless they say that it was not them", async (t) => {
  const clinics = await startClinics(t, { policy: { selfAllow: "nobody" } });
  const owner = await signInOwner(clinics.origin);
  const refused = async (page: string, action: string) => {
    for (const confirm of [{}, { confirm: "yes" }]) {
      const answer = await owner.submit(await owner.get(page), action, confirm);
      t.equal(answer.status, 422, action);
      t.match(answer.body, /leave no account owner a way in/);
    }
    t.equal((await clinics.list()).length, 1);
  };
  const shortcut = await use(clinics, owner, "shortcuts");
  await refused(`${PORTAL}/shortcuts`, `${PORTAL}/shortcuts/remove`);
  await clinics.admin("DELETE", `${SCOPE}/shortcuts/${shortcut}?force=true`);
  const link = await use(clinics, owner, "links");
  await refused(`${PORTAL}/links/${link}`, `${PORTAL}/links/remove`);
  await refused(PORTAL, `${PORTAL}/remove`);
  const notUs = `${PORTAL}/links/not-us`;
  await takeAway(t, clinics, owner, `${PORTAL}/links/${link}`, notUs, /nothing else on the list/);
});

t.test("nobody is asked where something else on the list lets them in", async (t) => {
  const clinics = await startClinics(t);
  const owner = await signInOwner(clinics.origin);
  const id = await use(clinics, owner, "links");
  await clinics.admin("POST", `${SCOPE}/allowlist`, { cidr: "127.0.0.0/24" });
  const revoked = await owner.submit(await owner.get(`${PORTAL}/links/${id}`), `${PORTAL}/links/remove`);
  t.equal(revoked.status, 303);
  t.match(await clinics.list(), [{ cidr: "127.0.0.0/24" }]);
});
