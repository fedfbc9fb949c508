/** What a name brought, on the portal's list: it goes and returns with the name, and the page says so. */
import t from "tap";
import { CLINIC, startClinics } from "../support/clinics.ts";
import { signInOwner } from "../support/owner-pages.ts";
import { plantName } from "../support/planted-name.ts";

const PORTAL = "/.sallyport/portal";
/** The owner's own address, and another. */
const ADDRESSES = ["127.0.0.1", "203.0.113.9"];

t.test("removing one of its places removes the name, and undo follows it again", async (t) => {
  const clinics = await startClinics(t);
  const owner = await signInOwner(clinics.origin);
  const { name, entries } = await plantName(clinics, ADDRESSES);
  const [, there = ""] = entries;
  const names = async () => (await clinics.admin<{ items: object[] }>("GET", `/v1/tenants/${CLINIC.id}/names`)).items;
  const page = await owner.get(PORTAL);
  t.equal(page.body.match(/>Remove the name</g)?.length, 2, "the button of each place says what goes");
  t.notMatch(page.body, `${PORTAL}/change`, "and none of them is changed alone");
  t.match((await owner.get(PORTAL, { "accept-language": "nl" })).body, />Naam verwijderen</);

  const asked = await owner.submit(page, `${PORTAL}/remove`, { id: there });
  t.equal(asked.status, 409, "the owner stands at the other place of the name");
  t.equal((await clinics.list()).length, 2);
  const done = await owner.submit(asked, `${PORTAL}/remove`);
  t.strictSame(await clinics.list(), []);
  t.strictSame(await names(), []);
  const after = await owner.follow(done);
  t.match(after.body, /The name was removed with all places that it points to/);
  const undone = await owner.follow(await owner.submit(after, `${PORTAL}/restore`));
  t.match(undone.body, /The name was added/);
  t.match(await names(), [{ id: name, hostname: "anna.dyndns.example", label: "Anna, at home" }]);
  t.match((await owner.get(`${PORTAL}/activity`)).body, /The name Anna, at home was put back on the list/);
});

t.test("a place of a name is not brought back without it", async (t) => {
  const clinics = await startClinics(t);
  const owner = await signInOwner(clinics.origin);
  const [here = ""] = (await plantName(clinics, ADDRESSES)).entries;
  const done = await owner.submit(await owner.get(PORTAL), `${PORTAL}/remove`, { id: here, confirm: "yes" });
  const refused = await owner.submit(await owner.follow(done), `${PORTAL}/restore`, { id: here });
  t.equal(refused.status, 422);
  t.match(refused.body, /It is not there any more/);
  t.strictSame(await clinics.list(), []);
});
