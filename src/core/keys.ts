/** Keys of the admin API: what they look like, what they may do, and how they are told from forgeries. */
import { createHash, timingSafeEqual } from "node:crypto";
import type { Author, Plan } from "./audit.ts";
import { type Expectation, expectRevision } from "./change.ts";
import type { Clock } from "./clock.ts";
import { at } from "./entries.ts";
import { readExpiry, readLabel } from "./entry-input.ts";
import { SallyportError } from "./errors.ts";
import { newId, newSecret, type TenantId } from "./ids.ts";
import type { Precondition, Store, StoredDocument } from "./store.ts";
import { loadTenant } from "./tenant-lookup.ts";

export type Access = "read" | "write";

/** A stored key. Its secret, 256 random bits, is kept as a SHA-256 hash alone. */
export interface ApiKey {
  readonly id: string;
  readonly label: string;
  /** The one tenant that it is for; every tenant without. */
  readonly tenant?: TenantId;
  readonly access: Access;
  readonly createdBy: string;
  readonly createdAt: string;
  readonly expiresAt?: string;
  readonly hash: string;
}

/** Who holds a valid key. */
export interface Principal {
  readonly id: string;
  readonly tenant?: TenantId;
  readonly access: Access;
  readonly expiresAtMs?: number;
}

export interface KeyView {
  readonly key: ApiKey;
  readonly revision: number;
  readonly lastUsedAt?: string;
}

export const KEY_KIND = "apikey";
/** `{key id}` → `{at: seconds}`. Quiet. */
const KEY_USE_KIND = "apikeyuse";
/** Also of a key that has expired, or revoked itself with its last use. */
const KEEP_USE_MS = 400 * 86_400_000;

/** The id under which the bootstrap key appears in the audit log. */
const BOOTSTRAP_ID = "bootstrap";

/** `sp_`, the id's 26 digits, `_`, 43 characters of secret, 6 of checksum: what a secret scanner can find and check. */
const TOKEN = /^sp_([0-9a-z]{26})_([A-Za-z0-9_-]{43})([A-Za-z0-9_-]{6})$/;

export interface KeyInput {
  readonly label?: string;
  readonly tenant?: TenantId;
  readonly access: Access;
  readonly expiresAt?: string;
  readonly ttlSeconds?: number;
}

export class KeyRules {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #bootstrap: Buffer | undefined;
  readonly #uses = new Map<string, number>();

  /** @param bootstrap the first key, which no store knows: 32 characters or more */
  constructor(options: { readonly store: Store; readonly clock: Clock; readonly bootstrap?: string }) {
    this.#store = options.store;
    this.#clock = options.clock;
    if (options.bootstrap !== undefined) this.#bootstrap = sha256(options.bootstrap);
  }

