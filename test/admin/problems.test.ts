/** Errors on the wire, and their description in `docs/errors.md`. */

import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import t from "tap";
import { STATUS } from "../../src/admin/problem.ts";
import { ERROR_CODES } from "../../src/core/errors.ts";
import { FAULTS } from "../../src/edge/fault-answer.ts";
import { REFUSALS } from "../../src/edge/refusals.ts";
import { startAdminApi } from "../support/admin-api.ts";

const ERRORS = readFileSync(new URL("../../docs/errors.md", import.meta.url), "utf8");

/** Code and status of each row that has both, and says something about them. */
function documented(text: string): (readonly [string, number])[] {
  return [...text.matchAll(/^\| `([a-z_]+)` \| (\d{3}) \| .{10,} \|$/gm)].map(([, code = "", status]) => [
    code,
    Number(status),
  ]);
}

t.test("docs/errors.md lists every code with its status, and no other", async (t) => {
  const [api = "", edge = ""] = ERRORS.split("## The gate's own refusals");
  t.same(
    documented(api),
    ERROR_CODES.map((code) => [code, STATUS[code]]),
    "of the admin API, in order",
  );
  const own: Record<string, { readonly status: number }> = { ...REFUSALS, ...FAULTS };
  t.same(
    Object.fromEntries(documented(edge)),
    Object.fromEntries(Object.entries(own).map(([code, { status }]) => [code, status])),
    "of the edge",
  );
  for (const [code, { status }] of Object.entries(REFUSALS))
    t.equal(own[code]?.status, status, `${code} has one status`);
});

t.test("every refusal is a problem document", async (t) => {
  const { call, tenant } = await startAdminApi(t);
  await tenant("a");
  const list = "/v1/tenants/a/allowlist";
  const json = { "content-type": "application/json" };
  const rows: readonly [string, string, Parameters<typeof call>[2], number, string][] = [
    ["GET", "/nowhere", {}, 404, "not_found"],
    ["GET", "/v1/tenants/", {}, 404, "not_found"],
    ["PUT", "/v1/tenants", {}, 405, "method_not_allowed"],
    ["DELETE", "/v1/tenants/a/explain", {}, 405, "method_not_allowed"],
    ["POST", "/healthz", {}, 405, "method_not_allowed"],
    ["POST", list, { raw: "{", headers: json }, 400, "request_malformed"],
    ["POST", list, { raw: new Uint8Array([0x7b, 0xff]), headers: json }, 400, "request_malformed"],
    ["POST", list, { raw: "\uFEFF{}", headers: json }, 400, "request_malformed"],
    ["POST", list, { raw: "", headers: json }, 422, "body_invalid"],
    ["POST", list, {}, 422, "body_invalid"],
    ["POST", list, { raw: "[]", headers: json }, 422, "body_invalid"],
    ["POST", list, { raw: "null", headers: json }, 422, "body_invalid"],
    [
      "POST",
      list,
      { raw: "cidr=10.0.0.1", headers: { "content-type": "application/x-www-form-urlencoded" } },
      415,
      "unsupported_media_type",
    ],
    ["POST", list, { raw: "{}", headers: { "content-type": "text/plain" } }, 415, "unsupported_media_type"],
    ["POST", `${list}/import`, { json: {} }, 415, "unsupported_media_type"],
    ["POST", list, { json: { cidr: "192.0.2.1", label: "x".repeat(2 ** 20) } }, 413, "payload_too_large"],
    ["GET", `${list}?limit=1001`, {}, 422, "body_invalid"],
    ["GET", `${list}?limit=01`, {}, 422, "body_invalid"],
    ["GET", `${list}?colour=red`, {}, 422, "body_invalid"],
    ["GET", "/v1/audit?since=yesterday", {}, 422, "body_invalid"],
    ["GET", "/v1/audit?tenant=%C3%BC", {}, 422, "body_invalid"],
    ["HEAD", "/v1/events", {}, 405, "method_not_allowed"],
    ["GET", "/%zz", {}, 400, "request_malformed"],
  ];
  for (const [method, path, options, status, code] of rows) {
    const answer = await call(method, path, options);
    t.equal(answer.headers.get("content-type"), "application/problem+json; charset=utf-8", `${method} ${path}`);
    t.equal(answer.status, status);
    if (status === 405) t.ok(answer.headers.get("allow"));
    if (method === "HEAD") continue;
    t.match(answer, {
      body: { type: `urn:sallyport:error:${code}`, status, code, title: String, requestId: String },
    });
  }
  t.equal((await call("PUT", "/v1/tenants")).headers.get("allow"), "GET, HEAD, POST");
  t.equal(
    (await call("GET", "/v1/tenants", { key: null })).headers.get("www-authenticate"),
    'Bearer realm="sallyport"',
  );
});

