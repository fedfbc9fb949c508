/** Invitations, forgotten passwords and tickets: tokens that stand for a first step, each good for one use. */
import type { Actor, ChangeCommitter } from "../core/audit.ts";
import type { Clock } from "../core/clock.ts";
import { SallyportError } from "../core/errors.ts";
import { digest, type TenantId } from "../core/ids.ts";
import type { RateLimit, Store, Write } from "../core/store.ts";
import type { Tenant } from "../core/tenant.ts";
import type { Outbox } from "../notify/outbox.ts";
import { type Account, findAccount, loadAccount, unchanged, writeCredential } from "./account.ts";
import { newChallenge } from "./challenge.ts";
import { NO_PART } from "./commit-part.ts";
import { normaliseEmail } from "./email.ts";
import type { Errands } from "./errands.ts";
import type { FirstSteps } from "./first-step.ts";
import { withoutMailbox } from "./mailbox.ts";
import type { PasswordHasher } from "./password-hash.ts";
import { checkNewPassword, type PasswordContext } from "./password-rules.ts";
import { retryConflicts } from "./retry.ts";
import type { Sessions } from "./sessions.ts";
import type { Outcome } from "./step.ts";
import type { Throttle } from "./throttle.ts";
import { type LiveToken, newToken, readToken } from "./tokens.ts";
import { placeOf, readerOf, type Visit } from "./visit.ts";
import { requireWayBack } from "./way-back.ts";

const HOUR_MS = 60 * 60_000;
/** Reset mails for one login, and asked for from one address. */
const RESETS_PER_LOGIN: RateLimit = { burst: 3, periodMs: HOUR_MS };
const RESETS_PER_ADDRESS: RateLimit = { burst: 20, periodMs: HOUR_MS };
/** From a place on the clinic's list, where hundreds may come back from their holidays. */
const RESETS_PER_LOCATED: RateLimit = { burst: 300, periodMs: HOUR_MS };

export interface InvitationsOptions {
  readonly store: Store;
  readonly ledger: ChangeCommitter;
  readonly clock: Clock;
  readonly outbox: Pick<Outbox, "write">;
  readonly hasher: PasswordHasher;
  readonly sessions: Sessions;
  readonly throttle: Throttle;
  readonly firstSteps: FirstSteps;
  readonly errands: Errands;
  /** `scheme://host[:port]` under which a tenant's pages are reached. */
  readonly siteOrigin: (tenant: Tenant) => string;
}

export interface Invitation {
  /** For the person alone. */
  readonly link: string;
  readonly expiresAtMs: number;
}

export interface Ticket {
  /** For the browser alone. */
  readonly token: string;
  readonly expiresAtMs: number;
}

/** An outcome, with the cookie value that binds the browser to the challenge that follows. */
export type Accepted = Outcome & { readonly browser?: string };

export class Invitations {
  readonly #options: InvitationsOptions;

  constructor(options: InvitationsOptions) {
    this.#options = options;
  }

  /**
   * Invites a user, by mail where mail is on: with a link of its own there, so that following it proves the mailbox,
   * as following the one that the caller gets does not. Using either voids both, and earlier invitations are void.
   * @throws SallyportError `not_found`
   */
  async invite(tenant: Tenant, user: string, actor: Actor): Promise<Invitation> {
    const { store, sessions, outbox, clock, siteOrigin } = this.#options;
    return await retryConflicts(async () => {
      const nowMs = clock.nowMs();
      const account = await existing(store, tenant.id, user);
      const linkOf = (token: string) => `${siteOrigin(tenant)}/.sallyport/invite/${token}`;
      const epoch = account.user.epoch + 1;
      const handed = newToken(account, "invite", epoch, nowMs);
      const mailed = newToken(account, "invite", epoch, nowMs, { mailed: true });
      const { expiresAtMs } = mailed;
      const notice = { kind: "invite", link: linkOf(mailed.token), expiresAtMs } as const;
      const outcome: Invitation = { link: linkOf(handed.token), expiresAtMs };
      await sessions.revoke(account, account.user, {
        writes: [handed.write, mailed.write, ...outbox.write(tenant, account.user, notice, nowMs)],
        preconditions: [],
        audit: [{ action: "user.invited", tenant: tenant.id, actor, target: user }],
        outcome,
      });
      return outcome;
    });
  }

