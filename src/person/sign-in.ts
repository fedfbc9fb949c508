/** Signing in, step by step: who it is, which proof, and the session at the end. Nothing tells whether a login exists. */
import type { ChangeCommitter } from "../core/audit.ts";
import type { Clock } from "../core/clock.ts";
import { SallyportError } from "../core/errors.ts";
import type { Store } from "../core/store.ts";
import type { Outbox } from "../notify/outbox.ts";
import { type Account, findAccount, loadAccount, writeCredential } from "./account.ts";
import {
  accountOf,
  CHALLENGE_KIND,
  type Challenge,
  type ChallengeRecord,
  countTry,
  newChallenge,
  readChallenge,
  withShares,
  writeChallenge,
} from "./challenge.ts";
import { NO_PART } from "./commit-part.ts";
import type { Completion, SignedIn } from "./completion.ts";
import { normaliseEmail } from "./email.ts";
import type { Errands } from "./errands.ts";
import type { FirstSteps } from "./first-step.ts";
import { passkeyUser, spendPasskey } from "./passkeys.ts";
import { BUSY_MS, type PasswordHasher } from "./password-hash.ts";
import { normalisePassword } from "./password-rules.ts";
import { type Proof, type ProofInput, type Proofs, parseProof } from "./proofs.ts";
import { retryConflicts, unlessLost } from "./retry.ts";
import { giveBack, type Share, takeShares } from "./shares.ts";
import type { SmsCodes } from "./sms-factor.ts";
import { choicesFor, type Outcome, type Step, stepOf } from "./step.ts";
import { STRANGER, type Throttle, type Visitor } from "./throttle.ts";
import { placeOf, type Visit } from "./visit.ts";
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
  readonly errands: Errands;
}

export class SignIn {
  readonly #options: SignInOptions;

  constructor(options: SignInOptions) {
    this.#options = options;
  }

  /**
   * Begins a challenge. Changes nothing else, so that it may answer a GET that was redirected here.
   * @param request `fresh`: every proof is asked for again, for what needs a recent one
   * @returns the step, and the cookie value that binds this browser
   * @throws SallyportError `limit_reached` for an address that begins too many
   */
  async begin(visit: Visit, request: { readonly wayBack?: unknown; readonly fresh?: boolean }) {
    const { store, clock } = this.#options;
    const share: Share = ["begin", placeOf(visit.address)];
    const retryAfterMs = await takeShares(store, [share]);
    if (retryAfterMs > 0) {
      throw new SallyportError("limit_reached", "too many sign-ins were begun from this address", { retryAfterMs });
    }
    const { challenge, browser } = newChallenge(visit, clock.nowMs(), {
      stage: "identify",
      wayBack: wayBackPath(request.wayBack),
      fresh: request.fresh === true,
      amr: [],
      epoch: 0,
      shares: [share],
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
    const account = await accountOf(store, visit, challenge.record);
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
    const visitor = await completion.visitor(visit, email);
    const admission = await throttle.admit(visitor);
    if (!admission.allowed) return { kind: "throttled", retryAfterMs: admission.retryAfterMs };
    const password = normalisePassword(input.password) ?? "";
    const right = await hasher.verify(account?.credential.password, password, visitor.bucket !== STRANGER);
    if (right === undefined) {
      await Promise.all([throttle.refund(visitor), giveBack(store, admission.shares)]);
      return { kind: "throttled", retryAfterMs: BUSY_MS };
    }
    if (!right || account === undefined || account.user.state === "disabled") {
      return await this.#fail(visit, visitor, account, "password", admission.last);
    }
    await Promise.all([throttle.refund(visitor), giveBack(store, admission.shares)]);
    this.#upgradePassword(account, password);
    return await retryConflicts(async () => {
      const present = await loadAccount(store, account.tenant, account.id);
      // Whatever was changed while the hash was computed counts: the password just checked may be no more.
      const same = present?.user.epoch === account.user.epoch && present.user.state !== "disabled";
      if (present === undefined || !same) return { kind: "refused" };
      const first = { ...NO_PART, account: present, amr: ["pwd"], audit: [] };
      return await firstSteps.advance(visit, challenge, first);
    }, CHALLENGE_KIND);
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
    const account = await accountOf(store, visit, read.record);
    if (account === undefined && read.record.epoch > 0) return GONE;
    const visitor = await completion.visitor(visit, email);
    const admission = await throttle.admit(visitor);
    if (!admission.allowed) return { kind: "throttled", retryAfterMs: admission.retryAfterMs };
    const challenge = await countTry(store, read);
    // The ceremony is used up in the store, and judged this once.
    const { ceremony } = read.record;
    const record = ceremony === undefined ? challenge.record : { ...challenge.record, ceremony };
    const judged = withShares({ ...challenge, record }, admission.shares);
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
        ...spent,
        account,
        challenge,
        remember: false,
      });
    }, CHALLENGE_KIND);
  }

  async #spend(visit: Visit, challenge: Challenge, proof: Proof, remember: boolean): Promise<SignedIn | undefined> {
    const { store, proofs, completion } = this.#options;
    return await retryConflicts(async () => {
      const account = await accountOf(store, visit, challenge.record);
      if (account === undefined) return undefined;
      const spent = await proofs.judge(visit, account, challenge.record, proof);
      if (spent === undefined) return undefined;
      return await completion.complete(visit, {
        ...spent,
        account,
        amr: [...challenge.record.amr, ...spent.amr],
        challenge,
        remember,
      });
    }, CHALLENGE_KIND);
  }

  async #fail(
    visit: Visit,
    visitor: Visitor,
    account: Account | undefined,
    step: string,
    last: boolean,
  ): Promise<Outcome> {
    const { store, ledger, outbox, clock, errands } = this.#options;
    const { tenant } = visit;
    const actor = { kind: "user" as const, id: account?.id ?? "unknown", address: visit.address.text };
    const about = { tenant: tenant.id, actor, ...(account === undefined ? {} : { target: account.id }) };
    const failed = { ...about, action: "sign-in.failed", after: { step } };
    const locked = { ...about, action: "sign-in.locked", after: { visitor: visitor.bucket.split(":", 1)[0] } };
    await ledger.commit({ writes: [], audit: last ? [failed, locked] : [failed] });
    if (last)
      errands.run(async () => {
        if (account === undefined || account.user.state === "disabled") return;
        await store.commit({ writes: outbox.write(tenant, account.user, { kind: "locked" }, clock.nowMs()) });
      });
    return { kind: "refused" };
  }

  /** Replaces a hash made at yesterday's cost, which nobody waits for. What comes between is no harm: the next sign-in tries again. */
  #upgradePassword(account: Account, password: string): void {
    const { hasher, errands } = this.#options;
    const phc = account.credential.password;
    if (phc === undefined || !hasher.isOutdated(phc)) return;
    try {
      errands.run(() => this.#replaceHash(account, phc, password));
    } catch (error) {
      if (!(error instanceof SallyportError && error.code === "limit_reached")) throw error;
    }
  }

  async #replaceHash(account: Account, phc: string, password: string): Promise<void> {
    const { hasher, store } = this.#options;
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
