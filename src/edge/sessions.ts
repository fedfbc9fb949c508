/** The edge's session cache: who a cookie stands for, as control last said, under a short lease. */
import type { Clock } from "../core/clock.ts";
import { cookieNames, readCookie } from "../core/cookies.ts";
import { isSecret, type SessionHash, type TenantId } from "../core/ids.ts";
import type { Logger } from "../core/log.ts";
import { isEnough } from "../core/second-factor.ts";
import type { SessionFacts, SessionLookup, SessionUse } from "../core/session.ts";
import type { Policy } from "../core/tenant.ts";

/** How long "there is no such session" is believed: spares control a flood of made-up cookies. */
const ABSENT_LEASE_MS = 5_000;
/** Such answers kept: a flood drives out only what it brought. */
const MOST_ABSENT = 10_000;
/** A session that is used is told to control at most this often. */
const USE_EVERY_SECONDS = 15;
/** Questions under way at once; beyond, somebody is making cookies up faster than control can tell. */
const MOST_QUESTIONS = 1_000;
/** How long a request waits for control. What comes later serves the next. */
const PATIENCE_MS = 2_000;
/** The share of the lease after which a session in use is asked about again. */
const RENEW_AFTER = 0.6;
const RETRY_RENEWAL_MS = 2_000;

/** One looked-up cookie. Held by connections and exchanges, so that their next request needs no look-up at all. */
export class CachedSession {
  readonly tenant: TenantId;
  readonly hash: SessionHash;
  /** `undefined`: there is no such session, or it has ended. */
  facts: SessionFacts | undefined;
  /** Until then control's answer is believed. */
  leaseUntilMs: number;
  /** From then on it is asked again, so that whoever goes on working never waits for the answer. */
  renewAtMs: number;
  usedSeconds = 0;

  constructor(tenant: TenantId, hash: SessionHash) {
    this.tenant = tenant;
    this.hash = hash;
    this.leaseUntilMs = 0;
    this.renewAtMs = 0;
  }

  /** Hot path. */
  isLive(nowMs: number): boolean {
    return this.facts !== undefined && nowMs < this.leaseUntilMs;
  }

  /** Whether it is live and proves enough for this policy, which may be another than control judged it by. Hot path. */
  opens(policy: Policy, nowMs: number): boolean {
    return this.facts !== undefined && nowMs < this.leaseUntilMs && isEnough(policy, this.facts);
  }

  /** It has ended, whatever the lease says. */
  end(): void {
    this.facts = undefined;
    this.leaseUntilMs = 0;
  }
}

export interface SessionDirectoryOptions {
  readonly lookup: SessionLookup;
  readonly clock: Clock;
  readonly log: Logger;
  readonly leaseMs: number;
  /** Live sessions kept; the one that control was asked about longest ago goes first, and is asked about anew. */
  readonly capacity: number;
}

interface Question {
  readonly answer: Promise<CachedSession>;
  /** The session ended while control was asked, so that the answer may be older than its end. */
  overtaken: boolean;
}

/** A session that ends, ends here at once: its cached answer is void, and so is one that is on its way. */
export class SessionDirectory {
  readonly #options: SessionDirectoryOptions;
  readonly #live = new Map<string, CachedSession>();
  readonly #absent = new Map<string, CachedSession>();
  readonly #questions = new Map<string, Question>();
  #used: CachedSession[] = [];

  constructor(options: SessionDirectoryOptions) {
    this.#options = options;
  }

  /** What is known without asking, that there is no such session included; `undefined` when control must be asked. */
  peek(tenant: TenantId, hash: SessionHash, nowMs: number): CachedSession | undefined {
    const key = keyOf(tenant, hash);
    const known = this.#live.get(key) ?? this.#absent.get(key);
    return known !== undefined && nowMs < known.leaseUntilMs ? known : undefined;
  }

