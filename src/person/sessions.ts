/** Live sessions: looked up by the hash of their secret, kept awake in batches, listed, and ended for good. */
import type { Actor, AuditInput, ChangeCommitter } from "../core/audit.ts";
import type { Clock } from "../core/clock.ts";
import type { SessionHash, TenantId } from "../core/ids.ts";
import { readAll } from "../core/read-all.ts";
import { SESSION_KIND } from "../core/session.ts";
import type { ListRequest, Store, StoredDocument } from "../core/store.ts";
import type { Tenant } from "../core/tenant.ts";
import { type Account, USER_KIND, type UserRecord, userDocumentId, writeUser } from "./account.ts";
import { type CommitPart, NO_PART } from "./commit-part.ts";
import {
  describeSession,
  endSession,
  type LiveSession,
  SESSION_USE_KIND,
  type SessionRecord,
  sessionIdOf,
  USER_SESSION_KIND,
} from "./session-record.ts";

const PAGE = 500;

/** What a revocation changes besides ending the sessions; all of it is one commit. */
export interface Revocation extends CommitPart {
  readonly audit: readonly AuditInput[];
  readonly outcome?: unknown;
}

export class Sessions {
  readonly #store: Store;
  readonly #ledger: ChangeCommitter;
  readonly #clock: Clock;
  /** `{tenant}/{hash}` → when it was last used and until when that matters; written by {@link flush}. */
  #seen = new Map<string, { readonly atMs: number; readonly untilMs: number }>();

  constructor(store: Store, ledger: ChangeCommitter, clock: Clock) {
    this.#store = store;
    this.#ledger = ledger;
    this.#clock = clock;
  }

  /** The live session with this hash. Three reads; no write. */
  async lookup(tenant: Pick<Tenant, "id" | "policy">, hash: SessionHash): Promise<LiveSession | undefined> {
    const document = await this.#store.get(SESSION_KIND, `${tenant.id}/${hash}`);
    if (document === undefined) return undefined;
    const [facts] = await this.#describe(tenant, [document]);
    return facts;
  }

