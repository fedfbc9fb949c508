/** The ledger: records and changes are one, changes share commits without sharing failures, counts stay right. */
import t, { type Test } from "tap";
import { AUDIT_HEAD_KIND, AUDIT_KIND, type AuditedChange, TENANT_AUDIT_KIND } from "../../src/core/audit.ts";
import { FixedClock } from "../../src/core/clock.ts";
import { ConflictError, StoreUnavailableError } from "../../src/core/errors.ts";
import type { TenantId } from "../../src/core/ids.ts";
import { Keyring } from "../../src/core/keyring.ts";
import { KEY_KIND } from "../../src/core/keys.ts";
import type { CommitRequest, Store } from "../../src/core/store.ts";
import { TENANT_KIND } from "../../src/core/tenant.ts";
import { storedEvidence } from "../../src/observe/audit-evidence.ts";
import { verifyAudit } from "../../src/observe/audit-verify.ts";
import { Ledger } from "../../src/observe/ledger.ts";
import { openStore } from "../../src/store/open.ts";

const clock = new FixedClock(Date.parse("2030-01-01T00:00:00Z"));
const keyring = new Keyring([new Uint8Array(32).fill(1)]);
const tenant = "happy-feet" as TenantId;

async function setUp(t: Test) {
  const store = await openStore("sqlite::memory:", { clock });
  t.teardown(() => store.close());
  const ledger = (chain: string, over: Store = store) => new Ledger({ store: over, keyring, chain, clock });
  return { store, ledger };
}

function put(id: string, extra: Partial<AuditedChange> = {}): AuditedChange {
  const audit = [{ action: "thing.put", tenant, actor: { kind: "key" as const, id: "k" }, target: id }];
  return { writes: [{ kind: "thing", id, value: { id } }], audit, ...extra };
}

