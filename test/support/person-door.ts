/** Person doors over real stores, and a browser that signs in through them: it keeps cookies and nothing else. */
import { createHmac } from "node:crypto";
import { join } from "node:path";
import type { Test } from "tap";
import { parseAddress } from "../../src/core/address.ts";
import type { Actor, AuditedChange } from "../../src/core/audit.ts";
import { FixedClock } from "../../src/core/clock.ts";
import type { CanonicalHost, TenantId } from "../../src/core/ids.ts";
import { Keyring } from "../../src/core/keyring.ts";
import { hashSessionSecret } from "../../src/core/session.ts";
import type { Store } from "../../src/core/store.ts";
import { DEFAULT_POLICY, type Policy, type Tenant } from "../../src/core/tenant.ts";
import type { Language } from "../../src/look/language.ts";
import { OUTBOX_KIND, Outbox, type OutboxItem } from "../../src/notify/outbox.ts";
import type { SmsProvider } from "../../src/notify/sms.ts";
import { Ledger } from "../../src/observe/ledger.ts";
import type { SignedIn } from "../../src/person/completion.ts";
import { openPersonDoor, type PersonDoor } from "../../src/person/door.ts";
import { PasswordHasher } from "../../src/person/password-hash.ts";
import type { ProofInput } from "../../src/person/proofs.ts";
import { giveBack, type Share, takeShares } from "../../src/person/shares.ts";
import { type SmsRules, smsRulesOf } from "../../src/person/sms-factor.ts";
import type { Outcome } from "../../src/person/step.ts";
import type { Visit, VisitCookies } from "../../src/person/visit.ts";
import { openStore } from "../../src/store/open.ts";
import { startRedis } from "./redis.ts";
import { SILENT } from "./silent-log.ts";

export const API: Actor = { kind: "key", id: "key_test" };
export const PASSWORD = "correct pony battery staple";
/** As cheap as argon2 allows. */
export const CHEAP = { memory: 8, passes: 1, parallelism: 1 } as const;
/** As many as one clinic in one country needs. */
export const SMS_RULES = smsRulesOf({ countries: ["+44"], dailyPerTenant: 300 });
export const SEALING_KEY = new Uint8Array(32).fill(7);
const START_MS = Date.UTC(2031, 0, 15, 9, 0, 5);

/** One node: its own connection to the store and its own services. */
export interface Node {
  readonly door: PersonDoor;
  readonly store: Store;
  readonly outbox: Outbox;
  readonly keyring: Keyring;
}

export interface NodeOptions {
  readonly sms?: SmsProvider;
  readonly smsRules?: SmsRules;
  readonly hasher?: PasswordHasher;
  /** Otherwise every node has the same one key. */
  readonly keyring?: Keyring;
  /** Awaited before an audited change is carried out: makes races happen in a chosen order. */
  readonly beforeCommit?: (change: AuditedChange) => Promise<void>;
}

export interface Site {
  readonly clock: FixedClock;
  readonly tenant: Tenant;
  /** Another node on the same store. */
  node(options?: NodeOptions): Promise<Node>;
}

export function makeTenant(id: string, policy: Partial<Policy> = {}, name = "Happy Feet Podiatry"): Tenant {
  return {
    id: id as TenantId,
    name,
    hosts: [`${id}.example` as CanonicalHost],
    upstreams: [],
    policy: { ...DEFAULT_POLICY, ...policy },
    branding: {},
    declared: false,
  };
}

/** Runs the same test on SQLite (nodes share the one file's store) and on Redis (each node its own connection). */
export function onEveryStore(t: Test, name: string, body: (t: Test, site: Site) => Promise<void>): void {
  t.test(`${name} (SQLite)`, async (t) => {
    const clock = new FixedClock(START_MS);
    const store = await openStore(`sqlite:${join(t.testdir({}), "test.db")}`, { clock });
    t.teardown(async () => await store.close());
    await body(
      t,
      site(clock, async () => store),
    );
  });
  t.test(`${name} (Redis)`, async (t) => {
    const server = await startRedis(t);
    if (server === undefined) return;
    const clock = new FixedClock(START_MS);
    await body(
      t,
      site(clock, async () => {
        const store = await openStore(server.url, { clock });
        t.teardown(async () => await store.close());
        return store;
      }),
    );
  });
}

function site(clock: FixedClock, connect: () => Promise<Store>): Site {
  let nodes = 0;
  return {
    clock,
    tenant: makeTenant("happy-feet"),
    async node(options = {}) {
      const { sms, smsRules = SMS_RULES, beforeCommit = async () => {} } = options;
      const { hasher = new PasswordHasher(CHEAP), keyring = new Keyring([SEALING_KEY]) } = options;
      const store = await connect();
      const outbox = new Outbox(
        { transport: "file", folder: "/nowhere", from: "door@clinic.example", senderName: "x" },
        keyring,
      );
      nodes += 1;
      const ledger = new Ledger({ store, keyring, chain: `node-${nodes}`, clock });
      const door = openPersonDoor({
        store,
        ledger: {
          async commit(change) {
            await beforeCommit(change);
            return await ledger.commit(change);
          },
        },
        keyring,
        clock,
        outbox,
        smsProvider: sms,
        smsRules,
        hasher,
        log: SILENT,
        siteOrigin: (tenant) => `https://${tenant.hosts[0]}`,
      });
      return { door, store, outbox, keyring };
    },
  };
}

/** Holds changes with this audit action until so many of them have come; later ones pass. */
export function meeting(action: string, size: number): (change: AuditedChange) => Promise<void> {
  const met = Promise.withResolvers<void>();
  let arrived = 0;
  return async (change) => {
    if (!change.audit.some((record) => record.action === action)) return;
    arrived += 1;
    if (arrived >= size) met.resolve();
    await met.promise;
  };
}

