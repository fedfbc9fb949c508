/** Asking to be let in, and adding the place where one stands. */
import t from "tap";
import { FixedClock } from "../../src/core/clock.ts";
import type { TenantId } from "../../src/core/ids.ts";
import { OUTBOX_KIND, type OutboxItem } from "../../src/notify/outbox.ts";
import { type AdminFixture, START_MS } from "../support/admin-api.ts";
import { onEveryStore } from "../support/admin-api-stores.ts";
import { place } from "../support/places.ts";

const A = "a" as TenantId;

async function listed(gate: AdminFixture): Promise<{ id: string; cidr: string }[]> {
  return (await gate.call("GET", "/v1/tenants/a/allowlist")).body.items;
}

async function asked(gate: AdminFixture) {
  return (await gate.call("GET", "/v1/tenants/a/requests")).body.items;
}

async function withOwner(gate: AdminFixture): Promise<void> {
  await gate.tenant("a");
  await gate.call("POST", "/v1/tenants/a/users", { json: { email: "owner@a.example", role: "owner" } });
  await gate.call("POST", "/v1/tenants/a/users", { json: { email: "user@a.example" } });
}

onEveryStore(t, "one request for each network, told to the owners, approved by a click", async (t, start) => {
  const gate = await start();
  await withOwner(gate);
  const { requests } = gate.whitelist;
  const asking = { from: "Anna\r\nBcc: x@evil.example", note: "at home today", reference: "k3v9x2ab" };
  t.equal(await requests.ask(A, place("2001:db8::1"), asking), 0);
  t.equal(await requests.ask(A, place("2001:db8::2"), { ...asking, note: "still waiting" }), 0);
  const [request, ...others] = await asked(gate);
  t.strictSame(others, []);
  t.match(request, { cidr: "2001:db8::/64", count: 2, note: "still waiting", state: "open" });
  t.equal(request.from, "Anna Bcc: x@evil.example", "one line");
  const mails = await gate.store.list({ kind: OUTBOX_KIND, limit: 10 });
  t.match(
    mails.map(({ value }) => value as OutboxItem),
    [{ notice: "access-request", to: "o•••@a.example" }],
  );
  t.equal(mails.length, 1, "the owners, once");
  t.strictSame(await listed(gate), [], "asking admits nobody");
  const approved = await gate.call("POST", `/v1/tenants/a/requests/${request.id}/approve`);
  t.match(approved, { status: 201, body: { cidr: "2001:db8::/64", kind: "self", sourceId: request.id } });
  t.match(await asked(gate), [{ state: "approved", entry: approved.body.id, decidedBy: "key:bootstrap" }]);
  t.equal((await gate.call("POST", `/v1/tenants/a/requests/${request.id}/approve`)).status, 404, "only once");
});

onEveryStore(t, "a dismissed request stays so, and a flood is held back", async (t, start) => {
  const clock = new FixedClock(START_MS);
  const gate = await start({ clock });
  await withOwner(gate);
  const { requests } = gate.whitelist;
  await requests.ask(A, place("198.51.100.1"), {});
  const [request] = await asked(gate);
  t.equal((await gate.call("POST", `/v1/tenants/a/requests/${request.id}/dismiss`)).status, 204);
  t.equal(await requests.ask(A, place("198.51.100.1"), { note: "again" }), 0, "no word of it to who asks");
  t.match(await asked(gate), [{ state: "dismissed", note: "" }]);
  await requests.ask(A, place("198.51.100.1"), {});
  t.ok((await requests.ask(A, place("198.51.100.1"), {})) > 0, "one network");
  for (let n = 0; n < 40; n++) await requests.ask(A, place(`203.0.113.${n}`), {});
  t.ok((await asked(gate)).length <= 30, "one tenant");
  t.ok((await gate.store.list({ kind: OUTBOX_KIND, limit: 100 })).length <= 4, "and its owners' mail");
});

onEveryStore(t, "who may add the place where they stand", async (t, start) => {
  const clock = new FixedClock(START_MS);
  const gate = await start({ clock });
  await gate.tenant("a");
  const { selfAllow } = gate.whitelist;
  const person = async (email: string) =>
    (await gate.call("POST", "/v1/tenants/a/users", { json: { email } })).body.id as string;
  const owner = { user: await person("anna@a.example"), role: "owner" } as const;
  const user = { user: await person("ben@a.example"), role: "user" } as const;
  const policy = (json: string) => gate.call("PATCH", "/v1/tenants/a", { json: { policy: { selfAllow: json } } });
  const entry = await selfAllow.admit(A, place("198.51.100.1"), owner, { label: "Main Street" });
  t.match(entry, {
    kind: "self",
    createdBy: `user:${owner.user}`,
    label: "Main Street",
    expiresAt: "2030-04-01T00:00:00.000Z",
  });
  await t.rejects(selfAllow.admit(A, place("198.51.100.2"), user), { code: "forbidden" });
  clock.advance(86_400_000);
  const again = await selfAllow.admit(A, place("198.51.100.1"), owner);
  t.match(again, { id: entry.id, expiresAt: "2030-04-02T00:00:00.000Z" }, "the same entry lasts anew");
  await policy("user");
  t.match(await selfAllow.admit(A, place("198.51.100.2"), user), { createdBy: `user:${user.user}` });
  await policy("nobody");
  await t.rejects(selfAllow.admit(A, place("198.51.100.3"), owner), { code: "forbidden" });
  await t.rejects(selfAllow.admit(A, place("198.51.100.3"), owner, { ttlSeconds: 60 }), { code: "forbidden" });
  t.equal((await listed(gate)).length, 2);
});

onEveryStore(t, "lifetimes keep to the tenant's caps", async (t, start) => {
  const gate = await start();
  await gate.tenant("a");
  const limits = { linkTtl: { max: "2h" }, linkUses: { max: 3 }, linkEntryTtl: { default: "1h", max: "1d" } };
  t.match((await gate.call("PATCH", "/v1/tenants/a", { json: { limits } })).body.issues, [
    { pointer: "/limits/linkTtl/default" },
  ]);
  limits.linkTtl = { default: "2h", max: "2h" } as { max: string };
  t.equal((await gate.call("PATCH", "/v1/tenants/a", { json: { limits } })).status, 200);
  const make = (json: object) => gate.call("POST", "/v1/tenants/a/links", { json });
  t.match(await make({}), { status: 201, body: { expiresAt: "2030-01-01T02:00:00.000Z", entryTtlSeconds: 3600 } });
  for (const json of [{ ttlSeconds: 7201 }, { maxUses: 4 }, { entryTtlSeconds: 86_401 }])
    t.match(await make(json), { status: 422, body: { issues: [{ pointer: `/${Object.keys(json)[0]}` }] } });
});
