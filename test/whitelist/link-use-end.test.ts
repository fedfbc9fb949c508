/** A link's record of its uses says what was taken back, whichever way the entry went. */
import t from "tap";
import { FixedClock } from "../../src/core/clock.ts";
import type { TenantId } from "../../src/core/ids.ts";
import { type AdminFixture, START_MS } from "../support/admin-api.ts";
import { onEveryStore } from "../support/admin-api-stores.ts";
import { place, tokenOf } from "../support/places.ts";

const A = "a" as TenantId;
const LIST = "/v1/tenants/a/allowlist";
const HERE = place("198.51.100.1");

async function usedLink(gate: AdminFixture) {
  const { id, url } = (await gate.call("POST", "/v1/tenants/a/links", { json: { entryTtlSeconds: 60, maxUses: 2 } }))
    .body;
  const used = await gate.whitelist.door.use(A, tokenOf(url), HERE);
  const path = `/v1/tenants/a/links/${id}`;
  const tag = (await gate.call("GET", path)).headers.get("etag") ?? "";
  const [entry] = (await gate.call("GET", LIST)).body.items;
  return {
    path,
    tag,
    token: tokenOf(url),
    entry: entry.id as string,
    companion: "companion" in used ? used.companion : undefined,
  };
}

const REMOVALS: Readonly<Record<string, (gate: AdminFixture, entry: string) => Promise<unknown>>> = {
  "its entry deleted": ({ call }, entry) => call("DELETE", `${LIST}/${entry}`),
  "the list replaced": ({ call }) => call("PUT", LIST, { json: { items: [{ cidr: "192.0.2.1" }] } }),
  "a static entry in its place": ({ call }) =>
    call("PUT", LIST, { json: { items: [{ cidr: "198.51.100.1", ttlSeconds: 366 * 86_400 }] } }),
};

for (const [name, remove] of Object.entries(REMOVALS)) {
  onEveryStore(t, name, async (t, start) => {
    const clock = new FixedClock(START_MS);
    const gate = await start({ clock });
    await gate.tenant("a");
    const { path, tag, token, entry } = await usedLink(gate);
    t.notOk((await gate.call("GET", path)).body.uses[0].removedAt);
    clock.advance(1000);
    await remove(gate, entry);
    const read = await gate.call("GET", path, { headers: { "if-none-match": tag } });
    t.match(read, { status: 200, body: { uses: [{ entry, removedAt: "2030-01-01T00:00:01.000Z" }] } });
    t.match(await gate.whitelist.door.use(A, token, HERE), { kind: "gone" });
    clock.advance(60_000);
    t.match(await gate.whitelist.door.use(A, token, HERE), { kind: "gone" }, "nor when its time would have been over");
    t.match(await gate.whitelist.door.use(A, token, place("198.51.100.2")), { kind: "admitted" }, "from elsewhere");
  });
}

onEveryStore(t, "an undo takes it back, and an end by itself is none", async (t, start) => {
  const clock = new FixedClock(START_MS);
  const gate = await start({ clock });
  await gate.tenant("a");
  const { path, entry } = await usedLink(gate);
  const use = async () => (await gate.call("GET", path)).body.uses[0];
  await gate.call("DELETE", `${LIST}/${entry}`);
  t.ok((await use()).removedAt);
  const author = { actor: { kind: "user", id: "usr_owner" } } as const;
  await gate.whitelist.manage(() => gate.whitelist.planRestore(A, entry, author));
  t.notOk((await use()).removedAt);
  clock.advance(60_000);
  await gate.store.sweep(100);
  t.equal((await gate.call("GET", `${LIST}/${entry}`)).status, 404);
  t.notOk((await use()).removedAt);
});

onEveryStore(t, "a use with an entry of each family is over with the second", async (t, start) => {
  const gate = await start({ clock: new FixedClock(START_MS) });
  await gate.tenant("a");
  await gate.call("PATCH", "/v1/tenants/a", { json: { hosts: ["a.example", "v6.a.example"] } });
  await gate.call("PATCH", "/v1/tenants/a", { json: { altHosts: { ipv6: "v6.a.example" } } });
  const { path, entry, companion } = await usedLink(gate);
  await gate.whitelist.door.use(A, tokenOf(companion?.url ?? ""), place("2001:db8::1"));
  const use = async () => (await gate.call("GET", path)).body.uses[0];
  await gate.call("DELETE", `${LIST}/${entry}`);
  t.notOk((await use()).removedAt);
  await gate.call("DELETE", `${LIST}/${(await use()).companion.entry}`);
  t.ok((await use()).removedAt);
});
