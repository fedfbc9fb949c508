/** Managing a tenant's users: what the admin API and the clinic's owner do, never what a person proves. */
import type { Actor, AuditInput, ChangeCommitter } from "../core/audit.ts";
import type { Clock } from "../core/clock.ts";
import { SallyportError } from "../core/errors.ts";
import { newId, type TenantId } from "../core/ids.ts";
import type { ListRequest, Store } from "../core/store.ts";
import type { Tenant } from "../core/tenant.ts";
import type { Outbox } from "../notify/outbox.ts";
import {
  type Account,
  CREDENTIAL_KIND,
  type CredentialRecord,
  findAccount,
  loadAccount,
  NO_CREDENTIAL,
  type Role,
  USER_KIND,
  type UserRecord,
  unchanged,
  userDocumentId,
  writeCredential,
  writeUser,
} from "./account.ts";
import { NO_PART } from "./commit-part.ts";
import { normaliseEmail, parseEmail } from "./email.ts";
import type { PasswordHasher } from "./password-hash.ts";
import { checkNewPassword } from "./password-rules.ts";
import { readName } from "./plain-name.ts";
import { retryConflicts } from "./retry.ts";
import type { Sessions } from "./sessions.ts";
import type { Throttle } from "./throttle.ts";
import {
  auditedUser,
  changedUser,
  moveLogin,
  refuseSelfHarm,
  takenOr,
  type UserChange,
  unclaimed,
  writeLogin,
} from "./user-change.ts";
import { describeUser, type UserView } from "./user-view.ts";

export interface NewUser {
  readonly email: unknown;
  readonly name?: string;
  readonly role?: Role;
  /** The operator's own choice, by the same rules as a person's; without it the user is `invited`. */
  readonly password?: unknown;
}

export interface UsersOptions {
  readonly store: Store;
  readonly ledger: ChangeCommitter;
  readonly clock: Clock;
  readonly outbox: Pick<Outbox, "write">;
  readonly hasher: PasswordHasher;
  readonly sessions: Sessions;
  readonly throttle: Throttle;
}

/** Methods that name a user throw `not_found` when the tenant has none of that id. */
export class Users {
  readonly #options: UsersOptions;

  constructor(options: UsersOptions) {
    this.#options = options;
  }

