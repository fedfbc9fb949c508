/** Judging one proof of a known user, whatever its kind. */
import type { Clock } from "../core/clock.ts";
import type { Keyring } from "../core/keyring.ts";
import type { Account } from "./account.ts";
import type { ChallengeRecord } from "./challenge.ts";
import { parseCode, parseRecoveryCode } from "./codes.ts";
import { type SmsFactor, type Spent, usableFactors, withUsedFactor } from "./factor.ts";
import { spendPasskey } from "./passkeys.ts";
import { spendRecoveryCode } from "./recovery.ts";
import type { SmsCodes } from "./sms-factor.ts";
import { spendTotp, totpContext } from "./totp.ts";
import type { Visit } from "./visit.ts";

/** As it came from the browser; nothing in it has been looked at. */
export type ProofInput =
  | { readonly kind: "totp" | "sms" | "recovery"; readonly code: unknown }
  | { readonly kind: "passkey"; readonly response: unknown };

/** A proof whose form is sound. */
export type Proof =
  | { readonly kind: "totp" | "sms" | "recovery"; readonly code: string }
  | { readonly kind: "passkey"; readonly response: unknown };

/** @throws SallyportError `code_invalid`, before anything is counted: such input is no guess */
export function parseProof(input: ProofInput): Proof {
  if (input.kind === "passkey") return input;
  const code = input.kind === "recovery" ? parseRecoveryCode(input.code) : parseCode(input.code);
  return { kind: input.kind, code };
}

export class Proofs {
  readonly #keyring: Keyring;
  readonly #clock: Clock;
  readonly #sms: SmsCodes;

  constructor(keyring: Keyring, clock: Clock, sms: SmsCodes) {
    this.#keyring = keyring;
    this.#clock = clock;
    this.#sms = sms;
  }

  /** The proof, spent but not yet committed, if it holds and policy accepts its kind here; otherwise `undefined`. */
  async judge(visit: Visit, account: Account, challenge: ChallengeRecord, proof: Proof): Promise<Spent | undefined> {
    const nowMs = this.#clock.nowMs();
    const { credential } = account;
    if (proof.kind === "recovery") return spendRecoveryCode(credential, proof.code, nowMs);
    const usable = usableFactors(visit.tenant.policy, credential.factors, visit.host);
    if (!usable.some((factor) => factor.kind === proof.kind)) return undefined;
    if (proof.kind === "totp") {
      return spendTotp(this.#keyring, totpContext(account.tenant, account.id), credential, proof.code, nowMs);
    }
    if (proof.kind === "passkey") {
      if (challenge.ceremony === undefined) return undefined;
      return await spendPasskey(visit, account, challenge.ceremony, proof.response, nowMs);
    }
    const factor = usable.find(({ id, kind }) => kind === "sms" && id === challenge.smsFactor);
    return factor?.kind === "sms" ? await this.#spendSms(account, factor, proof.code, nowMs) : undefined;
  }

  async #spendSms(account: Account, factor: SmsFactor, code: string, nowMs: number): Promise<Spent | undefined> {
    const change = await this.#sms.check(account.tenant, account.id, factor.number, code);
    if (change === undefined) return undefined;
    const used: SmsFactor = { ...factor, lastUsedAt: new Date(nowMs).toISOString() };
    return { ...change, credential: withUsedFactor(account.credential, used), amr: ["sms"] };
  }
}
