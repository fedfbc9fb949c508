/** Passwords: hashed by argon2id off the main thread, and only such as are not guessed first. */
import { argon2Sync } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { getPriority } from "node:os";
import t from "tap";
import { CREDENTIAL_KIND } from "../../src/person/account.ts";
import { normaliseEmail } from "../../src/person/email.ts";
import { HashThread } from "../../src/person/hash-thread.ts";
import { PasswordHasher } from "../../src/person/password-hash.ts";
import { checkNewPassword, normalisePassword } from "../../src/person/password-rules.ts";
import { API, Browser, CHEAP, onEveryStore, PASSWORD } from "../support/person-door.ts";

const context = {
  email: "rita.jones@desk.example",
  name: "Rita Jones",
  tenantName: "Happy Feet Podiatry",
  hosts: ["happyfeet.example"],
};

t.test("a PHC string that other implementations read; salted; no match without a hash", async (t) => {
  const hasher = new PasswordHasher(CHEAP);
  const phc = await hasher.hash(PASSWORD);
  t.match(phc, /^\$argon2id\$v=19\$m=8,t=1,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
  t.not(await hasher.hash(PASSWORD), phc);
  t.ok(await hasher.verify(phc, PASSWORD));
  t.notOk(await hasher.verify(phc, `${PASSWORD} `));
  t.notOk(await hasher.verify(undefined, PASSWORD));
  await t.rejects(hasher.verify("$2b$10$abc", PASSWORD), { code: "store_corrupt" });
  // RFC 9106's own vector uses a secret and associated data; this one is from the reference implementation's tests.
  const reference = "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";
  t.ok(await hasher.verify(reference, "password"));
});

t.test("a storm waits in line, and is turned away before it exhausts memory", async (t) => {
  const hasher = new PasswordHasher(CHEAP);
  const phc = await hasher.hash(PASSWORD);
  const order: string[] = [];
  const verify = async (who: string, first: boolean) => {
    const right = await hasher.verify(phc, PASSWORD, first);
    order.push(who);
    return right;
  };
  const strangers = Array.from({ length: 260 }, () => verify("stranger", false));
  const known = Array.from({ length: 10 }, (_, n) => verify(`known ${n}`, true));
  const answers = await Promise.all(strangers);
  t.equal(answers.filter((answer) => answer === undefined).length, 58, "nothing was checked for these");
  t.equal(answers.filter((answer) => answer === true).length, 202);
  t.same(await Promise.all(known), Array(10).fill(true));
  t.ok(order.slice(58).indexOf("known 9") <= 13, "known people go first");
  t.ok(order.indexOf("known 0") < order.indexOf("known 9"), "in the order in which they came");
});

t.test("a thread of lower priority than requests does the work, and another after one that broke", async (t) => {
  const thread = new HashThread();
  const order = { message: PASSWORD, nonce: Buffer.alloc(16), memory: 8, passes: 1, parallelism: 1, tagLength: 32 };
  await t.rejects(thread.derive({ ...order, memory: 1 }), { code: "ERR_OUT_OF_RANGE" });
  const tag = await thread.derive(order);
  t.same(tag, argon2Sync("argon2id", order));
  if (process.platform !== "linux") return;
  // The text after the name in parentheses begins with field 3; nice is field 19 (proc(5)).
  const nice = readdirSync("/proc/self/task").map((task) =>
    Number(
      readFileSync(`/proc/self/task/${task}/stat`, "latin1")
        .replace(/^.*\) /, "")
        .split(" ")[16],
    ),
  );
  t.ok(nice.includes(Math.max(getPriority(), 10)) && nice.includes(getPriority()), nice.join());
});

t.test("predictable passwords are refused", async (t) => {
  const refused = [
    "short",
    "elevenchars",
    "123456789012",
    "password1234",
    "P@ssw0rd2031!",
    "passwordpassword",
    "qwertyuiop123",
    "abcdefghijkl",
    "aaaaaaaaaaaa",
    "abcabcabcabc",
    "zxcvbnm,./12",
    "Welcome123456",
    "Summer2031!!",
    "sunshine1234",
    "welcomesunshine",
    "iloveyouforever",
    "correcthorsebatterystaple",
    "rita.jones@desk.example",
    "RitaJones2031",
    "happyfeetpodiatry",
    "HappyFeet2031!",
    "p0diatryHappy1",
    "sallyport2031!",
    "x".repeat(257),
  ];
  for (const password of refused)
    t.throws(() => checkNewPassword(password, context), { code: "password_refused" }, password);
  for (const password of [undefined, 7, ["correct pony battery staple"], {}]) {
    t.throws(() => checkNewPassword(password, context), { code: "password_refused" });
  }
});

t.test("good ones of any alphabet and composition are taken", async (t) => {
  const taken = [
    PASSWORD,
    "lamp river quilt seven",
    "kjw gtd pxi mzb",
    "пароль никто не знает",
    "爪楊枝は引き出しの中にあります",
    "                    a b",
    "tr0ub4dor&3x9",
    "happy feet dance on tuesday moon",
    `${"🦊".repeat(4)} and the seven crows`,
  ];
  for (const password of taken) t.equal(checkNewPassword(password, context), password.normalize("NFC"), password);
  t.equal(normalisePassword("Zoe\u0308 likes rivers"), "Zo\u00eb likes rivers");
});

t.test("an e-mail has one form", async (t) => {
  t.equal(normaliseEmail("  Rita.Jones@Desk.EXAMPLE "), "rita.jones@desk.example");
  t.equal(normaliseEmail("rita@bücher.example"), "rita@xn--bcher-kva.example");
  const refused = [
    "rita",
    "@desk.example",
    "rita@",
    "ri ta@desk.example",
    "rita@desk",
    "rita@[127.0.0.1]",
    '"a"@desk.example',
  ];
  const alike = [
    "\u212aate@desk.example",
    "rıta@desk.example",
    "a@b@desk.example",
    "rita@desk.example\r\nBcc: x@y.example",
  ];
  for (const email of [...refused, ...alike, ["a@desk.example"], null, `${"a".repeat(65)}@desk.example`]) {
    t.equal(normaliseEmail(email), undefined, JSON.stringify(email));
  }
});

onEveryStore(t, "a hash of yesterday's cost is replaced at sign-in", async (t, { tenant, node }) => {
  const old = await node();
  const user = await old.door.users.create(tenant, { email: "ann@happy-feet.example", password: PASSWORD }, API);
  const now = await node({ hasher: new PasswordHasher({ ...CHEAP, memory: 16 }) });
  const stored = async () =>
    (await now.store.get(CREDENTIAL_KIND, `${tenant.id}/${user.id}`))?.value as { password: string };
  t.match((await stored()).password, /m=8,/);
  t.match(await new Browser(tenant).identify(now.door, user.email), { outcome: { kind: "continue" } });
  await now.door.settle();
  t.match((await stored()).password, /m=16,/);
  t.match(await new Browser(tenant).identify(now.door, user.email), { outcome: { kind: "continue" } });
});