  /**
   * Reads the store each time, so that a revoked key is refused everywhere at once. The bootstrap key needs
   * no store. Comparisons take the same time wherever a forgery differs.
   * @returns `undefined` for anything but a live key
   */
  async authenticate(token: string): Promise<Principal | undefined> {
    const given = sha256(token);
    if (this.#bootstrap !== undefined && timingSafeEqual(given, this.#bootstrap))
      return { id: BOOTSTRAP_ID, access: "write" };
    const [, digits, secret, sum] = TOKEN.exec(token) ?? [];
    if (digits === undefined || secret === undefined || checksum(digits, secret) !== sum) return undefined;
    const document = await this.#store.get(KEY_KIND, `key_${digits}`);
    const key = document?.value as ApiKey | undefined;
    if (key === undefined || !timingSafeEqual(given, Buffer.from(key.hash, "hex"))) return undefined;
    this.#uses.set(key.id, Math.floor(this.#clock.nowMs() / 1000));
    return {
      id: key.id,
      access: key.access,
      ...(key.tenant === undefined ? {} : { tenant: key.tenant }),
      ...(key.expiresAt === undefined ? {} : { expiresAtMs: Date.parse(key.expiresAt) }),
    };
  }

  /**
   * Writes when keys were last used; to be called now and then, and before the end. What the store does not take is
   * kept for the next time.
   */
  async flushUses(): Promise<void> {
    const uses = [...this.#uses];
    if (uses.length === 0) return;
    const writes = uses.map(([id, at]) => {
      return { kind: KEY_USE_KIND, id, value: { at }, expiresAtMs: at * 1000 + KEEP_USE_MS, quiet: true };
    });
    await this.#store.commit({ writes });
    for (const [id, at] of uses) if (this.#uses.get(id) === at) this.#uses.delete(id);
  }

  /**
   * The result's `token` is shown this once. No key outlives its maker: where nothing is asked for, it ends with it.
   * @throws SallyportError `body_invalid`, `not_found` for the tenant
   */
  async planCreate(
    input: KeyInput,
    author: Author,
    maker: Pick<Principal, "expiresAtMs"> = {},
  ): Promise<Plan<{ key: ApiKey; token: string }>> {
    const nowMs = this.#clock.nowMs();
    const id = newId("key", nowMs);
    const token = makeToken(id);
    const expiresAt = endOf(input, maker, nowMs);
    const key: ApiKey = {
      id,
      label: readLabel(input.label ?? "", "/label"),
      access: input.access,
      createdBy: `${author.actor.kind}:${author.actor.id}`,
      createdAt: new Date(nowMs).toISOString(),
      hash: sha256(token).toString("hex"),
      ...(input.tenant === undefined ? {} : { tenant: input.tenant }),
      ...(expiresAt === undefined ? {} : { expiresAt }),
    };
    const write = { kind: KEY_KIND, id, value: key };
    return {
      result: { key, token },
      change: {
        writes: [expiresAt === undefined ? write : { ...write, expiresAtMs: Date.parse(expiresAt) }],
        preconditions: [{ kind: KEY_KIND, id, revision: 0 }, ...(await this.#tenantStands(input.tenant))],
        audit: [{ action: "key.created", ...scopeOf(key), ...author, target: id, after: withoutHash(key) }],
      },
    };
  }

  async #tenantStands(tenant: TenantId | undefined): Promise<Precondition[]> {
    if (tenant === undefined) return [];
    return [(await loadTenant(this.#store, tenant)).standing];
  }

  /** @param scope only keys of this tenant are there @throws SallyportError `not_found` */
  async read(id: string, scope: TenantId | undefined): Promise<KeyView> {
    const document = await this.#document(id, scope);
    const [view] = await this.#withUses([document]);
    return view ?? { key: document.value as ApiKey, revision: document.revision };
  }

  /** Up to `limit` keys after `after`, of one tenant where `scope` says so. */
  async list(limit: number, after: string | undefined, scope: TenantId | undefined): Promise<KeyView[]> {
    const found: StoredDocument[] = [];
    for (let last = after; found.length < limit; ) {
      const page = await this.#store.list({ kind: KEY_KIND, limit, after: last });
      found.push(...page.filter(({ value }) => scope === undefined || (value as ApiKey).tenant === scope));
      last = page.at(-1)?.id;
      if (page.length < limit) break;
    }
    return await this.#withUses(found.slice(0, limit));
  }

  async #withUses(documents: readonly StoredDocument[]): Promise<KeyView[]> {
    const uses =
      documents.length === 0
        ? []
        : await this.#store.getMany(
            KEY_USE_KIND,
            documents.map(({ id }) => id),
          );
    return documents.map(({ id, value, revision }, index) => {
      const used = this.#uses.get(id) ?? (uses[index]?.value as { at: number } | undefined)?.at;
      const key = value as ApiKey;
      return { key, revision, ...(used === undefined ? {} : { lastUsedAt: new Date(used * 1000).toISOString() }) };
    });
  }

  async planRevoke(
    id: string,
    scope: TenantId | undefined,
    author: Author,
    expected: Expectation,
  ): Promise<Plan<undefined>> {
    const document = await this.#document(id, scope);
    expectRevision(expected, document);
    const key = document.value as ApiKey;
    return {
      result: undefined,
      change: {
        writes: [
          { kind: KEY_KIND, id, value: null },
          { kind: KEY_USE_KIND, id, value: null, quiet: true },
        ],
        preconditions: [at(document)],
        audit: [{ action: "key.revoked", ...scopeOf(key), ...author, target: id, before: withoutHash(key) }],
      },
    };
  }

  async #document(id: string, scope: TenantId | undefined): Promise<StoredDocument> {
    const document = /^key_[0-9a-z]{26}$/.test(id) ? await this.#store.get(KEY_KIND, id) : undefined;
    const key = document?.value as ApiKey | undefined;
    if (document !== undefined && (scope === undefined || key?.tenant === scope)) return document;
    throw new SallyportError("not_found", "there is no such key");
  }
}

function endOf(input: KeyInput, { expiresAtMs }: Pick<Principal, "expiresAtMs">, nowMs: number): string | undefined {
  const asked = readExpiry(input, nowMs, "/");
  if (expiresAtMs === undefined) return asked;
  const latest = new Date(expiresAtMs).toISOString();
  if (asked === undefined || asked <= latest) return asked ?? latest;
  const field = input.expiresAt === undefined ? "ttlSeconds" : "expiresAt";
  const message = "must not be after the end of the key that makes it";
  const issues = [{ at: `/${field}`, message, hint: `write ${latest} or earlier, or leave it out` }];
  throw new SallyportError("body_invalid", `${field} ${message}`, { issues });
}

function makeToken(id: string): string {
  const digits = id.slice("key_".length);
  const secret = newSecret();
  return `sp_${digits}_${secret}${checksum(digits, secret)}`;
}

/** Tells a mistyped or made-up token from a real one without asking the store. */
function checksum(digits: string, secret: string): string {
  return sha256(`sallyport key ${digits} ${secret}`).toString("base64url").slice(0, 6);
}

function sha256(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

function scopeOf({ tenant }: ApiKey): { tenant?: TenantId } {
  return tenant === undefined ? {} : { tenant };
}

/** What may be shown of a key. */
export function withoutHash({ hash: _, ...rest }: ApiKey): Omit<ApiKey, "hash"> {
  return rest;
}
