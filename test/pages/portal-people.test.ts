/** An owner changes what others may do, on the portal without scripts: with a fresh proof, never to themselves, never the last way in. */
import { join } from "node:path";
import t from "tap";
import { systemClock } from "../../src/core/clock.ts";
import { SESSION_KIND } from "../../src/core/session.ts";
import type { SessionRecord } from "../../src/person/session-record.ts";
import { openStore } from "../../src/store/open.ts";
import { CLINIC, type Clinics, OTHER_CLINIC, OWNER, startClinics } from "../support/clinics.ts";
import { signInOwner } from "../support/owner-pages.ts";
import { type PageAnswer, PageClient } from "../support/page-client.ts";
import { PASSWORD } from "../support/person-door.ts";

const PEOPLE = "/.sallyport/portal/people";
const SCOPE = `/v1/tenants/${CLINIC.id}`;
const CONFIRMED = { confirm: "yes" };
const BEN = "ben@clinics.example";

interface User {
  readonly id: string;
  readonly email: string;
  readonly name?: string;
  readonly role: string;
  readonly state: string;
}

async function addPerson({ admin }: Clinics, role = "user", tenant = CLINIC.id): Promise<string> {
  const user = { email: BEN, name: "Ben", role, password: PASSWORD };
  return (await admin<User>("POST", `/v1/tenants/${tenant}/users`, user)).id;
}

/** Presses a button on a person's page, and again where it is asked whether that is meant. */
async function press(owner: PageClient, person: string, path: string): Promise<PageAnswer> {
  const answer = await owner.submit(await owner.get(`${PEOPLE}/${person}`), `${PEOPLE}/${path}`);
  return answer.status === 409 ? await owner.submit(answer, `${PEOPLE}/${path}`) : answer;
}

async function ownersOf({ admin }: Clinics): Promise<string[]> {
  const { items } = await admin<{ items: User[] }>("GET", `${SCOPE}/users`);
  return items.filter(({ role, state }) => role === "owner" && state === "active").map(({ email }) => email);
}

t.test("a user is made an owner, and a user again, and signs in anew each time", async (t) => {
  const clinics = await startClinics(t);
  const ben = await addPerson(clinics);
  const bens = await signInOwner(clinics.origin, BEN);
  t.equal((await bens.get(PEOPLE)).status, 403);
  const owner = await signInOwner(clinics.origin);
  const made = await press(owner, ben, "owner");
  t.strictSame(await ownersOf(clinics), [OWNER, BEN]);
  t.match((await owner.follow(made)).body, /Your change was saved.*<dt>Role<\/dt><dd>Account owner/s);
  t.equal((await bens.get(PEOPLE)).status, 303, "a session is never raised in its rights");
  await press(owner, ben, "user");
  t.strictSame(await ownersOf(clinics), [OWNER]);
  const { body } = await owner.get("/.sallyport/portal/activity");
  t.match(body, /Ben was made an account owner/);
  t.match(body, /Ben is no longer an account owner/);
  const dutch = await owner.get(`${PEOPLE}/${ben}`, { "accept-language": "nl" });
  t.match(dutch.body, />Accounteigenaar maken</);
  const { items } = await clinics.admin<{ items: object[] }>("GET", "/v1/audit?action=user.changed");
  t.match(items, [
    { target: ben, actor: { kind: "user" }, before: { role: "owner" }, after: { role: "user" } },
    { target: ben, actor: { kind: "user" }, before: { role: "user" }, after: { role: "owner" } },
  ]);
});

