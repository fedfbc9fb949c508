/** Sessions: what a cookie is worth, how long, and that its end is final and heard by every edge. */
import { createLocalJWKSet, jwtVerify } from "jose";
import t from "tap";
import type { AuditedChange } from "../../src/core/audit.ts";
import type { FixedClock } from "../../src/core/clock.ts";
import { hashSessionSecret, SESSION_KIND } from "../../src/core/session.ts";
import type { Tenant } from "../../src/core/tenant.ts";
import { USER_KIND } from "../../src/person/account.ts";
import { Assertions } from "../../src/person/assertion.ts";
import { DEVICE_KIND } from "../../src/person/devices.ts";
import {
  API,
  Browser,
  enrolledUser,
  mails,
  makeTenant,
  type Node,
  onEveryStore,
  totpCode,
} from "../support/person-door.ts";

async function signedIn(node: Node, tenant: Tenant, clock: FixedClock) {
  const user = await enrolledUser(node, tenant, clock);
  const browser = new Browser(tenant);
  await browser.signIn(node.door, user.email, { kind: "totp", code: totpCode(user.secret, clock.nowMs()) });
  const secret = browser.cookies.session ?? "";
  const more = async () => {
    clock.advance(30_000);
    const another = new Browser(tenant);
    await another.signIn(node.door, user.email, { kind: "totp", code: totpCode(user.secret, clock.nowMs()) });
    return another;
  };
  return { user, browser, secret, hash: hashSessionSecret(secret), more };
}

/** Ids of the sessions whose end is in the feed. */
async function endings({ store }: Node): Promise<string[]> {
  const changes = await store.changesSince(0, 1000);
  if (changes.gap) throw new Error("a gap");
  return changes.commits
    .flatMap((commit) => commit.changes)
    .filter((change) => change.kind === SESSION_KIND)
    .map((change) => (change.value === null ? change.id : `unexpected ${change.id}`));
}

onEveryStore(
  t,
  "one bit changed, another tenant, after sign-out, after disabling: no session",
  async (t, { clock, tenant, node }) => {
    const one = await node();
    const { door } = one;
    const { user, browser, secret, hash, more } = await signedIn(one, tenant, clock);
    t.ok(await door.sessions.lookup(tenant, hash));
    const flipped = secret.slice(0, -2) + (secret.at(-2) === "A" ? "B" : "A") + secret.at(-1);
    t.equal(await door.sessions.lookup(tenant, hashSessionSecret(flipped)), undefined);
    t.equal(await door.sessions.lookup(makeTenant("other"), hash), undefined);
    const stored = JSON.stringify(await one.store.list({ kind: SESSION_KIND, limit: 10 }));
    t.notOk(stored.includes(secret), "the secret is not stored");
    t.ok(await door.sessions.endByHash(tenant.id, hash, API));
    t.equal(await browser.session(door), undefined);
    t.same(
      await endings(one),
      (await endings(one)).filter((id) => !id.startsWith("unexpected")),
    );
    t.ok((await endings(one)).includes(`${tenant.id}/${hash}`));
    const other = await more();
    await door.users.change(tenant, user.id, { state: "disabled" }, API);
    t.equal(await other.session(door), undefined);
    await door.users.change(tenant, user.id, { state: "active" }, API);
    t.equal(await other.session(door), undefined, "enabling brings no session back");
  },
);

onEveryStore(
  t,
  "idle and absolute limits; use is written in batches and revives nothing",
  async (t, { clock, tenant, node }) => {
    const [one, two] = [await node(), await node()];
    const { hash, more } = await signedIn(one, tenant, clock);
    const at = async (node: Node) => (await node.door.sessions.lookup(tenant, hash)) !== undefined;
    clock.advance(59 * 60_000);
    one.door.sessions.noteSeen(tenant, hash, clock.nowMs());
    await one.door.sessions.flush();
    clock.advance(59 * 60_000);
    t.ok(await at(two), "kept awake by another node's edges");
    clock.advance(60_000);
    t.notOk(await at(two), "idle for an hour");
    const busy = await more();
    const busyHash = hashSessionSecret(busy.cookies.session ?? "");
    for (let minutes = 0; minutes < 12 * 60; minutes += 30) {
      t.ok(await busy.session(one.door));
      one.door.sessions.noteSeen(tenant, busyHash, clock.nowMs());
      clock.advance(30 * 60_000);
    }
    t.equal(await busy.session(one.door), undefined, "twelve hours are the end");
    const ended = await more();
    const endedHash = hashSessionSecret(ended.cookies.session ?? "");
    one.door.sessions.noteSeen(tenant, endedHash, clock.nowMs() + 1);
    await two.door.sessions.endByHash(tenant.id, endedHash, API);
    await one.door.sessions.flush();
    t.equal(await ended.session(two.door), undefined, "a late note of use revives nothing");
  },
);

