/** `If-Match` on whatever writes: judged where there is something to judge, refused where there is nothing, never passed over. */
import t from "tap";
import { FixedClock } from "../../src/core/clock.ts";
import type { TenantId } from "../../src/core/ids.ts";
import { type AdminFixture, type CallOptions, START_MS, startAdminApi } from "../support/admin-api.ts";
import { onEveryStore } from "../support/admin-api-stores.ts";
import { place, tokenOf } from "../support/places.ts";

const A = "/v1/tenants/a";
const LIST = `${A}/allowlist`;
const LOST = { status: 412, body: { code: "precondition_failed" } };
const STALE = '"1"';

/** A write, what its tag is of, and what it is sent with. */
interface Write {
  readonly method: string;
  readonly path: string;
  readonly tag: () => Promise<string>;
  readonly sends?: CallOptions;
}

async function conditionalWrites({ call, whitelist }: AdminFixture): Promise<Write[]> {
  const tagOf = async (path: string) => (await call("GET", path)).headers.get("etag") ?? "";
  const user = async (action: string, method = "POST"): Promise<Write> => {
    const json = { email: `${action}@a.example`, password: "correct pony battery staple" };
    const path = `${A}/users/${(await call("POST", `${A}/users`, { json })).body.id}`;
    return { method, path: `${path}/${action}`, tag: () => tagOf(path) };
  };
  const asked = async (from: string, action: string): Promise<Write> => {
    await whitelist.requests.ask("a" as TenantId, place(from), {});
    const made = async (): Promise<{ id: string; revision: number }> =>
      (await call("GET", `${A}/requests`)).body.items.find(({ address }: { address: string }) => address === from);
    const path = `${A}/requests/${(await made()).id}/${action}`;
    return { method: "POST", path, tag: async () => `"${(await made()).revision}"` };
  };
  const link = (await call("POST", `${A}/links`, { json: {} })).body;
  await whitelist.door.use("a" as TenantId, tokenOf(link.url), place("198.51.100.1"));
  const used = `${A}/links/${link.id}`;
  const { uses } = (await call("GET", used)).body;
  return [
    { method: "POST", path: LIST, tag: () => tagOf(LIST), sends: { json: { cidr: "192.0.2.1" } } },
    { method: "POST", path: LIST, tag: () => tagOf(LIST), sends: { json: { hostname: "home.example" } } },
    {
      method: "POST",
      path: `${LIST}/import`,
      tag: () => tagOf(LIST),
      sends: { raw: "192.0.2.2", headers: { "content-type": "text/plain" } },
    },
    await user("invite"),
    await user("reset-factors"),
    await user("unlock"),
    await user("sign-in-ticket"),
    await user("sessions", "DELETE"),
    await asked("203.0.113.1", "approve"),
    await asked("203.0.113.2", "dismiss"),
    { method: "DELETE", path: `${used}/uses/${uses[0].id}`, tag: () => tagOf(used) },
  ];
}

onEveryStore(t, "a stale tag: 412, and nothing is done; the present one: done", async (t, start) => {
  const gate = await start({ clock: new FixedClock(START_MS) });
  await gate.tenant("a");
  for (const { method, path, tag, sends } of await conditionalWrites(gate)) {
    const send = (given: string) =>
      gate.call(method, path, { ...sends, headers: { ...sends?.headers, "if-match": given } });
    const name = `${method} ${path}`;
    const before = (await gate.store.head()).revision;
    for (const stale of [STALE, `W/${await tag()}`]) t.match(await send(stale), LOST, name);
    t.equal((await send("nonsense")).status, 400, name);
    t.equal((await gate.store.head()).revision, before, `${name} did nothing`);
    const done = await send(await tag());
    t.ok(done.status < 300, `${name}: ${done.status}`);
  }
});

onEveryStore(t, "a tag that is lost at the last moment is lost", async (t, start) => {
  const gate = await start({ clock: new FixedClock(START_MS) });
  await gate.tenant("a");
  const other = await startAdminApi(t, { store: gate.store, clock: gate.clock, chain: "node-2" });
  for (const { method, path, tag, sends } of await conditionalWrites(gate)) {
    if (!path.includes("/users/") && !path.startsWith(LIST)) continue;
    const headers = { ...sends?.headers, "if-match": await tag() };
    const commit = gate.ledger.commit.bind(gate.ledger);
    let tries = 0;
    gate.ledger.commit = async (change) => {
      const user = path.replace(/\/[^/]*$/, "");
      if (tries++ > 0) t.fail(`${method} ${path} was tried again`);
      else if (path.startsWith(LIST)) await other.call("POST", LIST, { json: { cidr: "192.0.2.9" } });
      else await other.call("PATCH", user, { json: { name: "Ann" } });
      return await commit(change);
    };
    t.match(await gate.call(method, path, { ...sends, headers }), LOST, `${method} ${path}`);
    gate.ledger.commit = commit;
  }
});

