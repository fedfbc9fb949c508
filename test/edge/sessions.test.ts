/** The person door at the edge: who is asked about, what is believed for how long, and what ends with a session. */
import { setImmediate } from "node:timers/promises";
import t, { type Test } from "tap";
import { FixedClock } from "../../src/core/clock.ts";
import type { SessionHash, TenantId } from "../../src/core/ids.ts";
import { newSecret } from "../../src/core/ids.ts";
import { hashSessionSecret, type SessionFacts, type SessionLookup } from "../../src/core/session.ts";
import { SessionDirectory, sessionSecretOf } from "../../src/edge/sessions.ts";
import { HAPPY, OTHER, startLiveEdge } from "../support/live-edge.ts";
import { RawClient } from "../support/raw-http.ts";
import { SILENT } from "../support/silent-log.ts";
import { type Script, startUpstream } from "../support/upstream.ts";

const SECRET = newSecret();
const HOUR_MS = 3_600_000;

/** `/download` never ends, `/socket` opens a tunnel, the rest is answered with the head that came. */
const CLINIC: Script = ({ socket }, piece) => {
  const request = piece.toString("latin1");
  if (request.startsWith("GET /download")) socket.write("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nbeginning");
  else if (request.startsWith("GET /socket"))
    socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
  else socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${request.length}\r\n\r\n${request}`);
};

/** An edge whose tenant wants a session, and a control of which the test is master. */
async function clinic(
  t: Test,
  policy: Parameters<Awaited<ReturnType<typeof startLiveEdge>>["policy"]["setPolicy"]>[1],
) {
  const clock = new FixedClock(Date.now());
  const live = new Map<SessionHash, SessionFacts>();
  const asked: (readonly [TenantId, SessionHash])[] = [];
  const control: { lookup: SessionLookup } = { lookup: async (_tenant, hash) => live.get(hash) };
  const lookupSession: SessionLookup = async (tenant, hash) => {
    asked.push([tenant, hash]);
    return await control.lookup(tenant, hash);
  };
  const upstream = await startUpstream(t, CLINIC);
  const edge = await startLiveEdge(t, { upstream: upstream.origin, clock, lookupSession });
  edge.policy.setPolicy(HAPPY, { network: "off", secondFactor: "required", ...policy });
  const signIn = (secret = SECRET): SessionHash => {
    const hash = hashSessionSecret(secret);
    const expiresAtMs = clock.nowMs() + HOUR_MS;
    live.set(hash, {
      id: "ses_1",
      user: "usr_1",
      email: "a@b.example",
      amr: ["pwd", "otp"],
      expiresAtMs,
      assertion: "jwt",
    });
    return hash;
  };
  const client = async () => {
    const one = await RawClient.open(edge.port);
    t.teardown(() => one.close());
    return one;
  };
  const ask = async (cookie: string, fields = "", path = "/"): Promise<string> => {
    const one = await client();
    one.send(`GET ${path} HTTP/1.1\r\nHost: ${HAPPY.host}\r\nCookie: ${cookie}\r\n${fields}Connection: close\r\n\r\n`);
    return await one.untilEnd();
  };
  return { ...edge, clock, live, asked, control, signIn, client, ask };
}

const COOKIE = `sallyport=${SECRET}`;

t.test("a live session passes, with an assertion and without its cookie; anything else does not", async (t) => {
  const { ask, signIn, asked } = await clinic(t, {});
  t.match(await ask(COOKIE), /^HTTP\/1\.1 401 /, "no such session");
  t.equal(asked.length, 1);
  t.match(await ask(COOKIE), /^HTTP\/1\.1 401 /);
  t.equal(asked.length, 1, "that there is none is remembered for a while");
  const other = newSecret();
  signIn(other);
  const passed = await ask(`a=1; sallyport=${other}; b=2`);
  t.match(passed, /^HTTP\/1\.1 200 /);
  t.match(passed, /Sallyport-Assertion: jwt\r\n/);
  t.notMatch(passed, other, "the application never sees the secret");
  t.match(passed, /Cookie: a=1; b=2\r\n/i);
  for (const cookie of [
    `sallyport=${other}; sallyport=${other}`,
    `sallyport=${other}x`,
    `sallyport=${other.slice(0, 42)}${other.endsWith("A") ? "B" : "A"}`,
    `__Host-sallyport=${other}`,
    `Sallyport=${other}`,
    "sallyport=",
  ]) {
    t.match(await ask(cookie), /^HTTP\/1\.1 401 /, cookie.slice(0, 30));
  }
  t.match(await ask("x=1", "Accept: text/html\r\n"), /^HTTP\/1\.1 503 /, "control, which would redirect, is not there");
});

t.test("the same request again carries the assertion of now, and none where no session is asked for", async (t) => {
  const { signIn, client, live, clock, policy } = await clinic(t, {});
  const hash = signIn();
  const one = await client();
  const sent = async () => {
    one.received = "";
    one.send(`GET / HTTP/1.1\r\nHost: ${HAPPY.host}\r\nCookie: ${COOKIE}\r\n\r\n`);
    const received = await one.until((text) => /X-Forwarded-For.*\r\n\r\n$/s.test(text));
    return /Sallyport-Assertion: (.*)\r\n/.exec(received)?.[1];
  };
  t.equal(await sent(), "jwt");
  t.equal(await sent(), "jwt");
  const facts = live.get(hash);
  if (facts !== undefined) live.set(hash, { ...facts, assertion: "newer.jwt" });
  clock.advance(20_000);
  policy.confirm();
  await sent();
  await setImmediate();
  t.equal(await sent(), "newer.jwt", "after it was renewed in the background");
  policy.setPolicy(HAPPY, { network: "off" });
  t.equal(await sent(), undefined);
});

t.test("case 28: one tenant's session is nothing at another", async (t) => {
  const { ask, signIn, policy, client, asked } = await clinic(t, {});
  policy.setPolicy(OTHER, { network: "off", secondFactor: "required" });
  const hash = signIn();
  t.match(await ask(COOKIE), /^HTTP\/1\.1 200 /);
  const one = await client();
  one.send(`GET / HTTP/1.1\r\nHost: ${HAPPY.host}\r\nCookie: ${COOKIE}\r\n\r\n`);
  await one.until((received) => received.includes("200 OK"));
  one.send(`GET / HTTP/1.1\r\nHost: ${OTHER.host}\r\nCookie: ${COOKIE}\r\nConnection: close\r\n\r\n`);
  await one.untilEnd();
  t.strictSame(
    asked,
    [
      [HAPPY.id, hash],
      [OTHER.id, hash],
    ],
    "the other tenant's control is asked for itself",
  );
});

t.test("whom the location door keeps out makes control do nothing", async (t) => {
  const { ask, asked, signIn } = await clinic(t, { network: "enforce" });
  signIn();
  t.match(await ask(COOKIE), /^HTTP\/1\.1 403 /);
  t.equal(asked.length, 0);
});

t.test("the end of a session ends its requests, download and tunnel, and nobody else's", async (t) => {
  const { ask, signIn, live, policy, client } = await clinic(t, {});
  const hash = signIn();
  const other = newSecret();
  signIn(other);
  const open = async (path: string, secret: string, fields = "") => {
    const one = await client();
    one.send(`GET ${path} HTTP/1.1\r\nHost: ${HAPPY.host}\r\nCookie: sallyport=${secret}\r\n${fields}\r\n`);
    await one.until((received) => /beginning$|101 Switching/.test(received));
    return one;
  };
  const download = await open("/download", SECRET);
  const tunnel = await open("/socket", SECRET, "Connection: Upgrade\r\nUpgrade: websocket\r\n");
  const others = await open("/download", other);
  live.delete(hash);
  const endedAtMs = performance.now();
  policy.endSession(hash);
  await Promise.all([download.untilEnd(), tunnel.untilEnd()]);
  t.ok(performance.now() - endedAtMs < 100, "within the promise");
  t.notOk(others.ended);
  t.match(await ask(COOKIE), /^HTTP\/1\.1 401 /);
});

t.test("a policy that no longer accepts a session's proof ends what runs, and asks control nothing", async (t) => {
  const { ask, signIn, asked, policy, client } = await clinic(t, {});
  signIn();
  const one = await client();
  one.send(`GET /download HTTP/1.1\r\nHost: ${HAPPY.host}\r\nCookie: ${COOKIE}\r\n\r\n`);
  await one.until((received) => received.endsWith("beginning"));
  const changedAtMs = performance.now();
  policy.setPolicy(HAPPY, { network: "off", secondFactor: "required", factors: ["passkey"] });
  t.match(await ask(COOKIE), /^HTTP\/1\.1 401 /);
  await one.untilEnd();
  t.ok(performance.now() - changedAtMs < 100, "within the promise");
  policy.allow("127.0.0.0/8");
  policy.setPolicy(HAPPY, { combine: "any", secondFactor: "required", factors: ["passkey"] });
  const located = await ask(COOKIE);
  t.match(located, /^HTTP\/1\.1 200 /);
  t.notMatch(located, /Sallyport-Assertion/, "the place lets in, and the person is nobody");
  policy.setPolicy(HAPPY, { network: "off", secondFactor: "required", factors: ["totp"] });
  t.match(await ask(COOKIE), /^HTTP\/1\.1 200 /);
  t.equal(asked.length, 1);
});

t.test("an answer that a session's end has overtaken is not believed", async (t) => {
  const { ask, signIn, control, policy, live } = await clinic(t, {});
  const hash = signIn();
  const facts = live.get(hash);
  const asking = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<SessionFacts | undefined>();
  control.lookup = async () => {
    asking.resolve();
    return await answer.promise;
  };
  const response = ask(COOKIE);
  await asking.promise;
  policy.endSession(hash);
  answer.resolve(facts);
  t.match(await response, /^HTTP\/1\.1 401 /);
});

t.test("an answer that came too late for who asked serves the next, who asks nobody again", async (t) => {
  const { ask, signIn, control, asked, live } = await clinic(t, {});
  const facts = live.get(signIn());
  const answer = Promise.withResolvers<SessionFacts | undefined>();
  control.lookup = async () => await answer.promise;
  t.match(await ask(COOKIE), /^HTTP\/1\.1 503 /);
  const next = ask(COOKIE);
  answer.resolve(facts);
  t.match(await next, /^HTTP\/1\.1 200 /);
  t.match(await ask(COOKIE), /^HTTP\/1\.1 200 /);
  t.equal(asked.length, 1);
});

t.test(
  "a session that had to make room is asked about anew by whoever holds it, and no made-up cookie drives one out",
  async (t) => {
    const clock = new FixedClock(Date.now());
    const asked: SessionHash[] = [];
    const live = new Set([hashSessionSecret("one"), hashSessionSecret("two")]);
    const lookup: SessionLookup = async (_tenant, hash) => {
      asked.push(hash);
      if (!live.has(hash)) return undefined;
      return { id: "ses_1", user: "usr_1", email: "a@b.example", amr: ["pwd"], expiresAtMs: clock.nowMs() + HOUR_MS };
    };
    const sessions = new SessionDirectory({ lookup, clock, log: SILENT, leaseMs: 30_000, capacity: 1 });
    const [one, two] = live;
    if (one === undefined || two === undefined) return;
    const held = await sessions.ask(HAPPY.id, one);
    for (const made of ["x", "y", "z"]) await sessions.ask(HAPPY.id, hashSessionSecret(made));
    t.ok(held.isLive(clock.nowMs()));
    t.equal(sessions.peek(HAPPY.id, one, clock.nowMs()), held);
    const other = await sessions.ask(HAPPY.id, two);
    t.notOk(held.isLive(clock.nowMs()), "its end would no longer reach who holds it");
    t.equal(sessions.peek(HAPPY.id, one, clock.nowMs()), undefined);
    t.ok(other.isLive(clock.nowMs()));
    sessions.end({ tenant: HAPPY.id, hash: two });
    t.notOk(other.isLive(clock.nowMs()));
    t.equal(asked.length, 5);
  },
);

t.test("a lease that nobody can renew ends in a page that says so; one that is renewed goes on", async (t) => {
  const { ask, signIn, control, clock, client, asked, policy } = await clinic(t, {});
  signIn();
  t.match(await ask(COOKIE), /^HTTP\/1\.1 200 /);
  const { lookup } = control;
  control.lookup = async () => {
    throw new Error("control is away");
  };
  clock.advance(20_000);
  policy.confirm();
  t.match(await ask(COOKIE), /^HTTP\/1\.1 200 /, "still believed, and asked about in the background");
  clock.advance(11_000);
  policy.confirm();
  t.match(await ask(COOKIE), /^HTTP\/1\.1 503 /);
  control.lookup = lookup;
  t.match(await ask(COOKIE), /^HTTP\/1\.1 200 /);
  const before = asked.length;
  clock.advance(20_000);
  policy.confirm();
  const one = await client();
  one.send(`GET / HTTP/1.1\r\nHost: ${HAPPY.host}\r\nCookie: ${COOKIE}\r\n\r\n`);
  await one.until((received) => received.includes("200 OK"));
  await setImmediate();
  t.equal(asked.length, before + 1, "renewed before the lease ended");
});

t.test("a tunnel without a session is refused before 101, and the refusal is HTTP", async (t) => {
  const { ask } = await clinic(t, {});
  const refused = await ask(COOKIE, "Upgrade: websocket\r\n", "/socket");
  t.match(refused, /^HTTP\/1\.1 401 /);
  const { client, signIn } = await clinic(t, {});
  const one = await client();
  one.send(
    `GET /socket HTTP/1.1\r\nHost: ${HAPPY.host}\r\nCookie: ${COOKIE}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
  );
  t.match(await one.untilEnd(), /^HTTP\/1\.1 401 .*application\/problem\+json/s);
  signIn();
});