onEveryStore(t, "today's policy holds for yesterday's sessions", async (t, { clock, node }) => {
  const one = await node();
  const lax = makeTenant("happy-feet", { secondFactor: "off" });
  await one.door.users.create(lax, { email: "bob@happy-feet.example", password: "lamp river quilt seven" }, API);
  const browser = new Browser(lax);
  const { outcome } = await browser.identify(one.door, "bob@happy-feet.example", "lamp river quilt seven");
  t.match(outcome, { kind: "signed-in", amr: ["pwd"] });
  const hash = hashSessionSecret(browser.cookies.session ?? "");
  t.ok(await one.door.sessions.lookup(lax, hash));
  t.equal(await one.door.sessions.lookup(makeTenant("happy-feet"), hash), undefined, "a factor is required now");
  const short = { idleSeconds: 60, maxSeconds: 120, rememberDeviceSeconds: 0 };
  clock.advance(60_000);
  t.equal(
    await one.door.sessions.lookup(makeTenant("happy-feet", { secondFactor: "off", session: short }), hash),
    undefined,
  );
});

onEveryStore(t, "a proof that policy no longer accepts opens nothing; a recovery code's does", async (t, site) => {
  const { clock, tenant, node } = site;
  const { door } = await node();
  const { user, hash } = await signedIn(await node(), tenant, clock);
  const browser = new Browser(tenant);
  await browser.signIn(door, user.email, { kind: "recovery", code: user.recoveryCodes[0] });
  const recovered = hashSessionSecret(browser.cookies.session ?? "");
  const keysOnly = makeTenant(tenant.id, { factors: ["passkey"] });
  t.ok(await door.sessions.lookup(tenant, hash));
  t.equal(await door.sessions.lookup(keysOnly, hash), undefined);
  t.ok(await door.sessions.lookup(keysOnly, recovered));
  t.match(await door.sessions.listOfUser(keysOnly, user.id), [{ amr: ["pwd", "recovery", "mfa"] }]);
  t.ok(await door.sessions.lookup(makeTenant(tenant.id, { factors: ["passkey"], secondFactor: "off" }), hash));
});

onEveryStore(t, "a remembered device proves what it was remembered after", async (t, { clock, node }) => {
  const one = await node();
  const session = { idleSeconds: 3600, maxSeconds: 43_200, rememberDeviceSeconds: 86_400 };
  const tenant = makeTenant("happy-feet", { session });
  const user = await enrolledUser(one, tenant, clock);
  const browser = new Browser(tenant);
  await browser.signIn(one.door, user.email, { kind: "totp", code: totpCode(user.secret, clock.nowMs()) }, true);
  const { outcome } = await browser.identify(one.door, user.email);
  t.match(outcome, { kind: "signed-in", amr: ["pwd", "device", "mfa"] });
  const hash = hashSessionSecret(browser.cookies.session ?? "");
  const other = makeTenant("happy-feet", { session, factors: ["sms"] });
  t.ok(await one.door.sessions.lookup(makeTenant("happy-feet", { session, factors: ["sms", "totp"] }), hash));
  t.equal(await one.door.sessions.lookup(other, hash), undefined);
});

onEveryStore(t, "a device remembered without its methods asks for the factor again", async (t, { clock, node }) => {
  const one = await node();
  const { door, store } = one;
  const session = { idleSeconds: 3600, maxSeconds: 43_200, rememberDeviceSeconds: 86_400 };
  const tenant = makeTenant("happy-feet", { session });
  const user = await enrolledUser(one, tenant, clock);
  const browser = new Browser(tenant);
  await browser.signIn(door, user.email, { kind: "totp", code: totpCode(user.secret, clock.nowMs()) }, true);
  for (const { id, value } of await store.list({ kind: DEVICE_KIND, limit: 1 })) {
    const { amr: _, ...older } = value as { amr: string[] };
    await store.commit({ writes: [{ kind: DEVICE_KIND, id, value: older }] });
  }
  t.match((await browser.identify(door, user.email)).outcome, { kind: "continue", step: { stage: "factor" } });
});

