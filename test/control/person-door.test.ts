/** Control with the person door: sessions for the edges, mail, and what happens while the store is away. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLocalJWKSet, jwtVerify } from "jose";
import t, { type Test } from "tap";
import { completeSecrets } from "../../src/config/key-files.ts";
import { loadConfig } from "../../src/config.ts";
import { startControl } from "../../src/control/control.ts";
import { systemClock } from "../../src/core/clock.ts";
import type { TenantId } from "../../src/core/ids.ts";
import { hashSessionSecret } from "../../src/core/session.ts";
import { SessionDirectory } from "../../src/edge/sessions.ts";
import { FeedClient } from "../../src/replica/client.ts";
import { PolicyReplica } from "../../src/replica/policy.ts";
import { PASSWORD } from "../support/person-door.ts";
import { startRedis } from "../support/redis.ts";
import { openDoorOn, signInFirst } from "../support/signed-in.ts";
import { SILENT } from "../support/silent-log.ts";

const ADMIN_KEY = "k".repeat(40);
const SEAL = Buffer.alloc(32, 7);
const TENANT = "/v1/tenants/clinic";
const LEASE_MS = 30_000;
/** The promise for one node, with room for two busy cores: it is measured where nothing else runs. */
const SOON_MS = 1_000;

const settings = (url: string) => `dataDir: data
store: { url: "${url}" }
publicUrl: https://{host}
edge: { listen: "127.0.0.1:0", workers: 1 }
admin: { listen: "127.0.0.1:0" }
mail: { transport: file, from: gate@operator.example }
sms: { provider: console }
tenants:
  - { id: clinic, name: Happy Feet, hosts: [clinic.example, www.clinic.example], upstreams: ["http://127.0.0.1:9"] }
`;