t.test("combine any: a place that is allowed needs no session, and control being away does not matter", async (t) => {
  const { ask, control, policy, signIn } = await clinic(t, { network: "enforce", combine: "any" });
  control.lookup = async () => {
    throw new Error("control is away");
  };
  t.match(await ask(COOKIE), /^HTTP\/1\.1 503 /, "only the session could let in, and it cannot be checked");
  policy.allow("127.0.0.1/32");
  t.match(await ask(COOKIE), /^HTTP\/1\.1 200 /);
  signIn();
});

t.test("the secret is found among other cookies, once", (t) => {
  const secret = newSecret();
  t.equal(sessionSecretOf(`a=b;sallyport=${secret} ; c=d`, false), secret);
  t.equal(sessionSecretOf(`__Host-sallyport=${secret}`, true), secret);
  t.equal(sessionSecretOf(`sallyport=${secret}`, true), undefined, "the plain name counts for nothing over TLS");
  t.equal(sessionSecretOf(`sallyport=${secret};sallyport=${newSecret()}`, false), undefined);
  t.equal(sessionSecretOf(`xsallyport=${secret}`, false), undefined);
  // Browsers let any host of the site set a cookie of this name, since to them it has no prefix.
  for (const planted of [
    "\xa0__Host-sallyport",
    "__Host-sallyport\xa0",
    "\x0b__Host-sallyport",
    "\ufeff__Host-sallyport",
  ]) {
    t.equal(sessionSecretOf(`${planted}=${secret}`, true), undefined, JSON.stringify(planted));
    t.equal(sessionSecretOf(`__Host-sallyport=${secret}; ${planted}=x`, true), secret, JSON.stringify(planted));
  }
  t.end();
});
