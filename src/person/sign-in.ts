/** Signing in, step by step: who it is, which proof, and the session at the end. Nothing tells whether a login exists. */
import type { ChangeCommitter } from "../core/audit.ts";
import type { Clock } from "../core/clock.ts";
import type { Store } from "../core/store.ts";
import type { Outbox } from "../notify/outbox.ts";
import { type Account, findAccount, loadAccount, writeCredential } from "./account.ts";
import {
  CHALLENGE_KIND,
  type Challenge,
  type ChallengeRecord,
  closeChallenge,
  countTry,
  newChallenge,
  readChallenge,
  writeChallenge,
} from "./challenge.ts";
import type { Completion, SignedIn } from "./completion.ts";
import { normaliseEmail } from "./email.ts";
import { usableFactors } from "./factor.ts";
import type { FirstSteps } from "./first-step.ts";
import { passkeyRequest, passkeyUser, spendPasskey } from "./passkeys.ts";
import type { PasswordHasher } from "./password-hash.ts";
import { normalisePassword } from "./password-rules.ts";
import { type Proof, type ProofInput, type Proofs, parseProof } from "./proofs.ts";
import { retryConflicts, unlessLost } from "./retry.ts";
import type { SmsCodes, SmsSending } from "./sms-factor.ts";
import { choicesFor, type Outcome, type Step, stepOf } from "./step.ts";
import type { Throttle, Visitor } from "./throttle.ts";
import type { Visit } from "./visit.ts";
import { wayBackPath } from "./way-back.ts";

const GONE = { kind: "gone" } as const;

export interface SignInOptions {
  readonly store: Store;
  readonly ledger: ChangeCommitter;
  readonly clock: Clock;
  readonly hasher: PasswordHasher;
  readonly throttle: Throttle;
  readonly proofs: Proofs;
  readonly sms: SmsCodes;
  readonly completion: Completion;
  readonly firstSteps: FirstSteps;
  readonly outbox: Pick<Outbox, "write">;
}

export class SignIn {
  readonly #options: SignInOptions;
  /** Messages that are sent without anybody waiting, so that the wait tells nothing. */
  readonly #sending = new Set<Promise<unknown>>();

  constructor(options: SignInOptions) {
    this.#options = options;
  }

  /**
   * Begins a challenge. Changes nothing else, so that it may answer a GET that was redirected here.
   * @param request `fresh`: every proof is asked for again, for what needs a recent one
   * @returns the step, and the cookie value that binds this browser
   */
  async begin(visit: Visit, request: { readonly wayBack?: unknown; readonly fresh?: boolean }) {
    const { store, clock } = this.#options;
    const { challenge, browser } = newChallenge(visit, clock.nowMs(), {
      stage: "identify",
      wayBack: wayBackPath(request.wayBack),
      fresh: request.fresh === true,
      amr: [],
      epoch: 0,
    });
    await store.commit(writeChallenge(challenge, challenge.record));
    return { step: stepOf(challenge), browser };
  }

  /** Where the challenge stands; changes nothing. `undefined`: gone. */
  async show(visit: Visit, id: unknown): Promise<Step | undefined> {
    const { store, sms } = this.#options;
    const challenge = await readChallenge(store, visit, id);
    if (challenge === undefined) return undefined;
    if (challenge.record.stage === "identify") return stepOf(challenge);
    const account = await this.#accountOf(visit, challenge.record);
    if (challenge.record.epoch > 0 && account === undefined) return undefined;
    return stepOf(challenge, choicesFor(visit, challenge.record, account, sms.available));
  }

  /**
   * The first step: e-mail and password, or (with `firstFactor: none`) the e-mail alone, after which every
   * login is asked for a proof in the same way, whether it exists or not.
   */
  async identify(visit: Visit, id: unknown, input: { email: unknown; password?: unknown }): Promise<Outcome> {
    return await unlessLost(CHALLENGE_KIND, GONE, () => this.#identify(visit, id, input));
  }

  async #identify(visit: Visit, id: unknown, input: { email: unknown; password?: unknown }): Promise<Outcome> {
    const { store, hasher, throttle, completion, firstSteps } = this.#options;
    const challenge = await readChallenge(store, visit, id);
    if (challenge === undefined || challenge.record.stage !== "identify") return GONE;
    const email = normaliseEmail(input.email);
    if (email === undefined) return { kind: "refused" };
    if (visit.tenant.policy.firstFactor === "none") return await this.#askEveryone(visit, challenge, email);
    const account = await findAccount(store, visit.tenant.id, email);
    const visitor = completion.visitor(visit, email, account);
    const admission = await throttle.admit(visitor);
    if (!admission.allowed) return { kind: "throttled", retryAfterMs: admission.retryAfterMs };
    const password = normalisePassword(input.password) ?? "";
    const right = await hasher.verify(account?.credential.password, password);
    if (!right || account === undefined || account.user.state === "disabled") {
      return await this.#fail(visit, visitor, account, "password", admission.last);
    }
    await throttle.refund(visitor);
    await this.#upgradePassword(account, password);
    return await retryConflicts(async () => {
      const present = await loadAccount(store, account.tenant, account.id);
      // Whatever was changed while the hash was computed counts: the password just checked may be no more.
      const same = present?.user.epoch === account.user.epoch && present.user.state !== "disabled";
      if (present === undefined || !same) return { kind: "refused" };
      const first = { account: present, amr: ["pwd"], writes: [], preconditions: [], audit: [] };
      return await firstSteps.advance(visit, challenge, first);
    }, CHALLENGE_KIND);
  }