/** Uses a limit up but for so many, as others do who begin and fail. */
export async function leaveShares(store: Store, share: Share, left: number): Promise<void> {
  for (let allowed = true; allowed; ) {
    const taken = await Promise.all(Array.from({ length: 500 }, () => takeShares(store, [share])));
    allowed = taken.every((waitMs) => waitMs === 0);
  }
  await giveBack(store, Array<Share>(left).fill(share));
}

/** The mails that wait in the outbox, opened, with those that no answer waited for. */
export async function mails({ door, store, outbox }: Node): Promise<{ notice: string; to: string; text: string }[]> {
  await door.settle();
  const documents = await store.list({ kind: OUTBOX_KIND, limit: 100 });
  return await Promise.all(
    documents.map(async (document) => {
      const mail = await outbox.read(store, document.id);
      return { notice: (document.value as OutboxItem).notice, to: mail.to.address, text: mail.text };
    }),
  );
}

/** The token of the newest mail of this kind. */
export async function mailedToken(node: Node, notice: string): Promise<string> {
  const mail = (await mails(node)).findLast((one) => one.notice === notice);
  return /\/(?:invite|reset)\/([A-Za-z0-9_-]{43})/.exec(mail?.text ?? "")?.[1] ?? "";
}

/** A TOTP code (RFC 6238) computed without the library under test. */
export function totpCode(secretText: string, nowMs: number, offset = 0): string {
  const bits = Array.from(secretText.replaceAll(" ", ""), (letter) =>
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(letter).toString(2).padStart(5, "0"),
  ).join("");
  const key = Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(nowMs / 30_000) + offset));
  const mac = createHmac("sha1", key).update(counter).digest();
  const at = (mac[19] ?? 0) & 15;
  return ((mac.readUInt32BE(at) & 0x7fffffff) % 1_000_000).toString().padStart(6, "0");
}

export class Browser {
  readonly tenant: Tenant;
  address: string;
  userAgent: string;
  lang: Language = "en-GB";
  located = false;
  cookies: { -readonly [K in keyof VisitCookies]: VisitCookies[K] } = {};

  constructor(tenant: Tenant, address = "203.0.113.7", userAgent = "Firefox") {
    this.tenant = tenant;
    this.address = address;
    this.userAgent = userAgent;
  }

  get visit(): Visit {
    const address = parseAddress(this.address);
    const host = this.tenant.hosts[0];
    if (address === undefined || host === undefined) throw new Error("not an address or no host");
    const { tenant, userAgent, lang, located, cookies } = this;
    return { tenant, host, origin: `https://${host}`, address, userAgent, lang, located, cookies: { ...cookies } };
  }

  /** Takes the cookies that an outcome brings, as a page would set them. */
  keep<T extends Outcome | { kind: string; browser?: string }>(outcome: T): T {
    if ("browser" in outcome && typeof outcome.browser === "string") this.cookies.browser = outcome.browser;
    if (outcome.kind !== "signed-in") return outcome;
    const { session, known, device } = outcome as unknown as SignedIn;
    this.cookies.session = session.secret;
    this.cookies.known = known;
    if (device !== undefined) this.cookies.device = device.token;
    return outcome;
  }

  async begin(door: PersonDoor, wayBack?: string, fresh = false): Promise<string> {
    const begun = await door.signIn.begin(this.visit, { wayBack, fresh });
    this.cookies.browser = begun.browser;
    return begun.step.challenge;
  }

  /** E-mail and password, from the beginning. @returns the outcome, and the challenge it belongs to */
  async identify(door: PersonDoor, email: string, password: string = PASSWORD, wayBack = "/") {
    const challenge = await this.begin(door, wayBack);
    const outcome = this.keep(await door.signIn.identify(this.visit, challenge, { email, password }));
    return { challenge, outcome };
  }

  /** The whole way: password, then proof. */
  async signIn(door: PersonDoor, email: string, proof: ProofInput, remember = false): Promise<Outcome> {
    const { challenge, outcome } = await this.identify(door, email);
    if (outcome.kind !== "continue") return outcome;
    return this.keep(await door.signIn.verify(this.visit, challenge, proof, remember));
  }

  async session(door: PersonDoor) {
    const { session } = this.cookies;
    return session === undefined ? undefined : await door.sessions.lookup(this.tenant, hashSessionSecret(session));
  }
}

/** A user with a password and an authenticator, enrolled through the door, not signed in. */
export async function enrolledUser(node: Node, tenant: Tenant, clock: FixedClock, email = "ann@happy-feet.example") {
  const { door } = node;
  const user = await door.users.create(tenant, { email, role: "owner", password: PASSWORD }, API);
  const browser = new Browser(tenant);
  const { challenge } = await browser.identify(door, email);
  const { enrolment } = await door.enrolments.beginTotp(browser.visit, challenge, "Phone");
  const offer = await door.enrolments.showTotp(browser.visit, challenge, enrolment);
  const secret = offer?.secretText ?? "";
  const code = totpCode(secret, clock.nowMs());
  const outcome = browser.keep(await door.enrolments.confirm(browser.visit, challenge, enrolment, { code }));
  if (outcome.kind !== "signed-in") throw new Error(`enrolment ended ${outcome.kind}`);
  await door.sessions.endByHash(tenant.id, hashSessionSecret(outcome.session.secret), API);
  // The confirming code's step is used; the next one is not.
  clock.advance(60_000);
  return { id: user.id, email, secret, recoveryCodes: outcome.recoveryCodes ?? [] };
}
