/** The end of a person: the places that they added themselves go with them, however long they were to last. */
import t from "tap";
import { FixedClock } from "../../src/core/clock.ts";
import type { TenantId } from "../../src/core/ids.ts";
import { type AdminFixture, START_MS, startAdminApi } from "../support/admin-api.ts";
import { onEveryStore, type Start } from "../support/admin-api-stores.ts";
import { place } from "../support/places.ts";

const A = "a" as TenantId;
const LIST = "/v1/tenants/a/allowlist";
const USERS = "/v1/tenants/a/users";
const DAY_MS = 86_400_000;
const author = { actor: { kind: "user", id: "usr_owner" } } as const;

async function begin(start: Start, clock = new FixedClock(START_MS)) {
  const gate = await start({ clock });
  await gate.tenant("a");
  await gate.call("PATCH", "/v1/tenants/a", { json: { policy: { selfAllow: "user", combine: "any" } } });
  return { gate, clock, anna: await addUser(gate, "anna@a.example"), ben: await addUser(gate, "ben@a.example") };
}

async function addUser({ call }: AdminFixture, email: string): Promise<string> {
  return (await call("POST", USERS, { json: { email } })).body.id;
}

async function admit({ whitelist }: AdminFixture, user: string, address: string) {
  return await whitelist.selfAllow.admit(A, place(address), { user, role: "user" });
}

async function cidrs({ call }: AdminFixture): Promise<string[]> {
  return (await call("GET", LIST)).body.items.map(({ cidr }: { cidr: string }) => cidr);
}

const ENDS = {
  disabled: ({ call }: AdminFixture, user: string, query = "", headers = {}) =>
    call("PATCH", `${USERS}/${user}${query}`, { json: { state: "disabled" }, headers }),
  deleted: ({ call }: AdminFixture, user: string, query = "", headers = {}) =>
    call("DELETE", `${USERS}/${user}${query}`, { headers }),
};

for (const [name, end] of Object.entries(ENDS)) {
  onEveryStore(t, `a person who is ${name}`, async (t, start) => {
    const { gate, clock, anna, ben } = await begin(start);
    const { id } = await admit(gate, anna, "198.51.100.1");
    await admit(gate, anna, "2001:db8::1");
    await admit(gate, ben, "198.51.100.2");
    await gate.call("POST", LIST, { json: { cidr: "192.0.2.1" } });
    clock.advance(60 * DAY_MS);
    await gate.call("PATCH", `${LIST}/${id}`, { json: { ttlSeconds: 300 * 86_400 } });
    clock.advance(20 * DAY_MS);
    t.equal((await cidrs(gate)).length, 4);
    t.ok((await end(gate, anna)).status < 300);
    t.strictSame(await cidrs(gate), ["198.51.100.2/32", "192.0.2.1/32"]);
    const { items } = (await gate.call("GET", "/v1/audit?tenant=a&action=entry.deleted")).body;
    t.equal(items.length, 2);
    await t.rejects(admit(gate, anna, "198.51.100.1"), { code: "forbidden" });
    await t.rejects(
      gate.whitelist.manage(() => gate.whitelist.planRestore(A, id, author)),
      { code: "not_found" },
    );
  });

  onEveryStore(t, `whoever stands there is asked before somebody is ${name}`, async (t, start) => {
    const { gate, anna } = await begin(start);
    await admit(gate, anna, "203.0.113.7");
    const headers = { "sallyport-on-behalf-of-address": "203.0.113.7" };
    t.match(await end(gate, anna, "", headers), { status: 409, body: { code: "confirmation_required" } });
    t.strictSame(await cidrs(gate), ["203.0.113.7/32"]);
    t.ok((await end(gate, anna, "?confirm=true", headers)).status < 300);
    t.strictSame(await cidrs(gate), []);
  });
}

onEveryStore(t, "where a place alone lets nobody in, it stays: it may be the clinic's", async (t, start) => {
  const { gate, anna } = await begin(start);
  await gate.call("PATCH", "/v1/tenants/a", { json: { policy: { combine: "all" } } });
  const { id } = await admit(gate, anna, "198.51.100.1");
  t.ok((await ENDS.deleted(gate, anna)).status < 300);
  t.strictSame(await cidrs(gate), ["198.51.100.1/32"]);
  await gate.call("DELETE", `${LIST}/${id}`);
  await gate.whitelist.manage(() => gate.whitelist.planRestore(A, id, author));
  t.strictSame(await cidrs(gate), ["198.51.100.1/32"], "also by an undo");
});

onEveryStore(t, "a place that they remove and bring back themselves returns", async (t, start) => {
  const { gate, anna } = await begin(start);
  const { id } = await admit(gate, anna, "198.51.100.1");
  await gate.call("DELETE", `${LIST}/${id}`);
  await gate.whitelist.manage(() => gate.whitelist.planRestore(A, id, author));
  t.strictSame(await cidrs(gate), ["198.51.100.1/32"]);
});

onEveryStore(t, "what somebody's request brought stays when the one who approved it goes", async (t, start) => {
  const { gate, anna } = await begin(start);
  await gate.whitelist.requests.ask(A, place("198.51.100.9"), {});
  const [request] = (await gate.call("GET", "/v1/tenants/a/requests")).body.items;
  const approver = { actor: { kind: "user", id: anna } } as const;
  await gate.whitelist.manage(() => gate.whitelist.requests.planApprove(A, request.id, {}, approver));
  t.equal((await gate.call("DELETE", `${USERS}/${anna}`)).status, 204);
  t.strictSame(await cidrs(gate), ["198.51.100.9/32"]);
});

for (const first of ["the place", "the end"]) {
  onEveryStore(t, `both planned at once, ${first} committed first`, async (t, start) => {
    const { gate, anna } = await begin(start);
    const other = await startAdminApi(t, { store: gate.store, clock: gate.clock, chain: "node-2" });
    const [early, late] = first === "the place" ? [gate, other] : [other, gate];
    const planned = Promise.withResolvers<void>();
    const committed = Promise.withResolvers<void>();
    before(early, () => planned.promise, committed.resolve);
    before(late, () => {
      planned.resolve();
      return committed.promise;
    });
    await Promise.allSettled([ENDS.disabled(other, anna), admit(gate, anna, "198.51.100.1")]);
    t.match((await gate.call("GET", `${USERS}/${anna}`)).body, { state: "disabled" });
    t.strictSame(await cidrs(gate), []);
  });
}

/** Holds the node's commits back for something, and tells when they are done. */
function before({ ledger }: AdminFixture, wait: () => Promise<void>, done = () => {}): void {
  const commit = ledger.commit.bind(ledger);
  ledger.commit = async (change) => {
    await wait();
    return await commit(change).finally(done);
  };
}
