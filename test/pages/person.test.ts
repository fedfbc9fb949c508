/** The person door's pages over HTTP: cookies, sessions at the edge, the account, tickets, ways back, and what they do not tell. */
import { createLocalJWKSet, decodeProtectedHeader, type JSONWebKeySet, jwtVerify } from "jose";
import t, { type Test } from "tap";
import { ROOT } from "../../src/pages/route.ts";
import { selfSigned } from "../support/certificate.ts";
import { mailedLink } from "../support/mailed-link.ts";
import { formsOf, type PageAnswer, PageClient } from "../support/page-client.ts";
import { API, PASSWORD, totpCode } from "../support/person-door.ts";
import { type PersonSite, type PersonSiteOptions, startPersonSite } from "../support/person-site.ts";

const EMAIL = "ann@happyfeet.example";

/** A person who has a password and an authenticator, and who is signed in. */
async function enrolled(t: Test, options: PersonSiteOptions = {}) {
  const site = await startPersonSite(t, options);
  const user = await site.door.users.create(site.tenant, { email: EMAIL, role: "owner", password: PASSWORD }, API);
  const client = new PageClient(site.origin);
  const signIn = await client.get(`${ROOT}/sign-in`);
  const chooser = await client.follow(await identify(client, signIn));
  const begun = await client.submit(chooser, `${ROOT}/enrol/totp/begin`);
  const page = await client.follow(begun);
  const secret = (/<code class="secret">([^<]*)</.exec(page.body)?.[1] ?? "").replaceAll(" ", "");
  const codes = await client.submit(page, `${ROOT}/enrol/confirm`, { code: totpCode(secret, Date.now()) });
  const recovery = [...codes.body.matchAll(/<li><code>([^<]*)</g)].map(([, code = ""]) => code);
  return { site, user, client, secret, recovery, codes };
}

async function identify(client: PageClient, page: PageAnswer, password: string = PASSWORD): Promise<PageAnswer> {
  return await client.submit(page, `${ROOT}/sign-in`, { email: EMAIL, password });
}

/** From a page of the gate's own choosing to the session, by a recovery code. */
async function signIn(client: PageClient, code: string, path = "/", more: Record<string, string> = {}) {
  const page = await client.follow(await client.get(path));
  const moved = await identify(client, page);
  const challenge = await client.get(`${String(moved.headers["location"])}&m=recovery`);
  return await client.submit(challenge, `${ROOT}/verify`, { code, ...more });
}

function cookiesOf(answer: PageAnswer): string[] {
  const fields = answer.headers["set-cookie"] ?? [];
  return Array.isArray(fields) ? fields : [fields];
}

t.test("cookies: for this host alone, out of scripts' reach", async (t) => {
  const certificate = selfSigned(t, ["DNS:happyfeet.localhost"]);
  if (certificate === undefined) return;
  const { codes, client } = await enrolled(t, { tls: { cert: certificate.certFile, key: certificate.keyFile } });
  const set = cookiesOf(codes);
  const session = set.find((field) => field.startsWith("__Host-sallyport="));
  t.match(session, /^__Host-sallyport=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax; Secure$/);
  t.match(
    set.find((field) => field.startsWith("__Host-sallyport-known=")),
    /; Path=\/; HttpOnly; SameSite=Strict; Secure; Max-Age=\d+$/,
  );
  t.ok(set.every((field) => field.startsWith("__Host-") && !/domain/i.test(field)));
  t.match(codes.headers, { "strict-transport-security": /^max-age=/, "cache-control": "no-store" });
  t.match(codes.headers["content-security-policy"], /default-src 'none'/);
  t.notMatch(codes.headers["content-security-policy"], /unsafe/);
  t.equal((await client.get("/")).status, 200, "and the session opens the door");
});

t.test("the session at the edge: there at once, gone at once, of no use elsewhere", async (t) => {
  const { site, client, recovery } = await enrolled(t);
  t.equal((await client.get("/")).status, 200);
  const before = client.cookies.get("sallyport");
  await signIn(client, recovery[0] ?? "", `${ROOT}/begin`);
  t.not(client.cookies.get("sallyport"), before, "the id changes");
  const old = new PageClient(site.origin);
  old.cookies.set("sallyport", before ?? "");
  t.equal((await old.get("/")).status, 303, "and the old one is worth nothing");

  const copy = new PageClient(site.origin);
  copy.cookies.set("sallyport", client.cookies.get("sallyport") ?? "");
  t.equal((await copy.get("/")).status, 200);
  const out = await client.submit(await client.get(`${ROOT}/account`), `${ROOT}/sign-out`);
  t.match(cookiesOf(out), [/^sallyport=; .*Max-Age=0$/]);
  await gone(copy, "after signing out");
});