  /**
   * Mails a link to set a new password, if there is such a login. Whether there is one is looked up after the answer.
   * @throws SallyportError `limit_reached` when this address asks for too many, or too many are being looked up
   */
  async requestReset(visit: Visit, input: unknown): Promise<void> {
    const { store, errands } = this.#options;
    const email = normaliseEmail(input);
    if (email === undefined) return;
    const place = placeOf(visit.address);
    const byAddress = visit.located
      ? await store.take(`reset/located/${visit.tenant.id}/${place}`, RESETS_PER_LOCATED)
      : await store.take(`reset/address/${place}`, RESETS_PER_ADDRESS);
    if (!byAddress.allowed) {
      const { retryAfterMs } = byAddress;
      throw new SallyportError("limit_reached", "too many new passwords were asked for from here", { retryAfterMs });
    }
    const byLogin = await store.take(`reset/login/${visit.tenant.id}/${digest(email)}`, RESETS_PER_LOGIN);
    if (byLogin.allowed) errands.run(() => this.#mailReset(visit, email));
  }

  async #mailReset(visit: Visit, email: string): Promise<void> {
    const { store, ledger, outbox, clock, siteOrigin } = this.#options;
    const { tenant } = visit;
    const account = await findAccount(store, tenant.id, email);
    const wanted =
      account !== undefined && account.user.state !== "disabled" && tenant.policy.firstFactor === "password";
    const writes: Write[] = [];
    if (wanted) {
      const nowMs = clock.nowMs();
      const { token, expiresAtMs, write } = newToken(account, "reset", account.user.epoch, nowMs, { mailed: true });
      const link = `${siteOrigin(tenant)}/.sallyport/reset/${token}`;
      writes.push(
        write,
        ...outbox.write(tenant, readerOf(visit, account.user), { kind: "password-reset", link, expiresAtMs }, nowMs),
      );
    }
    const actor = { kind: "user" as const, id: wanted ? account.id : "unknown", address: visit.address.text };
    await ledger.commit({ writes, audit: [{ action: "reset.requested", tenant: tenant.id, actor }] });
  }

  /**
   * A ticket with which the portal backend hands over a browser that it has identified.
   * @throws SallyportError `not_found`; `body_invalid` for a way back that leads elsewhere
   */
  async ticket(tenant: TenantId, user: string, actor: Actor, wayBack = "/"): Promise<Ticket> {
    const { store, ledger, clock } = this.#options;
    const account = await existing(store, tenant, user);
    if (account.user.state === "disabled") throw new SallyportError("forbidden", "this user is disabled");
    const ticket = newToken(account, "ticket", account.user.epoch, clock.nowMs(), {
      wayBack: requireWayBack(wayBack),
    });
    const outcome: Ticket = { token: ticket.token, expiresAtMs: ticket.expiresAtMs };
    const audit = [{ action: "ticket.created", tenant, actor, target: user }];
    await ledger.commit({ writes: [ticket.write], audit, outcome });
    return outcome;
  }