  /** Sends a code to one of the person's numbers. Sending again forgives no failure. */
  async sendSms(visit: Visit, id: unknown, factor?: unknown): Promise<SmsSending | { readonly kind: "gone" }> {
    const { store, sms } = this.#options;
    const challenge = await readChallenge(store, visit, id);
    if (challenge === undefined || challenge.record.stage !== "factor") return GONE;
    const account = await this.#accountOf(visit, challenge.record);
    const usable =
      account === undefined ? [] : usableFactors(visit.tenant.policy, account.credential.factors, visit.host);
    const numbers = usable.filter((candidate) => candidate.kind === "sms");
    const chosen = numbers.find((candidate) => candidate.id === factor) ?? numbers[0];
    await store.commit(writeChallenge(challenge, { ...challenge.record, smsFactor: chosen?.id ?? "" }));
    if (challenge.record.epoch > 0) {
      if (account === undefined || chosen === undefined) return { sent: false, reason: "unavailable", retryAfterMs: 0 };
      return await sms.send(visit.tenant, account.id, chosen.number);
    }
    // Nothing is proven yet: the answer and its delay are the same for a login without a number, or for none.
    if (account !== undefined && chosen !== undefined) {
      const sending = sms.send(visit.tenant, account.id, chosen.number).catch(() => undefined);
      this.#sending.add(sending);
      void sending.finally(() => this.#sending.delete(sending));
    }
    return { sent: true };
  }

  /** Resolves when every message under way has been handed over or given up. */
  async settle(): Promise<void> {
    await Promise.all(this.#sending);
  }

  /**
   * Begins a passkey ceremony. At the first step the passkey is the only one: it must verify its user, and
   * names the account itself.
   */
  async requestPasskey(visit: Visit, id: unknown) {
    const { store } = this.#options;
    const challenge = await readChallenge(store, visit, id);
    if (challenge === undefined || challenge.record.stage === "enrol") return undefined;
    if (!visit.tenant.policy.factors.includes("passkey")) return undefined;
    const alone = challenge.record.stage === "identify";
    const proven = challenge.record.epoch > 0 ? await this.#accountOf(visit, challenge.record) : undefined;
    const options = await passkeyRequest(visit, proven, alone);
    const ceremony = { challenge: options.challenge, alone };
    await store.commit(writeChallenge(challenge, { ...challenge.record, ceremony }));
    return options;
  }

  /**
   * The second step, or a passkey alone. A try is counted before it is judged, on the challenge and on the login.
   * @throws SallyportError `code_invalid` for what is no code at all; that is not counted
   */
  async verify(visit: Visit, id: unknown, input: ProofInput, remember = false): Promise<Outcome> {
    const proof = parseProof(input);
    return await unlessLost(CHALLENGE_KIND, GONE, () => this.#verify(visit, id, proof, remember));
  }

  async #verify(visit: Visit, id: unknown, proof: Proof, remember: boolean): Promise<Outcome> {
    const { store, throttle, completion } = this.#options;
    const read = await readChallenge(store, visit, id);
    if (read === undefined || read.record.stage === "enrol") return GONE;
    if (read.record.stage === "identify") return await this.#verifyAlone(visit, read, proof);
    const email = read.record.email ?? "";
    const account = await this.#accountOf(visit, read.record);
    if (account === undefined && read.record.epoch > 0) return GONE;
    const visitor = completion.visitor(visit, email, account);
    const admission = await throttle.admit(visitor);
    if (!admission.allowed) return { kind: "throttled", retryAfterMs: admission.retryAfterMs };
    const challenge = await countTry(store, read);
    const judged = { ...challenge, record: { ...challenge.record, ...ceremonyOf(read.record) } };
    const signedIn = await this.#spend(visit, judged, proof, remember);
    return signedIn ?? (await this.#fail(visit, visitor, account, proof.kind, admission.last));
  }

  async #askEveryone(visit: Visit, challenge: Challenge, email: string): Promise<Outcome> {
    const record: ChallengeRecord = { ...challenge.record, stage: "factor", email, epoch: 0 };
    const { store, sms } = this.#options;
    await store.commit(writeChallenge(challenge, record));
    return {
      kind: "continue",
      step: stepOf({ ...challenge, record }, choicesFor(visit, record, undefined, sms.available)),
    };
  }

  /** A passkey without any step before it. Its guessing needs no counting: there is nothing to guess. */
  async #verifyAlone(visit: Visit, read: Challenge, proof: Proof): Promise<Outcome> {
    const { store, clock, completion } = this.#options;
    const ceremony = read.record.ceremony;
    if (proof.kind !== "passkey" || ceremony?.alone !== true) return { kind: "refused" };
    if (!visit.tenant.policy.factors.includes("passkey")) return { kind: "refused" };
    const challenge = await countTry(store, read);
    const named = passkeyUser(proof.response);
    return await retryConflicts(async () => {
      const account = await loadAccount(store, visit.tenant.id, named ?? "");
      if (account === undefined || account.user.state === "disabled") return { kind: "refused" };
      const spent = await spendPasskey(visit, account, ceremony, proof.response, clock.nowMs());
      if (spent === undefined) return { kind: "refused" };
      return await completion.complete(visit, {
        account,
        amr: spent.amr,
        credential: spent.credential,
        wayBack: challenge.record.wayBack,
        remember: false,
        ...closeChallenge(challenge),
      });
    }, CHALLENGE_KIND);
  }

  async #spend(visit: Visit, challenge: Challenge, proof: Proof, remember: boolean): Promise<SignedIn | undefined> {
    const { proofs, completion } = this.#options;
    return await retryConflicts(async () => {
      const account = await this.#accountOf(visit, challenge.record);
      if (account === undefined) return undefined;
      const spent = await proofs.judge(visit, account, challenge.record, proof);
      if (spent === undefined) return undefined;
      const close = closeChallenge(challenge);
      return await completion.complete(visit, {
        account,
        amr: [...challenge.record.amr, ...spent.amr],
        credential: spent.credential,
        wayBack: challenge.record.wayBack,
        remember,
        writes: [...close.writes, ...(spent.writes ?? [])],
        preconditions: [...close.preconditions, ...(spent.preconditions ?? [])],
      });
    }, CHALLENGE_KIND);
  }