t.test("a name of any length is not found, and asks for a key first", async (t) => {
  const { call, tenant } = await startAdminApi(t);
  await tenant("a");
  for (const length of [101, 500, 10_000]) {
    const long = "x".repeat(length);
    const a = "/v1/tenants/a";
    const paths = [`/v1/tenants/${long}`, `${a}/allowlist/${long}`, `${a}/users/${long}`, `${a}/links/${long}`];
    for (const path of [...paths, `${a}/sessions/${long}`, `${a}/denials/${long}`, `/v1/keys/${long}`]) {
      const method = /sessions|keys/.test(path) ? "DELETE" : "GET";
      t.match(await call(method, path), { status: 404, body: { code: "not_found" } }, path.slice(0, 40));
      t.match(await call(method, path, { key: null }), { body: { code: /unauthorized|limit_reached/ } });
    }
  }
});

t.test("what no route asks for is refused by every route", async (t) => {
  const { call, tenant, origin } = await startAdminApi(t);
  await tenant("a");
  const { paths } = (await (await fetch(`${origin}/openapi.json`)).json()) as { paths: Record<string, object> };
  let asked = 0;
  for (const [path, operations] of Object.entries(paths)) {
    if (!path.startsWith("/v1/")) continue;
    const url = path.replaceAll(/\{tenant\}/g, "a").replaceAll(/\{[^}]+\}/g, "x");
    for (const [method, operation] of Object.entries(operations)) {
      asked += 1;
      const name = `${method} ${path}`;
      const verb = method.toUpperCase();
      const at = { status: 422, body: { issues: [{ pointer: "/nonsense", message: "is not known here" }] } };
      const text = JSON.stringify(operation).includes("text/csv");
      const sent = "requestBody" in operation && !text ? { json: {} } : {};
      const answer = await call(verb, `${url}?nonsense=1`, sent);
      t.equal(answer.status, 422, name);
      if (verb === "GET" || "requestBody" in operation) continue;
      t.match(await call(verb, url, { json: { nonsense: 1 } }), at, name);
    }
  }
  t.ok(asked > 40);
  const made = await call("POST", "/v1/tenants/a/users", { json: { email: "ann@clinic.example" } });
  const invite = `/v1/tenants/a/users/${made.body.id}/invite`;
  t.equal((await call("POST", invite, { json: {} })).status, 201, "nothing is said by an empty body");
});

t.test("a fault says nothing of the inside", async (t) => {
  const explain = async () => {
    throw new Error("secret detail at /inner/path");
  };
  const { call, tenant } = await startAdminApi(t, { dependencies: { explain } });
  await tenant("a");
  const answer = await call("GET", "/v1/tenants/a/explain?ip=192.0.2.1");
  t.match(answer, { status: 500, body: { code: "internal", requestId: answer.headers.get("sallyport-request-id") } });
  t.notMatch(answer.text, /secret|inner|detail/);
});

t.test("what is not HTTP is answered and closed", async (t) => {
  const { origin } = await startAdminApi(t);
  const socket = connect(Number(new URL(origin).port), "127.0.0.1");
  socket.end("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n");
  const [data] = await once(socket, "data");
  t.match(String(data), /^HTTP\/1\.1 400 /);
  await once(socket, "close");
});
