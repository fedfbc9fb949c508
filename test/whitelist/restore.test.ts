/** Taking a removal back: only while what brought the entry still answers for it. */
import t from "tap";
import { FixedClock } from "../../src/core/clock.ts";
import type { TenantId } from "../../src/core/ids.ts";
import { type AdminFixture, START_MS } from "../support/admin-api.ts";
import { onEveryStore, type Start } from "../support/admin-api-stores.ts";
import { place, tokenOf } from "../support/places.ts";

const A = "a" as TenantId;
const HERE = place("198.51.100.1");
const LIST = "/v1/tenants/a/allowlist";
const GONE = { code: "not_found" };

async function begin(start: Start) {
  const clock = new FixedClock(START_MS);
  const gate = await start({ clock });
  await gate.tenant("a");
  const author = { actor: { kind: "user", id: "usr_owner" } } as const;
  const restore = (id: string) => gate.whitelist.manage(() => gate.whitelist.planRestore(A, id, author));
  const listed = async (): Promise<{ id: string }[]> => (await gate.call("GET", LIST)).body.items;
  return { gate, clock, restore, listed };
}

async function make(gate: AdminFixture, what: "links" | "shortcuts") {
  const { body } = await gate.call("POST", `/v1/tenants/a/${what}`, { json: {} });
  return { path: `/v1/tenants/a/${what}/${body.id}`, token: tokenOf(body.url) };
}

onEveryStore(t, "an entry returns under its own id, for an hour", async (t, start) => {
  const { gate, clock, restore, listed } = await begin(start);
  const { body } = await gate.call("POST", LIST, { json: { cidr: "192.0.2.0/24", label: "Branch" } });
  await t.rejects(restore(body.id), GONE, "it is there");
  await gate.call("DELETE", `${LIST}/${body.id}`);
  await restore(body.id);
  t.match(await listed(), [{ id: body.id, cidr: "192.0.2.0/24", label: "Branch" }]);
  await gate.call("DELETE", `${LIST}/${body.id}`);
  clock.advance(3_600_001);
  await t.rejects(restore(body.id), GONE);
});

onEveryStore(t, "what a link admitted returns with the link's power over it, or not at all", async (t, start) => {
  const { gate, restore, listed } = await begin(start);
  const link = await make(gate, "links");
  await gate.whitelist.door.use(A, link.token, HERE);
  const [entry] = await listed();
  const id = entry?.id ?? "";
  await gate.call("DELETE", `${LIST}/${id}`);
  await restore(id);
  t.match(await listed(), [{ id }]);
  await gate.call("DELETE", link.path);
  t.strictSame(await listed(), [], "the link takes it along again");
  await t.rejects(restore(id), GONE, "and it does not outlive its link");

  const other = await make(gate, "links");
  await gate.whitelist.door.use(A, other.token, HERE);
  const [second] = await listed();
  const { uses } = (await gate.call("GET", other.path)).body;
  await gate.call("DELETE", `${other.path}/uses/${uses[0].id}`);
  await t.rejects(restore(second?.id ?? ""), GONE, "what was not us stays out");
  t.strictSame(await listed(), []);
});

onEveryStore(t, "a shortcut that has moved on has one entry still", async (t, start) => {
  const { gate, restore, listed } = await begin(start);
  const shortcut = await make(gate, "shortcuts");
  await gate.whitelist.door.use(A, shortcut.token, HERE);
  const [entry] = await listed();
  await gate.whitelist.door.use(A, shortcut.token, place("198.51.100.2"));
  await t.rejects(restore(entry?.id ?? ""), GONE);
  const [latest] = await listed();
  await gate.call("DELETE", `${LIST}/${latest?.id}`);
  await restore(latest?.id ?? "");
  t.match(await listed(), [{ id: latest?.id, cidr: "198.51.100.2/32" }]);
  t.equal((await listed()).length, 1);
});