  /** The account of a challenge's login, unless it is disabled or something was revoked since the first step. */
  async #accountOf(visit: Visit, record: ChallengeRecord): Promise<Account | undefined> {
    const account = await findAccount(this.#options.store, visit.tenant.id, record.email ?? "");
    if (account === undefined || account.user.state === "disabled") return undefined;
    return record.epoch === 0 || record.epoch === account.user.epoch ? account : undefined;
  }

  async #fail(
    visit: Visit,
    visitor: Visitor,
    account: Account | undefined,
    step: string,
    last: boolean,
  ): Promise<Outcome> {
    const { ledger, outbox, clock } = this.#options;
    const { tenant } = visit;
    const actor = { kind: "user" as const, id: account?.id ?? "unknown", address: visit.address.text };
    const about = { tenant: tenant.id, actor, ...(account === undefined ? {} : { target: account.id }) };
    const failed = { ...about, action: "sign-in.failed", after: { step } };
    const locked = { ...about, action: "sign-in.locked", after: { visitor: visitor.bucket.split(":", 1)[0] } };
    const tell = last && account !== undefined && account.user.state !== "disabled";
    const writes = tell ? outbox.write(tenant, account.user, { kind: "locked" }, clock.nowMs()) : [];
    await ledger.commit({ writes, audit: last ? [failed, locked] : [failed] });
    return { kind: "refused" };
  }

  /** Replaces a hash made at yesterday's cost. Losing against another writer is no harm: the next sign-in tries again. */
  async #upgradePassword(account: Account, password: string): Promise<void> {
    const { hasher, store } = this.#options;
    const phc = account.credential.password;
    if (phc === undefined || !hasher.isOutdated(phc)) return;
    const upgraded = await hasher.hash(password);
    await retryConflicts(async () => {
      const present = await loadAccount(store, account.tenant, account.id);
      if (present?.credential.password !== phc) return;
      const write = writeCredential(present, { ...present.credential, password: upgraded }, false);
      const { kind, id } = write;
      await store.commit({ writes: [write], preconditions: [{ kind, id, revision: present.credentialRevision }] });
    });
  }
}

function ceremonyOf(record: ChallengeRecord): Pick<ChallengeRecord, "ceremony"> {
  return record.ceremony === undefined ? {} : { ceremony: record.ceremony };
}
