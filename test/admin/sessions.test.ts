/** Sessions and the outbox by the admin API. */
import t, { type Test } from "tap";
import { FixedClock } from "../../src/core/clock.ts";
import { DeliveryError } from "../../src/notify/delivery-error.ts";
import { OutboxWorker } from "../../src/notify/outbox-worker.ts";
import { type AdminFixture, START_MS, silent, startAdminApi } from "../support/admin-api.ts";
import { Browser, makeTenant, PASSWORD, totpCode } from "../support/person-door.ts";

const TENANT = "/v1/tenants/a";

async function setUp(t: Test) {
  const clock = new FixedClock(START_MS);
  const api = await startAdminApi(t, { clock });
  await api.tenant("a");
  const made = await api.call("POST", `${TENANT}/users`, { json: { email: "ann@a.example", password: PASSWORD } });
  const user = String(made.body.id);
  const { secret, browser } = await enrol(api, clock);
  clock.advance(60_000);
  const other = new Browser(makeTenant("a"), "198.51.100.9", "Safari");
  await other.signIn(api.person, "ann@a.example", { kind: "totp", code: totpCode(secret, clock.nowMs()) });
  return { ...api, clock, user, browser, other };
}

async function enrol({ person }: AdminFixture, clock: FixedClock) {
  const browser = new Browser(makeTenant("a"));
  const { challenge } = await browser.identify(person, "ann@a.example");
  const { enrolment } = await person.enrolments.beginTotp(browser.visit, challenge, "Phone");
  const secret = (await person.enrolments.showTotp(browser.visit, challenge, enrolment))?.secretText ?? "";
  const code = totpCode(secret, clock.nowMs());
  browser.keep(await person.enrolments.confirm(browser.visit, challenge, enrolment, { code }));
  return { secret, browser };
}

t.test("listed, by page and by user, and ended one by one", async (t) => {
  const { call, user, person, other, browser } = await setUp(t);
  const { items } = (await call("GET", `${TENANT}/sessions?user=${user}`)).body;
  t.match(items, [{ userAgent: "Safari" }, { userAgent: "Firefox" }], "newest first");
  t.strictSame(items[0], {
    id: items[0].id,
    user,
    email: "ann@a.example",
    amr: ["pwd", "otp", "mfa"],
    createdAt: "2030-01-01T00:01:00.000Z",
    lastSeenAt: "2030-01-01T00:01:00.000Z",
    address: "198.51.100.9",
    userAgent: "Safari",
    expiresAt: "2030-01-01T12:01:00.000Z",
  });
  const ids: string[] = [];
  let cursor = "";
  do {
    const page = (await call("GET", `${TENANT}/sessions?limit=1${cursor}`)).body;
    ids.push(...page.items.map(({ id }: { id: string }) => id));
    cursor = page.next === undefined ? "" : `&cursor=${page.next}`;
  } while (cursor !== "");
  t.same(new Set(ids), new Set(items.map(({ id }: { id: string }) => id)));
  t.equal(ids.length, 2);
  t.strictSame((await call("GET", `${TENANT}/sessions?user=usr_none`)).body, { items: [] });

  const path = `${TENANT}/sessions/${items[0].id}`;
  t.equal((await call("DELETE", path)).status, 204);
  t.equal(await other.session(person), undefined);
  t.match(await browser.session(person), { userAgent: "Firefox" }, "the other one goes on");
  for (const id of [items[0].id, "ses_", "ses_%2e%2e", `ses_${"A".repeat(20)}`])
    t.match(await call("DELETE", `${TENANT}/sessions/${id}`), { status: 404, body: { code: "not_found" } }, id);
  const [record] = (await call("GET", "/v1/audit?action=session.ended")).body.items;
  t.match(record, { target: items[0].id, actor: { kind: "key" }, requestId: String });
});

for (const [name, revoke] of Object.entries({
  "signing out everywhere": ({ call, user }) => call("DELETE", `${TENANT}/users/${user}/sessions`),
  disabling: ({ call, user }) => call("PATCH", `${TENANT}/users/${user}`, { json: { state: "disabled" } }),
  "resetting factors": ({ call, user }) => call("POST", `${TENANT}/users/${user}/reset-factors`),
  inviting: ({ call, user }) => call("POST", `${TENANT}/users/${user}/invite`),
  deleting: ({ call, user }) => call("DELETE", `${TENANT}/users/${user}`),
} satisfies Record<string, (set: Awaited<ReturnType<typeof setUp>>) => Promise<{ status: number }>>)) {
  t.test(`${name} ends every session`, async (t) => {
    const set = await setUp(t);
    t.ok((await revoke(set)).status < 300);
    t.strictSame((await set.call("GET", `${TENANT}/sessions`)).body, { items: [] });
    t.equal(await set.other.session(set.person), undefined);
  });
}

t.test("the outbox: what waits, what was given up, and another try", async (t) => {
  const { call, clock, store, outbox, tenant } = await setUp(t);
  await tenant("b");
  const list = async (query = "") => (await call("GET", `${TENANT}/outbox${query}`)).body;
  const [mail] = (await list()).items;
  t.match(mail, { id: /^mail_/, state: "queued", to: "a•••@a.example", attempts: 0, dueAt: String, notice: String });
  const full = { send: () => Promise.reject(new DeliveryError("refused", "smtp 550")) };
  await new OutboxWorker({ store, outbox, transport: full, clock, log: silent }).runOnce();
  await call("POST", `${TENANT}/users`, { json: { email: "bob@a.example" } });
  t.match((await list()).items.at(0), { id: mail.id, state: "dead", lastError: "smtp 550", settledAt: String });
  const retry = (tenantId: string, id: string) => call("POST", `/v1/tenants/${tenantId}/outbox/${id}/retry`);
  t.equal((await retry("b", mail.id)).status, 404, "of another tenant");
  t.equal((await retry("a", mail.id)).status, 204);
  t.equal((await retry("a", mail.id)).status, 404, "it waits again");
  t.match((await list()).items.at(0), { id: mail.id, state: "queued", attempts: 0 });
  t.match((await call("GET", "/v1/audit?action=mail.retried")).body.items, [{ target: mail.id }]);
  const ids = new Set<string>();
  let cursor = "";
  do {
    const page = await list(`?limit=1${cursor}`);
    for (const { id } of page.items) ids.add(id);
    cursor = page.next === undefined ? "" : `&cursor=${page.next}`;
  } while (cursor !== "");
  t.equal(ids.size, (await list()).items.length, "page by page");
  const sent: string[] = [];
  const transport = { send: async ({ id }: { id: string }) => void sent.push(id) };
  await new OutboxWorker({ store, outbox, transport, clock, log: silent }).runOnce();
  t.ok(sent.includes(mail.id));
});
