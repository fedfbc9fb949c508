/** No key reaches beyond its scope: a matrix over every route of the description, so that a new route is in it by itself. */
import t from "tap";
import { FixedClock } from "../../src/core/clock.ts";
import { START_MS, startAdminApi } from "../support/admin-api.ts";

interface Route {
  readonly method: string;
  readonly path: string;
}

const PUBLIC = ["/healthz", "/readyz"];
/** Routes without a tenant in the path that show a tenant's key its own things alone. */
const SHARED = ["/v1/tenants", "/v1/keys", "/v1/keys/{key}", "/v1/audit", "/v1/audit/export", "/v1/events"];

t.test("the matrix", async (t) => {
  const clock = new FixedClock(START_MS);
  const { call, tenant } = await startAdminApi(t, { clock });
  await tenant("a");
  await tenant("b");
  const entry = await call("POST", "/v1/tenants/b/allowlist", { json: { cidr: "192.0.2.1", label: "b's own" } });
  const foreign = await call("POST", "/v1/keys", { json: { label: "b", access: "write", tenant: "b" } });
  const make = async (json: object) => (await call("POST", "/v1/keys", { json })).body.token as string;
  const keys = {
    write: await make({ label: "a write", access: "write", tenant: "a" }),
    read: await make({ label: "a read", access: "read", tenant: "a" }),
    readAll: await make({ label: "all read", access: "read" }),
  };
  const { body } = await call("GET", "/openapi.json", { key: null });
  const routes: Route[] = Object.entries(body.paths as object).flatMap(([path, methods]) =>
    Object.keys(methods as object).map((method) => ({ method: method.toUpperCase(), path })),
  );
  t.ok(routes.length > 20);
  const fill = (path: string) =>
    path
      .replace("{tenant}", "b")
      .replace("{entry}", entry.body.id)
      .replace("{key}", foreign.body.id)
      .replace(/\{\w+\}/g, "x");

  for (const { method, path } of routes) {
    if (PUBLIC.includes(path)) continue;
    const url = fill(path) + (path.endsWith("/explain") ? "?ip=192.0.2.1" : "");
    const name = `${method} ${path}`;
    clock.advance(60_000);
    t.equal((await call(method, url, { key: null })).status, 401, `${name} without a key`);
    if (method !== "GET")
      t.equal((await call(method, url, { key: keys.readAll })).status, 403, `${name} with a key that may only read`);
    if (path.includes("{tenant}")) {
      for (const key of [keys.write, keys.read]) {
        const answer = await call(method, url, { key });
        t.match(
          answer,
          { status: 404, body: { code: "not_found", detail: "there is no such tenant" } },
          `${name} of another tenant`,
        );
      }
    } else if (!SHARED.includes(path)) {
      t.equal((await call(method, url, { key: keys.write })).status, 403, `${name} with a key of one tenant`);
    }
  }
  t.equal((await call("GET", `/v1/tenants/b/allowlist/${entry.body.id}`)).status, 200, "all of b is still there");
});

t.test("what the shared routes show a key of one tenant", async (t) => {
  const { call, tenant } = await startAdminApi(t);
  await tenant("a");
  await tenant("b");
  const foreign = (await call("POST", "/v1/keys", { json: { label: "b", access: "write", tenant: "b" } })).body;
  const own = (await call("POST", "/v1/keys", { json: { label: "a", access: "write", tenant: "a" } })).body;
  const key = own.token as string;
  t.match((await call("GET", "/v1/tenants", { key })).body.items, [{ id: "a" }]);
  t.match((await call("GET", "/v1/keys", { key })).body.items, [{ id: own.id }]);
  t.equal((await call("GET", `/v1/keys/${foreign.id}`, { key })).status, 404);
  t.equal((await call("DELETE", `/v1/keys/${foreign.id}`, { key })).status, 404);
  t.equal(
    (
      await call("POST", "/v1/tenants", {
        key,
        json: { id: "c", name: "c", hosts: ["c.example"], upstreams: ["http://127.0.0.1:1"] },
      })
    ).status,
    403,
  );
  const widening = [
    { json: { label: "x", access: "write" }, status: 403 },
    { json: { label: "x", access: "read", tenant: "b" }, status: 404 },
    { json: { label: "x", access: "read", tenant: "nowhere" }, status: 404 },
    { json: { label: "x", access: "read", tenant: "a" }, status: 201 },
  ];
  for (const { json, status } of widening) t.equal((await call("POST", "/v1/keys", { key, json })).status, status);
  const audit = (await call("GET", "/v1/audit", { key })).body.items as { tenant: string }[];
  t.ok(audit.length > 0 && audit.every((record) => record.tenant === "a"));
  t.equal((await call("GET", "/v1/audit?tenant=b", { key })).status, 404);
  t.equal((await call("GET", "/v1/events?tenant=b", { key })).status, 404);
  t.notMatch((await call("GET", "/v1/audit/export", { key })).text, '"tenant":"b"');
  const change = (json: object) => call("PATCH", "/v1/tenants/a", { key, json });
  t.equal((await change({ policy: { network: "observe" } })).status, 200);
  t.equal((await change({ hosts: ["a.example", "soon.example"] })).status, 403, "names are the operator's");
  t.equal((await change({ upstreams: ["http://127.0.0.1:8081"] })).status, 403, "and so are servers");
  t.equal((await call("DELETE", "/v1/tenants/a", { key })).status, 403);
});

t.test("an attempt on another tenant is in the audit log of the key's own", async (t) => {
  const { call, tenant } = await startAdminApi(t);
  await tenant("a");
  await tenant("b");
  const own = (await call("POST", "/v1/keys", { json: { label: "a", access: "read", tenant: "a" } })).body;
  await call("DELETE", "/v1/tenants/b", { key: own.token });
  const [record] = (await call("GET", "/v1/audit?action=access.denied")).body.items;
  t.match(record, {
    tenant: "a",
    target: "b",
    actor: { kind: "key", id: own.id, address: "127.0.0.1" },
    after: { method: "DELETE" },
  });
  for (let n = 0; n < 100; n++) await call("GET", "/v1/tenants/b", { key: own.token });
  t.ok(
    (await call("GET", "/v1/audit?action=access.denied&limit=1000")).body.items.length <= 60,
    "it cannot be used to flood the log",
  );
});

t.test("the next cursor of one list is no good for another", async (t) => {
  const { call, tenant } = await startAdminApi(t);
  for (const id of ["a", "b"]) {
    await tenant(id);
    for (const n of [1, 2]) await call("POST", `/v1/tenants/${id}/allowlist`, { json: { cidr: `192.0.2.${n}` } });
  }
  const { next } = (await call("GET", "/v1/tenants/a/allowlist?limit=1")).body;
  t.match((await call("GET", `/v1/tenants/a/allowlist?limit=1&cursor=${next}`)).body.items, [{ cidr: "192.0.2.2/32" }]);
  t.equal((await call("GET", `/v1/tenants/b/allowlist?limit=1&cursor=${next}`)).body.code, "cursor_invalid");
  for (const bad of [`${next}x`, `x${next}`, String(next).replace(".", ""), ".", "%00", String(next).toLowerCase()]) {
    t.equal((await call("GET", `/v1/tenants/a/allowlist?cursor=${bad}`)).status, 422, bad);
  }
});
