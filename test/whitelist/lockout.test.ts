/** The lock-out guard: a change that takes the owners' last way in is refused, unless it is forced. */
import t from "tap";
import { type AdminFixture, startAdminApi } from "../support/admin-api.ts";

const refused = { status: 409, body: { code: "lockout_refused" } };

async function owner(gate: AdminFixture, email: string): Promise<string> {
  const json = { email, role: "owner", password: "correct pony battery staple" };
  return (await gate.call("POST", "/v1/tenants/a/users", { json })).body.id;
}

t.test("the last owner", async (t) => {
  const gate = await startAdminApi(t);
  await gate.tenant("a");
  const first = `/v1/tenants/a/users/${await owner(gate, "one@a.example")}`;
  t.match(await gate.call("PATCH", first, { json: { state: "disabled" } }), refused);
  t.match(await gate.call("PATCH", first, { json: { role: "user" } }), refused);
  t.match(await gate.call("DELETE", first), refused);
  t.match(await gate.call("GET", first), { body: { state: "active", role: "owner" } });
  const second = `/v1/tenants/a/users/${await owner(gate, "two@a.example")}`;
  t.equal((await gate.call("PATCH", first, { json: { state: "disabled" } })).status, 200);
  t.match(await gate.call("DELETE", second), refused, "the other one is disabled");
  t.equal((await gate.call("DELETE", `${second}?force=true`)).status, 204);
  t.equal((await gate.call("DELETE", first)).status, 204, "nobody is left who had a way in");
});

t.test("the last entry, where nobody may add their own place", async (t) => {
  const gate = await startAdminApi(t);
  await gate.tenant("a");
  const policy = (json: object) => gate.call("PATCH", "/v1/tenants/a", { json: { policy: json } });
  const list = "/v1/tenants/a/allowlist";
  await owner(gate, "one@a.example");
  t.match(await policy({ selfAllow: "nobody" }), refused, "the list is empty");
  const one = (await gate.call("POST", list, { json: { cidr: "192.0.2.1" } })).body.id;
  t.equal((await policy({ selfAllow: "nobody" })).status, 200);
  t.match(await gate.call("DELETE", `${list}/${one}`), refused);
  t.match(await gate.call("PUT", list, { json: { items: [] } }), refused);
  const two = (await gate.call("POST", list, { json: { cidr: "192.0.2.2" } })).body.id;
  t.equal((await gate.call("DELETE", `${list}/${one}`)).status, 204);
  t.equal((await gate.call("DELETE", `${list}/${two}?force=true`)).status, 204);
});

t.test("a tenant without people has nobody to lock out", async (t) => {
  const gate = await startAdminApi(t);
  await gate.tenant("a");
  const list = "/v1/tenants/a/allowlist";
  const { id } = (await gate.call("POST", list, { json: { cidr: "192.0.2.1" } })).body;
  t.equal((await gate.call("PATCH", "/v1/tenants/a", { json: { policy: { selfAllow: "nobody" } } })).status, 200);
  t.equal((await gate.call("DELETE", `${list}/${id}`)).status, 204);
  t.equal((await gate.call("PUT", list, { json: { items: [] } })).status, 200);
});
