/** Codes by SMS: to confirmed numbers in allowed countries, few of them, each good for five minutes and five tries. */
import { createHmac, randomInt, timingSafeEqual } from "node:crypto";
import type { Clock } from "../core/clock.ts";
import { SallyportError } from "../core/errors.ts";
import { digest, type TenantId } from "../core/ids.ts";
import type { Keyring } from "../core/keyring.ts";
import { takeAll } from "../core/rate-limits.ts";
import type { Precondition, RateLimit, Store, Write } from "../core/store.ts";
import type { Tenant } from "../core/tenant.ts";
import { DEFAULT_LANGUAGE, translator } from "../look/language.ts";
import { DeliveryError } from "../notify/delivery-error.ts";
import type { SmsProvider } from "../notify/sms.ts";
import { retryConflicts } from "./retry.ts";

/** `{tenant}/{user}/{digest of the number}` → {@link CodeRecord}. Quiet. */
export const SMS_CODE_KIND = "smscode";

const CODE_LIFETIME_MS = 5 * 60_000;
const MAX_TRIES = 5;
/** Of the key that codes are stored under. */
const PURPOSE = "sms-code";

export interface SmsRules {
  /** Calling codes that are sent to, such as `+44`; a more specific one with `!` in front is left out, such as `!+441534`. */
  readonly countries: readonly string[];
  readonly perNumber: RateLimit;
  readonly perUser: RateLimit;
  readonly perTenant: RateLimit;
  /** What one tenant may cost in a day. */
  readonly perDay: RateLimit;
}

const MINUTE_MS = 60_000;

/** @param limits as the configuration states them */
export function smsRulesOf(limits: {
  readonly countries: readonly string[];
  readonly dailyPerTenant: number;
}): SmsRules {
  const { countries, dailyPerTenant } = limits;
  return {
    countries,
    perNumber: { burst: 3, periodMs: 60 * MINUTE_MS },
    perUser: { burst: 6, periodMs: 60 * MINUTE_MS },
    // A shift that begins together may use half a day's within an hour; a runaway, no more.
    perTenant: { burst: Math.ceil(dailyPerTenant / 2), periodMs: 60 * MINUTE_MS },
    perDay: { burst: dailyPerTenant, periodMs: 24 * 60 * MINUTE_MS },
  };
}

export type SmsSending =
  | { readonly sent: true }
  | { readonly sent: false; readonly reason: "limit" | "country" | "unavailable"; readonly retryAfterMs: number };

interface CodeRecord {
  /** Our own code: HMAC-SHA-256 under a key that is not in the store. */
  readonly mac?: string;
  /** The provider's code: what it calls the verification. */
  readonly verification?: string;
  /** Carried over by a resend. */
  readonly tries: number;
}

/** E.164 without spaces. @throws SallyportError `number_invalid` */
export function parsePhoneNumber(input: unknown): string {
  if (typeof input === "string" && input.length <= 40) {
    const number = input.replace(/[ ().-]/g, "");
    if (/^\+[1-9][0-9]{7,14}$/.test(number)) return number;
  }
  throw new SallyportError("number_invalid", "write the number with its country code, such as +44 7700 900123");
}

/** `•••• 123`: enough to tell one's own numbers apart. */
export function maskNumber(number: string): string {
  return `•••• ${number.slice(-3)}`;
}

export class SmsCodes {
  readonly #store: Store;
  readonly #keyring: Keyring;
  readonly #clock: Clock;
  readonly #provider: SmsProvider | undefined;
  readonly #rules: SmsRules;

  /** @param provider `undefined`: none is configured, and nothing is ever sent */
  constructor(store: Store, keyring: Keyring, clock: Clock, provider: SmsProvider | undefined, rules: SmsRules) {
    this.#store = store;
    this.#keyring = keyring;
    this.#clock = clock;
    this.#provider = provider;
    this.#rules = rules;
  }

  /** Whether codes can be sent at all. */
  get available(): boolean {
    return this.#provider !== undefined;
  }

