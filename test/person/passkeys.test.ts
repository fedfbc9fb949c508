/** Passkeys: as second step and alone, and every way in which a ceremony must be refused. */
import t from "tap";
import type { CanonicalHost } from "../../src/core/ids.ts";
import type { Tenant } from "../../src/core/tenant.ts";
import { Authenticator, type Misbehaviour } from "../support/authenticator.ts";
import { API, Browser, makeTenant, type Node, onEveryStore, PASSWORD } from "../support/person-door.ts";

async function withPasskey(node: Node, tenant: Tenant) {
  const { door } = node;
  const user = await door.users.create(tenant, { email: "ann@happy-feet.example", password: PASSWORD }, API);
  const browser = new Browser(tenant);
  const { challenge } = await browser.identify(door, user.email);
  const { enrolment, options } = await door.enrolments.beginPasskey(browser.visit, challenge, "Yellow key");
  const key = new Authenticator(tenant.hosts[0] ?? "");
  const response = key.create(options);
  const outcome = browser.keep(await door.enrolments.confirm(browser.visit, challenge, enrolment, { response }));
  return { user, browser, key, options, response, challenge, enrolment, outcome };
}

const refusals: Record<string, Misbehaviour> = {
  "wrong origin": { origin: "https://happy-feet.example.evil.example" },
  "another port": { origin: "https://happy-feet.example:8443" },
  cleartext: { origin: "http://happy-feet.example" },
  "wrong relying party": { rpId: "example" },
  "another challenge": { challenge: "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" },
  "nobody present": { userPresent: false },
  "another type": { type: "webauthn.create" },
  "in a frame of another site": { crossOrigin: true },
  "a wrong signature": { flipSignature: true },
  "another user's handle": { userHandle: Buffer.from(`usr_${"0".repeat(26)}`).toString("base64url") },
  "counter going back": { counter: 1 },
};

onEveryStore(t, "a passkey is the second step, and nothing odd passes", async (t, { tenant, node }) => {
  const one = await node();
  const { door } = one;
  const { user, key, outcome } = await withPasskey(one, tenant);
  t.match(outcome, { kind: "signed-in", amr: ["pwd", "hwk", "mfa"] });
  t.match((await door.users.get(tenant, user.id)).factors, [
    { kind: "passkey", name: "Yellow key" },
    { kind: "recovery" },
  ]);
  const browser = new Browser(tenant);
  browser.located = true;
  const ceremony = async () => {
    const { challenge } = await browser.identify(door, user.email);
    const options = await door.proofRequests.requestPasskey(browser.visit, challenge);
    t.match(options, {
      rpId: tenant.hosts[0],
      userVerification: "preferred",
      allowCredentials: [{ type: "public-key" }],
    });
    return { challenge, options: options ?? { challenge: "" } };
  };
  key.counter = 5;
  const first = await ceremony();
  const response = key.get(first.options, { userVerified: false });
  t.match(browser.keep(await door.signIn.verify(browser.visit, first.challenge, { kind: "passkey", response })), {
    kind: "signed-in",
    amr: ["pwd", "hwk", "mfa"],
  });
  t.ok(await browser.session(door));
  const replay = await ceremony();
  t.same(await door.signIn.verify(browser.visit, replay.challenge, { kind: "passkey", response }), { kind: "refused" });
  for (const [name, odd] of Object.entries(refusals)) {
    await door.users.unlock(tenant, user.id, API);
    const { challenge, options } = await ceremony();
    const before = key.counter;
    const bad = key.get(options, odd);
    t.same(
      await door.signIn.verify(browser.visit, challenge, { kind: "passkey", response: bad }),
      { kind: "refused" },
      name,
    );
    const good = key.get(options, { counter: before + 20 });
    t.same(
      await door.signIn.verify(browser.visit, challenge, { kind: "passkey", response: good }),
      { kind: "refused" },
      `${name}: its ceremony is used up`,
    );
    key.counter = before + 1;
  }
});