t.test("what does not show and comes along with what is pasted is left out", async (t) => {
  const clinics = await startClinics(t);
  const owner = await signInOwner(clinics.origin);
  const page = await owner.get(PEOPLE);
  const pasted = [
    ["ann@clinics.example\u200E", "Ann\u200E", "Ann"],
    ["ans@clinics.example", "An\u00ADs\u2028", "Ans"],
    ["ali@clinics.example", "\u0639\u0644\u06CC\u200C\u0631\u0636\u0627", "\u0639\u0644\u06CC\u200C\u0631\u0636\u0627"],
    ["nn@clinics.example", "\u200E", undefined],
  ] as const;
  for (const [email, name] of pasted)
    t.ok((await owner.submit(page, PEOPLE, { email, name, role: "user" })).status < 400, email);
  const { items } = await clinics.admin<{ items: User[] }>("GET", `${SCOPE}/users`);
  const named = new Map(items.map(({ email, name }) => [email, name]));
  for (const [email, , name] of pasted) t.equal(named.get(email.replace("\u200E", "")), name, email);
  const places = await owner.get("/.sallyport/portal");
  const place = { cidr: "\u202A192.0.2.9\u202C", label: "Harbour\u200B", days: "" };
  t.equal((await owner.submit(places, "/.sallyport/portal/add", place)).status, 303);
  const list = await clinics.admin<{ items: object[] }>("GET", `${SCOPE}/allowlist`);
  t.match(list.items.slice(-1), [{ cidr: "192.0.2.9/32", label: "Harbour" }]);
});

t.test("nobody changes what they may do themselves, nor anybody of another clinic", async (t) => {
  const clinics = await startClinics(t);
  const ben = await addPerson(clinics, "owner");
  const elsewhere = await addPerson(clinics, "user", OTHER_CLINIC.id);
  const owner = await signInOwner(clinics.origin);
  const { items } = await clinics.admin<{ items: User[] }>("GET", `${SCOPE}/users`);
  const own = items.find(({ email }) => email === OWNER)?.id ?? "";
  t.notMatch((await owner.get(`${PEOPLE}/${own}`)).body, `${PEOPLE}/user`, "no button for it");
  const page = await owner.get(`${PEOPLE}/${ben}`);
  const self = await owner.submit(page, `${PEOPLE}/user`, { id: own, ...CONFIRMED });
  t.equal(self.status, 422);
  t.match(self.body, /You cannot do this to yourself/);
  for (const id of [elsewhere, "usr_x", "", `../${elsewhere}`, "x".repeat(10_000)])
    t.equal((await owner.submit(page, `${PEOPLE}/user`, { id })).status, 404, id.slice(0, 40));
  t.strictSame(await ownersOf(clinics), [OWNER, BEN]);
});

t.test("two owners who take each other's rights away at once leave one", async (t) => {
  const clinics = await startClinics(t);
  const ben = await addPerson(clinics, "owner");
  const [olivias, bens] = [await signInOwner(clinics.origin), await signInOwner(clinics.origin, BEN)];
  const { items } = await clinics.admin<{ items: User[] }>("GET", `${SCOPE}/users`);
  const olivia = items.find(({ email }) => email === OWNER)?.id ?? "";
  const pages = await Promise.all([olivias.get(`${PEOPLE}/${ben}`), bens.get(`${PEOPLE}/${olivia}`)]);
  await Promise.all([
    olivias.submit(pages[0], `${PEOPLE}/user`, CONFIRMED),
    bens.submit(pages[1], `${PEOPLE}/user`, CONFIRMED),
  ]);
  t.equal((await ownersOf(clinics)).length, 1);
});

t.test("a sign-in of ten minutes ago does not do", async (t) => {
  const clinics = await startClinics(t);
  const ben = await addPerson(clinics);
  const owner = await signInOwner(clinics.origin);
  const page = await owner.get(`${PEOPLE}/${ben}`);
  await age(clinics);
  const answer = await owner.submit(page, `${PEOPLE}/owner`);
  t.match(answer, { status: 303, headers: { location: /sign-in\?fresh=1/ } });
  t.strictSame(await ownersOf(clinics), [OWNER]);
  const stale = await owner.get(`${PEOPLE}/${ben}`);
  t.match(stale.body, /first show that it is you/);
  t.notMatch(stale.body, `${PEOPLE}/owner`);
  const [, path = ""] = /href="([^"]*fresh=1[^"]*)"/.exec(stale.body) ?? [];
  const proof = await owner.get(path.replaceAll("&amp;", "&"));
  t.match(proof.body, /To invite people or to change their logins/);
  t.match(proof.body, new RegExp(`<input id="email"[^>]*value="${OWNER}"[^>]* readonly`));
  const fields = { email: BEN, password: PASSWORD };
  const step = await owner.follow(await owner.submit(proof, "/.sallyport/sign-in", fields));
  t.match(step.body, OWNER, "it is the owner who proves it, whatever the form says");
  t.notMatch(step.body, BEN);
  t.match((await owner.get("/.sallyport/sign-in?fresh=1")).body, /To change how you sign in/);
});