  /** Notes that a live session was used; later reads on this node see it at once, others after {@link flush}. */
  noteSeen(tenant: Pick<Tenant, "id" | "policy">, hash: SessionHash, atMs: number): void {
    const id = `${tenant.id}/${hash}`;
    if (atMs <= (this.#seen.get(id)?.atMs ?? 0)) return;
    this.#seen.set(id, { atMs, untilMs: atMs + tenant.policy.session.idleSeconds * 1000 });
  }

  /** Writes what {@link noteSeen} gathered; call it every few seconds and before closing. What fails is kept for the next time. */
  async flush(): Promise<void> {
    const batch = [...this.#seen].slice(0, PAGE);
    if (batch.length === 0) return;
    const writes = batch.map(([id, { atMs, untilMs }]) => {
      return { kind: SESSION_USE_KIND, id, value: { atMs }, expiresAtMs: untilMs, quiet: true };
    });
    await this.#store.commit({ writes });
    for (const [id, seen] of batch) if (this.#seen.get(id) === seen) this.#seen.delete(id);
    await this.flush();
  }

  /** A tenant's live sessions in no telling order. @param page `after`: what the page before returned as `next` */
  async list(tenant: Pick<Tenant, "id" | "policy">, page: Pick<ListRequest, "limit" | "after">) {
    const prefix = `${tenant.id}/`;
    // "~" sorts after every digit of a hash, so that a public id stands for the hash that it is the beginning of.
    const after = page.after === undefined ? undefined : `${prefix}${page.after.slice("ses_".length)}~`;
    const documents = await this.#store.list({ kind: SESSION_KIND, prefix, limit: page.limit, after });
    const items = (await this.#describe(tenant, documents)).filter((facts) => facts !== undefined);
    const last = documents.length < page.limit ? undefined : documents.at(-1);
    return { items, ...(last === undefined ? {} : { next: sessionIdOf(last.id.slice(prefix.length) as SessionHash) }) };
  }

  /** All live sessions of one user, newest first. */
  async listOfUser(tenant: Pick<Tenant, "id" | "policy">, user: string): Promise<LiveSession[]> {
    const hashes = await this.#hashesOf(tenant.id, user);
    const documents = await this.#store.getMany(
      SESSION_KIND,
      hashes.slice(0, 1000).map((hash) => `${tenant.id}/${hash}`),
    );
    const facts = await this.#describe(
      tenant,
      documents.filter((document) => document !== undefined),
    );
    return facts.filter((one) => one !== undefined).sort((one, other) => other.startedAtMs - one.startedAtMs);
  }

  /** Ends one session by its public id. @returns false when there is none (of this user, where one is given). */
  async end(tenant: TenantId, sessionId: string, actor: Actor, user?: string): Promise<boolean> {
    if (!/^ses_[A-Za-z0-9_-]{20}$/.test(sessionId)) return false;
    const prefix = `${tenant}/${sessionId.slice("ses_".length)}`;
    const [document] = await this.#store.list({ kind: SESSION_KIND, prefix, limit: 1 });
    if (document === undefined) return false;
    const record = document.value as SessionRecord;
    if (user !== undefined && record.user !== user) return false;
    const hash = document.id.slice(tenant.length + 1);
    const audit = { action: "session.ended", tenant, actor, target: sessionId, before: { user: record.user } };
    await this.#ledger.commit({ writes: endSession(tenant, record.user, hash), audit: [audit] });
    return true;
  }

  /** Signs one browser out. */
  async endByHash(tenant: TenantId, hash: SessionHash, actor: Actor): Promise<boolean> {
    return await this.end(tenant, sessionIdOf(hash), actor);
  }

  /** Signs a user out everywhere and forgets every remembered device. @returns how many sessions ended. */
  async endAllOf(account: Account, actor: Actor): Promise<number> {
    const { tenant, id: target } = account;
    const audit = [{ action: "sessions.ended", tenant, actor, target }];
    return await this.revoke(account, account.user, { ...NO_PART, audit });
  }

  /**
   * Carries out a change after which nothing that the user held before is good: raises the epoch and ends the
   * sessions in the change's own commit. Sign-ins commit on the condition that the user document is as they
   * read it, so that none can slip in afterwards; those that did in the moment before are ended in a second pass.
   * @param user the user as changed, its epoch not yet raised
   * @throws ConflictError when the account has changed since it was read
   */
  async revoke(account: Account, user: UserRecord, change: Revocation): Promise<number> {
    const { tenant, id } = account;
    const hashes = (await this.#hashesOf(tenant, id)).slice(0, PAGE);
    const key = { kind: USER_KIND, id: userDocumentId(tenant, id) };
    await this.#ledger.commit({
      writes: [
        writeUser(account, { ...user, epoch: account.user.epoch + 1 }),
        ...hashes.flatMap((hash) => endSession(tenant, id, hash)),
        ...change.writes,
      ],
      preconditions: [{ ...key, revision: account.userRevision }, ...change.preconditions],
      audit: change.audit,
      outcome: change.outcome,
    });
    return hashes.length + (await this.endLeftovers(tenant, id, account.user.epoch));
  }

  /** Ends what is left of sessions up to this epoch; they are void already, but edges may still hold them. */
  async endLeftovers(tenant: TenantId, user: string, epoch: number): Promise<number> {
    const hashes = await this.#hashesOf(tenant, user);
    let ended = 0;
    for (let start = 0; start < hashes.length; start += PAGE) {
      const part = hashes.slice(start, start + PAGE);
      const documents = await this.#store.getMany(
        SESSION_KIND,
        part.map((hash) => `${tenant}/${hash}`),
      );
      const old = part.filter((_, index) => {
        const record = documents[index]?.value as SessionRecord | undefined;
        return record !== undefined && record.epoch <= epoch;
      });
      if (old.length > 0) await this.#store.commit({ writes: old.flatMap((hash) => endSession(tenant, user, hash)) });
      ended += old.length;
    }
    return ended;
  }

  async #hashesOf(tenant: TenantId, user: string): Promise<string[]> {
    const prefix = `${tenant}/${user}/`;
    const hashes: string[] = [];
    for await (const { id } of readAll(this.#store, { kind: USER_SESSION_KIND, prefix }))
      hashes.push(id.slice(prefix.length));
    return hashes;
  }

  async #describe(tenant: Pick<Tenant, "id" | "policy">, documents: readonly StoredDocument[]) {
    const userOf = (document: StoredDocument) => userDocumentId(tenant.id, (document.value as SessionRecord).user);
    const [users, presences] = await Promise.all([
      this.#store.getMany(USER_KIND, documents.map(userOf)),
      this.#store.getMany(
        SESSION_USE_KIND,
        documents.map((document) => document.id),
      ),
    ]);
    const nowMs = this.#clock.nowMs();
    return documents.map((document, index) => {
      const stored = (presences[index]?.value as { atMs: number } | undefined)?.atMs ?? 0;
      const seenAtMs = Math.max(stored, this.#seen.get(document.id)?.atMs ?? 0);
      const user = users[index]?.value as UserRecord | undefined;
      return describeSession(tenant.id, tenant.policy, document, user, seenAtMs, nowMs);
    });
  }
}
