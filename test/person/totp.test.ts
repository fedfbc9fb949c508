/** The authenticator: RFC 6238, codes that count once on every node, and input that is no code. */
import fc from "fast-check";
import t from "tap";
import { parseCode, parseRecoveryCode } from "../../src/person/codes.ts";
import { matchTotp, newTotpSecret, totpOffer } from "../../src/person/totp.ts";
import { Browser, enrolledUser, meeting, onEveryStore, totpCode } from "../support/person-door.ts";

t.test("the test vectors of RFC 6238 (SHA-1, the last six of their eight digits)", async (t) => {
  const secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
  const vectors = [
    [59, "287082"],
    [1111111109, "081804"],
    [1111111111, "050471"],
    [1234567890, "005924"],
    [2000000000, "279037"],
    [20000000000, "353130"],
  ] as const;
  for (const [seconds, code] of vectors) {
    t.equal(matchTotp(secret, code, seconds * 1000), Math.floor(seconds / 30), code);
    t.equal(totpCode(secret, seconds * 1000), code, "the tests' own generator agrees");
  }
});

t.test("one step either side passes, two do not", async (t) => {
  const secret = newTotpSecret();
  const nowMs = 1_900_000_000_000;
  const passes = [-2, -1, 0, 1, 2].map(
    (offset) => matchTotp(secret, totpCode(secret, nowMs, offset), nowMs) !== undefined,
  );
  t.same(passes, [false, true, true, true, false]);
});

t.test("the offer carries the clinic's own name", async (t) => {
  const { uri, secretText } = totpOffer("Feet: Happy & Co", "rita@desk.example", "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP");
  t.equal(secretText, "JBSW Y3DP EHPK 3PXP JBSW Y3DP EHPK 3PXP");
  const { searchParams } = new URL(uri);
  t.ok(uri.startsWith("otpauth://totp/Feet%20%20Happy%20%26%20Co:rita%40desk.example?"), uri);
  t.equal(searchParams.get("issuer"), "Feet  Happy & Co");
});

t.test("a code is six ASCII digits and nothing else", async (t) => {
  t.equal(parseCode(" 123 456 "), "123456");
  const hostile = [
    ["123456"],
    { code: "123456" },
    123456,
    null,
    undefined,
    "１２３４５６",
    "١٢٣٤٥٦",
    "12345",
    "1234567",
  ];
  for (const input of [...hostile, "1".repeat(1 << 20), "123456\n", "123\u00a0456", "12345a", "-12345", "1e5000"]) {
    t.throws(() => parseCode(input), { code: "code_invalid" });
  }
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), (text) => {
      const digits = text.replaceAll(" ", "");
      const sound = text.length <= 32 && /^[0-9]{6}$/.test(digits);
      let read: string | undefined;
      try {
        read = parseCode(text);
      } catch {
        read = undefined;
      }
      return read === (sound ? digits : undefined);
    }),
  );
  t.equal(parseRecoveryCode(" 3K7M-9PQR-2XYZ-OIL0 "), "3k7m9pqr2xyz0110");
  for (const input of [["3k7m9pqr2xyz4abc"], "3k7m-9pqr-2xyz-4ab", "x".repeat(1 << 20), "3k7m９pqr2xyz4abc"]) {
    t.throws(() => parseRecoveryCode(input), { code: "code_invalid" });
  }
});

onEveryStore(t, "the same code on two nodes at once: one success", async (t, { clock, tenant, node }) => {
  const user = await enrolledUser(await node(), tenant, clock);
  // All three have judged the code right before the first of them commits.
  const beforeCommit = meeting("session.started", 3);
  const [one, two] = [await node({ beforeCommit }), await node({ beforeCommit })];
  const browsers = [new Browser(tenant), new Browser(tenant, "203.0.113.8"), new Browser(tenant, "203.0.113.9")];
  const nodes = [one, two, one];
  const challenges = await Promise.all(
    browsers.map(async (browser, index) => (await browser.identify((nodes[index] ?? one).door, user.email)).challenge),
  );
  const code = totpCode(user.secret, clock.nowMs());
  const outcomes = await Promise.all(
    browsers.map((browser, index) =>
      (nodes[index] ?? one).door.signIn.verify(browser.visit, challenges[index], { kind: "totp", code }),
    ),
  );
  t.same(outcomes.map((outcome) => outcome.kind).sort(), ["refused", "refused", "signed-in"]);
  t.equal((await two.door.sessions.listOfUser(tenant, user.id)).length, 1);
});

onEveryStore(
  t,
  "steps -1, 0 and +1 sign in; used steps stay used after the clock jumps",
  async (t, { clock, tenant, node }) => {
    const one = await node();
    const user = await enrolledUser(one, tenant, clock);
    const browser = new Browser(tenant);
    const atMs = clock.nowMs();
    const tryCode = async (code: string) => {
      const outcome = await browser.signIn(one.door, user.email, { kind: "totp", code });
      return outcome.kind;
    };
    t.equal(await tryCode(totpCode(user.secret, atMs, -2)), "refused");
    for (const offset of [-1, 0, 1])
      t.equal(await tryCode(totpCode(user.secret, atMs, offset)), "signed-in", `${offset}`);
    t.equal(await tryCode(totpCode(user.secret, atMs, 0)), "refused", "an earlier one does not count again");
    clock.advance(3_600_000);
    t.equal(await tryCode(totpCode(user.secret, clock.nowMs(), 1)), "signed-in");
    t.equal(await tryCode(totpCode(user.secret, clock.nowMs())), "refused", "nor one before it that was not used");
    clock.advance(-3_600_000);
    // The rate limit of the first address has an hour's use behind it now.
    browser.address = "203.0.113.8";
    for (const offset of [-1, 0, 1]) {
      t.equal(await tryCode(totpCode(user.secret, atMs, offset)), "refused", `${offset}`);
      clock.advance(2_000);
    }
    clock.advance(120_000);
    t.equal(await tryCode(totpCode(user.secret, clock.nowMs())), "signed-in", "nobody waits for the clock's old hour");
  },
);
