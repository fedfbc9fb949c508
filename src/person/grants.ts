/** Who may change what proves a person: a first sign-in without any factor yet, or a session with a recent proof. */
import type { ChangeCommitter } from "../core/audit.ts";
import type { Clock } from "../core/clock.ts";
import { SallyportError } from "../core/errors.ts";
import { digest, isSecret } from "../core/ids.ts";
import type { Keyring } from "../core/keyring.ts";
import { hashSessionSecret } from "../core/session.ts";
import type { Store } from "../core/store.ts";
import { type Account, type CredentialRecord, loadAccount, unchanged, writeCredential } from "./account.ts";
import { accountOf, type Challenge, readChallenge } from "./challenge.ts";
import type { CommitPart } from "./commit-part.ts";
import type { SignedIn } from "./completion.ts";
import { markKnownBrowser } from "./known-browser.ts";
import { asChangedBy } from "./mailbox.ts";
import { type LiveSession, newSession } from "./session-record.ts";
import type { Sessions } from "./sessions.ts";
import type { Visit } from "./visit.ts";

/** How long after a complete sign-in its person may change factors and password without another. */
const FRESH_MS = 10 * 60_000;

/** Whether the session is a recent proof of its person. A remembered device proves no factor. */
export function isFresh({ startedAtMs, amr }: LiveSession, nowMs: number): boolean {
  return nowMs - startedAtMs <= FRESH_MS && !amr.includes("device");
}

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
   * @throws SallyportError `proof_required` when there is none, it is too old, or (audited) the challenge's user
   * has a factor by now
   */
  async require(visit: Visit, id: unknown): Promise<Grant> {
    const grant = id === undefined ? await this.#bySession(visit) : await this.#byChallenge(visit, id);
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

  async #bySession(visit: Visit): Promise<Grant | undefined> {
    const { store, sessions, clock } = this.#options;
    const secret = visit.cookies.session;
    if (!isSecret(secret)) return undefined;
    const hash = hashSessionSecret(secret);
    const session = await sessions.lookup(visit.tenant, hash);
    if (session === undefined || !isFresh(session, clock.nowMs())) return undefined;
    const account = await loadAccount(store, visit.tenant.id, session.user);
    return account === undefined ? undefined : { account, name: `session/${digest(hash)}`, session };
  }

  async #byChallenge(visit: Visit, id: unknown): Promise<Grant | undefined> {
    const { store, ledger } = this.#options;
    const challenge = await readChallenge(store, visit, id);
    if (challenge === undefined || challenge.record.stage !== "enrol") return undefined;
    const account = await accountOf(store, visit, challenge.record);
    if (account === undefined) return undefined;
    if (account.credential.factors.length === 0) return { account, name: challenge.documentId, challenge };
    if (!(await store.useOnce(`factor-refused/${challenge.documentId}`, FRESH_MS))) return undefined;
    const actor = { kind: "user" as const, id: account.id, address: visit.address.text };
    const audit = { action: "factor.refused", tenant: account.tenant, actor, target: account.id };
    await ledger.commit({ writes: [], audit: [audit] });
    return undefined;
  }
}
