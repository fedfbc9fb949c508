/** The end of a sign-in: everything that was proven is spent, and the session begins, in one commit. */
import type { AuditInput, ChangeCommitter } from "../core/audit.ts";
import type { Clock } from "../core/clock.ts";
import { isSecret } from "../core/ids.ts";
import type { Keyring } from "../core/keyring.ts";
import type { SessionProofs } from "../core/second-factor.ts";
import { hashSessionSecret, SESSION_KIND } from "../core/session.ts";
import type { Store, Write } from "../core/store.ts";
import type { Outbox } from "../notify/outbox.ts";
import { type Account, type CredentialRecord, unchanged, writeCredential, writeUser } from "./account.ts";
import { type Challenge, closeChallenge } from "./challenge.ts";
import type { CommitPart } from "./commit-part.ts";
import { rememberDevice } from "./devices.ts";
import { knownBrowserOf, markKnownBrowser } from "./known-browser.ts";
import { groupOf, knownPlace, markKnownPlace } from "./known-places.ts";
import { withProvenMailbox } from "./mailbox.ts";
import { FEW_CODES } from "./recovery.ts";
import { endSession, newSession, type SessionRecord, sessionIdOf } from "./session-record.ts";
import type { SharedLogins } from "./shared-login.ts";
import { giveBackFinished } from "./shares.ts";
import { STRANGER, type Throttle, type Visitor } from "./throttle.ts";
import { placeOf, readerOf, type Visit } from "./visit.ts";

/** What has been proven and what else belongs to the commit. */
export interface Proven extends CommitPart, SessionProofs {
  readonly account: Account;
  /** With the proof spent; the account's own where nothing was. */
  readonly credential: CredentialRecord;
  /** The credential changed in more than a spent proof. */
  readonly managed?: boolean;
  /** Used up by this commit. */
  readonly challenge: Challenge;
  readonly remember: boolean;
  readonly audit?: readonly AuditInput[];
}

/** Cookie values for the browser, and where it goes. Secrets: for `Set-Cookie` alone. */
export interface SignedIn {
  readonly kind: "signed-in";
  readonly session: { readonly secret: string; readonly expiresAtMs: number };
  /** Marks the browser as known. */
  readonly known: string;
  readonly device?: { readonly token: string; readonly expiresAtMs: number };
  readonly wayBack: string;
  readonly user: string;
  readonly amr: readonly string[];
  /** How many recovery codes are left, when they are few. */
  readonly recoveryCodesLeft?: number;
  /** New recovery codes: shown now and never again. */
  readonly recoveryCodes?: readonly string[];
}

export interface CompletionOptions {
  readonly store: Store;
  readonly ledger: ChangeCommitter;
  readonly keyring: Keyring;
  readonly clock: Clock;
  readonly outbox: Pick<Outbox, "write">;
  readonly throttle: Throttle;
  readonly sharedLogins: SharedLogins;
}

export class Completion {
  readonly #options: CompletionOptions;

  constructor(options: CompletionOptions) {
    this.#options = options;
  }

