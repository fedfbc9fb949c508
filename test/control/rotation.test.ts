/** A rotation of the sealing keys: afterwards nothing in the store needs the earlier one. */
import t from "tap";
import { SEALED_ANSWERS } from "../../src/admin/idempotency.ts";
import { OWNED_KINDS } from "../../src/control/person-door.ts";
import { SEALED_KINDS } from "../../src/control/sealed-kinds.ts";
import { AUDIT_HEAD_KIND } from "../../src/core/audit.ts";
import { Keyring } from "../../src/core/keyring.ts";
import { resealAll, sealingNode, stoppedSealing } from "../../src/core/reseal.ts";
import type { Store } from "../../src/core/store.ts";
import { storedEvidence } from "../../src/observe/audit-evidence.ts";
import { verifyAudit } from "../../src/observe/audit-verify.ts";
import { Browser, enrolledUser, mails, onEveryStore, SEALING_KEY, totpCode } from "../support/person-door.ts";

const NEW_KEY = new Uint8Array(32).fill(8);
const [before, during, after] = [[SEALING_KEY], [NEW_KEY, SEALING_KEY], [NEW_KEY]].map((keys) => new Keyring(keys));
if (before === undefined || during === undefined || after === undefined) throw new Error("no keys");

/** Everything that is stored of these kinds, as text. */
async function textOf(store: Store, kinds: readonly string[]): Promise<string> {
  return JSON.stringify(await Promise.all(kinds.map((kind) => store.list({ kind, limit: 1000 }))));
}

onEveryStore(t, "everything that was sealed opens with the new key alone", async (t, { clock, tenant, node }) => {
  const old = await node();
  const ann = await enrolledUser(old, tenant, clock);
  const ben = await enrolledUser(old, tenant, clock, "ben@happy-feet.example");
  const one = new Browser(tenant);
  const first = await one.signIn(old.door, ann.email, { kind: "totp", code: totpCode(ann.secret, clock.nowMs()) });
  t.equal(first.kind, "signed-in");
  const session = await one.session(old.door);
  if (session === undefined) return;
  const host = tenant.hosts[0] ?? ("" as never);
  await old.door.assertions.forSession(session, host);
  const { enrolment } = await old.door.enrolments.beginTotp(one.visit, undefined, "Second");
  const sealed = before.seal('"answer"', "idempotency/x");
  const answer = { kind: SEALED_ANSWERS.kind, id: "x", value: { fingerprint: "f", sealed }, quiet: true };
  await old.store.commit({ writes: [answer] });
  const waiting = await mails(old);
  t.ok(waiting.length > 0);

  const kinds = [...new Set([...OWNED_KINDS, ...SEALED_KINDS.map(({ kind }) => kind)])];
  const mark = `s1.${before.primaryKeyId}.`;
  t.ok((await textOf(old.store, kinds)).includes(mark));
  const head = (await old.store.head()).revision;
  const found = await resealAll(old.store, during, SEALED_KINDS, clock.nowMs());
  t.match(found.resealed, {
    credential: 2,
    enrolment: 1,
    signingkeys: 1,
    outboxcontent: waiting.length,
    idempotency: 1,
    [AUDIT_HEAD_KIND]: 1,
  });
  t.same(found.unreadable, []);
  t.notOk((await textOf(old.store, kinds)).includes(mark), "no trace of the earlier key");
  t.ok(
    (await old.store.head()).revision > head,
    "credentials are in the feed, so that no repair brings the old ones back",
  );
  clock.advance(1_000);
  const again = await resealAll(old.store, during, SEALED_KINDS, clock.nowMs());
  t.same(again, { resealed: {}, unreadable: [], sinceMs: found.sinceMs }, "once is enough");

  const next = await node({ keyring: after });
  clock.advance(60_000);
  for (const { email, secret } of [ann, ben]) {
    const code = totpCode(secret, clock.nowMs());
    t.match(await new Browser(tenant).signIn(next.door, email, { kind: "totp", code }), { kind: "signed-in" });
  }
  t.ok((await next.door.enrolments.showTotp(one.visit, undefined, enrolment))?.secretText);
  t.same(await mails(next).then((list) => list.slice(0, waiting.length)), waiting);
  t.ok((await next.door.assertions.forSession(session, host)).token);
  const kept = (await next.store.get(answer.kind, answer.id))?.value as { sealed: string };
  t.equal(after.open(kept.sealed, "idempotency/x").toString(), '"answer"');
  t.match(await verifyAudit(storedEvidence(next.store, after)), { ok: true });
});

onEveryStore(t, "a rotation waits for every node that runs", async (t, { clock, node }) => {
  const { store } = await node();
  const reseal = () => resealAll(store, during, SEALED_KINDS, clock.nowMs());
  await store.commit({
    writes: [sealingNode("one", during, clock.nowMs()), sealingNode("two", before, clock.nowMs())],
  });
  await t.rejects(reseal(), { code: "config_invalid", message: /in use by two:/ });
  t.same(await store.list({ kind: "sealingkey", prefix: "key/", limit: 10 }), [], "nothing is written");
  await store.commit({ writes: [stoppedSealing("two")] });
  await t.resolves(reseal(), "it stopped");
  await store.commit({ writes: [sealingNode("two", before, clock.nowMs())] });
  await t.rejects(reseal());
  clock.advance(2 * 60_000);
  await t.resolves(reseal(), "it died");
});

onEveryStore(t, "what no key opens is told and left", async (t, { clock, tenant, node }) => {
  const one = await node();
  const ann = await enrolledUser(one, tenant, clock);
  const strange = new Keyring([new Uint8Array(32).fill(9)]);
  const found = await resealAll(one.store, strange, SEALED_KINDS, clock.nowMs());
  t.ok(found.unreadable.includes(`credential/${tenant.id}/${ann.id}`));
  t.same(found.resealed, {});
  const code = totpCode(ann.secret, clock.nowMs());
  t.match(await new Browser(tenant).signIn(one.door, ann.email, { kind: "totp", code }), { kind: "signed-in" });
});
