/** Users by the admin API: their life, and the conventions that every resource keeps. */
import t from "tap";
import { FixedClock } from "../../src/core/clock.ts";
import { LOCKING_FAILURES } from "../../src/person/throttle.ts";
import { START_MS, startAdminApi } from "../support/admin-api.ts";
import { Browser, makeTenant } from "../support/person-door.ts";

const USERS = "/v1/tenants/a/users";
const ann = { email: "Ann@A.example", name: "Ann", role: "owner" };
const password = "correct pony battery staple";

t.test("a user's life", async (t) => {
  const { call, tenant } = await startAdminApi(t);
  await tenant("a");
  const made = await call("POST", USERS, { json: ann });
  t.equal(made.status, 201);
  const { id, revision } = made.body;
  const path = `${USERS}/${id}`;
  t.equal(made.headers.get("location"), path);
  t.equal(made.headers.get("etag"), `"${revision}"`);
  t.strictSame(made.body, {
    id,
    email: "ann@a.example",
    name: "Ann",
    role: "owner",
    state: "invited",
    factors: [],
    signIn: { possible: false, reasons: ["no-password"] },
    createdAt: "2030-01-01T00:00:00.000Z",
    revision,
  });
  t.strictSame((await call("GET", path)).body, made.body);
  t.match((await call("POST", USERS, { json: ann })).body, { status: 409, code: "email_taken" });

  const with_ = await call("POST", USERS, { json: { email: "bob@a.example", password } });
  t.match(with_, { status: 201, body: { state: "active", role: "user", signIn: { possible: true, reasons: [] } } });
  t.match((await call("GET", USERS)).body.items, [{ id }, { id: with_.body.id }]);
  const first = (await call("GET", `${USERS}?limit=1`)).body;
  t.match(first.items, [{ id }]);
  t.match((await call("GET", `${USERS}?limit=1&cursor=${first.next}`)).body, { items: [{ id: with_.body.id }] });
  t.match((await call("GET", `${USERS}?email=BOB@a.example`)).body.items, [{ id: with_.body.id }]);
  t.strictSame((await call("GET", `${USERS}?email=eve@a.example`)).body, { items: [] });

  for (const [wrong, pointer] of [
    [{ name: "a\nb" }, "/name"],
    [{ name: "a\u202Eb" }, "/name"],
    [{ name: "\u3000" }, "/name"],
    [{ name: "x".repeat(61) }, "/name"],
  ] as const) {
    const refused = { status: 422, body: { code: "body_invalid", issues: [{ pointer }] } };
    t.match(await call("POST", USERS, { json: { email: "new@a.example", ...wrong } }), refused);
    t.match(await call("PATCH", path, { json: wrong }), refused);
  }
  for (const email of ["new@a.example\n", " new@a.example", "new@a.example\u00A0", "new\t@a.example"]) {
    const refused = { status: 422, body: { code: "email_invalid" } };
    t.match(await call("POST", USERS, { json: { email } }), refused);
    t.match(await call("PATCH", path, { json: { email } }), refused);
  }
  t.strictSame((await call("GET", path)).body, made.body, "nothing was changed, nor taken away from what was sent");

  const change = (json: object, headers = {}) => call("PATCH", path, { json, headers });
  const named = await change({ name: null, role: "user" }, { "if-match": `"${revision}"` });
  t.match(named, { status: 200, body: { role: "user", revision: Number } });
  t.notOk("name" in named.body);
  t.equal(named.headers.get("etag"), `"${named.body.revision}"`);
  t.match((await change({ name: "Anna" }, { "if-match": `"${revision}"` })).body, { code: "precondition_failed" });
  t.match((await change({ email: "bob@a.example" })).body, { status: 409, code: "email_taken" });
  t.match((await change({ state: "disabled" })).body, {
    state: "disabled",
    signIn: { reasons: ["disabled", "no-password"] },
  });
  t.match((await change({ state: "active" })).body, { state: "invited" });

  t.equal((await call("DELETE", path, { headers: { "if-match": '"1"' } })).status, 412);
  t.equal((await call("DELETE", path)).status, 204);
  for (const [method, json] of [["GET"], ["PATCH", { name: "x" }], ["DELETE"]] as const)
    t.match(await call(method, path, json === undefined ? {} : { json }), { status: 404, body: { code: "not_found" } });
  for (const action of ["invite", "unlock", "reset-factors", "sign-in-ticket"])
    t.match(await call("POST", `${path}/${action}`), { status: 404, body: { code: "not_found" } }, action);
});

