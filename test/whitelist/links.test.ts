/** Whitelist links: one click admits a place, counted exactly, and everything it admitted can be taken back. */
import t from "tap";
import { FixedClock } from "../../src/core/clock.ts";
import type { TenantId } from "../../src/core/ids.ts";
import { type AdminFixture, START_MS } from "../support/admin-api.ts";
import { onEveryStore } from "../support/admin-api-stores.ts";
import { place, tokenOf } from "../support/places.ts";

const A = "a" as TenantId;

async function makeLink(gate: AdminFixture, json: object = {}) {
  const { body } = await gate.call("POST", "/v1/tenants/a/links", { json });
  return { id: body.id as string, token: tokenOf(body.url), path: `/v1/tenants/a/links/${body.id}` };
}

async function listed(gate: AdminFixture): Promise<{ id: string; cidr: string; kind: string; sourceId: string }[]> {
  return (await gate.call("GET", "/v1/tenants/a/allowlist")).body.items;
}

onEveryStore(t, "a click admits the place that it came from", async (t, start) => {
  const gate = await start();
  await gate.tenant("a");
  const link = await makeLink(gate, { label: "Night shift", entryTtlSeconds: 3600 });
  const { door } = gate.whitelist;
  t.match(await door.open(A, link.token, place("203.0.113.7")), { kind: "open", label: "Night shift", by: "click" });
  t.strictSame(await listed(gate), [], "opening it changes nothing");
  t.match(await door.use(A, link.token, place("203.0.113.7")), { kind: "admitted", source: "link" });
  t.match(await listed(gate), [
    {
      cidr: "203.0.113.7/32",
      label: "Night shift",
      kind: "link",
      createdBy: `link:${link.id}`,
      sourceId: link.id,
      expiresAt: "2030-01-01T01:00:00.000Z",
    },
  ]);
  const { body } = await gate.call("GET", link.path);
  t.match(body, {
    useCount: 1,
    uses: [{ cidr: "203.0.113.7/32", address: "203.0.113.7", userAgent: "Firefox on a laptop", clicks: 1 }],
  });
  const { items } = (await gate.call("GET", "/v1/audit?tenant=a&action=link.used")).body;
  t.match(items, [{ actor: { kind: "link", id: link.id, address: "203.0.113.7" } }]);
});

onEveryStore(t, "IPv6 grants the /64, and a place is one use however often it clicks", async (t, start) => {
  const clock = new FixedClock(START_MS);
  const gate = await start({ clock });
  await gate.tenant("a");
  const link = await makeLink(gate, { maxUses: 2, entryTtlSeconds: 3600 });
  const { door } = gate.whitelist;
  await door.use(A, link.token, place("2001:db8:1:2::1"));
  clock.advance(600_000);
  await door.use(A, link.token, place("2001:db8:1:2:ffff::9"));
  const [entry, ...others] = await listed(gate);
  t.match(entry, { cidr: "2001:db8:1:2::/64", expiresAt: "2030-01-01T01:10:00.000Z" }, "its entry lasts anew");
  t.strictSame(others, []);
  const { body } = await gate.call("GET", link.path);
  t.match(body, { useCount: 1, uses: [{ address: "2001:db8:1:2:ffff::9", clicks: 2 }] });
});

onEveryStore(t, "maxUses is exact under any number of callers at once", async (t, start) => {
  const gate = await start();
  await gate.tenant("a");
  const link = await makeLink(gate, { maxUses: 3 });
  const { door } = gate.whitelist;
  const places = Array.from({ length: 12 }, (_, n) => place(`198.51.100.${n + 1}`));
  const outcomes = await Promise.all(places.map((each) => door.use(A, link.token, each)));
  t.equal(outcomes.filter(({ kind }) => kind === "admitted").length, 3);
  t.equal(outcomes.filter(({ kind }) => kind === "gone").length, 9);
  t.equal((await listed(gate)).length, 3);
  const winner = places[outcomes.findIndex(({ kind }) => kind === "admitted")];
  t.match(winner && (await door.use(A, link.token, winner)), { kind: "admitted" }, "a double click is not two uses");
});

onEveryStore(t, "deleting a link removes every entry that it admitted, and no other", async (t, start) => {
  const gate = await start();
  await gate.tenant("a");
  await gate.call("POST", "/v1/tenants/a/allowlist", { json: { cidr: "192.0.2.0/24" } });
  const link = await makeLink(gate, { maxUses: 5 });
  const { door } = gate.whitelist;
  for (const n of [1, 2, 3]) await door.use(A, link.token, place(`198.51.100.${n}`));
  const [, first] = await listed(gate);
  await gate.call("DELETE", `/v1/tenants/a/allowlist/${first?.id}`);
  t.equal((await gate.call("DELETE", link.path)).status, 204);
  t.match(await listed(gate), [{ cidr: "192.0.2.0/24" }]);
  t.equal((await listed(gate)).length, 1);
  t.match(await door.use(A, link.token, place("198.51.100.1")), { kind: "gone" });
  t.equal((await gate.call("GET", link.path)).status, 404);
});