/** Waits for the promise of the feed. */
async function gone(client: PageClient, why: string): Promise<void> {
  const deadline = Date.now() + 1_000;
  let { status } = await client.get("/");
  while (status === 200 && Date.now() < deadline) ({ status } = await client.get("/"));
  t.equal(status, 303, why);
}

t.test("sign out everywhere ends every session and every remembered device", async (t) => {
  const session = { idleSeconds: 3600, maxSeconds: 43_200, rememberDeviceSeconds: 86_400 };
  const { site, client, recovery } = await enrolled(t, { policy: { session } });
  const other = new PageClient(site.origin);
  await signIn(other, recovery[0] ?? "", "/", { remember: "yes" });
  t.ok(other.cookies.has("sallyport-device"));
  const page = await client.get(`${ROOT}/account`);
  t.match(page.body, /<button [^>]*name="all" value="yes">Sign out everywhere</);
  await client.submit(page, `${ROOT}/sign-out`, { all: "yes" });
  await gone(other, "the other browser");
  const moved = await identify(other, await other.follow(await other.get("/")));
  t.match(moved.headers["location"], /\/verify\?/, "the factor is asked for again");
});

t.test("case 29: the way back leads nowhere else, and only in this browser", async (t) => {
  const { site, recovery } = await enrolled(t);
  const client = new PageClient(site.origin);
  const redirect = await client.get("/patients?id=7");
  const location = String(redirect.headers["location"]);
  t.match(location, /^\/\.sallyport\/sign-in\?to=s1\.[\w.-]+$/);
  t.match((await signIn(client, recovery[0] ?? "", "/patients?id=7")).headers["location"], "/patients?id=7");

  const stolen = new PageClient(site.origin);
  const moved = await identify(stolen, await stolen.get(location));
  const challenge = await stolen.get(`${String(moved.headers["location"])}&m=recovery`);
  t.equal((await stolen.submit(challenge, `${ROOT}/verify`, { code: recovery[1] ?? "" })).headers["location"], "/");

  for (const target of ["/\\evil.example", "/%5cevil.example", "/x%0d%0aSet-Cookie:a=b", "/"]) {
    const answer = await new PageClient(site.origin).get(target);
    t.match(answer.headers["location"] ?? `${ROOT}/sign-in`, `${ROOT}/sign-in`, target);
    t.notMatch(answer.headers["location"], /to=/, target);
  }
});

t.test("a browser without session while control is away is told to try again", async (t) => {
  const { site, client } = await enrolled(t);
  t.equal((await client.get("/")).status, 200);
  await site.stopPages();
  const answer = await new PageClient(site.origin).get("/");
  t.equal(answer.status, 503);
  t.match(answer.body, /try again shortly/i);
  t.equal((await client.get("/")).status, 200, "who is in stays in");
});

t.test("nothing tells whether a login exists", async (t) => {
  const { site } = await enrolled(t);
  const look = async (path: string, fields: Record<string, string>) => {
    const client = new PageClient(site.origin);
    const answer = await client.submit(await client.get(path), path, fields);
    const shown = answer.body.replace(/(?:value|data-proof)="[^"]*"/g, "").replace(/[\w.-]+@happyfeet\.example/g, "");
    return { status: answer.status, shown };
  };
  const password = "not the password at all";
  t.same(
    await look(`${ROOT}/sign-in`, { email: EMAIL, password }),
    await look(`${ROOT}/sign-in`, { email: "nobody@happyfeet.example", password }),
  );
  t.same(
    await look(`${ROOT}/forgot-password`, { email: EMAIL }),
    await look(`${ROOT}/forgot-password`, { email: "nobody@happyfeet.example" }),
  );
});

t.test("forgotten password: a link by mail, looked at without harm, used once", async (t) => {
  const { site, client } = await enrolled(t);
  const stranger = new PageClient(site.origin);
  await stranger.submit(await stranger.get(`${ROOT}/forgot-password`), `${ROOT}/forgot-password`, { email: EMAIL });
  const link = await mailedLink(site.mails, EMAIL, "reset");
  const path = new URL(link).pathname;
  for (let look = 0; look < 3; look++) t.equal((await stranger.get(path)).status, 200);
  const page = await stranger.get(path);
  t.equal((await stranger.submit(page, path, { password: "short" })).status, 422);
  const moved = await stranger.submit(page, path, { password: "another pony battery staple" });
  t.match(moved.headers["location"], /\/verify\?/, "the second factor is still asked for");
  await gone(client, "everybody else is signed out");
  t.equal((await stranger.submit(page, path, { password: "a third pony battery staple" })).status, 410);
  t.equal((await stranger.get(path)).status, 410);
});

