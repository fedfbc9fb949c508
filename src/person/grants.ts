/** Who may change what proves a person: a first sign-in without any factor yet, or a session with a recent proof. */
import type { ChangeCommitter } from "../core/audit.ts";
import type { Clock } from "../core/clock.ts";
import { SallyportError } from "../core/errors.ts";
import { digest, isSecret } from "../core/ids.ts";
import type { Keyring } from "../core/keyring.ts";
import { takeAll } from "../core/rate-limits.ts";
import { DEVICE_METHOD } from "../core/second-factor.ts";
import { hashSessionSecret } from "../core/session.ts";
import type { Store } from "../core/store.ts";
import type { Factor } from "../core/tenant.ts";
import { type Account, type CredentialRecord, loadAccount, unchanged, writeCredential } from "./account.ts";
import { accountOf, type Challenge, readChallenge } from "./challenge.ts";
import type { CommitPart } from "./commit-part.ts";
import type { SignedIn } from "./completion.ts";
import { markKnownBrowser } from "./known-browser.ts";
import { asChangedBy } from "./mailbox.ts";
import { type LiveSession, newSession } from "./session-record.ts";
import type { Sessions } from "./sessions.ts";
import { placeOf, type Visit } from "./visit.ts";

/** How long after a complete sign-in its person may change factors and password without another. */
const FRESH_MS = 10 * 60_000;

/** Whether the session is a recent proof of its person. A remembered device proves no factor. */
export function isFresh({ startedAtMs, amr }: LiveSession, nowMs: number): boolean {
  return nowMs - startedAtMs <= FRESH_MS && !amr.includes(DEVICE_METHOD);
}

/** What somebody does who needs a grant, as a refusal is audited. */
export type Attempt =
  | `enrol-${Factor}`
  | "confirm-factor"
  | "remove-factor"
  | "rename-factor"
  | "recovery-codes"
  | "password";

/** Refusals are audited, but a stolen session must not fill the log: of one kind from one place, and of one user. */
const REFUSALS_TOLD = { place: { burst: 1, periodMs: FRESH_MS }, user: { burst: 20, periodMs: 60 * 60_000 } };

export interface Grant {
  readonly account: Account;
  /** Ties what is begun under this grant to it. */
  readonly name: string;
  /** Absent: the grant is a session. */
  readonly challenge?: Challenge;
  readonly session?: LiveSession;
}

export interface GrantsOptions {
  readonly store: Store;
  readonly ledger: ChangeCommitter;
  readonly keyring: Keyring;
  readonly clock: Clock;
  readonly sessions: Sessions;
}

export class Grants {
  readonly #options: GrantsOptions;

  constructor(options: GrantsOptions) {
    this.#options = options;
  }

  /**
   * @param id of a challenge at stage `enrol`; `undefined`: the visit's session
   * @param attempt `undefined`: only to look
   * @throws SallyportError `proof_required` when there is none; and, audited where it is an attempt, when the session
   * is too old or of a remembered device, or the challenge's user has a factor that was not proven
   */
  async require(visit: Visit, id: unknown, attempt?: Attempt): Promise<Grant> {
    const grant =
      id === undefined ? await this.#bySession(visit, attempt) : await this.#byChallenge(visit, id, attempt);
    if (grant === undefined) throw new SallyportError("proof_required", "sign in again to change this");
    const { account, challenge, session } = grant;
    const credential = asChangedBy(challenge?.record.amr ?? session?.amr ?? [], account.credential);
    return { ...grant, account: { ...account, credential } };
  }

  /**
   * Changes what proves a signed-in person: everything that was proven before is void, and the person goes on
   * with a new session that is no younger than its proof.
   */
  async change(
    visit: Visit,
    grant: Grant,
    credential: CredentialRecord,
    change: CommitPart,
    audit: { readonly action: string; readonly before?: unknown; readonly after?: unknown },
  ): Promise<SignedIn> {
    const { sessions, clock, keyring } = this.#options;
    const { account, session } = grant;
    if (session === undefined) throw new SallyportError("proof_required", "sign in again to change this");
    const raised = { ...account, user: { ...account.user, epoch: account.user.epoch + 1 } };
    const next = newSession(visit, raised, session, clock.nowMs(), session.startedAtMs);
    const actor = { kind: "user" as const, id: account.id, address: visit.address.text };
    await sessions.revoke(account, account.user, {
      writes: [...next.writes, writeCredential(account, credential, false), ...change.writes],
      // The revocation states the condition on the user document itself.
      preconditions: [...unchanged(account).slice(1), ...change.preconditions],
      audit: [{ ...audit, tenant: account.tenant, actor, target: account.id }],
    });
    return {
      kind: "signed-in",
      session: { secret: next.secret, expiresAtMs: next.expiresAtMs },
      known: markKnownBrowser(keyring, account.tenant, visit.cookies.known, account.user.email),
      wayBack: "/.sallyport/account",
      user: account.id,
      amr: session.amr,
    };
  }

  async #bySession(visit: Visit, attempt: Attempt | undefined): Promise<Grant | undefined> {
    const { store, sessions, clock } = this.#options;
    const secret = visit.cookies.session;
    if (!isSecret(secret)) return undefined;
    const hash = hashSessionSecret(secret);
    const session = await sessions.lookup(visit.tenant, hash);
    if (session === undefined) return undefined;
    if (!isFresh(session, clock.nowMs())) {
      const why = session.amr.includes(DEVICE_METHOD) ? "remembered-device" : "proof-too-old";
      return await this.#refuse(visit, session.user, attempt, { why, session: session.id });
    }
    const account = await loadAccount(store, visit.tenant.id, session.user);
    return account === undefined ? undefined : { account, name: `session/${digest(hash)}`, session };
  }

  async #byChallenge(visit: Visit, id: unknown, attempt: Attempt | undefined): Promise<Grant | undefined> {
    const { store } = this.#options;
    const challenge = await readChallenge(store, visit, id);
    // Until the first step is done, nobody is known to be there.
    if (challenge === undefined || challenge.record.epoch === 0) return undefined;
    const account = await accountOf(store, visit, challenge.record);
    if (account === undefined) return undefined;
    const enrols = challenge.record.stage === "enrol" && account.credential.factors.length === 0;
    if (enrols) return { account, name: challenge.documentId, challenge };
    return await this.#refuse(visit, account.id, attempt, { why: "factor-not-proven" });
  }

  async #refuse(visit: Visit, user: string, attempt: Attempt | undefined, more: object): Promise<undefined> {
    if (attempt === undefined) return;
    const { store, ledger } = this.#options;
    const tenant = visit.tenant.id;
    const key = `factor-refused/${tenant}/${user}`;
    const waitMs = await takeAll(store, [
      [`${key}/${placeOf(visit.address)}/${attempt}`, REFUSALS_TOLD.place],
      [key, REFUSALS_TOLD.user],
    ]);
    if (waitMs > 0) return;
    const actor = { kind: "user" as const, id: user, address: visit.address.text };
    const after = { attempt, ...more };
    await ledger.commit({ writes: [], audit: [{ action: "factor.refused", tenant, actor, target: user, after }] });
  }
}