  /** Whose token it is, for the page that asks for the click; changes nothing. */
  async show(visit: Visit, purpose: "invite" | "reset", token: unknown): Promise<{ email: string } | undefined> {
    const live = await readToken(this.#options.store, visit.tenant.id, purpose, token);
    return live === undefined ? undefined : { email: live.account.user.email };
  }

  /**
   * Uses an invitation or a reset: sets the password (where the tenant has passwords), ends every session and
   * lifts every lock, and goes on to the second factor, or to enrolling one.
   * @throws SallyportError `password_refused`; the token stays good
   */
  async accept(visit: Visit, purpose: "invite" | "reset", token: unknown, password?: unknown): Promise<Accepted> {
    const { store, throttle, hasher } = this.#options;
    const first = await readToken(store, visit.tenant.id, purpose, token);
    if (first === undefined) return { kind: "gone" };
    const phc =
      visit.tenant.policy.firstFactor === "none"
        ? undefined
        : await hasher.hash(checkNewPassword(password, passwordContext(visit.tenant, first.account)));
    const used = await retryConflicts(async () => {
      const live = await readToken(store, visit.tenant.id, purpose, token);
      if (live !== undefined) await this.#setPassword(visit, live, purpose, phc);
      return live;
    });
    if (used === undefined) return { kind: "gone" };
    await throttle.lift(used.account.tenant, used.account.user.email);
    return await this.#goOn(visit, used, [phc === undefined ? "mail" : "pwd"]);
  }

  /** Takes over a browser with a ticket. */
  async redeemTicket(visit: Visit, token: unknown): Promise<Accepted> {
    const { store, clock, firstSteps } = this.#options;
    return await retryConflicts(async () => {
      const live = await readToken(store, visit.tenant.id, "ticket", token);
      if (live === undefined) return { kind: "gone" };
      const { account, spend, wayBack } = live;
      const { challenge, browser } = newChallenge(visit, clock.nowMs(), { ...BLANK, wayBack });
      const actor = { kind: "user" as const, id: account.id, address: visit.address.text };
      const audit = [{ action: "ticket.used", tenant: account.tenant, actor, target: account.id }];
      const first = { ...spend, account, amr: ["ticket"], audit };
      return { ...(await firstSteps.advance(visit, challenge, first)), browser };
    });
  }

  async #setPassword(visit: Visit, live: LiveToken, purpose: "invite" | "reset", phc: string | undefined) {
    const { sessions, outbox, clock } = this.#options;
    const { account, spend } = live;
    const { tenant, id, user } = account;
    // Proven anew when the sign-in that this begins is finished.
    const unproven = withoutMailbox(account.credential);
    const credential = phc === undefined ? unproven : { ...unproven, password: phc };
    const told =
      purpose === "reset"
        ? outbox.write(visit.tenant, readerOf(visit, user), { kind: "password-changed" }, clock.nowMs())
        : [];
    const action = purpose === "reset" ? "password.reset" : "invite.accepted";
    const actor = { kind: "user" as const, id, address: visit.address.text };
    const joins = phc !== undefined && user.state === "invited";
    await sessions.revoke(account, joins ? { ...user, state: "active" } : user, {
      writes: [...spend.writes, writeCredential(account, credential, false), ...told],
      // The revocation states the condition on the user document itself.
      preconditions: [...spend.preconditions, ...unchanged(account).slice(1)],
      audit: [{ action, tenant, actor, target: id }],
    });
  }

  async #goOn(visit: Visit, used: LiveToken, amr: readonly string[]): Promise<Accepted> {
    const { store, clock, firstSteps } = this.#options;
    return await retryConflicts(async () => {
      const account = await loadAccount(store, visit.tenant.id, used.account.id);
      if (account === undefined || account.user.state === "disabled") return { kind: "gone" };
      const { challenge, browser } = newChallenge(visit, clock.nowMs(), { ...BLANK, mailed: used.mailed });
      const first = { ...NO_PART, account, amr, audit: [] };
      return { ...(await firstSteps.advance(visit, challenge, first)), browser };
    });
  }
}

const BLANK = { stage: "identify", wayBack: "/", fresh: false, amr: [], epoch: 0 } as const;

/** The names that a password must not be built from. */
export function passwordContext(tenant: Tenant, account: Account): PasswordContext {
  return { email: account.user.email, name: account.user.name, tenantName: tenant.name, hosts: tenant.hosts };
}

async function existing(store: Store, tenant: TenantId, user: string): Promise<Account> {
  const account = await loadAccount(store, tenant, user);
  if (account === undefined) throw new SallyportError("not_found", "there is no such user");
  return account;
}