t.test("a reset link that a later change made void says so, and leads to a new one", async (t) => {
  const { site, user } = await enrolled(t);
  const client = new PageClient(site.origin);
  const ask = `${ROOT}/forgot-password`;
  await client.submit(await client.get(ask), ask, { email: EMAIL });
  const path = new URL(await mailedLink(site.mails, EMAIL, "reset")).pathname;
  await site.door.users.endSessions(site.tenant, user.id, API);
  const dead = await client.get(path);
  t.equal(dead.status, 410);
  t.match(dead.body, /your sign-in was changed since it was sent/);
  t.match(dead.body, `href="${ask}"`);
});

t.test("ticket: a page that looks at nothing, one post, then the factor", async (t) => {
  const { site, user } = await enrolled(t);
  const { token } = await site.door.invitations.ticket(site.tenant.id, user.id, API, "/chart");
  const client = new PageClient(site.origin);
  const path = `${ROOT}/ticket/${token}`;
  const page = await client.get(path);
  t.match((await client.submit(page, path)).headers["location"], /\/verify\?/);
  t.equal((await client.submit(page, path)).status, 410);
  t.equal(
    (await new PageClient(site.origin).get(`${ROOT}/ticket/${"x".repeat(43)}`)).status,
    200,
    "any token looks alike",
  );
});

t.test("account: what proves a person changes with a recent proof alone", async (t) => {
  const { site, client, user } = await enrolled(t);
  const account = await client.get(`${ROOT}/account`);
  t.match(account.body, /Authenticator app/);
  const factor = formsOf(account).find(({ action }) => action.endsWith("rename-factor"))?.fields["id"] ?? "";
  const renamed = { id: factor, name: "<b>Work</b> phone" };
  t.equal((await client.submit(account, `${ROOT}/account/rename-factor`, renamed)).status, 303);
  t.match((await client.get(`${ROOT}/account`)).body, "&lt;b&gt;Work&lt;/b&gt; phone");
  const refused = await client.submit(account, `${ROOT}/account/remove-factor`, { id: factor });
  t.equal(refused.status, 403, "the last one stays");

  const before = client.cookies.get("sallyport");
  const renewed = await client.submit(account, `${ROOT}/account/recovery-codes`);
  t.equal([...renewed.body.matchAll(/<li><code>/g)].length, 10);
  t.not(client.cookies.get("sallyport"), before, "the session's id changes with what proves the person");
  const after = await client.get(`${ROOT}/account`);
  const weak = await client.submit(after, `${ROOT}/account/password`, { password: "happyfeet.localhost" });
  t.equal(weak.status, 422);
  t.match(weak.body, /Choose another password/);
  t.equal(
    (await client.submit(after, `${ROOT}/account/password`, { password: "a new pony battery staple" })).status,
    303,
  );

  await site.door.users.change(site.tenant, user.id, { state: "disabled" }, API);
  await gone(client, "after being disabled");
  t.match((await client.get(`${ROOT}/account`)).headers["location"], `${ROOT}/sign-in`);
});

t.test("account: one's own sessions end, another's do not", async (t) => {
  const { site, client, recovery } = await enrolled(t);
  const other = new PageClient(site.origin);
  await signIn(other, recovery[0] ?? "");
  const account = await client.get(`${ROOT}/account`);
  const end = formsOf(account).filter(({ action }) => action.endsWith("end-session"));
  t.equal(end.length, 1, "this browser's own is signed out of, not ended");
  await client.submit(account, `${ROOT}/account/end-session`);
  await gone(other, "ended from the account page");
  t.equal((await client.get("/")).status, 200);
});

t.test("jwks.json verifies what the application is told", async (t) => {
  const { site, client } = await enrolled(t);
  const answer = await client.get(`${ROOT}/jwks.json`);
  t.match(answer.headers, { "content-type": /^application\/json/, "cache-control": "public, max-age=300" });
  t.same(cookiesOf(answer), []);
  const keys = JSON.parse(answer.body) as JSONWebKeySet;
  t.notMatch(answer.body, /"d":/);
  const { token } = await assertionOf(site, client);
  t.match(keys.keys, [{ kid: decodeProtectedHeader(token).kid }]);
  const { payload } = await jwtVerify(token, createLocalJWKSet(keys), { audience: "happyfeet.localhost" });
  t.match(payload, { email: EMAIL, tenant: "happy-feet" });
});

async function assertionOf(site: PersonSite, client: PageClient) {
  const { hashSessionSecret } = await import("../../src/core/session.ts");
  const session = await site.door.sessions.lookup(
    site.tenant,
    hashSessionSecret(client.cookies.get("sallyport") ?? ""),
  );
  const host = site.tenant.hosts[0];
  if (session === undefined || host === undefined) throw new Error("nobody is signed in");
  return await site.door.assertions.forSession(session, host);
}