/** A store of which each commit can be made to fail, or be counted. */
function watched(store: Store, onCommit: (request: CommitRequest) => Promise<void>): Store {
  return new Proxy(store, {
    get(target, name) {
      if (name === "commit") return (request: CommitRequest) => onCommit(request).then(() => target.commit(request));
      const value = Reflect.get(target, name) as unknown;
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

t.test("many waiting changes share commits and form one chain", async (t) => {
  const { store, ledger } = await setUp(t);
  let commits = 0;
  const busy = ledger(
    "a",
    watched(store, async () => void commits++),
  );
  const revisions = await Promise.all(Array.from({ length: 200 }, (_, n) => busy.commit(put(`t${n}`))));
  t.ok(revisions.every((revision) => revision > 0));
  t.ok(commits < 20, `${commits} commits`);
  t.match(await verifyAudit(storedEvidence(store, keyring)), {
    ok: true,
    records: 200,
    chains: [{ chain: "a", length: 200 }],
  });
});

t.test("a change that fails takes no other with it, and leaves no record", async (t) => {
  const { store, ledger } = await setUp(t);
  const busy = ledger("a");
  await busy.commit(put("taken"));
  const absent = (id: string) => ({ preconditions: [{ kind: "thing", id, revision: 0 }] });
  const results = await Promise.allSettled(["x", "taken", "y"].map((id) => busy.commit(put(id, absent(id)))));
  t.same(
    results.map(({ status }) => status),
    ["fulfilled", "rejected", "fulfilled"],
  );
  t.ok(results[1]?.status === "rejected" && results[1].reason instanceof ConflictError);
  t.match(await verifyAudit(storedEvidence(store, keyring)), { ok: true, records: 3 });
});

t.test("two changes of one document in one moment: the second sees the first", async (t) => {
  const { ledger } = await setUp(t);
  const busy = ledger("a");
  const first = { preconditions: [{ kind: "thing", id: "d", revision: 0 }] };
  const results = await Promise.allSettled([busy.commit(put("d", first)), busy.commit(put("d", first))]);
  t.same(
    results.map(({ status }) => status),
    ["fulfilled", "rejected"],
  );
});

t.test("counters: two nodes at once neither lose a count nor pass the limit", async (t) => {
  const { store, ledger } = await setUp(t);
  const nodes = [ledger("a"), ledger("b")];
  const one = { counters: [{ kind: "count", id: tenant, by: 1, limit: 50 }] };
  const attempts = Array.from({ length: 80 }, (_, n) => nodes[n % 2]?.commit(put(`t${n}`, one)));
  const results = await Promise.allSettled(attempts);
  const refused = results.filter(({ status }) => status === "rejected");
  t.equal(refused.length, 30);
  t.ok(refused.every((result) => result.status === "rejected" && result.reason.code === "entry_limit"));
  t.match(await store.get("count", tenant), { value: { count: 50 } });
  t.equal((await store.list({ kind: "thing", limit: 1000 })).length, 50);
  t.match(await verifyAudit(storedEvidence(store, keyring)), { ok: true, records: 50 });
  const minus = { counters: [{ kind: "count", id: tenant, by: -1, limit: 50 }] };
  await nodes[0]?.commit(put("t0", minus));
  t.ok(await nodes[1]?.commit(put("again", one)), "room made by another node is seen");
});

t.test("counters: what is full by a cached count is counted anew before anybody is refused", async (t) => {
  const { store, ledger } = await setUp(t);
  const [one, two] = [ledger("a"), ledger("b")];
  const by = (n: number) => ({ counters: [{ kind: "count", id: tenant, by: n, limit: 10 }] });
  await one.commit(put("x", by(8)));
  await two.commit(put("x", by(-6)));
  const results = await Promise.allSettled(Array.from({ length: 12 }, (_, n) => one.commit(put(`y${n}`, by(1)))));
  t.equal(results.filter(({ status }) => status === "fulfilled").length, 8);
  t.match(await store.get("count", tenant), { value: { count: 10 } });
  t.equal((await store.list({ kind: "thing", prefix: "y", limit: 100 })).length, 8, "who was refused wrote nothing");
});

t.test("a change that the store cannot take fails alone", async (t) => {
  const { ledger } = await setUp(t);
  const busy = ledger("a");
  const large = { writes: [{ kind: "thing", id: "large", value: "x".repeat(2 ** 21) }] };
  const results = await Promise.allSettled([
    busy.commit(put("1")),
    busy.commit(put("2", large)),
    busy.commit(put("3")),
  ]);
  t.same(
    results.map(({ status }) => status),
    ["fulfilled", "rejected", "fulfilled"],
  );
});

t.test("after an unknown outcome the chain goes on from what is there", async (t) => {
  const { store, ledger } = await setUp(t);
  let lose = false;
  const flaky = watched(store, async (request) => {
    if (!lose) return;
    await store.commit(request);
    throw new StoreUnavailableError("the answer was lost");
  });
  const busy = ledger("a", flaky);
  await busy.commit(put("1"));
  lose = true;
  const waiting = [busy.commit(put("2")), busy.commit(put("2b"))];
  for (const result of await Promise.allSettled(waiting))
    t.equal(result.status, "rejected", "nobody waits for a store that is away");
  lose = false;
  await busy.commit(put("3"));
  t.match(await verifyAudit(storedEvidence(store, keyring)), { ok: true });
});

t.test("a head changed from outside stops the chain instead of being sealed", async (t) => {
  const { store, ledger } = await setUp(t);
  await ledger("a").commit(put("1"));
  const head = await store.get(AUDIT_HEAD_KIND, "a");
  const forged = { ...(head?.value as object), seq: 0, hash: "0".repeat(64) };
  await store.commit({ writes: [{ kind: AUDIT_HEAD_KIND, id: "a", value: forged, quiet: true }] });
  await t.rejects(ledger("a").commit(put("2")), { code: "store_corrupt" });
  t.match(await verifyAudit(storedEvidence(store, keyring)), { ok: false });
});

t.test("a clock that goes back does not put the chain out of order", async (t) => {
  const back = new FixedClock(2_000_000_000_000);
  const store = await openStore("sqlite::memory:", { clock: back });
  t.teardown(() => store.close());
  const ledger = new Ledger({ store, keyring, chain: "a", clock: back });
  await ledger.commit(put("1"));
  back.advance(-60_000);
  await ledger.commit(put("2"));
  t.match(await verifyAudit(storedEvidence(store, keyring)), { ok: true, records: 2 });
});

t.test("verification finds every kind of meddling", async (t) => {
  const meddle: Record<string, (store: Store, ids: string[]) => Promise<unknown>> = {
    altered: async (store, ids) => {
      const record = await store.get(AUDIT_KIND, ids[1] ?? "");
      return await store.commit({
        writes: [{ kind: AUDIT_KIND, id: ids[1] ?? "", value: { ...(record?.value as object), target: "x" } }],
      });
    },
    missing: (store, ids) => store.commit({ writes: [{ kind: AUDIT_KIND, id: ids[2] ?? "", value: null }] }),
    truncated: (store, ids) => store.commit({ writes: [{ kind: AUDIT_KIND, id: ids[0] ?? "", value: null }] }),
    "head-missing": (store) => store.commit({ writes: [{ kind: AUDIT_HEAD_KIND, id: "a", value: null }] }),
    "out-of-place": async (store, ids) => {
      const [one, two] = await store.getMany(AUDIT_KIND, [ids[1] ?? "", ids[2] ?? ""]);
      const writes = [
        { kind: AUDIT_KIND, id: ids[1] ?? "", value: two?.value },
        { kind: AUDIT_KIND, id: ids[2] ?? "", value: one?.value },
      ];
      return await store.commit({ writes });
    },
    "oldest missing": (store, ids) =>
      store.commit({ writes: [{ kind: AUDIT_KIND, id: ids.at(-1) ?? "", value: null }] }),
  };
  for (const [name, act] of Object.entries(meddle)) {
    const { store, ledger } = await setUp(t);
    const busy = ledger("a");
    for (let n = 0; n < 5; n++) await busy.commit(put(`t${n}`));
    const ids = (await store.list({ kind: AUDIT_KIND, limit: 10 })).map(({ id }) => id);
    await act(store, ids);
    const { ok, problems } = await verifyAudit(storedEvidence(store, keyring));
    t.equal(ok, false, name);
    t.ok(
      problems.some(({ problem }) => name.endsWith(problem)),
      `${name}: ${JSON.stringify(problems)}`,
    );
  }
});

t.test("verification finds a log that is gone, and a tenant's own log that is short", async (t) => {
  const wipe = async (store: Store, kind: string) => {
    for (const { id } of await store.list({ kind, limit: 100 }))
      await store.commit({ writes: [{ kind, id, value: null }] });
  };
  const { store, ledger } = await setUp(t);
  const busy = ledger("a");
  const actor = { kind: "cli" as const, id: "x" };
  const made = (action: string, kind: string, id: string): AuditedChange => ({
    writes: [{ kind, id, value: { id } }],
    audit: [{ action, ...(kind === TENANT_KIND ? { tenant: id as TenantId } : {}), actor, target: id }],
  });
  await busy.commit(made("tenant.declared", TENANT_KIND, tenant));
  await busy.commit(made("key.created", KEY_KIND, "key_1"));
  for (let n = 0; n < 3; n++) await busy.commit(put(`t${n}`));
  t.match(await verifyAudit(storedEvidence(store, keyring)), { ok: true, records: 5 });

  const [row] = await store.list({ kind: TENANT_AUDIT_KIND, limit: 1 });
  await store.commit({ writes: [{ kind: TENANT_AUDIT_KIND, id: row?.id ?? "", value: null }] });
  const short = await verifyAudit(storedEvidence(store, keyring));
  t.match(short, { ok: false, problems: [{ subject: tenant, problem: "index-altered" }] });

  for (const kind of [AUDIT_KIND, AUDIT_HEAD_KIND, TENANT_AUDIT_KIND]) await wipe(store, kind);
  const gone = [
    { subject: tenant, problem: "unrecorded" },
    { subject: "key_1", problem: "unrecorded" },
  ];
  t.match(await verifyAudit(storedEvidence(store, keyring)), { ok: false, records: 0, problems: gone });
  await ledger("a").commit(put("later"));
  const again = await verifyAudit(storedEvidence(store, keyring));
  t.match(again, { ok: false, records: 1, problems: gone }, "also once a new one has begun");
});

t.test("a chain rewritten whole by somebody without the key does not pass", async (t) => {
  const { store, ledger } = await setUp(t);
  await ledger("a").commit(put("1"));
  const other = await setUp(t);
  const forger = new Ledger({
    store: other.store,
    keyring: new Keyring([new Uint8Array(32).fill(2)]),
    chain: "a",
    clock,
  });
  await forger.commit(put("nothing happened"));
  for (const kind of [AUDIT_KIND, AUDIT_HEAD_KIND]) {
    for (const { id } of await store.list({ kind, limit: 10 }))
      await store.commit({ writes: [{ kind, id, value: null }] });
    for (const { id, value } of await other.store.list({ kind, limit: 10 }))
      await store.commit({ writes: [{ kind, id, value }] });
  }
  t.match(await verifyAudit(storedEvidence(store, keyring)), { ok: false, problems: [{ problem: "head-altered" }] });
});

t.test("heads sealed before a key rotation still verify", async (t) => {
  const { store, ledger } = await setUp(t);
  await ledger("a").commit(put("1"));
  const rotated = new Keyring([new Uint8Array(32).fill(9), new Uint8Array(32).fill(1)]);
  t.match(await verifyAudit(storedEvidence(store, rotated)), { ok: true });
  await new Ledger({ store, keyring: rotated, chain: "a", clock }).commit(put("2"));
  t.match(await verifyAudit(storedEvidence(store, rotated)), { ok: true, records: 2 });
});
