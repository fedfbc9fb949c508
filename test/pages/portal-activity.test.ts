/** The portal's activity: letting in who was blocked, under a name and once, and what happened in plain sentences. */
import { join } from "node:path";
import t from "tap";
import { systemClock } from "../../src/core/clock.ts";
import { ActivityLog } from "../../src/observe/activity.ts";
import { openStore } from "../../src/store/open.ts";
import { CLINIC, type Clinics, startClinics } from "../support/clinics.ts";
import { signInOwner } from "../support/owner-pages.ts";

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
