/** The portal's activity: letting in who was blocked, under a name and once, and what happened in plain sentences. */
import { join } from "node:path";
import t from "tap";
import { systemClock } from "../../src/core/clock.ts";
import { ActivityLog } from "../../src/observe/activity.ts";
import { openStore } from "../../src/store/open.ts";
import { ask, CLINIC, type Clinics, HOME, startClinics } from "../support/clinics.ts";
import { signInOwner } from "../support/owner-pages.ts";
import { formsOf, PageClient } from "../support/page-client.ts";
import { PASSWORD } from "../support/person-door.ts";

const ACTIVITY = "/.sallyport/portal/activity";
const SCOPE = `/v1/tenants/${CLINIC.id}`;

/** As the gate leaves it once it has counted who was turned away. */
async function plantBlocked({ gate }: Clinics, addresses: readonly string[]): Promise<void> {
  const store = await openStore(`sqlite:${join(gate.dataDir, "sallyport.db")}`, { clock: systemClock });
  const activity = new ActivityLog(store, "planted");
  const [at, reason] = [Date.now(), "not-on-allowlist"];
  for (const address of addresses)
    activity.noteDenial({ at, reason, tenant: CLINIC.id, address, reference: "R", method: "GET", path: "/" });
  await activity.flush(at);
  await store.close();
}

t.test("somebody who was blocked is let in under a name, once", async (t) => {
  const clinics = await startClinics(t);
  const owner = await signInOwner(clinics.origin);
  await plantBlocked(clinics, ["203.0.113.9"]);
  const page = await owner.get(ACTIVITY);
  t.match(page.body, /<label for="admit-0">Name<\/label><input id="admit-0" name="label" required/);
  const done = await owner.submit(page, `${ACTIVITY}/admit`, { label: "Ben, at home" });
  t.match((await owner.follow(done)).body, /The place was added.*203\.0\.113\.9.*On the list now/s);
  const once = [{ cidr: "203.0.113.9/32", label: "Ben, at home", kind: "static" }];
  t.match(await clinics.list(), once);
  const again = await owner.follow(await owner.submit(page, `${ACTIVITY}/admit`, { label: "Ben" }));
  t.match(again.body, /on the list already, so nothing was added/);
  t.notMatch(again.body, `${ACTIVITY}/admit`, "there is nothing left to press");
  t.equal((await clinics.list()).length, 1);
});

t.test("two clicks at once add one entry, and a wider one is enough", async (t) => {
  const clinics = await startClinics(t);
  const owner = await signInOwner(clinics.origin);
  await plantBlocked(clinics, ["203.0.113.9", "2001:db8::9"]);
  const page = await owner.get(ACTIVITY);
  const cidr = "203.0.113.9/32";
  const press = () => owner.submit(page, `${ACTIVITY}/admit`, { cidr, label: "Ben" });
  await Promise.all([press(), press(), press()]);
  t.match(await clinics.list(), [{ cidr }]);
  await clinics.admin("POST", `${SCOPE}/allowlist`, { cidr: "2001:db8::/48" });
  await owner.submit(page, `${ACTIVITY}/admit`, { cidr: "2001:db8::/64", label: "Ann" });
  t.equal((await clinics.list()).length, 2);
});

t.test("a link opened outside its network says so, and the owner sees the try", async (t) => {
  const clinics = await startClinics(t);
  const owner = await signInOwner(clinics.origin);
  const link = { label: "Ben", allowedNetwork: "192.0.2.0/24" };
  const { url } = await clinics.admin<{ url: string }>("POST", `${SCOPE}/links`, link);
  for (const method of ["GET", "POST"]) {
    for (const accept of ["text/html", "*/*"]) {
      const { status, body } = await ask(clinics, method, new URL(url).pathname, { accept });
      t.equal(status, 403, `${method}, ${accept}`);
      t.match(body, `works only from the network that it was made for, and you are at ${HOME}`);
      t.notMatch(body, "192.0.2", "which network that is, is nobody's affair");
    }
  }
  const { body } = await owner.get(ACTIVITY);
  t.equal(body.match(/A link was opened at 203\.0\.113\.7, outside its network/g)?.length, 1);
  const dutch = await owner.get(ACTIVITY, { "accept-language": "nl" });
  t.match(dutch.body, /Een link werd op 203\.0\.113\.7 geopend, buiten het eigen netwerk/);
});

t.test("a shortcut that was removed is not called a link", async (t) => {
  const clinics = await startClinics(t);
  const { id, url } = await clinics.admin<{ id: string; url: string }>("POST", `${SCOPE}/shortcuts`, { label: "PC" });
  await clinics.admin("DELETE", `${SCOPE}/shortcuts/${id}`);
  const { status, body } = await ask(clinics, "GET", new URL(url).pathname, { accept: "text/html" });
  t.equal(status, 410);
  t.match(body, /This shortcut no longer works/);
  t.notMatch(body, /This link/);
});

t.test("disabling and enabling read differently, and a place is told by its address as people write it", async (t) => {
  const clinics = await startClinics(t);
  const owner = await signInOwner(clinics.origin);
  const ben = { email: "ben@clinics.example", name: "Ben", role: "user", password: PASSWORD };
  const { id } = await clinics.admin<{ id: string }>("POST", `${SCOPE}/users`, ben);
  await clinics.admin("PATCH", `${SCOPE}/users/${id}`, { state: "disabled" });
  const after = async (language: string) => (await owner.get(ACTIVITY, { "accept-language": language })).body;
  t.match(await after("en-GB"), /The login of Ben was disabled/);
  t.notMatch(await after("en-GB"), /enabled again/);
  await clinics.admin("PATCH", `${SCOPE}/users/${id}`, { state: "active" });
  t.match(await after("en-GB"), /The login of Ben was enabled again/);
  t.match(await after("nl"), /De login van Ben is weer ingeschakeld/);
  await clinics.admin("POST", `${SCOPE}/allowlist`, { cidr: "203.0.113.9" });
  await clinics.admin("POST", `${SCOPE}/allowlist`, { cidr: "2001:db8::9", label: "Ann" });
  t.match(await after("en-GB"), /<p>203\.0\.113\.9 was added to the list</);
  t.match(await after("en-GB"), /<p>Ann \(2001:db8::9\) was added to the list</);
  t.notMatch(await after("en-GB"), /9\/(?:32|128)/);
});

t.test("an approved request is told as one, with who approved it", async (t) => {
  const clinics = await startClinics(t);
  const owner = await signInOwner(clinics.origin);
  const asking = new PageClient(clinics.origin);
  const ask = await asking.get("/.sallyport/ask", { "x-forwarded-for": HOME });
  await asking.post("/.sallyport/ask", { ...formsOf(ask)[0]?.fields, from: "Ben" }, { "x-forwarded-for": HOME });
  const portal = "/.sallyport/portal";
  await owner.submit(await owner.get(portal), `${portal}/approve`);
  const { body } = await owner.get(portal);
  t.match(body, />Asked to be let in<span class="under">approved by Olivia</);
  t.notMatch(body, "From the place itself");
});