onEveryStore(
  t,
  "a passkey alone needs its user verified, and finds the account itself",
  async (t, { tenant, node }) => {
    const one = await node();
    const { door } = one;
    const { user, key } = await withPasskey(one, tenant);
    const browser = new Browser(tenant, "192.0.2.9");
    const alone = async (odd: Misbehaviour) => {
      const challenge = await browser.begin(door, "/diary");
      const options = await door.proofRequests.requestPasskey(browser.visit, challenge);
      t.match(options, { userVerification: "required", allowCredentials: [] });
      const response = key.get(options ?? { challenge: "" }, odd);
      return browser.keep(await door.signIn.verify(browser.visit, challenge, { kind: "passkey", response }));
    };
    t.same(await alone({ userVerified: false }), { kind: "refused" });
    t.same(await alone({ userHandle: "" }), { kind: "refused" });
    t.same(await alone({ origin: "https://evil.example" }), { kind: "refused" });
    t.match(await alone({}), { kind: "signed-in", user: user.id, amr: ["hwk", "user", "mfa"], wayBack: "/diary" });
    await door.users.change(tenant, user.id, { state: "disabled" }, API);
    t.same(await alone({}), { kind: "refused" }, "disabled");
  },
);

onEveryStore(
  t,
  "enrolment: attested, replayed, foreign and second answers are refused",
  async (t, { tenant, node }) => {
    const { door } = await node();
    const user = await door.users.create(tenant, { email: "ann@happy-feet.example", password: PASSWORD }, API);
    const browser = new Browser(tenant);
    const { challenge } = await browser.identify(door, user.email);
    const key = new Authenticator(tenant.hosts[0] ?? "");
    const odd: Misbehaviour[] = [
      { format: "packed" },
      { format: "tpm" },
      { origin: "https://evil.example" },
      { rpId: "evil.example" },
    ];
    for (const misbehaviour of [...odd, { challenge: "AAAA" }, { crossOrigin: true }, { type: "webauthn.get" }]) {
      const { enrolment, options } = await door.enrolments.beginPasskey(browser.visit, challenge, "");
      const response = key.create(options, misbehaviour);
      t.same(await door.enrolments.confirm(browser.visit, challenge, enrolment, { response }), { kind: "refused" });
      const sound = key.create(options);
      t.same(await door.enrolments.confirm(browser.visit, challenge, enrolment, { response: sound }), { kind: "gone" });
    }
    for (const response of [
      undefined,
      null,
      [],
      "x",
      { id: 1 },
      { id: "a", response: { clientDataJSON: "x".repeat(1 << 20) } },
    ]) {
      const { enrolment } = await door.enrolments.beginPasskey(browser.visit, challenge, "");
      t.same(await door.enrolments.confirm(browser.visit, challenge, enrolment, { response }), { kind: "refused" });
    }
  },
);

onEveryStore(
  t,
  "a passkey of one host is neither offered nor good on another, and opens no enrolment there",
  async (t, { node }) => {
    const one = await node();
    const { door } = one;
    const tenant = makeTenant("happy-feet");
    const { user, key } = await withPasskey(one, tenant);
    const other = { ...tenant, hosts: ["portal.example" as CanonicalHost] };
    const browser = new Browser(other);
    const { challenge, outcome } = await browser.identify(door, user.email);
    t.match(outcome, { kind: "continue", step: { stage: "factor", choices: [{ kind: "recovery" }] } });
    await t.rejects(door.enrolments.beginTotp(browser.visit, challenge, "x"), { code: "proof_required" });
    const options = (await door.proofRequests.requestPasskey(browser.visit, challenge)) ?? { challenge: "" };
    const response = key.get(options, { origin: "https://portal.example", rpId: "portal.example" });
    t.same(await door.signIn.verify(browser.visit, challenge, { kind: "passkey", response }), { kind: "refused" });
  },
);