t.test("what is refused says where and why", async (t) => {
  const { call, tenant } = await startAdminApi(t);
  await tenant("a");
  const refused = async (json: object) => (await call("POST", USERS, { json })).body;
  t.match(await refused({}), { status: 422, issues: [{ pointer: "/email", message: "is required" }] });
  t.match(await refused({ email: ["ann@a.example"] }), { issues: [{ pointer: "/email" }] });
  t.match(await refused({ email: "ann" }), { status: 422, code: "email_invalid" });
  t.match(await refused({ email: "ann@a.example", admin: true }), { issues: [{ pointer: "/admin" }] });
  t.match(await refused({ email: "ann@a.example", role: "root" }), {
    issues: [{ pointer: "/role", message: "must be owner or user" }],
  });
  t.match(await refused({ email: "ann@a.example", name: "  " }), { issues: [{ pointer: "/name" }] });
  t.match(await refused({ email: "ann@a.example", password: "password1234" }), {
    status: 422,
    code: "password_refused",
  });
  const { id } = (await call("POST", USERS, { json: ann })).body;
  const changed = async (json: unknown) => (await call("PATCH", `${USERS}/${id}`, { json })).body;
  t.match(await changed({}), { status: 422, code: "body_invalid" });
  t.match(await changed({ state: "locked" }), { issues: [{ pointer: "/state" }] });
  t.match(await changed({ factors: [] }), { issues: [{ pointer: "/factors" }] });
  for (const path of ["https://evil", "//evil.example", "/\\evil", "/x\r\ny", "/.sallyport/sign-out", "/a#b", ""]) {
    const refusal = await call("POST", `${USERS}/${id}/sign-in-ticket`, { json: { path } });
    t.match(refusal.body, { status: 422, code: "body_invalid", issues: [{ pointer: "/path" }] }, JSON.stringify(path));
  }
  t.match((await call("GET", "/v1/tenants/nowhere/users")).body, { status: 404, code: "not_found" });
});

t.test("an idempotency key makes one user, one link, one ticket", async (t) => {
  const { call, tenant, person } = await startAdminApi(t);
  await tenant("a");
  const once = (path: string, json?: object) =>
    call("POST", path, { headers: { "idempotency-key": path }, ...(json === undefined ? {} : { json }) });
  const [one, two] = await Promise.all([once(USERS, ann), once(USERS, ann)]);
  t.equal(one.status, 201);
  t.strictSame(two.body, one.body);
  t.equal([one, two].filter((reply) => reply.headers.get("idempotency-replayed") === "true").length, 1);
  t.match((await once(USERS, { email: "eve@a.example" })).body, { code: "idempotency_conflict" });
  const path = `${USERS}/${one.body.id}`;
  const links = await Promise.all([once(`${path}/invite`), once(`${path}/invite`)]);
  t.match(links[0], {
    status: 201,
    body: { link: /^https:\/\/a\.example\/\.sallyport\/invite\/[\w-]{43}$/, mailed: true },
  });
  t.strictSame(links[1]?.body, links[0]?.body);
  const visit = new Browser(makeTenant("a")).visit;
  const token = String(links[0]?.body.link).split("/").at(-1);
  t.match(await person.invitations.show(visit, "invite", token), { email: "ann@a.example" }, "the link is good");
  const tickets = [await once(`${path}/sign-in-ticket`, {}), await once(`${path}/sign-in-ticket`, {})];
  t.match(tickets[0], { status: 201, body: { url: /\/\.sallyport\/ticket\//, expiresAt: "2030-01-01T00:01:00.000Z" } });
  t.strictSame(tickets[1]?.body, tickets[0]?.body);
  const headers = { "idempotency-key": "gone" };
  t.equal((await call("DELETE", path, { headers })).status, 204);
  t.equal((await call("DELETE", path, { headers })).status, 204, "a repetition is no second deletion");
  t.equal((await call("DELETE", path)).status, 404);
});

t.test("a lock shows, and is lifted", async (t) => {
  const clock = new FixedClock(START_MS);
  const { call, tenant, person } = await startAdminApi(t, { clock });
  await tenant("a");
  const { id } = (await call("POST", USERS, { json: { email: "ann@a.example", password } })).body;
  const stranger = new Browser(makeTenant("a"));
  for (let n = 0; n < LOCKING_FAILURES; n++) {
    await stranger.identify(person, "ann@a.example", "wrong wrong wrong");
    clock.advance(600_000);
  }
  t.match((await call("GET", `${USERS}/${id}`)).body, {
    state: "locked",
    signIn: { possible: false, reasons: ["locked"] },
  });
  const lifted = await call("POST", `${USERS}/${id}/unlock`);
  t.match(lifted, { status: 200, body: { state: "active", signIn: { possible: true } } });
  const [record] = (await call("GET", "/v1/audit?action=user.unlocked")).body.items;
  t.match(record, { tenant: "a", target: id, requestId: lifted.headers.get("sallyport-request-id") });
});

t.test("a deleted tenant leaves no person behind", async (t) => {
  const { call, tenant, store } = await startAdminApi(t, {
    dependencies: { ownedKinds: ["user", "login", "credential"] },
  });
  await tenant("a");
  await call("POST", USERS, { json: ann });
  await call("DELETE", "/v1/tenants/a");
  while ((await store.list({ kind: "tenantremains", limit: 1 })).length > 0) await new Promise(setImmediate);
  for (const kind of ["user", "login", "credential"]) t.strictSame(await store.list({ kind, limit: 1 }), [], kind);
});