onEveryStore(t, "listed and ended by public id, by user, and all at once", async (t, { clock, tenant, node }) => {
  const one = await node();
  const { door } = one;
  const { user, browser, more } = await signedIn(one, tenant, clock);
  const others = [await more(), await more()];
  const list = await door.sessions.listOfUser(tenant, user.id);
  t.equal(list.length, 3);
  t.match(list[0], { id: /^ses_/, user: user.id, address: "203.0.113.7", userAgent: "Firefox" });
  const all = await door.sessions.list(tenant, { limit: 2 });
  const rest = await door.sessions.list(tenant, { limit: 2, ...(all.next === undefined ? {} : { after: all.next }) });
  t.same(
    new Set([...all.items, ...rest.items].map((session) => session.id)),
    new Set(list.map((session) => session.id)),
  );
  const mine = (await browser.session(door))?.id ?? "";
  t.notOk(await door.sessions.end(tenant.id, mine, API, "usr_00000000000000000000000000"), "not this user's");
  t.notOk(await door.sessions.end(makeTenant("other").id, mine, API), "not that tenant's");
  for (const id of ["", "ses_", "ses_%", `${mine}x`, mine.slice(0, -1)])
    t.notOk(await door.sessions.end(tenant.id, id, API), id);
  t.ok(await door.sessions.end(tenant.id, mine, API, user.id));
  t.equal(await browser.session(door), undefined);
  t.equal(await door.users.endSessions(tenant, user.id, API), 2);
  for (const other of others) t.equal(await other.session(door), undefined);
  t.equal((await endings(one)).length, 4, "every end is in the feed");
});

/** Holds changes with this action: tells when one has come, and lets it pass when told. */
function held(action: string) {
  const [come, go] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const beforeCommit = async (change: AuditedChange): Promise<void> => {
    if (!change.audit.some((record) => record.action === action)) return;
    come.resolve();
    await go.promise;
  };
  return { beforeCommit, come: come.promise, go: () => go.resolve() };
}

onEveryStore(t, "disabled between the proof and the session: no session", async (t, { clock, tenant, node }) => {
  const one = await node();
  const { user } = await signedIn(one, tenant, clock);
  const { beforeCommit, come, go } = held("session.started");
  const two = await node({ beforeCommit });
  clock.advance(30_000);
  const browser = new Browser(tenant);
  const proof = { kind: "totp", code: totpCode(user.secret, clock.nowMs()) } as const;
  const signingIn = browser.signIn(two.door, user.email, proof);
  await come;
  await one.door.users.change(tenant, user.id, { state: "disabled" }, API);
  go();
  t.same(await signingIn, { kind: "refused" });
  t.same(await one.store.list({ kind: SESSION_KIND, limit: 10 }), []);
});

onEveryStore(t, "a session from the moment before a revocation ends with it", async (t, { clock, tenant, node }) => {
  const one = await node();
  const { user, more } = await signedIn(one, tenant, clock);
  const { beforeCommit, come, go } = held("user.changed");
  const two = await node({ beforeCommit });
  const disabling = two.door.users.change(tenant, user.id, { state: "disabled" }, API);
  await come;
  const late = await more();
  t.ok(await late.session(one.door));
  go();
  await disabling;
  t.equal(await late.session(one.door), undefined);
  t.ok(
    (await endings(one)).includes(`${tenant.id}/${hashSessionSecret(late.cookies.session ?? "")}`),
    "edges hear of it",
  );
});

onEveryStore(t, "a session that comes back with an older store is void", async (t, { clock, tenant, node }) => {
  const one = await node();
  const { user, browser, hash } = await signedIn(one, tenant, clock);
  const id = `${tenant.id}/${hash}`;
  const value = (await one.store.get(SESSION_KIND, id))?.value;
  await one.door.users.endSessions(tenant, user.id, API);
  await one.store.commit({ writes: [{ kind: SESSION_KIND, id, value, quiet: true }] });
  t.equal(await browser.session(one.door), undefined);
});

