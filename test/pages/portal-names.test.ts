/** What a name brought, on the portal's list: it goes and returns with the name, and the page says so. */
import { join } from "node:path";
import t from "tap";
import { systemClock } from "../../src/core/clock.ts";
import { entryWrite } from "../../src/core/entries.ts";
import type { EntryId, TenantId } from "../../src/core/ids.ts";
import { openStore } from "../../src/store/open.ts";
import { nameWrite } from "../../src/whitelist/name-record.ts";
import { CLINIC, type Clinics, startClinics } from "../support/clinics.ts";
import { signInOwner } from "../support/owner-pages.ts";

const PORTAL = "/.sallyport/portal";
const [NAME, HERE, THERE] = ["e00000000000aa", "e00000000000ab", "e00000000000ac"] as EntryId[] as [
  EntryId,
  EntryId,
  EntryId,
];
const HOUR = 3_600_000;

/** A name as the resolver leaves it once DNS has answered: this place and another. */
async function plantName({ gate }: Clinics): Promise<void> {
  const store = await openStore(`sqlite:${join(gate.dataDir, "sallyport.db")}`, { clock: systemClock });
  const nowMs = Date.now();
  const [now, later] = [nowMs, nowMs + HOUR].map((ms) => new Date(ms).toISOString()) as [string, string];
  const made = { label: "Anna, at home", createdBy: "key:bootstrap", createdAt: now };
  const places = [
    { id: HERE, cidr: "127.0.0.1/32" },
    { id: THERE, cidr: "203.0.113.9/32" },
  ];
  const state = { entries: places, entriesUntil: later, resolvedAt: now, nextAt: later };
  const name = { ...made, id: NAME, hostname: "home.example", allowPrivate: true, ...state };
  const tenant = CLINIC.id as TenantId;
  const entries = places.map((place) =>
    entryWrite(tenant, { ...made, ...place, kind: "dns", sourceId: NAME, expiresAt: later }),
  );
  await store.commit({ writes: [nameWrite(tenant, name, false), ...entries] });
  await store.close();
}

t.test("removing one of its places removes the name, and undo follows it again", async (t) => {
  const clinics = await startClinics(t);
  const owner = await signInOwner(clinics.origin);
  await plantName(clinics);
  const names = async () => (await clinics.admin<{ items: object[] }>("GET", `/v1/tenants/${CLINIC.id}/names`)).items;
  const page = await owner.get(PORTAL);
  t.equal(page.body.match(/>Remove the name</g)?.length, 2, "the button of each place says what goes");
  t.notMatch(page.body, `${PORTAL}/change`, "and none of them is changed alone");
  t.match((await owner.get(PORTAL, { "accept-language": "nl" })).body, />Naam verwijderen</);

  const asked = await owner.submit(page, `${PORTAL}/remove`, { id: THERE });
  t.equal(asked.status, 409, "the owner stands at the other place of the name");
  t.equal((await clinics.list()).length, 2);
  const done = await owner.submit(asked, `${PORTAL}/remove`);
  t.strictSame(await clinics.list(), []);
  t.strictSame(await names(), []);
  const after = await owner.follow(done);
  t.match(after.body, /The name was removed with all places that it points to/);
  const undone = await owner.follow(await owner.submit(after, `${PORTAL}/restore`));
  t.match(undone.body, /The name was added/);
  t.match(await names(), [{ id: NAME, hostname: "home.example", label: "Anna, at home" }]);
  t.match((await owner.get(`${PORTAL}/activity`)).body, /The name Anna, at home was put back on the list/);
});

t.test("a place of a name is not brought back without it", async (t) => {
  const clinics = await startClinics(t);
  const owner = await signInOwner(clinics.origin);
  await plantName(clinics);
  const done = await owner.submit(await owner.get(PORTAL), `${PORTAL}/remove`, { id: HERE, confirm: "yes" });
  const refused = await owner.submit(await owner.follow(done), `${PORTAL}/restore`, { id: HERE });
  t.equal(refused.status, 422);
  t.match(refused.body, /It is not there any more/);
  t.strictSame(await clinics.list(), []);
});
