/** The outbox on a real store: durable with its cause, sent by one node, tried again, given up, never in the clear. */
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import t, { type Test } from "tap";
import { FixedClock } from "../../src/core/clock.ts";
import { StoreUnavailableError } from "../../src/core/errors.ts";
import { Keyring } from "../../src/core/keyring.ts";
import type { Store } from "../../src/core/store.ts";
import type { Tenant } from "../../src/core/tenant.ts";
import { DeliveryError, type DeliveryOutcome } from "../../src/notify/delivery-error.ts";
import { type MailTransport, type OutgoingMail, openMailTransport } from "../../src/notify/mail-transport.ts";
import {
  listOutbox,
  OUTBOX_CONTENT_KIND,
  OUTBOX_KIND,
  OUTBOX_SETTLED_KIND,
  Outbox,
  planRetry,
} from "../../src/notify/outbox.ts";
import { OutboxWorker } from "../../src/notify/outbox-worker.ts";
import { openStore } from "../../src/store/open.ts";
import { startSmtp } from "../support/smtp.ts";

const NOW = Date.UTC(2026, 10, 21);
const MINUTE = 60_000;
const SETTINGS = {
  transport: "file",
  from: "gate@sallyport.example",
  senderName: "{tenant} via Sallyport",
  folder: "unused",
} as const;
const TENANT = {
  id: "happy-feet" as Tenant["id"],
  name: "Happy Feet Podiatry",
  branding: { supportEmail: "desk@happyfeet.example" },
};
const LINK = "https://happyfeet.example/.sallyport/reset/t0ken";
const RESET = { kind: "password-reset", link: LINK, expiresAtMs: NOW + 60 * MINUTE } as const;
const LOCKED = { kind: "locked" } as const;
const TO = { email: "sam@clinic.example", name: "Sam" };
const silent = { debug() {}, info() {}, warn() {}, error() {} };

/** Lets everything that is ready go on. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

class Postman implements MailTransport {
  readonly sent: OutgoingMail[] = [];
  /** What comes of the next attempts; `undefined` and beyond: taken. */
  readonly outcomes: (DeliveryOutcome | undefined)[] = [];
  /** Runs while an attempt is under way. */
  during: () => Promise<void> = async () => {};
  async send(mail: OutgoingMail): Promise<void> {
    await this.during();
    const outcome = this.outcomes.shift();
    if (outcome !== undefined) throw new DeliveryError(outcome, "smtp 451");
    this.sent.push(mail);
  }
}

async function setUp(t: Test) {
  const clock = new FixedClock(NOW);
  const store = await openStore(`sqlite:${join(t.testdir(), "store.db")}`, { clock });
  t.teardown(() => store.close());
  const outbox = new Outbox(SETTINGS, new Keyring([randomBytes(32)]));
  const postman = new Postman();
  const worker = (over: Partial<{ store: Store; transport: MailTransport }> = {}) =>
    new OutboxWorker({ store, outbox, transport: postman, clock, log: silent, ...over });
  return { clock, store, outbox, postman, worker };
}

