/** The portal's forms as an attacker uses them: without their proof, at another clinic's host, with another clinic's ids, and full of what is no text. */
import t from "tap";
import type { PlacePages } from "../../src/pages/place-pages.ts";
import { placeRoutes } from "../../src/pages/place-routes.ts";
import { ask, CLINIC, type Clinics, OTHER_CLINIC, startClinics } from "../support/clinics.ts";
import { signInOwner } from "../support/owner-pages.ts";
import { formsOf, PageClient } from "../support/page-client.ts";
import { PASSWORD } from "../support/person-door.ts";

const ROOT = "/.sallyport/";
const ROUTES = placeRoutes({} as PlacePages).filter(({ path }) => path.startsWith("portal"));
const FORMS = ROUTES.filter(({ method }) => method === "POST");
const VIEWS = ROUTES.filter(({ method, path }) => method === "GET" && !/live|:token/.test(path)).map(
  ({ path }) => path,
);
const MARKUP = `"><script>alert(1)</script><img src=x onerror=alert(1)>'`;

interface Made {
  readonly id: string;
  readonly url: string;
  readonly link: string;
}

/** One of each thing at a clinic, every text of it hostile. @returns their ids */
async function furnish({ admin, gate }: Clinics, { id: tenant, host }: typeof CLINIC) {
  const make = async (thing: string, body: object) => await admin<Made>("POST", `/v1/tenants/${tenant}/${thing}`, body);
  const entry = await make("allowlist", { cidr: "192.0.2.10", label: MARKUP });
  const link = await make("links", { label: MARKUP, maxUses: 3 });
  const { edge } = await gate.ready();
  const visitor = new PageClient(edge.replace("127.0.0.1", host));
  const hostile = { "user-agent": MARKUP, "x-forwarded-for": tenant === CLINIC.id ? "198.51.100.9" : "198.51.100.10" };
  const send = async (path: string, fields: Record<string, string>) => {
    const [form] = formsOf(await visitor.get(path, hostile));
    await visitor.post(path, { ...form?.fields, ...fields }, hostile);
  };
  await send(new URL(link.url).pathname, {});
  await send(`${ROOT}ask`, { from: MARKUP, note: MARKUP, reference: MARKUP });
  const shortcut = await make("shortcuts", { label: MARKUP });
  const user = await make("users", { email: "ben@clinics.example", name: MARKUP, password: PASSWORD });
  const name = await make("allowlist", { hostname: "home.example", label: MARKUP });
  const { uses } = await admin<{ uses: { id: string }[] }>("GET", `/v1/tenants/${tenant}/links/${link.id}`);
  const { items } = await admin<{ items: Made[] }>("GET", `/v1/tenants/${tenant}/requests`);
  const [use, request] = [uses[0]?.id, items[0]?.id];
  if (use === undefined || request === undefined) throw new Error("the visitor was not heard");
  return { entry: entry.id, link: link.id, use, shortcut: shortcut.id, user: user.id, request, name: name.id };
}

/** All that a clinic has. */
async function stateOf({ admin }: Clinics, { id }: typeof CLINIC): Promise<string> {
  const lists = ["allowlist", "links", "shortcuts", "users", "requests"];
  return JSON.stringify(await Promise.all(lists.map((list) => admin("GET", `/v1/tenants/${id}/${list}`))));
}

/** What proves each form, as the portal's pages hold it; a form that no page shows now has none. */
async function proofsOf(owner: PageClient, more: readonly string[] = []): Promise<Map<string, string>> {
  const pages = await Promise.all([...VIEWS, ...more].map((path) => owner.get(ROOT + path)));
  return new Map(pages.flatMap(formsOf).map(({ action, fields }) => [action, fields["proof"] ?? ""]));
}

t.test("a form without its own proof does nothing", async (t) => {
  const clinics = await startClinics(t);
  const ids = await furnish(clinics, CLINIC);
  const owner = await signInOwner(clinics.origin);
  const proofs = await proofsOf(owner, [`portal/people/${ids.user}`, `portal/links/${ids.link}`]);
  const before = await stateOf(clinics, CLINIC);
  for (const { path } of FORMS) {
    const others = [...proofs].filter(([action]) => action !== ROOT + path).map(([, proof]) => proof);
    for (const proof of ["", "x", others[0] ?? "", others.at(-1) ?? ""]) {
      const { status } = await owner.post(ROOT + path, { proof });
      t.equal(status, 403, path);
    }
    const right = proofs.get(ROOT + path) ?? "";
    const crossSite = { "sec-fetch-site": "cross-site", origin: clinics.otherOrigin };
    t.equal((await owner.post(ROOT + path, { proof: right }, crossSite)).status, 403, `${path}: from elsewhere`);
    const twice = await owner.post(ROOT + path, `proof=${right}&id=a&id=b`);
    t.ok([400, 403].includes(twice.status), `${path}: a field twice`);
    t.ok([400, 403].includes((await owner.post(ROOT + path, { proof: right, tenant: "x" })).status), path);
  }
  t.equal(await stateOf(clinics, CLINIC), before);
});

t.test("an owner's session is nothing at another clinic's host", async (t) => {
  const clinics = await startClinics(t);
  await furnish(clinics, OTHER_CLINIC);
  const owner = await signInOwner(clinics.origin);
  const proofs = await proofsOf(owner);
  const before = await stateOf(clinics, OTHER_CLINIC);
  const there = new PageClient(clinics.otherOrigin);
  for (const [name, value] of owner.cookies) there.cookies.set(name, value);
  for (const path of VIEWS) t.equal((await there.get(ROOT + path)).status, 303, path);
  for (const [name, value] of owner.cookies) there.cookies.set(name, value);
  for (const [action, proof] of proofs) t.equal((await there.post(action, { proof })).status, 403, action);
  t.equal(await stateOf(clinics, OTHER_CLINIC), before);
});

