/** Enrolling a factor: offered, then confirmed by a proof of it before it counts. */
import type { ChangeCommitter } from "../core/audit.ts";
import type { Clock } from "../core/clock.ts";
import { SallyportError } from "../core/errors.ts";
import { newId } from "../core/ids.ts";
import type { Keyring } from "../core/keyring.ts";
import type { SealedKind } from "../core/reseal.ts";
import type { Store } from "../core/store.ts";
import type { Outbox } from "../notify/outbox.ts";
import { type Account, type CredentialRecord, userDocumentId } from "./account.ts";
import { parseCode } from "./codes.ts";
import { type CommitPart, joinParts, NO_PART } from "./commit-part.ts";
import type { Completion, SignedIn } from "./completion.ts";
import { MAX_FACTORS, type StoredFactor, smsAllowed } from "./factor.ts";
import type { Grant, Grants } from "./grants.ts";
import { passkeyCreation, readPasskeyCreation } from "./passkeys.ts";
import { plainName } from "./plain-name.ts";
import { newRecoveryCodes } from "./recovery.ts";
import { retryConflicts } from "./retry.ts";
import { maskNumber, parsePhoneNumber, type SmsCodes, type SmsSending } from "./sms-factor.ts";
import { matchTotp, newTotpSecret, type TotpOffer, totpContext, totpOffer } from "./totp.ts";
import { readerOf, type Visit } from "./visit.ts";

/** `{tenant}/{user}/{enrolment}` → {@link EnrolmentRecord}; gone once confirmed. Quiet. */
export const ENROLMENT_KIND = "enrolment";
const LIFETIME_MS = 15 * 60_000;

type Pending =
  /** Sealed, under the context that it keeps when it counts. */
  | { readonly kind: "totp"; readonly secret: string }
  | { readonly kind: "sms"; readonly number: string }
  | { readonly kind: "passkey"; readonly challenge: string };

/** A factor that was proven, and what spends the proof. */
interface Made {
  readonly factor: StoredFactor;
  readonly change: CommitPart;
}

type EnrolmentRecord = Pending & { readonly name: string; readonly grant: string };

/** Authenticators on their way, for a rotation of what seals them. */
export const SEALED_ENROLMENTS: SealedKind = {
  kind: ENROLMENT_KIND,
  quiet: true,
  reseal(keyring, { id, value }) {
    const record = value as EnrolmentRecord;
    const [tenant = "", user = ""] = id.split("/");
    return record.kind === "totp"
      ? { ...record, secret: keyring.reseal(record.secret, totpContext(tenant, user)) }
      : record;
  },
};

export type EnrolmentProof = { readonly code: unknown } | { readonly response: unknown };

export interface EnrolmentsOptions {
  readonly store: Store;
  readonly ledger: ChangeCommitter;
  readonly keyring: Keyring;
  readonly clock: Clock;
  readonly outbox: Pick<Outbox, "write">;
  readonly sms: SmsCodes;
  readonly grants: Grants;
  readonly completion: Completion;
}

/**
 * Every method takes the id of a challenge at stage `enrol`, or none for a signed-in person with a recent
 * proof, and throws `proof_required` when neither stands: see {@link Grants}.
 */
export class Enrolments {
  readonly #options: EnrolmentsOptions;

  constructor(options: EnrolmentsOptions) {
    this.#options = options;
  }