t.test("* matches any, also one that came at the last moment", async (t) => {
  const gate = await startAdminApi(t);
  await gate.tenant("a");
  const other = await startAdminApi(t, { store: gate.store, clock: gate.clock, chain: "node-2" });
  const json = { email: "ann@a.example", password: "correct pony battery staple" };
  const path = `${A}/users/${(await gate.call("POST", `${A}/users`, { json })).body.id}`;
  const commit = gate.ledger.commit.bind(gate.ledger);
  let turns = 0;
  const send = async (method: string, to: string, sends: CallOptions = {}) => {
    let tries = 0;
    gate.ledger.commit = async (change) => {
      if (tries++ === 0) {
        const { status } = await other.call("PATCH", path, { json: { name: `Ann ${++turns}` } });
        t.equal(status, 200);
      }
      return await commit(change);
    };
    const { status } = await gate.call(method, to, { ...sends, headers: { "if-match": "*" } });
    t.ok(status < 300, `${method} ${to}: ${status}`);
  };
  for (const action of ["invite", "unlock", "sign-in-ticket", "reset-factors"]) await send("POST", `${path}/${action}`);
  await send("DELETE", `${path}/sessions`);
  await send("PATCH", path, { json: { email: "bea@a.example" } });
  await send("DELETE", path);
  const gone = await gate.call("DELETE", path, { headers: { "if-match": "*" } });
  t.equal(gone.status, 404);
});

t.test("one of two at once", async (t) => {
  const { call, tenant } = await startAdminApi(t);
  await tenant("a");
  const path = `${A}/users/${(await call("POST", `${A}/users`, { json: { email: "ann@a.example" } })).body.id}`;
  const headers = { "if-match": (await call("GET", path)).headers.get("etag") ?? "" };
  const edits = ["Ann A", "Ann B", "Ann C"].map((name) => call("PATCH", path, { json: { name }, headers }));
  const statuses = (await Promise.all(edits)).map(({ status }) => status);
  t.strictSame(
    statuses.toSorted((one, another) => one - another),
    [200, 412, 412],
  );
});

t.test("a repetition is answered although the tag has moved since", async (t) => {
  const { call, tenant } = await startAdminApi(t);
  await tenant("a");
  const path = `${A}/users/${(await call("POST", `${A}/users`, { json: { email: "ann@a.example" } })).body.id}`;
  const headers = { "if-match": (await call("GET", path)).headers.get("etag") ?? "", "idempotency-key": "one" };
  const first = await call("POST", `${path}/invite`, { headers });
  t.equal(first.status, 201);
  t.strictSame((await call("POST", `${path}/invite`, { headers })).body, first.body);
});

t.test("where there is nothing to judge, it is said so", async (t) => {
  const { call, tenant, store } = await startAdminApi(t);
  await tenant("a");
  const writes: readonly [method: string, path: string, json?: object][] = [
    ["POST", "/v1/tenants", { id: "b", name: "B", hosts: ["b.example"], upstreams: ["http://127.0.0.1:9000"] }],
    ["POST", "/v1/keys", { access: "read" }],
    ["POST", `${A}/users`, { email: "ann@a.example" }],
    ["POST", `${A}/links`, {}],
    ["POST", `${A}/shortcuts`, {}],
    ["POST", `${A}/outbox/x/retry`],
    ["DELETE", `${A}/sessions/x`],
  ];
  const before = (await store.head()).revision;
  for (const [method, path, json] of writes) {
    for (const given of ["*", STALE]) {
      const answer = await call(method, path, { json, headers: { "if-match": given } });
      const body = { code: "request_malformed", detail: /^If-Match means nothing here/ };
      t.match(answer, { status: 400, body }, `${method} ${path}`);
    }
  }
  const none = await call("PUT", LIST, { json: { items: [] }, headers: { "if-none-match": "*" } });
  t.match(none, { status: 400, body: { detail: /^If-None-Match means nothing here/ } });
  t.equal((await store.head()).revision, before);
});

t.test("the description names it wherever it is judged, and 412 with it", async (t) => {
  const { call } = await startAdminApi(t);
  const { paths } = (await call("GET", "/openapi.json", { key: null })).body;
  for (const [path, methods] of Object.entries<Record<string, Operation>>(paths)) {
    for (const [method, { parameters = [], responses }] of Object.entries(methods)) {
      const judged = parameters.some(({ name }) => name === "if-match");
      t.equal("412" in responses, judged, `${method} ${path}`);
    }
  }
});

interface Operation {
  readonly parameters?: readonly { readonly name: string }[];
  readonly responses: object;
}
