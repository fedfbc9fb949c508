/** The API's server closes soon, whoever is connected. */
import { once } from "node:events";
import { request } from "node:http";
import t from "tap";
import { ADMIN_KEY, startAdminApi } from "../support/admin-api.ts";

t.test("what is under way is answered, and its connection then closed", async (t) => {
  const fixture = await startAdminApi(t);
  const body = JSON.stringify({ id: "a", name: "A", hosts: ["a.example"], upstreams: ["http://127.0.0.1:9"] });
  const headers = {
    authorization: `Bearer ${ADMIN_KEY}`,
    "content-type": "application/json",
    "content-length": body.length,
    connection: "keep-alive",
  };
  const asked = request(`${fixture.origin}/v1/tenants`, { method: "POST", headers });
  asked.write(body.slice(0, 10));
  // It has been taken once the server answers on another connection.
  t.equal((await fixture.call("GET", "/healthz")).status, 200);
  const closed = fixture.close();
  await t.rejects(fetch(`${fixture.origin}/healthz`), "nobody new is let in");
  asked.end(body.slice(10));
  const [answer] = await once(asked, "response");
  t.match(answer, { statusCode: 201, headers: { connection: "close" } });
  const answeredAtMs = performance.now();
  await closed;
  t.ok(performance.now() - answeredAtMs < 4_000, "long before what is under way would be cut off");
});