t.test("another clinic's things are not there, whatever is done to them", async (t) => {
  const clinics = await startClinics(t);
  const [mine, theirs] = [await furnish(clinics, CLINIC), await furnish(clinics, OTHER_CLINIC)];
  const owner = await signInOwner(clinics.origin);
  const proofs = await proofsOf(owner, [`portal/people/${mine.user}`, `portal/links/${mine.link}`]);
  const before = [await stateOf(clinics, CLINIC), await stateOf(clinics, OTHER_CLINIC)];
  const stray = [...Object.values(theirs), `../${OTHER_CLINIC.id}/${theirs.entry}`, "é", "\n", "", "x".repeat(10_000)];
  for (const { path, fields = [] } of FORMS.filter((form) => form.fields?.includes("id"))) {
    const proof = proofs.get(ROOT + path);
    if (proof === undefined) continue;
    const more = fields.includes("use") ? { use: theirs.use } : {};
    for (const id of stray) {
      const { status } = await owner.post(ROOT + path, { proof, id, ...more });
      t.ok([404, 422].includes(status), `${path} ${id.slice(0, 30)}: ${status}`);
    }
  }
  const notUs = `${ROOT}portal/links/not-us`;
  for (const use of [theirs.use, `../${theirs.link}/${theirs.use}`, "é", "x".repeat(10_000)]) {
    const { status } = await owner.post(notUs, { proof: proofs.get(notUs) ?? "", id: theirs.link, use });
    t.ok([404, 422].includes(status), `not-us ${use.slice(0, 30)}: ${status}`);
  }
  for (const path of [`portal/links/${theirs.link}`, `portal/people/${theirs.user}`, `shortcuts/${theirs.shortcut}`])
    t.equal((await owner.get(ROOT + path)).status, 404, path);
  t.strictSame([await stateOf(clinics, CLINIC), await stateOf(clinics, OTHER_CLINIC)], before);
});

t.test("what others wrote stays text on every page", async (t) => {
  const clinics = await startClinics(t);
  const ids = await furnish(clinics, CLINIC);
  await ask(clinics, "GET", `/${MARKUP.replaceAll(" ", "")}`, {
    "user-agent": MARKUP,
    "x-forwarded-for": "203.0.113.66",
  });
  const owner = await signInOwner(clinics.origin);
  const query = `?${new URLSearchParams({ q: MARKUP, ip: MARKUP, removed: MARKUP, done: MARKUP, after: MARKUP })}`;
  const pages = [...VIEWS, `portal/links/${ids.link}`, `portal/people/${ids.user}`, `portal/shortcuts/${ids.shortcut}`];
  let shown = 0;
  for (const path of pages)
    for (const asked of ["", query]) {
      const { status, body } = await owner.get(ROOT + path + asked);
      t.equal(status, 200, path);
      t.notMatch(body, /<script>alert|<img src=x/, path);
      shown += body.split("&lt;script&gt;alert").length - 1;
    }
  t.ok(shown >= 10, "and it was there to be seen");
});

t.test("fields of ten thousand characters, and numbers that are none, are refused and shown", async (t) => {
  const clinics = await startClinics(t);
  const ids = await furnish(clinics, CLINIC);
  const owner = await signInOwner(clinics.origin);
  const proofs = await proofsOf(owner, [`portal/people/${ids.user}`, `portal/links/${ids.link}`]);
  const before = await stateOf(clinics, CLINIC);
  for (const { path, fields = [] } of FORMS.filter((form) => proofs.has(ROOT + form.path))) {
    const long = Object.fromEntries(fields.map((name) => [name, "x".repeat(10_000)]));
    const { status } = await owner.post(ROOT + path, { proof: proofs.get(ROOT + path) ?? "", ...long });
    t.ok([400, 404, 422].includes(status), `${path}: ${status}`);
  }
  const place = { cidr: "203.0.113.0/24", label: "Branch" };
  for (const days of ["-1", "0", "1e9", "NaN", "Infinity", "0x10", "1.5", "31", " 30"])
    for (const [path, thing] of [
      ["portal/add", place],
      ["portal/change", { id: ids.entry, label: "Branch" }],
    ] as const) {
      const { status } = await owner.post(ROOT + path, { proof: proofs.get(ROOT + path) ?? "", ...thing, days });
      t.equal(status, 422, `${path}, ${days} days`);
    }
  t.equal(await stateOf(clinics, CLINIC), before);
});

t.test("whoever is disabled on the portal loses the places of their shortcuts", async (t) => {
  const clinics = await startClinics(t);
  const { user } = await furnish(clinics, CLINIC);
  const shortcut = { user, label: "Ben's laptop" };
  const { url } = await clinics.admin<Made>("POST", `/v1/tenants/${CLINIC.id}/shortcuts`, shortcut);
  await ask(clinics, "POST", new URL(url).pathname, { "x-forwarded-for": "203.0.113.66" });
  const cidrs = async () => (await clinics.list()).map(({ cidr }) => cidr);
  t.ok((await cidrs()).includes("203.0.113.66/32"));
  const owner = await signInOwner(clinics.origin);
  await owner.submit(await owner.get(`${ROOT}portal/people/${user}`), `${ROOT}portal/people/disable`);
  t.notOk((await cidrs()).includes("203.0.113.66/32"));
});
