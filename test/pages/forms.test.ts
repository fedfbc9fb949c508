/** Case 30: no other site can post any of our forms. Case 31: looking at a page changes nothing. Case 23: what is no form is refused. */
import t from "tap";
import { newSecret } from "../../src/core/ids.ts";
import { STYLESHEET } from "../../src/look/stylesheet.ts";
import { FormGuard } from "../../src/pages/form-guard.ts";
import { ROOT, type Route } from "../../src/pages/route.ts";
import { PERSON_KINDS } from "../../src/person/door.ts";
import type { Visit } from "../../src/person/visit.ts";
import { PageClient } from "../support/page-client.ts";
import { API, PASSWORD } from "../support/person-door.ts";
import { invite, type PersonSite, startPersonSite } from "../support/person-site.ts";

const BROWSER = newSecret();
const MINE = { "sec-fetch-site": "same-origin", origin: "null" };

function pathOf(route: Route): string {
  return `${ROOT}/${route.path.replace(":token", newSecret())}`;
}

function proofFor(site: PersonSite, path: string, browser = BROWSER): string {
  return new FormGuard(site.keyring).proofFor({ tenant: site.tenant } as Visit, browser, path);
}

/** One post of a route with nothing in it but its proof. */
async function post(
  site: PersonSite,
  route: Route,
  change: { path?: string; browser?: string; proof?: string; cookie?: string; headers?: Record<string, string> },
) {
  const path = change.path ?? pathOf(route);
  const client = new PageClient(site.origin);
  if (change.cookie !== "") client.cookies.set("sallyport-browser", change.cookie ?? BROWSER);
  const proof = change.proof ?? proofFor(site, path);
  const json = route.method === "JSON";
  const headers = { ...MINE, ...(json ? { "content-type": "application/json" } : {}), ...change.headers };
  return await client.post(path, json ? JSON.stringify({ proof }) : `proof=${proof}`, headers);
}

t.test("case 30: every form, from everywhere else", async (t) => {
  const site = await startPersonSite(t);
  const posted = site.routes.filter(({ method }) => method !== "GET");
  t.ok(posted.length > 15);
  const port = new URL(site.origin).port;
  for (const route of posted) {
    const { status } = await post(site, route, {});
    t.ok(status !== 403 && status < 500, `${route.path}: our own page may (${status})`);
    const path = pathOf(route);
    const others = {
      "another site": { headers: { "sec-fetch-site": "cross-site" } },
      "another host of the same site": { headers: { "sec-fetch-site": "same-site" } },
      "a named origin": { headers: { origin: "https://evil.example" } },
      "the other scheme": { headers: { origin: site.origin.replace("http:", "https:") } },
      "another port": { headers: { origin: site.origin.replace(port, "1") } },
      "no proof": { proof: "" },
      "another path's proof": { path, proof: proofFor(site, `${path}x`) },
      "another browser's proof": { path, proof: proofFor(site, path, newSecret()) },
      "no cookie": { cookie: "" },
      "a cookie that is none": { cookie: "x", path, proof: proofFor(site, path, "x") },
    };
    for (const [name, change] of Object.entries(others)) {
      t.equal((await post(site, route, change)).status, 403, `${route.path}: ${name}`);
    }
  }
});

t.test("case 31: GET and HEAD change nothing, with every right in hand", async (t) => {
  const site = await startPersonSite(t);
  const { door, tenant, store } = site;
  const user = await door.users.create(tenant, { email: "ann@happyfeet.example", password: PASSWORD }, API);
  const ticket = await door.invitations.ticket(tenant.id, user.id, API);
  const link = new URL(await invite(site, "new@happyfeet.example"));
  const client = new PageClient(site.origin);
  const signIn = await client.get(`${ROOT}/sign-in`);
  const moved = await client.submit(signIn, `${ROOT}/sign-in`, { email: "ann@happyfeet.example", password: PASSWORD });
  const challenge = new URL(String(moved.headers["location"]), site.origin).searchParams.get("c");
  const everything = async () =>
    JSON.stringify(await Promise.all(PERSON_KINDS.map((kind) => store.list({ kind, limit: 1000 }))));
  const before = await everything();
  t.match(before, "persontoken");
  for (const route of site.routes.filter(({ method, path }) => method === "GET" && path !== "jwks.json")) {
    const token = route.path.startsWith("ticket") ? ticket.token : (link.pathname.split("/").at(-1) ?? "");
    const path = `${ROOT}/${route.path.replace(":token", token)}?c=${challenge}`;
    for (const method of ["GET", "HEAD"]) {
      const { status, headers } = await client.get(path, {}, method);
      t.ok(status < 500, `${method} ${route.path} ${status}`);
      t.equal(headers["cache-control"], "no-store", route.path);
      t.equal(headers["referrer-policy"], "no-referrer", route.path);
    }
  }
  t.equal(await everything(), before);
});