  /** Begins an authenticator app. The secret can be shown by {@link showTotp} until it is confirmed. */
  async beginTotp(visit: Visit, challenge: unknown, name: unknown): Promise<{ enrolment: string }> {
    const grant = await this.#grant(visit, challenge, "totp");
    const { account } = grant;
    const secret = this.#options.keyring.seal(newTotpSecret(), totpContext(account.tenant, account.id));
    return { enrolment: await this.#begin(grant, { kind: "totp", secret }, plainName(name) ?? "Authenticator app") };
  }

  /** The QR code's address and the secret as text, until confirmed or expired; then `undefined`, for good. */
  async showTotp(visit: Visit, challenge: unknown, enrolment: unknown): Promise<TotpOffer | undefined> {
    const { account, name } = await this.#options.grants.require(visit, challenge);
    const found = await this.#read(account, name, enrolment);
    if (found?.record.kind !== "totp") return undefined;
    const secret = this.#options.keyring.open(found.record.secret, totpContext(account.tenant, account.id)).toString();
    return totpOffer(visit.tenant.name, account.user.email, secret);
  }

  /** Begins a phone number and sends it a code. @throws SallyportError `number_invalid` */
  async beginSms(
    visit: Visit,
    challenge: unknown,
    input: unknown,
    name: unknown,
  ): Promise<{ enrolment: string } & SmsSending> {
    const grant = await this.#grant(visit, challenge, "sms");
    const number = parsePhoneNumber(input);
    const enrolment = await this.#begin(
      grant,
      { kind: "sms", number },
      plainName(name) ?? `Phone ${maskNumber(number)}`,
    );
    return { enrolment, ...(await this.#options.sms.send(visit.tenant, grant.account.id, number)) };
  }

  /** Sends another code to the number under way. */
  async resendSms(visit: Visit, challenge: unknown, enrolment: unknown): Promise<SmsSending | undefined> {
    const { account, name } = await this.#options.grants.require(visit, challenge, "enrol-sms");
    const found = await this.#read(account, name, enrolment);
    if (found?.record.kind !== "sms") return undefined;
    return await this.#options.sms.send(visit.tenant, account.id, found.record.number);
  }

  /** Begins a passkey or security key. */
  async beginPasskey(visit: Visit, challenge: unknown, name: unknown) {
    const grant = await this.#grant(visit, challenge, "passkey");
    const options = await passkeyCreation(visit, grant.account);
    const pending = { kind: "passkey" as const, challenge: options.challenge };
    return { enrolment: await this.#begin(grant, pending, plainName(name) ?? "Passkey"), options };
  }

  /**
   * Confirms a factor, which counts from then on. Other sessions and remembered devices end, the person is told
   * by mail, and goes on with a new session; the first factor brings recovery codes with it.
   * @returns `refused` for a wrong proof, `gone` when there is nothing (any more) to confirm
   * @throws SallyportError `code_invalid`
   */
  async confirm(
    visit: Visit,
    challenge: unknown,
    enrolment: unknown,
    proof: EnrolmentProof,
  ): Promise<SignedIn | { readonly kind: "refused" | "gone" }> {
    return await retryConflicts(async () => {
      const grant = await this.#options.grants.require(visit, challenge, "confirm-factor");
      const found = await this.#read(grant.account, grant.name, enrolment);
      if (found === undefined) return { kind: "gone" };
      const made = await this.#judge(visit, grant.account, found.record, proof);
      // A ceremony is good for one answer; a code may be mistyped.
      if (made === undefined && found.record.kind === "passkey") await this.#options.store.commit(found.spend);
      if (made === undefined) return { kind: "refused" };
      return await this.#add(visit, grant, made.factor, joinParts(found.spend, made.change));
    });
  }

  async #judge(
    visit: Visit,
    account: Account,
    record: EnrolmentRecord,
    proof: EnrolmentProof,
  ): Promise<Made | undefined> {
    const { keyring, clock, sms } = this.#options;
    const nowMs = clock.nowMs();
    const base = { id: newId("fac", nowMs), name: record.name, createdAt: new Date(nowMs).toISOString() };
    if (record.kind === "passkey") {
      const response = "response" in proof ? proof.response : undefined;
      const factor = await readPasskeyCreation(visit, record.challenge, response, record.name, nowMs);
      return factor === undefined ? undefined : { factor, change: NO_PART };
    }
    const code = parseCode("code" in proof ? proof.code : undefined);
    if (record.kind === "sms") {
      const change = await sms.check(account.tenant, account.id, record.number, code);
      return change && { factor: { ...base, kind: "sms", number: record.number }, change };
    }
    const secret = keyring.open(record.secret, totpContext(account.tenant, account.id)).toString();
    const step = matchTotp(secret, code, nowMs);
    // The confirming code is used: it must not sign anybody in.
    return step === undefined
      ? undefined
      : { factor: { ...base, kind: "totp", secret: record.secret, usedSteps: [step] }, change: NO_PART };
  }

  async #add(visit: Visit, { account, ...grant }: Grant, factor: StoredFactor, change: CommitPart): Promise<SignedIn> {
    const { clock, outbox, grants, completion } = this.#options;
    const nowMs = clock.nowMs();
    const { id, kind, name } = factor;
    const recovery = account.credential.recovery === undefined ? newRecoveryCodes(nowMs) : undefined;
    const credential: CredentialRecord = {
      ...account.credential,
      factors: [...account.credential.factors, factor],
      ...(recovery === undefined ? {} : { recovery: recovery.stored }),
      // What is offered first is what was used to sign in, not what was set up last.
      ...(grant.challenge === undefined ? {} : { lastFactor: kind }),
    };
    const notice = { kind: "factor-added", factor: kind, name } as const;
    const told = joinParts(change, {
      ...NO_PART,
      writes: outbox.write(visit.tenant, readerOf(visit, account.user), notice, nowMs),
    });
    const audit = { action: "factor.added", after: { id, kind, name } };
    const actor = { kind: "user" as const, id: account.id, address: visit.address.text };
    const { challenge } = grant;
    const signedIn =
      challenge === undefined
        ? await grants.change(visit, { account, ...grant }, credential, told, audit)
        : await completion.complete(visit, {
            account,
            credential,
            managed: true,
            amr: [...challenge.record.amr, { totp: "otp", sms: "sms", passkey: "hwk" }[kind]],
            challenge,
            remember: false,
            ...told,
            audit: [{ ...audit, tenant: account.tenant, actor, target: account.id }],
          });
    return recovery === undefined ? signedIn : { ...signedIn, recoveryCodes: recovery.codes };
  }

  async #grant(visit: Visit, challenge: unknown, kind: StoredFactor["kind"]): Promise<Grant> {
    const grant = await this.#options.grants.require(visit, challenge, `enrol-${kind}`);
    const { factors } = grant.account.credential;
    const { policy } = visit.tenant;
    if (!policy.factors.includes(kind) || (kind === "sms" && !this.#options.sms.available)) {
      throw new SallyportError("forbidden", "this clinic does not use this kind of proof");
    }
    if (kind === "sms" && !smsAllowed(policy, factors)) {
      throw new SallyportError("forbidden", "text messages are only a second way: set up another kind of proof first");
    }
    if (factors.length >= MAX_FACTORS) {
      throw new SallyportError("limit_reached", `at most ${MAX_FACTORS} can be set up; remove one first`);
    }
    return grant;
  }

  async #begin(grant: Grant, pending: Pending, name: string): Promise<string> {
    const { store, clock } = this.#options;
    const nowMs = clock.nowMs();
    const enrolment = newId("enr", nowMs);
    const value: EnrolmentRecord = { ...pending, name, grant: grant.name };
    const id = `${userDocumentId(grant.account.tenant, grant.account.id)}/${enrolment}`;
    const expiresAtMs = nowMs + LIFETIME_MS;
    await store.commit({ writes: [{ kind: ENROLMENT_KIND, id, value, expiresAtMs, quiet: true }] });
    return enrolment;
  }

  async #read(account: Account, grant: string, enrolment: unknown) {
    if (typeof enrolment !== "string" || !/^enr_[0-9a-z]{26}$/.test(enrolment)) return undefined;
    const id = `${userDocumentId(account.tenant, account.id)}/${enrolment}`;
    const document = await this.#options.store.get(ENROLMENT_KIND, id);
    const record = document?.value as EnrolmentRecord | undefined;
    if (document === undefined || record?.grant !== grant) return undefined;
    const spend: CommitPart = {
      writes: [{ kind: ENROLMENT_KIND, id, value: null, quiet: true }],
      preconditions: [{ kind: ENROLMENT_KIND, id, revision: document.revision }],
    };
    return { record, spend };
  }
}