async function startNode(t: Test, url = "sqlite:") {
  const base = mkdtempSync(join(tmpdir(), "sallyport-control-"));
  writeFileSync(join(base, "sallyport.yaml"), settings(url));
  const socketDir = base;
  const env = { SALLYPORT_ADMIN_KEY: ADMIN_KEY, SALLYPORT_SECRET_KEY: SEAL.toString("base64") };
  const { config, secrets: given } = loadConfig({ file: "sallyport.yaml", env, base });
  const secrets = completeSecrets(config, given);
  const control = await startControl({
    config,
    secrets,
    socketDir,
    development: true,
    clock: systemClock,
    log: SILENT,
  });
  t.teardown(async () => {
    await control.close();
    rmSync(base, { recursive: true });
  });
  const call = async (method: string, path: string, body?: object) => {
    const response = await fetch(`http://127.0.0.1:${control.adminAddress.port}${path}`, {
      method,
      headers: { authorization: `Bearer ${ADMIN_KEY}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: text === "" ? undefined : JSON.parse(text) };
  };
  return { config, socketDir, call };
}

/** An edge without listeners: its replica, its feed and its sessions, wired as the edge wires them. */
async function startEdgeOf(t: Test, socketDir: string) {
  const replica = new PolicyReplica(900_000);
  const sessions: SessionDirectory = new SessionDirectory({
    lookup: (tenant, hash) => feed.lookupSession(tenant, hash),
    clock: systemClock,
    log: SILENT,
    leaseMs: LEASE_MS,
    capacity: 100,
  });
  replica.onSessionEnd((ended) => sessions.end(ended));
  const feed: FeedClient = new FeedClient({
    socketPath: join(socketDir, "feed.sock"),
    replica,
    worker: "edge-1",
    drainTally: () => undefined,
    drainSessionUse: () => sessions.drainUse(),
    log: SILENT,
  });
  t.teardown(() => feed.close());
  await feed.ready;
  return sessions;
}

t.test("a session from its first look-up to its end", async (t) => {
  const { config, socketDir, call } = await startNode(t);
  const sessions = await startEdgeOf(t, socketDir);
  const door = await openDoorOn(t, config.store.url, SEAL);
  const person = { email: "ann@clinic.example", password: PASSWORD };
  const { id: user } = (await call("POST", `${TENANT}/users`, person)).body;
  const tenant = "clinic" as TenantId;
  const hash = hashSessionSecret(await signInFirst(door, "clinic", person.email));

  const held = await sessions.ask(tenant, hash);
  t.match(held.facts, { user, email: person.email, amr: ["pwd", "otp", "mfa"] });
  t.ok((held.facts?.assertionUntilMs ?? 0) > Date.now() + LEASE_MS, "the assertion outlives the lease");
  const keys = createLocalJWKSet(await door.assertions.jwks());
  const expected = { issuer: "https://clinic.example", audience: "clinic.example" };
  const { payload } = await jwtVerify(held.facts?.assertion ?? "", keys, expected);
  t.match(payload, { sub: user, email: person.email, tenant, sid: held.facts?.id });
  t.equal((await sessions.ask("nowhere" as TenantId, hash)).facts, undefined, "of another tenant it is none");

  const [listed] = (await call("GET", `${TENANT}/sessions`)).body.items;
  t.equal(listed.id, held.facts?.id);
  sessions.noteUse(held, Math.floor(Date.parse(listed.createdAt) / 1000) + 3_600);
  let seen = listed.lastSeenAt;
  while (seen === listed.lastSeenAt) [{ lastSeenAt: seen }] = (await call("GET", `${TENANT}/sessions`)).body.items;
  t.ok(Date.parse(seen) <= Date.now(), "an edge keeps it awake, but not beyond now");

  const why = async (who: string) => {
    const { steps } = (await call("GET", `${TENANT}/explain?ip=192.0.2.1&user=${who}`)).body;
    return (steps as { step: string }[]).find(({ step }) => step === "person");
  };
  t.match(await why(user), { result: "pass", detail: /has 1 live session, and can sign in/ });

  const before = performance.now();
  const ended = await call("DELETE", `${TENANT}/sessions/${listed.id}?wait=applied`);
  const took = performance.now() - before;
  t.equal(ended.status, 204);
  t.match(ended.headers.get("sallyport-applied"), /\/edge-1$/);
  t.notOk(held.isLive(Date.now()), "whoever holds it has lost it when the answer comes");
  t.equal(sessions.peek(tenant, hash, Date.now()), undefined);
  t.ok(took < SOON_MS, `in ${took.toFixed()} ms`);
  t.equal((await sessions.ask(tenant, hash)).facts, undefined);

  await call("PATCH", `${TENANT}/users/${user}`, { state: "disabled" });
  t.match(await why(person.email), { result: "stop", detail: /no live session, and cannot sign in: disabled/ });
  t.match(await why("eve@clinic.example"), { result: "stop", detail: "there is no such user" });
});

t.test("a factor that policy accepts no longer: explain and the list of sessions say what the edges do", async (t) => {
  const { config, call } = await startNode(t);
  const upstreams = ["http://127.0.0.1:9"];
  await call("POST", "/v1/tenants", { id: "other", name: "Other", hosts: ["other.example"], upstreams });
  const person = { email: "ann@clinic.example", password: PASSWORD };
  const { id: user } = (await call("POST", "/v1/tenants/other/users", person)).body;
  await signInFirst(await openDoorOn(t, config.store.url, SEAL), "other", person.email);
  const said = async () => {
    const { steps } = (await call("GET", `/v1/tenants/other/explain?ip=192.0.2.1&user=${user}`)).body;
    const { items } = (await call("GET", "/v1/tenants/other/sessions")).body;
    return { ...(steps as { step: string }[]).find(({ step }) => step === "person"), sessions: items.length };
  };
  t.match(await said(), { result: "pass", sessions: 1 });
  await call("PATCH", "/v1/tenants/other", { policy: { factors: ["passkey"] } });
  const detail = /has no live session, and can sign in$/;
  t.match(await said(), { result: "stop", detail, sessions: 0 });
});

t.test("disabling, and whatever else revokes, reaches the edges before the answer", async (t) => {
  const { config, socketDir, call } = await startNode(t);
  const sessions = await startEdgeOf(t, socketDir);
  const door = await openDoorOn(t, config.store.url, SEAL);
  const revocations: [string, string, object?][] = [
    ["PATCH", "", { state: "disabled" }],
    ["POST", "/reset-factors"],
    ["POST", "/invite"],
    ["DELETE", "/sessions"],
    ["DELETE", ""],
  ];
  for (const [n, [method, path, body]] of revocations.entries()) {
    const person = { email: `person-${n}@clinic.example`, password: PASSWORD };
    const { id } = (await call("POST", `${TENANT}/users`, person)).body;
    const hash = hashSessionSecret(await signInFirst(door, "clinic", person.email));
    const held = await sessions.ask("clinic" as TenantId, hash);
    t.ok(held.isLive(Date.now()));
    const { status } = await call(method, `${TENANT}/users/${id}${path}?wait=applied`, body);
    t.ok(status < 300, `${method} ${path} answers ${status}`);
    t.notOk(held.isLive(Date.now()), `${method} ${path}`);
  }
});

t.test("revoking at one node reaches the edges of another before the answer", async (t) => {
  const redis = await startRedis(t);
  if (redis === undefined) return;
  const [one, two] = [await startNode(t, redis.url), await startNode(t, redis.url)];
  const edges = [await startEdgeOf(t, one.socketDir), await startEdgeOf(t, two.socketDir)];
  const door = await openDoorOn(t, redis.url, SEAL);
  await one.call("POST", `${TENANT}/users`, { email: "ann@clinic.example", password: PASSWORD });
  const hash = hashSessionSecret(await signInFirst(door, "clinic", "ann@clinic.example"));
  const held = await Promise.all(edges.map((sessions) => sessions.ask("clinic" as TenantId, hash)));
  t.ok(held.every((session) => session.isLive(Date.now())));
  // Two nodes know of each other once each has said that it is there.
  while ((await one.call("GET", "/v1/edges")).body.items.length < 2) await new Promise(setImmediate);
  const before = performance.now();
  const ended = await one.call("DELETE", `${TENANT}/sessions/${held[0]?.facts?.id}?wait=applied`);
  const took = performance.now() - before;
  t.equal(ended.headers.get("sallyport-applied")?.split(", ").length, 2);
  t.notOk(held.some((session) => session.isLive(Date.now())));
  t.ok(took < SOON_MS, `in ${took.toFixed()} ms`);
});

t.test("an invitation is mailed, by its configuration", async (t) => {
  const { config, call } = await startNode(t);
  const { id } = (await call("POST", `${TENANT}/users`, { email: "ann@clinic.example" })).body;
  const { link, mailed } = (await call("POST", `${TENANT}/users/${id}/invite`)).body;
  t.match(link, /^https:\/\/clinic\.example\/\.sallyport\/invite\//);
  t.equal(mailed, true);
  const state = async () => (await call("GET", `${TENANT}/outbox`)).body.items[0].state;
  while ((await state()) !== "sent") await new Promise(setImmediate);
  const folder = join(config.dataDir, "mail");
  const [file = ""] = readdirSync(folder);
  const mail = readFileSync(join(folder, file), "utf8").replace(/=\r\n/g, "");
  t.match(mail, /https:\/\/clinic\.example\/\.sallyport\/invite\/[\w-]{43}/);
  t.notMatch(mail, link.slice(-43), "a link of its own, which whoever asked for it does not get");
});

t.test("without its store control starts, and says that it is away", async (t) => {
  const { call } = await startNode(t, "redis://127.0.0.1:1/0");
  t.match(await call("GET", `${TENANT}/users`), { status: 503, body: { code: "store_unavailable" } });
  t.match(await call("POST", `${TENANT}/users`, { email: "a@clinic.example" }), { status: 503 });
});

t.test("codes are printed in development alone", async (t) => {
  const base = t.testdir({ "sallyport.yaml": settings("sqlite:") });
  const { config, secrets: given } = loadConfig({ file: "sallyport.yaml", env: {}, base });
  const secrets = completeSecrets(config, given);
  const socketDir = mkdtempSync(join(tmpdir(), "sallyport-control-"));
  t.teardown(() => rmSync(socketDir, { recursive: true }));
  const start = startControl({ config, secrets, socketDir, development: false, clock: systemClock, log: SILENT });
  await t.rejects(start, { code: "config_invalid", message: /console/ });
});