onEveryStore(
  t,
  "the assertion is verified by the published keys, through rotations",
  async (t, { clock, tenant, node }) => {
    const [one, two] = [await node(), await node()];
    const { user, browser, more } = await signedIn(one, tenant, clock);
    const host = tenant.hosts[0];
    const session = await browser.session(one.door);
    if (host === undefined || session === undefined) throw new Error("no session");
    const verify = async (token: string, node: Node) =>
      await jwtVerify(token, createLocalJWKSet(await node.door.assertions.jwks()), {
        audience: host,
        issuer: `https://${host}`,
        algorithms: ["EdDSA"],
        currentDate: new Date(clock.nowMs()),
      });
    const [first, same] = [
      await one.door.assertions.forSession(session, host),
      await one.door.assertions.forSession(session, host),
    ];
    t.equal(same.token, first.token, "made once");
    const { payload, protectedHeader } = await verify(first.token, two);
    t.match(payload, { sub: user.id, tenant: tenant.id, email: user.email, role: "owner", sid: session.id });
    t.same(payload["amr"], ["pwd", "otp", "mfa"]);
    t.equal((payload.exp ?? 0) - (payload.iat ?? 0), 300);
    t.notOk(JSON.stringify(payload).includes(browser.cookies.session ?? ""));
    clock.advance(31 * 24 * 3_600_000);
    const later = await (await more()).session(one.door);
    if (later === undefined) throw new Error("no session");
    t.equal((await two.door.assertions.jwks()).keys.length, 2, "rotates by itself");
    const soon = await one.door.assertions.forSession(later, host);
    t.equal(
      (await verify(soon.token, two)).protectedHeader.kid,
      protectedHeader.kid,
      "a new key is published before it signs",
    );
    t.equal((await one.door.assertions.jwks()).keys.length, 2);
    t.notOk(JSON.stringify(await one.door.assertions.jwks()).includes('"d"'), "public parts alone");
    clock.advance(16 * 60_000);
    const late = await one.door.assertions.forSession(later, host);
    t.not((await verify(late.token, two)).protectedHeader.kid, protectedHeader.kid);
    clock.advance(31 * 24 * 3_600_000);
    const kids = (await two.door.assertions.jwks()).keys.map(({ kid }) => kid);
    t.equal(kids.length, 2);
    t.notOk(kids.includes(protectedHeader.kid), "what has been out of use for an hour is gone");
  },
);

onEveryStore(t, "a crowd that needs the first signing key at once gets one", async (t, { clock, node }) => {
  const { store, keyring } = await node();
  const assertions = new Assertions(store, keyring, clock);
  const sets = await Promise.all(Array.from({ length: 100 }, async () => await assertions.jwks()));
  for (const set of sets) t.same(set, sets[0]);
});

onEveryStore(t, "many nodes that make the first signing key at once agree on one", async (t, { clock, node }) => {
  const nodes = [await node(), await node()];
  const many = nodes.flatMap(({ store, keyring }) =>
    Array.from({ length: 10 }, () => new Assertions(store, keyring, clock)),
  );
  const sets = await Promise.all(many.map(async (assertions) => await assertions.jwks()));
  for (const set of sets) t.same(set, sets[0]);
});

onEveryStore(
  t,
  "the same login far apart at the same time is told to the owner, once, and not blocked",
  async (t, { clock, tenant, node }) => {
    const one = await node();
    const { user, browser } = await signedIn(one, tenant, clock);
    const colleague = { role: "user", state: "active", epoch: 1, createdAt: "2020-01-01T00:00:00.000Z" };
    const writes = Array.from({ length: 1000 }, (_, n) => {
      const id = `${tenant.id}/usr_${String(n).padStart(26, "0")}`;
      return { kind: USER_KIND, id, value: { ...colleague, email: `${n}@happy-feet.example` } };
    });
    await one.store.commit({ writes });
    const signIn = async (address: string, userAgent: string) => {
      clock.advance(30_000);
      const other = new Browser(tenant, address, userAgent);
      await other.signIn(one.door, user.email, { kind: "totp", code: totpCode(user.secret, clock.nowMs()) });
      t.ok(await other.session(one.door));
    };
    const told = async () => (await mails(one)).filter((mail) => mail.notice === "shared-login").length;
    await signIn("203.0.200.1", "Safari");
    t.equal(await told(), 0, "another browser near by");
    clock.advance(5 * 60_000);
    await signIn("198.51.100.1", "Firefox");
    t.equal(await told(), 0, "far apart, but not at the same time");
    await signIn("192.0.2.1", "Edge");
    await signIn("192.168.7.1", "Opera");
    t.equal(await told(), 1);
    t.ok(await browser.session(one.door), "nobody is put out");
  },
);
