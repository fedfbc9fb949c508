/** A page that says "too often" says when to come back, in words and in `Retry-After`: whole seconds, at most what the limit takes. */
import t, { type Test } from "tap";
import { ROOT } from "../../src/pages/route.ts";
import { placeOf } from "../../src/person/visit.ts";
import { CLINIC, startClinics } from "../support/clinics.ts";
import { type PageAnswer, PageClient } from "../support/page-client.ts";
import { API, Browser, leaveShares, PASSWORD } from "../support/person-door.ts";
import { startPersonSite } from "../support/person-site.ts";

const EMAIL = "ann@happyfeet.example";

/** Sends the form again and again. */
async function untilThrottled(page: PageAnswer, send: (page: PageAnswer) => Promise<PageAnswer>): Promise<PageAnswer> {
  for (let tries = 0; tries < 100; tries++) {
    const answer = await send(page);
    if (answer.status === 429) return answer;
  }
  throw new Error("never throttled");
}

function saysWhen(t: Test, answer: PageAnswer, mostSeconds: number, name: string): void {
  t.match(answer.headers["retry-after"], /^[1-9][0-9]*$/, name);
  t.ok(Number(answer.headers["retry-after"]) <= mostSeconds, `${name}: ${answer.headers["retry-after"]} s`);
}

t.test("passwords, codes and beginnings", async (t) => {
  const site = await startPersonSite(t);
  await site.door.users.create(site.tenant, { email: EMAIL, password: PASSWORD }, API);
  const client = new PageClient(site.origin);
  const path = `${ROOT}/sign-in`;
  const page = await client.get(path);
  const wrong = await untilThrottled(page, () =>
    client.submit(page, path, { email: EMAIL, password: "not it at all" }),
  );
  t.match(wrong.body, /too many attempts/i);
  saysWhen(t, wrong, 2, "a password");

  await leaveShares(site.store, ["begin", placeOf(new Browser(site.tenant, "127.0.0.1").visit.address)], 0);
  let other = 0;
  const begun = await untilThrottled(page, () => client.submit(page, path, { email: `${other++}@x.example` }));
  t.match(begun.body, /That was too often/i);
  saysWhen(t, begun, 1, "a beginning");
});

t.test("codes", async (t) => {
  const site = await startPersonSite(t, { policy: { firstFactor: "none" } });
  const client = new PageClient(site.origin);
  const moved = await client.submit(await client.get(`${ROOT}/sign-in`), `${ROOT}/sign-in`, { email: EMAIL });
  const page = await client.follow(moved);
  const answer = await untilThrottled(page, () => client.submit(page, `${ROOT}/verify`, { code: "000000" }));
  saysWhen(t, answer, 2, "a code");
});

t.test("links, and asking to be let in", async (t) => {
  const clinics = await startClinics(t);
  const client = new PageClient(clinics.origin);
  const ask = await client.get(`${ROOT}/ask`);
  saysWhen(t, await untilThrottled(ask, () => client.submit(ask, `${ROOT}/ask`, { from: "Carla" })), 3_600, "asking");
  const link = await clinics.admin<{ url: string }>("POST", `/v1/tenants/${CLINIC.id}/links`, {
    label: "branch",
    maxUses: 100,
    ttlSeconds: 3_600,
    entryTtlSeconds: 3_600,
  });
  const { pathname } = new URL(link.url);
  const open = await client.get(pathname);
  saysWhen(t, await untilThrottled(open, () => client.submit(open, pathname)), 60, "a link");
});

t.test("a whole network: whose doing it is, how long, and a way on that is there", async (t) => {
  let waitMs = 0;
  const site = await startPersonSite(t, { takeTurn: () => waitMs });
  const client = new PageClient(site.origin);
  const path = `${ROOT}/sign-in`;
  const form = await client.get(path);
  waitMs = 1_001;
  const read = await client.get(path);
  t.match(read, { status: 429, headers: { "retry-after": "2" } });
  t.match(read.body, /Many requests from your network.*need not be your doing. Wait 2 seconds.*href="">Try again</s);
  t.match((await client.get(path, { "accept-language": "nl" })).body, /vanaf uw netwerk.*Wacht 2 seconden/s);
  const sent = await client.submit(form, path, { email: EMAIL });
  t.equal(sent.status, 429);
  t.match(sent.body, /Wait 2 seconds/);
  t.notMatch(sent.body, /Try again</, "what a form was sent to takes no GET");
  const mangled = await client.get(`${ROOT}/allow/%FF`);
  t.match(mangled, { status: 429, body: /Many requests from your network/ });
});

t.test("who reads no page is told in a document", async (t) => {
  let waitMs = 0;
  const site = await startPersonSite(t, { takeTurn: () => waitMs });
  const client = new PageClient(site.origin);
  const told = async (path: string, method = "GET") => {
    const { status, headers, body } = await client.get(path, { accept: "application/json" }, method);
    t.match(headers, { "content-type": "application/problem+json", "cache-control": "no-store" });
    const problem: unknown = JSON.parse(body);
    t.match(problem, { type: /^urn:sallyport:error:/, title: String, status, reference: /./ });
    return { body: problem, headers };
  };
  t.match(await told(`${ROOT}/nothing`), { body: { status: 404, code: "not_found" } });
  t.match(await told(`${ROOT}/verify`, "DELETE"), {
    body: { status: 405, code: "method_not_allowed" },
    headers: { allow: "GET, HEAD, POST" },
  });
  t.match(await told(`${ROOT}/sign-in`, "POST"), { body: { status: 400, code: "request_malformed" } });
  waitMs = 20;
  const often = { body: { status: 429, code: "limit_reached" }, headers: { "retry-after": "1" } };
  for (const path of ["sign-in", "nothing", "allow/%FF"]) t.match(await told(`${ROOT}/${path}`), often, path);
});
