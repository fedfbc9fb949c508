/** The description is complete, and the API behaves as it says. */
import t from "tap";
import { startAdminApi } from "../support/admin-api.ts";

interface Json {
  readonly [key: string]: Json;
}

t.test("the document", async (t) => {
  const { call } = await startAdminApi(t);
  const { status, body } = await call("GET", "/openapi.json", { key: null });
  t.equal(status, 200);
  t.match(body, { openapi: "3.1.0", info: { version: "1.2.3" } });
  const ids = new Set<string>();
  for (const [path, methods] of Object.entries(body.paths as Json)) {
    for (const [method, operation] of Object.entries(methods as Json)) {
      const name = `${method} ${path}`;
      t.type(operation["operationId"], "string", name);
      t.notOk(ids.has(String(operation["operationId"])), `${name} has an id of its own`);
      ids.add(String(operation["operationId"]));
      t.ok(operation["summary"] && operation["tags"], `${name} says what it does`);
      const responses = operation["responses"] as Json;
      t.ok(
        Object.keys(responses).some((code) => code.startsWith("2")),
        `${name} says what it answers`,
      );
      for (const [code, response] of Object.entries(responses)) {
        if (Number(code) >= 400)
          t.match(
            response,
            { content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } } },
            `${name} ${code}`,
          );
      }
      if (path.startsWith("/v1/")) t.ok(responses["401"], `${name} needs a key`);
      const content = (operation["requestBody"] as Json | undefined)?.["content"];
      for (const [type, media] of Object.entries(content ?? {}))
        t.ok(JSON.stringify(media).includes('"example":'), `${name} has an example of ${type}`);
    }
  }
  t.match(body.components.securitySchemes.key, { type: "http", scheme: "bearer" });
  t.same(danglingReferences(body), []);
  t.notMatch(JSON.stringify(body), "errorMessage");
  t.same(Object.keys(body.paths["/v1/tenants/{tenant}/allowlist/import"].post.requestBody.content), [
    "text/csv",
    "text/plain",
  ]);
});

function danglingReferences(document: Json): string[] {
  const text = JSON.stringify(document);
  const references = [...text.matchAll(/"\$ref":"([^"]*)"/g)].map(([, reference = ""]) => reference);
  const known = Object.keys((document["components"] as Json)["schemas"] as Json).map(
    (name) => `#/components/schemas/${name}`,
  );
  return references.filter((reference) => !known.includes(reference));
}

t.test("the page to browse it loads nothing from anywhere else", async (t) => {
  const { call } = await startAdminApi(t);
  const page = await call("GET", "/docs", { key: null });
  t.equal(page.status, 200);
  const policy = page.headers.get("content-security-policy") ?? "";
  t.match(policy, "default-src 'none'");
  t.notMatch(policy, /https?:|unsafe-eval/);
  const links = [...page.text.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, link = ""]) => link);
  t.ok(links.length > 3);
  for (const link of links) {
    t.match(link, /^\/docs\//);
    t.equal((await call("GET", link, { key: null })).status, 200, link);
  }
  const initializer = await call("GET", "/docs/static/swagger-initializer.js", { key: null });
  t.match(initializer.text, "/openapi.json");
});