  /**
   * Asks control, once for all who ask at the same time. @throws when control or the store cannot answer, or does
   * not within two seconds
   */
  async ask(tenant: TenantId, hash: SessionHash): Promise<CachedSession> {
    const key = keyOf(tenant, hash);
    return await inTime(this.#questions.get(key)?.answer ?? this.#begin(key, tenant, hash));
  }

  /** A question stays until it is answered, so that a control that lags is not asked the same again meanwhile. */
  #begin(key: string, tenant: TenantId, hash: SessionHash): Promise<CachedSession> {
    if (this.#questions.size >= MOST_QUESTIONS) throw new Error("too many sessions are being looked up");
    const answer = this.#lookup(key, tenant, hash).finally(() => this.#questions.delete(key));
    this.#questions.set(key, { answer, overtaken: false });
    return answer;
  }

  /** Asks again in the background; what cannot be answered leaves the session as it is, to the end of its lease. */
  renew(session: CachedSession, nowMs: number): void {
    session.renewAtMs = nowMs + RETRY_RENEWAL_MS;
    this.ask(session.tenant, session.hash).catch((error: unknown) => {
      this.#options.log.warn({ err: error }, "a session could not be checked again");
    });
  }

  /** @param ended `undefined`: any of them may have */
  end(ended: { readonly tenant: TenantId; readonly hash: SessionHash } | undefined): void {
    if (ended === undefined) {
      for (const session of this.#live.values()) session.renewAtMs = 0;
      for (const question of this.#questions.values()) question.overtaken = true;
      return;
    }
    const key = keyOf(ended.tenant, ended.hash);
    this.#live.get(key)?.end();
    this.#live.delete(key);
    const question = this.#questions.get(key);
    if (question !== undefined) question.overtaken = true;
  }

  /** Hot path: one comparison unless a quarter of a minute has passed. */
  noteUse(session: CachedSession, nowSeconds: number): void {
    if (nowSeconds - session.usedSeconds < USE_EVERY_SECONDS) return;
    session.usedSeconds = nowSeconds;
    this.#used.push(session);
  }

  /** Which sessions were used since the last call. */
  drainUse(): SessionUse {
    const used = this.#used;
    this.#used = [];
    return used.map((session) => [session.tenant, session.hash, session.usedSeconds] as const);
  }

  async #lookup(key: string, tenant: TenantId, hash: SessionHash): Promise<CachedSession> {
    const { lookup, clock, leaseMs } = this.#options;
    const facts = await lookup(tenant, hash);
    const session = this.#live.get(key) ?? new CachedSession(tenant, hash);
    if (this.#questions.get(key)?.overtaken === true) {
      session.end();
      this.#live.delete(key);
      return session;
    }
    const nowMs = clock.nowMs();
    session.facts = facts;
    if (facts === undefined) {
      session.leaseUntilMs = nowMs + ABSENT_LEASE_MS;
      this.#live.delete(key);
      keepLatest(this.#absent, key, session, MOST_ABSENT);
    } else {
      session.leaseUntilMs = Math.min(nowMs + leaseMs, facts.expiresAtMs, facts.assertionUntilMs ?? Number.MAX_VALUE);
      session.renewAtMs = nowMs + (session.leaseUntilMs - nowMs) * RENEW_AFTER;
      // Who holds one that is no longer kept would not hear of its end.
      keepLatest(this.#live, key, session, this.#options.capacity)?.end();
    }
    return session;
  }
}

/** @returns what had to go for it: the longest kept */
function keepLatest<Value>(kept: Map<string, Value>, key: string, value: Value, capacity: number): Value | undefined {
  kept.delete(key);
  kept.set(key, value);
  if (kept.size <= capacity) return undefined;
  const [[oldest, gone] = []] = kept;
  if (oldest !== undefined) kept.delete(oldest);
  return gone;
}

/**
 * The session secret in a `Cookie` field value: `undefined` when there is none, when it is not one of ours, or
 * when there are two, which no browser of ours sends.
 */
export function sessionSecretOf(cookie: string, tls: boolean): string | undefined {
  const found = readCookie(cookie, cookieNames(tls).session);
  return found !== undefined && isSecret(found) ? found : undefined;
}

async function inTime<T>(answer: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error("control did not answer in time")), PATIENCE_MS);
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

function keyOf(tenant: TenantId, hash: SessionHash): string {
  return `${tenant}/${hash}`;
}