  /** @throws SallyportError `email_invalid`, `email_taken`, `password_refused`, `body_invalid` for a name that is none */
  async create(tenant: Tenant, input: NewUser, actor: Actor): Promise<UserView> {
    const { store, ledger, clock, hasher } = this.#options;
    const nowMs = clock.nowMs();
    const email = parseEmail(input.email);
    const { role = "user", password } = input;
    const name = input.name === undefined ? undefined : readName(input.name);
    const context = { email, name, tenantName: tenant.name, hosts: tenant.hosts };
    const phc = password === undefined ? undefined : await hasher.hash(checkNewPassword(password, context));
    const key = { tenant: tenant.id, id: newId("usr", nowMs) };
    const user: UserRecord = {
      email,
      ...(name === undefined ? {} : { name }),
      role,
      state: phc === undefined ? "invited" : "active",
      epoch: 1,
      createdAt: new Date(nowMs).toISOString(),
    };
    const credential: CredentialRecord = phc === undefined ? NO_CREDENTIAL : { ...NO_CREDENTIAL, password: phc };
    const login = writeLogin(tenant.id, email, key.id);
    await ledger
      .commit({
        writes: [writeUser(key, user), writeCredential(key, credential, false), login],
        preconditions: [unclaimed(login)],
        audit: [this.#audit("user.created", tenant.id, actor, key.id, { after: auditedUser(user) })],
      })
      .catch(takenOr);
    const account = await loadAccount(store, tenant.id, key.id);
    if (account === undefined) throw new SallyportError("not_found", "the user was deleted at the same moment");
    return await this.#view(tenant, account);
  }

  async get(tenant: Tenant, user: string): Promise<UserView> {
    return await this.#view(tenant, await this.#account(tenant.id, user));
  }

  /** The user with this login, however it is spelt. */
  async byEmail(tenant: Tenant, email: string): Promise<UserView | undefined> {
    const account = await findAccount(this.#options.store, tenant.id, normaliseEmail(email) ?? "");
    return account === undefined ? undefined : await this.#view(tenant, account);
  }

  /** By id, or else by e-mail. */
  async find(tenant: Tenant, who: string): Promise<UserView | undefined> {
    const account = await loadAccount(this.#options.store, tenant.id, who);
    return account === undefined ? await this.byEmail(tenant, who) : await this.#view(tenant, account);
  }

  /** In the order of their making. @param page `after`: the last id of the page before; `limit` 1 to 1,000 */
  async list(tenant: Tenant, page: Pick<ListRequest, "limit" | "after">): Promise<UserView[]> {
    const { store, throttle } = this.#options;
    const prefix = `${tenant.id}/`;
    const after = page.after === undefined ? undefined : prefix + page.after;
    const users = await store.list({ kind: USER_KIND, prefix, limit: page.limit, after });
    const credentials = await store.getMany(
      CREDENTIAL_KIND,
      users.map((document) => document.id),
    );
    const records = users.map((document) => document.value as UserRecord);
    const failures = await throttle.summaries(
      tenant.id,
      records.map((user) => user.email),
    );
    return users.map((document, index) => {
      const credential = (credentials[index]?.value as CredentialRecord | undefined) ?? NO_CREDENTIAL;
      const user = document.value as UserRecord;
      const id = document.id.slice(prefix.length);
      return describeUser(tenant, { id, user, credential, revision: document.revision }, failures[index]);
    });
  }

  /**
   * Changes a user. A new e-mail, another role and disabling end every session: what they hold was proven by
   * another login or for other rights; a new e-mail is told to the earlier and to the new address. Nobody takes their own rights away by mistake.
   * @throws SallyportError `email_invalid`, `email_taken`, `forbidden`
   */
  async change(tenant: Tenant, id: string, change: UserChange, actor: Actor): Promise<UserView> {
    const { sessions, ledger, throttle, outbox, clock } = this.#options;
    const before = await retryConflicts(async () => {
      const account = await this.#account(tenant.id, id);
      const user = changedUser(account, change);
      refuseSelfHarm(account, user, actor);
      const audit = [
        this.#audit("user.changed", tenant.id, actor, id, {
          before: auditedUser(account.user),
          after: auditedUser(user),
        }),
      ];
      const moved = user.email !== account.user.email;
      const { writes, preconditions } = moved ? moveLogin(account, user.email) : NO_PART;
      const voids = moved || user.role !== account.user.role || user.state === "disabled";
      const notice = { kind: "email-changed", login: user.email } as const;
      const told = moved ? [account.user, user] : [];
      const mails = told.flatMap((to) => outbox.write(tenant, to, notice, clock.nowMs()));
      const revocation = { writes: [...writes, ...mails], preconditions, audit };
      if (voids) await sessions.revoke(account, user, revocation).catch(takenOr);
      else {
        const unchangedUser = unchanged(account).slice(0, 1);
        await ledger.commit({ writes: [writeUser(account, user)], preconditions: unchangedUser, audit });
      }
      return account;
    });
    if (change.state === "active") await throttle.lift(tenant.id, before.user.email);
    return await this.get(tenant, id);
  }

  /** Deletes a user and everything that proves them. @throws SallyportError `forbidden` */
  async delete(tenant: Tenant, id: string, actor: Actor): Promise<void> {
    const { sessions, ledger, throttle } = this.#options;
    const deleted = await retryConflicts(async () => {
      const account = await this.#account(tenant.id, id);
      refuseSelfHarm(account, undefined, actor);
      const gone = userDocumentId(tenant.id, id);
      await ledger.commit({
        writes: [
          { kind: USER_KIND, id: gone, value: null },
          { kind: CREDENTIAL_KIND, id: gone, value: null },
          writeLogin(tenant.id, account.user.email, undefined),
        ],
        preconditions: unchanged(account),
        audit: [this.#audit("user.deleted", tenant.id, actor, id, { before: auditedUser(account.user) })],
      });
      return account;
    });
    await sessions.endLeftovers(tenant.id, id, deleted.user.epoch);
    await throttle.lift(tenant.id, deleted.user.email);
  }

  /** Takes every factor and recovery code away: the next sign-in enrols anew. Sessions and devices end; the person is told. */
  async resetFactors(tenant: Tenant, id: string, actor: Actor): Promise<UserView> {
    const { sessions, outbox, clock } = this.#options;
    await retryConflicts(async () => {
      const account = await this.#account(tenant.id, id);
      const { recovery: _, lastFactor: __, ...kept } = account.credential;
      const before = account.credential.factors.map((factor) => ({
        id: factor.id,
        kind: factor.kind,
        name: factor.name,
      }));
      const told = outbox.write(tenant, account.user, { kind: "factors-reset" }, clock.nowMs());
      await sessions.revoke(account, account.user, {
        writes: [writeCredential(account, { ...kept, factors: [] }, false), ...told],
        preconditions: unchanged(account).slice(1),
        audit: [this.#audit("factors.reset", tenant.id, actor, id, { before })],
      });
    });
    return await this.get(tenant, id);
  }

  /** Lifts locks and delays after failures. */
  async unlock(tenant: Tenant, id: string, actor: Actor): Promise<UserView> {
    const { ledger, throttle } = this.#options;
    const account = await this.#account(tenant.id, id);
    await ledger.commit({ writes: [], audit: [this.#audit("user.unlocked", tenant.id, actor, id, {})] });
    await throttle.lift(tenant.id, account.user.email);
    return await this.#view(tenant, account);
  }

  /** Signs a user out everywhere. @returns how many sessions ended */
  async endSessions(tenant: Tenant, id: string, actor: Actor): Promise<number> {
    return await retryConflicts(async () => {
      return await this.#options.sessions.endAllOf(await this.#account(tenant.id, id), actor);
    });
  }

  #audit(
    action: string,
    tenant: TenantId,
    actor: Actor,
    target: string,
    about: Pick<AuditInput, "before" | "after">,
  ): AuditInput {
    return { action, tenant, actor, target, ...about };
  }

  async #account(tenant: TenantId, id: string): Promise<Account> {
    const account = await loadAccount(this.#options.store, tenant, id);
    if (account === undefined) throw new SallyportError("not_found", "there is no such user");
    return account;
  }

  async #view(tenant: Tenant, { id, user, userRevision: revision, credential }: Account): Promise<UserView> {
    const [failures] = await this.#options.throttle.summaries(tenant.id, [user.email]);
    return describeUser(tenant, { id, user, credential, revision }, failures);
  }
}