t.test("a mail is committed with its cause, sealed, sent once, and its content deleted", async (t) => {
  const { store, outbox, postman, worker } = await setUp(t);
  const writes = outbox.write(TENANT, TO, RESET, NOW);
  await store.commit({ writes: [{ kind: "cause", id: "one", value: 1 }, ...writes] });
  t.notMatch(JSON.stringify(writes), /t0ken|sam@clinic|Sam"/, "nothing of it is in the clear");
  t.ok(
    writes.every((write) => write.quiet),
    "none of it is in the feed",
  );
  t.match(await listOutbox(store, TENANT.id, 10), [
    { state: "queued", notice: "password-reset", to: "s•••@clinic.example" },
  ]);

  const one = worker();
  await one.runOnce();
  await one.runOnce();
  t.equal(postman.sent.length, 1);
  t.match(postman.sent[0], {
    from: { name: "Happy Feet Podiatry via Sallyport", address: "gate@sallyport.example" },
    to: { name: "Sam", address: "sam@clinic.example" },
    replyTo: "desk@happyfeet.example",
  });
  t.match(postman.sent[0]?.text, LINK);
  t.match(await listOutbox(store, TENANT.id, 10), [{ state: "sent", attempts: 1 }]);
  t.same(await listOutbox(store, "happy", 10), [], "of another tenant, whose id begins alike");
  t.same(await store.list({ kind: OUTBOX_CONTENT_KIND, limit: 10 }), []);
});

t.test("without its cause there is no mail", async (t) => {
  const { store, outbox, postman, worker } = await setUp(t);
  const writes = outbox.write(TENANT, TO, LOCKED, NOW);
  await t.rejects(store.commit({ writes, preconditions: [{ kind: "cause", id: "one", revision: 7 }] }));
  await worker().runOnce();
  t.equal(postman.sent.length, 0);
});

t.test("of many nodes one sends", async (t) => {
  const { store, outbox, postman, worker } = await setUp(t);
  for (let n = 0; n < 20; n++) await store.commit({ writes: outbox.write(TENANT, TO, LOCKED, NOW) });
  postman.during = turn;
  await Promise.all(Array.from({ length: 5 }, () => worker().runOnce()));
  t.equal(postman.sent.length, 20);
  t.equal(new Set(postman.sent.map((mail) => mail.id)).size, 20);
});

t.test("back-off, then given up, then put back", async (t) => {
  const { clock, store, outbox, postman, worker } = await setUp(t);
  await store.commit({ writes: outbox.write(TENANT, TO, LOCKED, NOW) });
  postman.outcomes.push(...Array.from({ length: 8 }, () => "not-sent" as const));
  const one = worker();
  for (const minutes of [0.5, 2, 8, 32, 120, 120, 120]) {
    await one.runOnce();
    const [entry] = await listOutbox(store, TENANT.id, 1);
    t.match(entry, { state: "queued", lastError: "smtp 451", dueAtMs: clock.nowMs() + minutes * MINUTE });
    clock.advance(minutes * MINUTE - 1);
    await one.runOnce();
    t.equal((await listOutbox(store, TENANT.id, 1))[0]?.attempts, entry?.attempts, "not a moment sooner");
    clock.advance(1);
  }
  await one.runOnce();
  const [dead] = await listOutbox(store, TENANT.id, 1);
  t.match(dead, { state: "dead", attempts: 8 });
  const retry = await planRetry(store, dead?.id ?? "", clock.nowMs());
  await store.commit(retry ?? { writes: [] });
  await one.runOnce();
  t.equal(postman.sent.length, 1);
  t.equal(await planRetry(store, dead?.id ?? "", clock.nowMs()), undefined, "what was sent is not sent again");
  clock.advance(8 * 24 * 60 * MINUTE);
  t.same(await listOutbox(store, TENANT.id, 1), [], "and is forgotten after a while");
});

t.test("a refusal is final at once; an expired link is not sent", async (t) => {
  const { clock, store, outbox, postman, worker } = await setUp(t);
  await store.commit({ writes: outbox.write(TENANT, TO, LOCKED, NOW) });
  postman.outcomes.push("refused");
  await worker().runOnce();
  t.match(await listOutbox(store, TENANT.id, 1), [{ state: "dead", attempts: 1 }]);
  await store.commit({ writes: outbox.write(TENANT, TO, RESET, NOW) });
  clock.advance(61 * MINUTE);
  await worker().runOnce();
  t.equal(postman.sent.length, 0);
  const expired = (await listOutbox(store, TENANT.id, 9)).find((entry) => entry.notice === "password-reset");
  t.match(expired, { state: "dead", lastError: "expired" });
  t.equal(await planRetry(store, expired?.id ?? "", clock.nowMs()), undefined);
});

t.test("a node that dies while sending loses its lease, and only then another sends", async (t) => {
  const { clock, store, outbox, postman, worker } = await setUp(t);
  await store.commit({ writes: outbox.write(TENANT, TO, LOCKED, NOW) });
  const dying: MailTransport = { send: () => new Promise(() => {}) };
  void worker({ transport: dying }).runOnce();
  while ((await listOutbox(store, TENANT.id, 1))[0]?.attempts !== 1) await turn();
  const other = worker();
  clock.advance(89_999);
  await other.runOnce();
  t.equal(postman.sent.length, 0, "while the lease holds");
  clock.advance(1);
  await other.runOnce();
  t.equal(postman.sent.length, 1);
});

t.test("the store goes away after the mail was taken: it is not sent again", async (t) => {
  const { clock, store, outbox, postman, worker } = await setUp(t);
  await store.commit({ writes: outbox.write(TENANT, TO, LOCKED, NOW) });
  let away = false;
  const flaky: Store = Object.create(store, {
    commit: {
      value: (request: Parameters<Store["commit"]>[0]) =>
        away ? Promise.reject(new StoreUnavailableError("away")) : store.commit(request),
    },
    list: { value: (request: Parameters<Store["list"]>[0]) => store.list(request) },
    get: { value: (kind: string, id: string) => store.get(kind, id) },
  });
  postman.during = async () => {
    away = true;
  };
  const one = worker({ store: flaky });
  await t.rejects(one.runOnce(), StoreUnavailableError);
  clock.advance(10 * MINUTE);
  await t.rejects(one.runOnce(), StoreUnavailableError);
  away = false;
  await one.runOnce();
  t.equal(postman.sent.length, 1, "long after its lease");
  t.match(await listOutbox(store, TENANT.id, 1), [{ state: "sent" }]);
});

t.test("what cannot be opened is dead, and stops nothing else", async (t) => {
  const { store, outbox, postman, worker } = await setUp(t);
  const foreign = new Outbox(SETTINGS, new Keyring([randomBytes(32)]));
  await store.commit({ writes: [...foreign.write(TENANT, TO, LOCKED, NOW), ...outbox.write(TENANT, TO, LOCKED, NOW)] });
  await worker().runOnce();
  t.equal(postman.sent.length, 1);
  t.match(
    (await listOutbox(store, TENANT.id, 9)).map((entry) => entry.state).sort((a, b) => (a < b ? -1 : 1)),
    ["dead", "sent"],
  );
  t.equal((await store.list({ kind: OUTBOX_SETTLED_KIND, limit: 9 })).length, 2);
});

t.test("one tenant's sealed mail does not open as another's", async (t) => {
  const { store, outbox, postman, worker } = await setUp(t);
  const [mine, content] = outbox.write(TENANT, TO, RESET, NOW);
  const [theirs] = outbox.write({ ...TENANT, id: "other" as Tenant["id"] }, TO, LOCKED, NOW);
  if (content === undefined || theirs === undefined || mine === undefined) return t.fail("no writes");
  await store.commit({ writes: [theirs, { ...content, id: theirs.id }] });
  await worker().runOnce();
  return t.equal(postman.sent.length, 0);
});

t.test("mail that is off, and addresses that are none, make no documents", async (t) => {
  const { outbox } = await setUp(t);
  const off = new Outbox({ transport: "none" }, new Keyring([randomBytes(32)]));
  t.equal(off.enabled, false);
  t.same(off.write(TENANT, TO, LOCKED, NOW), []);
  for (const email of [
    "a@b.example\r\nBcc: c@d.example",
    "a@b.example, c@d.example",
    "<a@b.example>",
    "a b@c.example",
    "a@b@c.example",
    "",
  ]) {
    t.same(outbox.write(TENANT, { email }, LOCKED, NOW), [], JSON.stringify(email));
  }
});

t.test("names cannot end a header or turn its direction", async (t) => {
  const { store, outbox, postman, worker } = await setUp(t);
  const name = "Evil\r\nBcc: x@y.example\u202e\u2028$&";
  await store.commit({ writes: outbox.write({ ...TENANT, name }, { ...TO, name }, LOCKED, NOW) });
  await worker().runOnce();
  const [mail] = postman.sent;
  for (const text of [mail?.from.name, mail?.to.name, mail?.subject]) t.notMatch(text, /[\r\n\u202e\u2028]/);
  t.equal(mail?.from.name, "Evil Bcc: x@y.example $& via Sallyport");
});

t.test("a running worker sends what is committed later, through real SMTP, and stops when told", async (t) => {
  const { store, outbox, worker } = await setUp(t);
  const server = await startSmtp(t);
  const smtp = { host: "127.0.0.1", port: server.port, security: "none" } as const;
  const transport = await openMailTransport({ ...SETTINGS, transport: "smtp", smtp });
  if (transport === undefined) return t.fail("no transport");
  const one = worker({ transport });
  one.start();
  await store.commit({ writes: outbox.write(TENANT, TO, RESET, NOW) });
  while ((await store.list({ kind: OUTBOX_KIND, limit: 1 })).length > 0) await turn();
  await one.stop();
  t.equal(server.mails.length, 1);
  t.same(server.mails[0]?.to, ["sam@clinic.example"]);
  await store.commit({ writes: outbox.write(TENANT, TO, RESET, NOW) });
  await one.stop();
  return t.equal(server.mails.length, 1, "a stopped worker stays stopped");
});