  /** Sends one code if every limit allows it. Wrong tries so far still count against the new code. */
  async send(tenant: Tenant, user: string, number: string): Promise<SmsSending> {
    if (this.#provider === undefined) return { sent: false, reason: "unavailable", retryAfterMs: 0 };
    if (!this.#countryAllowed(number)) return { sent: false, reason: "country", retryAfterMs: 0 };
    const limited = await this.#takeAll(tenant.id, user, number);
    if (limited !== undefined) return limited;
    const id = codeDocumentId(tenant.id, user, number);
    try {
      const sent = await this.#sendOnce(this.#provider, tenant, number, id);
      return sent ? { sent } : { sent, reason: "limit", retryAfterMs: CODE_LIFETIME_MS };
    } catch (error) {
      if (!(error instanceof DeliveryError)) throw error;
      // It may have gone out all the same: an own code stays good, and nothing is sent again unasked.
      return { sent: false, reason: "unavailable", retryAfterMs: MINUTE_MS };
    }
  }

  /** @returns false when the tries are used up, so that nothing is sent */
  async #sendOnce(provider: SmsProvider, tenant: Tenant, number: string, id: string): Promise<boolean> {
    if (provider.mode === "verify") {
      if (!(await this.#storeCode(id, {}))) return false;
      return await this.#storeCode(id, { verification: await provider.start(number, DEFAULT_LANGUAGE) });
    }
    const code = randomInt(1_000_000).toString().padStart(6, "0");
    // Stored first, so that it is good by the time it is read.
    if (!(await this.#storeCode(id, { mac: macOf(this.#keyring.deriveKey(PURPOSE), id, code).toString("base64url") })))
      return false;
    await provider.send(number, translator(DEFAULT_LANGUAGE)("sms.code", { code, tenant: tenant.name }));
    return true;
  }

  /**
   * Whether the code is the one sent last. A try is counted before it is judged.
   * @param code as `parseCode` returns it
   * @returns what a commit must contain for the code to have counted, or `undefined`
   */
  async check(tenant: TenantId, user: string, number: string, code: string) {
    const id = codeDocumentId(tenant, user, number);
    const counted = await retryConflicts(async () => {
      const document = await this.#store.get(SMS_CODE_KIND, id);
      const record = document?.value as CodeRecord | undefined;
      if (document === undefined || record === undefined || record.tries >= MAX_TRIES) return undefined;
      const value: CodeRecord = { ...record, tries: record.tries + 1 };
      const expiresAtMs = document.expiresAtMs ?? this.#clock.nowMs();
      const revision = await this.#store.commit({
        writes: [{ kind: SMS_CODE_KIND, id, value, expiresAtMs, quiet: true }],
        preconditions: [{ kind: SMS_CODE_KIND, id, revision: document.revision }],
      });
      return { record, revision };
    });
    if (counted === undefined || !(await this.#isRight(counted.record, id, code))) return undefined;
    const writes: Write[] = [{ kind: SMS_CODE_KIND, id, value: null, quiet: true }];
    const preconditions: Precondition[] = [{ kind: SMS_CODE_KIND, id, revision: counted.revision }];
    return { writes, preconditions };
  }

  async #isRight(record: CodeRecord, id: string, code: string): Promise<boolean> {
    const { mac, verification } = record;
    if (mac !== undefined) {
      const expected = Buffer.from(mac, "base64url");
      return this.#keyring.deriveKeys(PURPOSE).some((key) => timingSafeEqual(macOf(key, id, code), expected));
    }
    if (verification === undefined || this.#provider?.mode !== "verify") return false;
    try {
      return (await this.#provider.check(verification, code)) === "approved";
    } catch (error) {
      if (error instanceof DeliveryError) return false;
      throw error;
    }
  }

  /** @returns false when the tries are used up */
  async #storeCode(id: string, code: Pick<CodeRecord, "mac" | "verification">): Promise<boolean> {
    return await retryConflicts(async () => {
      const document = await this.#store.get(SMS_CODE_KIND, id);
      const tries = (document?.value as CodeRecord | undefined)?.tries ?? 0;
      if (tries >= MAX_TRIES) return false;
      const expiresAtMs = this.#clock.nowMs() + CODE_LIFETIME_MS;
      await this.#store.commit({
        writes: [{ kind: SMS_CODE_KIND, id, value: { ...code, tries }, expiresAtMs, quiet: true }],
        preconditions: [{ kind: SMS_CODE_KIND, id, revision: document?.revision ?? 0 }],
      });
      return true;
    });
  }

  async #takeAll(tenant: TenantId, user: string, number: string): Promise<SmsSending | undefined> {
    const { perNumber, perUser, perTenant, perDay } = this.#rules;
    const retryAfterMs = await takeAll(this.#store, [
      [`sms/number/${digest(number)}`, perNumber],
      [`sms/user/${tenant}/${user}`, perUser],
      [`sms/tenant/${tenant}`, perTenant],
      [`sms/day/${tenant}`, perDay],
    ]);
    return retryAfterMs === 0 ? undefined : { sent: false, reason: "limit", retryAfterMs };
  }

  #countryAllowed(number: string): boolean {
    const { countries } = this.#rules;
    if (countries.some((rule) => rule.startsWith("!") && number.startsWith(rule.slice(1)))) return false;
    return countries.some((rule) => number.startsWith(rule));
  }
}

function macOf(key: Uint8Array, id: string, code: string): Buffer {
  return createHmac("sha256", key).update(`${id}/${code}`).digest();
}

function codeDocumentId(tenant: TenantId, user: string, number: string): string {
  return `${tenant}/${user}/${digest(number)}`;
}
