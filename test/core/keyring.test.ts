/** Sealing: what comes back, what does not, and rotation. */
import { randomBytes } from "node:crypto";
import fc from "fast-check";
import t from "tap";
import { Keyring } from "../../src/core/keyring.ts";

const first = randomBytes(32);
const second = randomBytes(32);
const context = "totp/happy-feet/u_1";
const refused = { code: "seal_invalid", message: /does not open/, cause: undefined };

await t.test("opens what it sealed, and only in its context", async (t) => {
  const ring = new Keyring([first]);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.string(), (plain, context) => {
      return ring.open(ring.seal(plain, context), context).equals(plain);
    }),
  );
  const sealed = ring.seal("JBSWY3DPEHPK3PXP", context);
  t.equal(ring.open(sealed, context).toString(), "JBSWY3DPEHPK3PXP");
  t.throws(() => ring.open(sealed, "totp/happy-feet/u_2"), refused);
  t.match(sealed, /^s1\.[\w-]{8}\.[\w-]+$/);
  t.not(ring.seal("same", context), ring.seal("same", context), "a new nonce each time");
});

await t.test("refuses every changed character", async (t) => {
  const ring = new Keyring([first]);
  const sealed = ring.seal("JBSWY3DPEHPK3PXP", context);
  for (let at = 0; at < sealed.length; at++) {
    for (const character of ["A", "B", "w", ".", "=", "\u00e9"]) {
      if (sealed[at] === character) continue;
      const changed = sealed.slice(0, at) + character + sealed.slice(at + 1);
      t.throws(() => ring.open(changed, context), refused, `${character} at ${at}`);
    }
  }
  for (let length = 0; length < sealed.length; length++)
    t.throws(() => ring.open(sealed.slice(0, length), context), refused);
  for (const text of [`${sealed}A`, `${sealed}.`, ` ${sealed}`, `${sealed}\n`, "s1..", ""]) {
    t.throws(() => ring.open(text, context), refused, JSON.stringify(text));
  }
});

await t.test("rotates: the old key opens, the new one seals", async (t) => {
  const before = new Keyring([first]);
  const sealed = before.seal("secret", context);
  const during = new Keyring([second, first]);
  t.equal(during.open(sealed, context).toString(), "secret");
  const resealed = during.reseal(sealed, context);
  t.equal(during.reseal(resealed, context), resealed, "once is enough");
  t.throws(() => during.reseal(sealed, `${context}x`), refused);
  t.not(during.primaryKeyId, before.primaryKeyId);
  const after = new Keyring([second]);
  t.equal(after.open(resealed, context).toString(), "secret");
  t.throws(() => after.open(sealed, context), refused, "the old key is gone");
  t.throws(() => before.open(resealed, context), refused);
});

await t.test("derives a key for each purpose", async (t) => {
  const ring = new Keyring([second, first]);
  const old = new Keyring([first]);
  const cookie = ring.deriveKey("session-cookie");
  t.equal(cookie.length, 32);
  t.strictSame(ring.deriveKey("session-cookie"), cookie, "always the same");
  t.notSame(ring.deriveKey("snapshot-mac"), cookie);
  t.strictSame(ring.deriveKeys("session-cookie"), [cookie, old.deriveKey("session-cookie")]);
  t.notSame(ring.deriveKey("session-cookie"), second, "the master itself is not handed out");
});

await t.test("takes keys of 32 bytes, each of them once", async (t) => {
  for (const masters of [[], [first.subarray(1)], [first, Buffer.concat([second, second])], [first, second, first]])
    t.throws(() => new Keyring(masters), { code: "config_invalid", message: /openssl rand -base64 32/ });
});
