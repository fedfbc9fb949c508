/** Taking an entry off the list: what the warning to whoever stands there counts, and in which order one is asked. */
import t from "tap";
import { FixedClock } from "../../src/core/clock.ts";
import { START_MS } from "../support/admin-api.ts";
import { onEveryStore } from "../support/admin-api-stores.ts";

const LIST = "/v1/tenants/a/allowlist";
const headers = { "sallyport-on-behalf-of-address": "203.0.113.7" };

onEveryStore(t, "the warning counts nothing that has expired, swept or not", async (t, start) => {
  const clock = new FixedClock(START_MS);
  const { call, tenant, store } = await start({ clock });
  await tenant("a");
  await call("POST", LIST, { json: { cidr: "203.0.113.0/24", ttlSeconds: 60 } });
  const path = `${LIST}/${(await call("POST", LIST, { json: { cidr: "203.0.113.7" } })).body.id}`;
  clock.advance(60_000);
  t.match(await call("DELETE", path, { headers }), { status: 409, body: { code: "confirmation_required" } });
  t.equal(await store.sweep(100), 1, "it was still there to be swept");
  await call("POST", LIST, { json: { cidr: "203.0.113.0/24", ttlSeconds: 60 } });
  clock.advance(59_999);
  t.equal((await call("DELETE", path, { headers })).status, 204, "what has not expired counts");
});

onEveryStore(t, "nobody is asked to confirm what would be refused", async (t, start) => {
  const { call, tenant } = await start();
  await tenant("a");
  const json = { email: "one@a.example", role: "owner", password: "correct pony battery staple" };
  await call("POST", "/v1/tenants/a/users", { json });
  const path = `${LIST}/${(await call("POST", LIST, { json: { cidr: "203.0.113.7" } })).body.id}`;
  await call("PATCH", "/v1/tenants/a", { json: { policy: { selfAllow: "nobody" } } });
  const remove = async (query: string) => (await call("DELETE", path + query, { headers })).body?.code;
  t.equal(await remove(""), "lockout_refused");
  t.equal(await remove("?confirm=true"), "lockout_refused");
  t.equal(await remove("?force=true"), "confirmation_required");
  t.equal(await remove("?force=true&confirm=true"), undefined);
});