  /** Which failures a try of this visit counts among; the same for a login that does not exist. */
  async visitor(visit: Visit, email: string): Promise<Visitor> {
    const noted = await knownPlace(this.#options.store, visit.tenant.id, placeOf(visit.address));
    return this.#visitor(visit, email, noted !== undefined);
  }

  #visitor(visit: Visit, email: string, known: boolean): Visitor {
    const tenant = visit.tenant.id;
    const place = placeOf(visit.address);
    const browser = knownBrowserOf(this.#options.keyring, tenant, visit.cookies.known, email);
    const [there, elsewhere] = visit.located ? ["located-place", "located"] : ["place", STRANGER];
    const bucket = known ? `${there}:${groupOf(email, place)}` : elsewhere;
    return { tenant, email, bucket: browser === undefined ? bucket : `browser:${browser}`, place };
  }

  /**
   * Begins the session. The session that the browser held before, if any, ends in the same commit: its secret
   * is good for nothing that comes after the proof.
   * @throws ConflictError when the account, or something else that was judged, has changed meanwhile: judge again
   */
  async complete(visit: Visit, proven: Proven): Promise<SignedIn> {
    const { store, ledger, clock, keyring, throttle, sharedLogins } = this.#options;
    const nowMs = clock.nowMs();
    const { account, challenge } = proven;
    const close = closeChallenge(challenge);
    const amr = withSummary(proven.amr);
    const session = newSession(visit, account, { ...proven, amr }, nowMs);
    // As its tries were counted: the place may be known only from now on.
    const noted = await knownPlace(store, account.tenant, placeOf(visit.address));
    const visitor = this.#visitor(visit, account.user.email, noted !== undefined);
    const device = proven.remember ? rememberDevice(visit, account, amr, nowMs) : undefined;
    const { record } = challenge;
    const spent = withProvenMailbox(proven.credential, record, proven.amr, account.user.email);
    const credential = { ...spent, lastSignInAt: new Date(nowMs).toISOString() };
    const actor = { kind: "user" as const, id: account.id, address: visit.address.text };
    const started = {
      action: "session.started",
      tenant: account.tenant,
      actor,
      target: account.id,
      after: { amr, session: sessionIdOf(session.hash) },
    };
    await ledger.commit({
      writes: [
        ...session.writes,
        ...(device === undefined ? [] : [device.write]),
        ...(await this.#replaced(visit)),
        writeCredential(account, credential, proven.managed !== true),
        ...markKnownPlace(noted, account.tenant, visitor.place, nowMs),
        // Where there are no passwords, the first session is what an invitation comes to.
        ...(account.user.state === "invited" ? [writeUser(account, { ...account.user, state: "active" })] : []),
        ...this.#recoveryNotice(visit, account, proven, nowMs),
        ...(visitor.bucket === STRANGER ? this.#placeNotice(visit, account, nowMs) : []),
        ...close.writes,
        ...proven.writes,
      ],
      preconditions: [...unchanged(account), ...close.preconditions, ...proven.preconditions],
      audit: [...(proven.audit ?? []), started],
    });
    // The session stands, whatever becomes of these.
    await Promise.allSettled([
      throttle.clear(visitor),
      giveBackFinished(store, record.shares ?? [], account),
      sharedLogins.look(visit, account, session.hash),
    ]);
    const left = credential.recovery?.hashes.length;
    return {
      kind: "signed-in",
      session: { secret: session.secret, expiresAtMs: session.expiresAtMs },
      known: markKnownBrowser(keyring, account.tenant, visit.cookies.known, account.user.email),
      ...(device === undefined ? {} : { device: { token: device.token, expiresAtMs: device.expiresAtMs } }),
      wayBack: record.wayBack,
      user: account.id,
      amr,
      ...(left === undefined || left > FEW_CODES ? {} : { recoveryCodesLeft: left }),
    };
  }

  async #replaced(visit: Visit): Promise<Write[]> {
    const secret = visit.cookies.session;
    if (!isSecret(secret)) return [];
    const hash = hashSessionSecret(secret);
    const document = await this.#options.store.get(SESSION_KIND, `${visit.tenant.id}/${hash}`);
    if (document === undefined) return [];
    return endSession(visit.tenant.id, (document.value as SessionRecord).user, hash);
  }

  /** Not of the first sign-in, whose place and browser cannot be known. */
  #placeNotice(visit: Visit, { user, credential }: Account, nowMs: number): readonly Write[] {
    if (credential.lastSignInAt === undefined) return [];
    const notice = { kind: "new-place", address: visit.address.text, userAgent: visit.userAgent } as const;
    return this.#options.outbox.write(visit.tenant, readerOf(visit, user), notice, nowMs);
  }

  #recoveryNotice(visit: Visit, account: Account, proven: Proven, nowMs: number): readonly Write[] {
    if (!proven.amr.includes("recovery")) return [];
    const left = proven.credential.recovery?.hashes.length ?? 0;
    return this.#options.outbox.write(
      visit.tenant,
      readerOf(visit, account.user),
      { kind: "recovery-code-used", left },
      nowMs,
    );
  }
}

/** RFC 8176: `mfa` when more than one kind of proof was given, or a key that verified its user. */
function withSummary(amr: readonly string[]): readonly string[] {
  const proofs = amr.filter((method) => method !== "mfa");
  return proofs.length > 1 ? [...proofs, "mfa"] : proofs;
}
