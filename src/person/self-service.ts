/** What a signed-in person changes about themselves on the account page. */
import type { Actor, ChangeCommitter } from "../core/audit.ts";
import type { Clock } from "../core/clock.ts";
import { SallyportError } from "../core/errors.ts";
import type { Store } from "../core/store.ts";
import type { Outbox } from "../notify/outbox.ts";
import { loadAccount, NO_CREDENTIAL, unchanged, writeCredential } from "./account.ts";
import { NO_PART } from "./commit-part.ts";
import type { SignedIn } from "./completion.ts";
import { forgetDevice, listDevices, type RememberedDevice } from "./devices.ts";
import { usableFactors } from "./factor.ts";
import type { Grants } from "./grants.ts";
import { passwordContext } from "./invitations.ts";
import type { PasswordHasher } from "./password-hash.ts";
import { checkNewPassword } from "./password-rules.ts";
import { plainName } from "./plain-name.ts";
import { newRecoveryCodes } from "./recovery.ts";
import { retryConflicts } from "./retry.ts";
import type { LiveSession } from "./session-record.ts";
import { describeFactors, type FactorView } from "./user-view.ts";
import { readerOf, type Visit } from "./visit.ts";

export interface SelfServiceOptions {
  readonly store: Store;
  readonly ledger: ChangeCommitter;
  readonly clock: Clock;
  readonly outbox: Pick<Outbox, "write">;
  readonly hasher: PasswordHasher;
  readonly grants: Grants;
}

/** Everything but devices needs a recent proof, tells by mail, and ends all other sessions; it throws `proof_required`. */
export class SelfService {
  readonly #options: SelfServiceOptions;

  constructor(options: SelfServiceOptions) {
    this.#options = options;
  }

  /** @throws SallyportError `password_refused` */
  async changePassword(visit: Visit, password: unknown): Promise<SignedIn> {
    const { grants, hasher, outbox, clock } = this.#options;
    const { account } = await grants.require(visit, undefined, "password");
    const phc = await hasher.hash(checkNewPassword(password, passwordContext(visit.tenant, account)));
    return await retryConflicts(async () => {
      const grant = await grants.require(visit, undefined, "password");
      const writes = outbox.write(
        visit.tenant,
        readerOf(visit, grant.account.user),
        { kind: "password-changed" },
        clock.nowMs(),
      );
      const credential = { ...grant.account.credential, password: phc };
      return await grants.change(visit, grant, credential, { ...NO_PART, writes }, { action: "password.changed" });
    });
  }

  /** @throws SallyportError `not_found`; `forbidden` for the last factor that counts where one is required */
  async removeFactor(visit: Visit, factor: unknown): Promise<SignedIn> {
    const { grants, outbox, clock } = this.#options;
    return await retryConflicts(async () => {
      const grant = await grants.require(visit, undefined, "remove-factor");
      const { user, credential } = grant.account;
      const removed = credential.factors.find(({ id }) => id === factor);
      if (removed === undefined) throw new SallyportError("not_found", "there is no such factor");
      const factors = credential.factors.filter((other) => other !== removed);
      const left = usableFactors(visit.tenant.policy, factors, visit.host);
      if (left.length === 0 && visit.tenant.policy.secondFactor === "required") {
        throw new SallyportError("forbidden", "this is the last one that lets you in here; set up another first");
      }
      const { recovery: _, ...withoutRecovery } = credential;
      const next = factors.length === 0 ? { ...withoutRecovery, factors } : { ...credential, factors };
      const { id, kind, name } = removed;
      const writes = outbox.write(
        visit.tenant,
        readerOf(visit, user),
        { kind: "factor-removed", factor: kind, name },
        clock.nowMs(),
      );
      const audit = { action: "factor.removed", before: { id, kind, name } };
      return await grants.change(visit, grant, next, { ...NO_PART, writes }, audit);
    });
  }

  /** Names one of the person's factors; nothing that was proven ends by it. @throws SallyportError `not_found` */
  async renameFactor(visit: Visit, factor: unknown, input: unknown): Promise<void> {
    const name = plainName(input);
    await retryConflicts(async () => {
      const { account } = await this.#options.grants.require(visit, undefined, "rename-factor");
      const { credential, tenant, id: user } = account;
      const before = credential.factors.find(({ id }) => id === factor);
      if (before === undefined) throw new SallyportError("not_found", "there is no such factor");
      if (name === undefined || name === before.name) return;
      const factors = credential.factors.map((other) => (other === before ? { ...other, name } : other));
      const actor = { kind: "user" as const, id: user, address: visit.address.text };
      const change = { before: { id: before.id, name: before.name }, after: { id: before.id, name } };
      await this.#options.ledger.commit({
        writes: [writeCredential(account, { ...credential, factors }, true)],
        preconditions: unchanged(account),
        audit: [{ action: "factor.renamed", tenant, actor, target: user, ...change }],
      });
    });
  }

  /** Ten new recovery codes, in `recoveryCodes`; the old ones are void. */
  async renewRecoveryCodes(visit: Visit): Promise<SignedIn> {
    const { grants, outbox, clock } = this.#options;
    return await retryConflicts(async () => {
      const grant = await grants.require(visit, undefined, "recovery-codes");
      const { user, credential } = grant.account;
      if (credential.factors.length === 0) throw new SallyportError("forbidden", "set up another kind of proof first");
      const { codes, stored } = newRecoveryCodes(clock.nowMs());
      const writes = outbox.write(
        visit.tenant,
        readerOf(visit, user),
        { kind: "recovery-codes-renewed" },
        clock.nowMs(),
      );
      const audit = { action: "recovery-codes.renewed" };
      const next = { ...credential, recovery: stored };
      const signedIn = await grants.change(visit, grant, next, { ...NO_PART, writes }, audit);
      return { ...signedIn, recoveryCodes: codes };
    });
  }

  /** What the person has set up, and how many recovery codes are left. */
  async factors(session: LiveSession): Promise<{ factors: FactorView[]; recoveryCodesLeft: number }> {
    const account = await loadAccount(this.#options.store, session.tenant, session.user);
    const credential = account?.credential ?? NO_CREDENTIAL;
    const factors = describeFactors(credential).filter(({ kind }) => kind !== "recovery");
    return { factors, recoveryCodesLeft: credential.recovery?.hashes.length ?? 0 };
  }

  /** The person's remembered devices, oldest first. */
  async devices(session: LiveSession): Promise<RememberedDevice[]> {
    const account = await loadAccount(this.#options.store, session.tenant, session.user);
    return account === undefined ? [] : await listDevices(this.#options.store, account);
  }

  /** Forgets one of them. */
  async forgetDevice(session: LiveSession, device: string, actor: Actor): Promise<void> {
    if (!/^dev_[0-9a-z]{26}$/.test(device)) return;
    const { tenant, user } = session;
    const audit = [{ action: "device.forgotten", tenant, actor, target: user, before: { device } }];
    await this.#options.ledger.commit({ writes: [forgetDevice(tenant, user, device)], audit });
  }
}