onEveryStore(t, "deleting a link while it is used leaves nothing behind", async (t, start) => {
  const gate = await start();
  await gate.tenant("a");
  const link = await makeLink(gate, { maxUses: 50 });
  const uses = Array.from({ length: 20 }, (_, n) => gate.whitelist.door.use(A, link.token, place(`198.51.100.${n}`)));
  const [deleted] = await Promise.all([gate.call("DELETE", link.path), ...uses]);
  t.equal(deleted.status, 204);
  t.strictSame(await listed(gate), []);
});

onEveryStore(t, "not us: what one use admitted goes, and that network stays out", async (t, start) => {
  const gate = await start();
  await gate.tenant("a");
  const link = await makeLink(gate, { maxUses: 5 });
  const { door } = gate.whitelist;
  await door.use(A, link.token, place("198.51.100.1"));
  await door.use(A, link.token, place("198.51.100.2"));
  const { uses } = (await gate.call("GET", link.path)).body;
  const wrong = uses.find(({ address }: { address: string }) => address === "198.51.100.2");
  t.equal((await gate.call("DELETE", `${link.path}/uses/${wrong.id}`)).status, 204);
  t.match(await listed(gate), [{ cidr: "198.51.100.1/32" }]);
  t.match(await door.open(A, link.token, place("198.51.100.2")), { kind: "gone" });
  t.match(await door.use(A, link.token, place("198.51.100.2")), { kind: "gone" });
  t.match(await door.use(A, link.token, place("198.51.100.3")), { kind: "admitted" }, "others still may");
  t.equal((await gate.call("DELETE", `${link.path}/uses/nothing`)).status, 404);
});

onEveryStore(t, "what an owner removed from the list, the same link does not bring back", async (t, start) => {
  const gate = await start();
  await gate.tenant("a");
  const link = await makeLink(gate, { maxUses: 5 });
  await gate.whitelist.door.use(A, link.token, place("198.51.100.1"));
  const [entry] = await listed(gate);
  await gate.call("DELETE", `/v1/tenants/a/allowlist/${entry?.id}`);
  t.match(await gate.whitelist.door.open(A, link.token, place("198.51.100.1")), { kind: "gone" });
  t.match(await gate.whitelist.door.use(A, link.token, place("198.51.100.1")), { kind: "gone" });
});

onEveryStore(t, "a link for one network, and one that has run out", async (t, start) => {
  const clock = new FixedClock(START_MS);
  const gate = await start({ clock });
  await gate.tenant("a");
  const { door } = gate.whitelist;
  const inside = await makeLink(gate, { allowedNetwork: "198.51.100.0/24" });
  t.strictSame(await door.open(A, inside.token, place("203.0.113.7")), { kind: "elsewhere" });
  t.strictSame(await door.use(A, inside.token, place("203.0.113.7")), { kind: "elsewhere" });
  await door.open(A, inside.token, place("2001:db8::7"));
  const { items } = (await gate.call("GET", "/v1/audit?tenant=a&action=link.refused")).body;
  t.match(items, [{ target: inside.id, after: { address: "2001:db8::7" } }, { after: { address: "203.0.113.7" } }]);
  t.equal(items.length, 2, "each network once, however often it tries");
  for (let n = 1; n <= 30; n++) await door.open(A, inside.token, place(`203.0.113.${100 + n}`));
  const told = (await gate.call("GET", "/v1/audit?tenant=a&action=link.refused&limit=100")).body.items;
  t.equal(told.length, 10, "nor does whoever changes their address fill the log");
  t.match(await door.use(A, inside.token, place("198.51.100.9")), { kind: "admitted" });
  const short = await makeLink(gate, { ttlSeconds: 1, entryTtlSeconds: 1 });
  clock.advance(1_000);
  t.match(await door.use(A, short.token, place("198.51.100.9")), { kind: "gone" });
});

onEveryStore(t, "a click on a dual-stack connection enrols the other address too, once", async (t, start) => {
  const clock = new FixedClock(START_MS);
  const gate = await start({ clock });
  await gate.tenant("a");
  await gate.call("PATCH", "/v1/tenants/a", { json: { hosts: ["a.example", "v6.a.example"] } });
  await gate.call("PATCH", "/v1/tenants/a", { json: { altHosts: { ipv6: "v6.a.example" } } });
  const { door } = gate.whitelist;
  const link = await makeLink(gate, { maxUses: 1 });
  const used = await door.use(A, link.token, place("198.51.100.1"));
  t.match(used, { companion: { family: 6, url: /^https:\/\/v6\.a\.example\/\.sallyport\/allow\/ey/ } });
  const companion = tokenOf("companion" in used ? (used.companion?.url ?? "") : "");
  t.match(await door.open(A, companion, place("2001:db8::1")), { kind: "gone" }, "it is only ever posted");
  t.match(await door.use(A, companion, place("198.51.100.2")), { kind: "gone" }, "not the same family again");
  t.match(await door.use(A, companion, place("2001:db8::1")), { kind: "admitted" });
  t.match(await door.use(A, companion, place("2001:db8:9::1")), { kind: "gone" }, "once");
  t.strictSame(
    (await listed(gate)).map(({ cidr }) => cidr),
    ["198.51.100.1/32", "2001:db8::/64"],
  );
  const { useCount, uses } = (await gate.call("GET", link.path)).body;
  t.match({ useCount, uses }, { useCount: 1, uses: [{ companion: { cidr: "2001:db8::/64" } }] });
  await gate.call("DELETE", link.path);
  t.strictSame(await listed(gate), []);
});
