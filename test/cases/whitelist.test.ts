/** Runs cases 31 to 33 against the rules of links and shortcuts; their pages have the same cases in a browser. */
import t from "tap";
import { FixedClock } from "../../src/core/clock.ts";
import type { TenantId } from "../../src/core/ids.ts";
import { START_MS } from "../support/admin-api.ts";
import { onEveryStore } from "../support/admin-api-stores.ts";
import { place, tokenOf } from "../support/places.ts";
import { SPOILED_TOKENS } from "./whitelist.ts";

const A = "a" as TenantId;
const HERE = place("198.51.100.1");

onEveryStore(t, "case 31: whatever is wrong with a token, it is the same", async (t, start) => {
  for (const { name, make } of SPOILED_TOKENS) {
    const clock = new FixedClock(START_MS);
    const gate = await start({ clock });
    await gate.tenant("a");
    await gate.tenant("b");
    const token = await make({ gate, clock });
    const before = (await gate.store.head()).revision;
    // Only that it is a shortcut's is said, of a genuine one.
    const gone = name.startsWith("a shortcut ") ? { kind: "gone", source: "shortcut" } : { kind: "gone" };
    t.strictSame(await gate.whitelist.door.open(A, token, HERE), gone, `${name}, opened`);
    t.strictSame(await gate.whitelist.door.use(A, token, HERE), gone, `${name}, used`);
    t.equal((await gate.store.head()).revision, before, `${name} changes nothing`);
    await gate.close();
  }
});

onEveryStore(t, "case 31: one bit changed, any of them", async (t, start) => {
  const gate = await start();
  await gate.tenant("a");
  const token = tokenOf((await gate.call("POST", "/v1/tenants/a/links", { json: {} })).body.url);
  let opened = 0;
  for (let index = 0; index < token.length; index++) {
    for (let bit = 0; bit < 7; bit++) {
      const spelt = Buffer.from(token, "latin1");
      spelt[index] = (spelt[index] ?? 0) ^ (1 << bit);
      if ((await gate.whitelist.door.open(A, spelt.toString("latin1"), HERE)).kind !== "gone") opened += 1;
    }
  }
  t.equal(opened, 0);
  t.match(await gate.whitelist.door.open(A, token, HERE), { kind: "open" });
});

onEveryStore(t, "case 31: opening changes nothing, a thousand times", async (t, start) => {
  const gate = await start();
  await gate.tenant("a");
  const { body } = await gate.call("POST", "/v1/tenants/a/links", { json: {} });
  const before = (await gate.store.head()).revision;
  for (let n = 0; n < 1000; n++) await gate.whitelist.door.open(A, tokenOf(body.url), HERE);
  t.equal((await gate.store.head()).revision, before);
  t.match((await gate.call("GET", `/v1/tenants/a/links/${body.id}`)).body, { useCount: 0, uses: [] });
});

onEveryStore(t, "case 32: a link deleted after use, a shortcut run from three places", async (t, start) => {
  const gate = await start();
  await gate.tenant("a");
  const cidrs = async () =>
    (await gate.call("GET", "/v1/tenants/a/allowlist")).body.items.map(({ cidr }: { cidr: string }) => cidr);
  const link = (await gate.call("POST", "/v1/tenants/a/links", { json: { maxUses: 2 } })).body;
  const shortcut = (await gate.call("POST", "/v1/tenants/a/shortcuts", { json: {} })).body;
  for (const n of [1, 2]) await gate.whitelist.door.use(A, tokenOf(link.url), place(`198.51.100.${n}`));
  for (const n of [1, 2, 3]) await gate.whitelist.door.use(A, tokenOf(shortcut.url), place(`203.0.113.${n}`));
  t.strictSame(await cidrs(), ["198.51.100.1/32", "198.51.100.2/32", "203.0.113.3/32"]);
  await gate.call("DELETE", `/v1/tenants/a/links/${link.id}`);
  t.strictSame(await cidrs(), ["203.0.113.3/32"]);
});

onEveryStore(t, "case 33: a thousand uses a minute of one link, and the list's own limit", async (t, start) => {
  const gate = await start({ entriesPerTenant: 10 });
  await gate.tenant("a");
  const { url } = (await gate.call("POST", "/v1/tenants/a/links", { json: { maxUses: 100 } })).body;
  const kinds = new Map<string, number>();
  for (let n = 0; n < 1000; n++) {
    const used = await gate.whitelist.door.use(A, tokenOf(url), place(`203.0.${n >> 8}.${n & 255}`));
    kinds.set(used.kind, (kinds.get(used.kind) ?? 0) + 1);
    if (used.kind === "limited") t.ok(used.retryAfterMs > 0);
  }
  t.strictSame(Object.fromEntries(kinds), { admitted: 10, full: 50, limited: 940 });
  t.equal((await gate.call("GET", "/v1/tenants/a/allowlist")).body.items.length, 10);
  t.equal((await gate.call("PATCH", "/v1/tenants/a", { json: { limits: { entries: 5 } } })).status, 200);
  const refused = await gate.call("POST", "/v1/tenants/a/allowlist", { json: { cidr: "192.0.2.1" } });
  t.match(refused, { status: 422, body: { code: "entry_limit" } }, "the tenant's own");
});