t.test("case 31: what is no token gets the page of one that is dead, whatever it is", async (t) => {
  const site = await startPersonSite(t);
  const client = new PageClient(site.origin);
  for (const purpose of ["invite", "reset"]) {
    const answers = await Promise.all(
      [newSecret(), "x", "%00", "%E2%80%9D", "%FF", "x".repeat(16_000)].map((token) =>
        client.get(`${ROOT}/${purpose}/${token}`),
      ),
    );
    t.strictSame([...new Set(answers.map(({ status }) => status))], [410]);
    t.equal(new Set(answers.map(({ body }) => body)).size, 1);
    for (const { headers } of answers) t.match(headers, { "cache-control": "no-store" });
  }
});

t.test("case 23: what is no form of ours", async (t) => {
  const site = await startPersonSite(t);
  const path = `${ROOT}/verify`;
  const client = new PageClient(site.origin);
  client.cookies.set("sallyport-browser", BROWSER);
  const proof = proofFor(site, path);
  const sound = `proof=${proof}&m=totp`;
  const status = async (body: string, headers: Record<string, string> = {}) =>
    (await client.post(path, body, headers)).status;
  t.equal(await status(`${sound}&code=1&code=2`), 400, "twice");
  t.equal(await status(`${sound}&admin=1`), 400, "a field that is not asked for");
  t.equal(await status(`${sound}&__proto__=1`), 400);
  t.equal(await status(`${sound}&code=${"1".repeat(60_000)}`), 410, "a long text is no code; the challenge is gone");
  const refused = async (body: string, headers: Record<string, string> = {}) => {
    const answer = await client.post(path, body, headers);
    t.equal(answer.status, 400, body.slice(0, 40));
    return answer.body.replace(/<dd>[^<]*<\/dd>/, "");
  };
  const json = { "content-type": "application/json" };
  const told = [
    await refused(`${sound}&code=${"1".repeat(70_000)}`),
    await refused(`${sound}&code=${"1".repeat(1_000_000)}`),
    await refused(JSON.stringify({ proof, code: ["1"] }), json),
    await refused(JSON.stringify({ proof, code: { toString: "1" } }), json),
    await refused("{", json),
    await refused(sound, { "content-type": "text/plain" }),
    await refused(sound, { "content-type": "" }),
  ];
  t.equal(new Set(told).size, 1, "told in the same words");
  const passkey = `${ROOT}/verify/passkey`;
  const body = JSON.stringify({ proof: proofFor(site, passkey), c: ["x"] });
  t.equal((await client.post(passkey, body, json)).status, 400, "a list for a text");
});

t.test("a method that a page does not take: 405, with those that it takes", async (t) => {
  const site = await startPersonSite(t);
  const client = new PageClient(site.origin);
  for (const [path, allow] of [
    ["sign-in", "GET, HEAD, POST"],
    ["account", "GET, HEAD"],
    ["account/password", "POST"],
    [`invite/${newSecret()}`, "GET, HEAD, POST"],
    [STYLESHEET.path.slice(ROOT.length + 1), "GET, HEAD"],
  ] as const) {
    for (const method of ["PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND"]) {
      const answer = await client.get(`${ROOT}/${path}?x=1`, { "content-type": "text/plain" }, method);
      t.match(answer, { status: 405, headers: { allow } }, `${method} ${path}`);
    }
  }
  t.match(await client.get(`${ROOT}/account/password`), { status: 405, headers: { allow: "POST" } });
  for (const path of ["nothing", "sign-in/", "invite/", `invite/${newSecret()}/x`])
    t.match(await client.get(`${ROOT}/${path}`, {}, "PUT"), { status: 404, headers: { allow: undefined } }, path);
});
