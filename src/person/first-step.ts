/** After the first step, however it was done: a session, or the challenge at its next stage, in the commit that says so. */
import type { AuditInput, ChangeCommitter } from "../core/audit.ts";
import type { Clock } from "../core/clock.ts";
import { DEVICE_METHOD, type SessionProofs } from "../core/second-factor.ts";
import type { Store } from "../core/store.ts";
import { type Account, unchanged } from "./account.ts";
import { type Challenge, type ChallengeRecord, writeChallenge } from "./challenge.ts";
import { type CommitPart, joinParts, NO_PART } from "./commit-part.ts";
import type { Completion, SignedIn } from "./completion.ts";
import { rememberedBy } from "./devices.ts";
import { usableFactors } from "./factor.ts";
import type { SmsCodes } from "./sms-factor.ts";
import { choicesFor, type Outcome, stepOf } from "./step.ts";
import type { Visit } from "./visit.ts";

/** A first step that is done, and what else belongs to its commit. */
export interface FirstStep extends CommitPart {
  readonly account: Account;
  readonly amr: readonly string[];
  readonly audit: readonly AuditInput[];
}

export interface FirstStepsOptions {
  readonly store: Store;
  readonly ledger: ChangeCommitter;
  readonly clock: Clock;
  readonly completion: Completion;
  readonly sms: SmsCodes;
}

export class FirstSteps {
  readonly #options: FirstStepsOptions;

  constructor(options: FirstStepsOptions) {
    this.#options = options;
  }

  /** @throws ConflictError when the account or the challenge has changed since it was read */
  async advance(visit: Visit, challenge: Challenge, first: FirstStep): Promise<Outcome> {
    const { store, clock, sms } = this.#options;
    const { account, amr } = first;
    const { policy } = visit.tenant;
    const enrolled = account.credential.factors.length > 0;
    if (!enrolled && policy.secondFactor === "off") return await this.#finish(visit, challenge, first, { amr });
    const usable = usableFactors(policy, account.credential.factors, visit.host).length > 0;
    const maySkip = usable && !challenge.record.fresh;
    const remembered = maySkip ? await rememberedBy(store, visit, account, clock.nowMs()) : undefined;
    if (remembered !== undefined)
      return await this.#finish(visit, challenge, first, { amr: [...amr, DEVICE_METHOD], remembered });
    const record: ChallengeRecord = {
      ...challenge.record,
      // Somebody with a factor that does not count here must not enrol another with the first step alone.
      stage: enrolled ? "factor" : "enrol",
      amr,
      email: account.user.email,
      epoch: account.user.epoch,
    };
    await this.#write(first, writeChallenge(challenge, record));
    return {
      kind: "continue",
      step: stepOf({ ...challenge, record }, choicesFor(visit, record, account, sms.available)),
    };
  }

  async #finish(visit: Visit, challenge: Challenge, first: FirstStep, proofs: SessionProofs): Promise<SignedIn> {
    const { credential } = first.account;
    return await this.#options.completion.complete(visit, {
      ...first,
      ...proofs,
      credential,
      challenge,
      remember: false,
    });
  }

  async #write(first: FirstStep, challenge: CommitPart): Promise<void> {
    const { store, ledger } = this.#options;
    const change = joinParts(challenge, first, { ...NO_PART, preconditions: unchanged(first.account) });
    if (first.audit.length > 0) await ledger.commit({ ...change, audit: first.audit });
    else await store.commit(change);
  }
}
