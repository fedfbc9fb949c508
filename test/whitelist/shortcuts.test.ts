/** Shortcuts: the entry moves with the device. */
import t from "tap";
import { FixedClock } from "../../src/core/clock.ts";
import type { TenantId } from "../../src/core/ids.ts";
import { type AdminFixture, START_MS } from "../support/admin-api.ts";
import { onEveryStore } from "../support/admin-api-stores.ts";
import { place, tokenOf } from "../support/places.ts";

const A = "a" as TenantId;
const DAY_MS = 86_400_000;

async function makeShortcut(gate: AdminFixture, json: object = { label: "Anna's laptop" }) {
  const { body } = await gate.call("POST", "/v1/tenants/a/shortcuts", { json });
  return { id: body.id as string, token: tokenOf(body.url), path: `/v1/tenants/a/shortcuts/${body.id}` };
}

async function cidrs(gate: AdminFixture): Promise<string[]> {
  const { items } = (await gate.call("GET", "/v1/tenants/a/allowlist")).body;
  return items.map(({ cidr }: { cidr: string }) => cidr);
}

onEveryStore(t, "run from three places in turn: one entry, the latest", async (t, start) => {
  const gate = await start();
  await gate.tenant("a");
  const shortcut = await makeShortcut(gate);
  const { door } = gate.whitelist;
  t.match(await door.open(A, shortcut.token, place("198.51.100.1")), { kind: "open", source: "shortcut", by: "click" });
  t.strictSame(await cidrs(gate), []);
  for (const where of ["198.51.100.1", "2001:db8::1", "203.0.113.9"]) {
    const before = (await gate.store.head()).revision;
    t.match(await door.use(A, shortcut.token, place(where)), { kind: "admitted", source: "shortcut" });
    const { commits = [] } = (await gate.store.changesSince(before, 10)) as { commits?: unknown[] };
    t.equal(commits.length, 1, "added and removed in one commit");
  }
  t.strictSame(await cidrs(gate), ["203.0.113.9/32"]);
  t.match((await gate.call("GET", shortcut.path)).body, { runs: 3, lastRun: { address: "203.0.113.9" } });
  t.equal((await gate.call("DELETE", shortcut.path)).status, 204);
  t.strictSame(await cidrs(gate), []);
  t.match(await door.use(A, shortcut.token, place("203.0.113.9")), { kind: "gone" });
});

onEveryStore(t, "it moves on from a place that a replaced list names without an end", async (t, start) => {
  const gate = await start();
  await gate.tenant("a");
  const shortcut = await makeShortcut(gate);
  const { door } = gate.whitelist;
  await door.use(A, shortcut.token, place("198.51.100.1"));
  await gate.call("PUT", "/v1/tenants/a/allowlist", { json: { items: [{ cidr: "198.51.100.1", label: "Anna" }] } });
  await door.use(A, shortcut.token, place("198.51.100.2"));
  t.strictSame(await cidrs(gate), ["198.51.100.2/32"]);
});

onEveryStore(t, "many runs at once leave one entry", async (t, start) => {
  const gate = await start();
  await gate.tenant("a");
  const shortcut = await makeShortcut(gate);
  const runs = Array.from({ length: 8 }, (_, n) =>
    gate.whitelist.door.use(A, shortcut.token, place(`198.51.100.${n}`)),
  );
  const outcomes = await Promise.all(runs);
  t.ok(outcomes.every(({ kind }) => kind === "admitted"));
  t.equal((await cidrs(gate)).length, 1);
});

onEveryStore(t, "it lasts while it is used, and ends with its entry when it is not", async (t, start) => {
  const clock = new FixedClock(START_MS);
  const gate = await start({ clock });
  await gate.tenant("a");
  const shortcut = await makeShortcut(gate, { label: "router", idleSeconds: 30 * 86_400 });
  const { door } = gate.whitelist;
  for (let month = 0; month < 4; month++) {
    clock.advance(29 * DAY_MS);
    t.match(await door.use(A, shortcut.token, place("198.51.100.1")), { kind: "admitted" });
  }
  t.equal((await cidrs(gate)).length, 1);
  clock.advance(30 * DAY_MS);
  t.strictSame(await cidrs(gate), []);
  t.match(await door.use(A, shortcut.token, place("198.51.100.1")), { kind: "gone" });
});

onEveryStore(t, "it ends with its person", async (t, start) => {
  const gate = await start();
  await gate.tenant("a");
  const users = "/v1/tenants/a/users";
  const user = (await gate.call("POST", users, { json: { email: "anna@a.example", role: "user" } })).body;
  const shortcut = await makeShortcut(gate, { user: user.id });
  t.match((await gate.call("GET", shortcut.path)).body, { user: user.id, label: "anna@a.example" });
  t.match(await gate.whitelist.door.use(A, shortcut.token, place("198.51.100.1")), { kind: "admitted" });
  await gate.call("PATCH", `${users}/${user.id}`, { json: { state: "disabled" } });
  t.match(await gate.whitelist.door.use(A, shortcut.token, place("198.51.100.1")), { kind: "gone" });
  const refused = await gate.call("POST", "/v1/tenants/a/shortcuts", { json: { user: user.id } });
  t.match(refused, { status: 422, body: { issues: [{ pointer: "/user" }] } });
});

onEveryStore(t, "the tenant's policy says what running it takes", async (t, start) => {
  const gate = await start();
  await gate.tenant("a");
  const policy = (shortcut: string) => gate.call("PATCH", "/v1/tenants/a", { json: { policy: { shortcut } } });
  const user = (await gate.call("POST", "/v1/tenants/a/users", { json: { email: "anna@a.example" } })).body;
  const shortcut = await makeShortcut(gate, { user: user.id });
  const { door } = gate.whitelist;
  await policy("auto");
  t.match(await door.open(A, shortcut.token, place("198.51.100.1")), { by: "auto" });
  await policy("factor-on-new-network");
  t.match(await door.open(A, shortcut.token, place("198.51.100.1")), { by: "sign-in" });
  t.match(await door.use(A, shortcut.token, place("198.51.100.1")), { kind: "sign-in" });
  t.match(await door.use(A, shortcut.token, place("198.51.100.1"), { user: "usr_other" }), { kind: "sign-in" });
  t.strictSame(await cidrs(gate), []);
  t.match(await door.use(A, shortcut.token, place("198.51.100.1"), { user: user.id }), { kind: "admitted" });
  t.match(await door.use(A, shortcut.token, place("203.0.113.1"), { user: user.id }), { kind: "admitted" });
  t.match(await door.use(A, shortcut.token, place("198.51.100.1")), { kind: "admitted" }, "a network it knows");
});