/** Makes every session of the first clinic ten minutes older. */
async function age({ gate }: Clinics): Promise<void> {
  const store = await openStore(`sqlite:${join(gate.dataDir, "sallyport.db")}`, { clock: systemClock });
  const sessions = await store.list({ kind: SESSION_KIND, prefix: `${CLINIC.id}/`, limit: 10 });
  const writes = sessions.map((document) => {
    const record = document.value as SessionRecord;
    return { ...document, value: { ...record, startedAtMs: record.startedAtMs - 600_000 } };
  });
  await store.commit({ writes });
  await store.close();
}

t.test("the activity says by which steps somebody signed in, and how often it failed, in one line a day", async (t) => {
  const clinics = await startClinics(t);
  const ben = await addPerson(clinics);
  await signInOwner(clinics.origin, BEN);
  const owner = await signInOwner(clinics.origin);
  const stranger = new PageClient(clinics.origin);
  for (const email of [BEN, BEN, "nobody@clinics.example"]) {
    const page = await stranger.get("/.sallyport/sign-in");
    await stranger.submit(page, "/.sallyport/sign-in", { email, password: "wrong pony battery staple" });
  }
  const { body } = await owner.get("/.sallyport/portal/activity");
  t.match(body, /Ben signed in \(Password, Authenticator app\)/);
  t.equal(body.match(/sign-ins? of/g)?.length, 1, "nothing of logins that nobody has");
  t.match(body, /2 sign-ins of Ben failed/);
  t.match((await owner.get(`${PEOPLE}/${ben}`)).body, /<li>2 failed attempts since <time /);
  const steps = await clinics.admin<{ steps: object[] }>("GET", `${SCOPE}/explain?ip=203.0.113.9&user=${BEN}`);
  t.match(JSON.stringify(steps), /2 failed attempts since 20/);
});

t.test("a new role and a reset of sign-in steps are asked about once, and nothing is done before", async (t) => {
  const clinics = await startClinics(t);
  const ben = await addPerson(clinics);
  await signInOwner(clinics.origin, BEN);
  const owner = await signInOwner(clinics.origin);
  const facts = async () => await clinics.admin<object>("GET", `${SCOPE}/users/${ben}`);
  const before = await facts();
  const page = await owner.get(`${PEOPLE}/${ben}`);
  const [reset, role] = [await owner.submit(page, `${PEOPLE}/reset`), await owner.submit(page, `${PEOPLE}/owner`)];
  t.match(reset, { status: 409, body: /<h1>Ben<\/h1>.*For a lost phone.*>Reset sign-in steps</s });
  t.match(role, { status: 409, body: /<h1>Ben<\/h1>.*They may then manage.*>Make an account owner</s });
  t.match(role.body, `href="${PEOPLE}/${ben}">Leave it as it is<`);
  t.strictSame(await facts(), before);
  t.equal((await owner.submit(role, `${PEOPLE}/owner`)).status, 303);
  t.equal((await owner.submit(reset, `${PEOPLE}/reset`)).status, 303);
  t.match(await facts(), { role: "owner", factors: [] });
});

t.test("nobody is disabled whose shortcut is the owners' only way in", async (t) => {
  const clinics = await startClinics(t, { policy: { selfAllow: "nobody" } });
  const owner = await signInOwner(clinics.origin);
  const ben = await addPerson(clinics);
  const { url } = await clinics.admin<{ url: string }>("POST", `${SCOPE}/shortcuts`, { user: ben });
  const { pathname } = new URL(url);
  await owner.submit(await owner.get(pathname), pathname);
  const refused = await press(owner, ben, "disable");
  t.equal(refused.status, 422);
  t.match(refused.body, /leave no account owner a way in/);
  t.equal((await clinics.list()).length, 1);
  await clinics.admin("POST", `${SCOPE}/allowlist`, { cidr: "203.0.113.7" });
  t.equal((await press(owner, ben, "disable")).status, 303);
  t.match(await clinics.list(), [{ cidr: "203.0.113.7/32" }]);
});
