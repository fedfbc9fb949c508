/** Shortcuts: making, listing and revoking them. */
import type { Author, Plan } from "../core/audit.ts";
import { type Expectation, expectRevision } from "../core/change.ts";
import { at } from "../core/entries.ts";
import { readLabel } from "../core/entry-input.ts";
import { SallyportError } from "../core/errors.ts";
import { newId, type TenantId } from "../core/ids.ts";
import type { Store, StoredDocument } from "../core/store.ts";
import type { Tenant } from "../core/tenant.ts";
import { loadTenant } from "../core/tenant-lookup.ts";
import type { WhitelistOptions } from "./dependencies.ts";
import { joined, removing } from "./entry-parts.ts";
import { limitsOf, within } from "./lifetime.ts";
import { isShortcutId, SHORTCUT_KIND, type ShortcutRecord, shortcutOf, shortcutWrite } from "./shortcut-record.ts";
import { signToken } from "./token.ts";

export interface ShortcutInput {
  /** Whose it is; it ends with them. */
  readonly user?: string;
  readonly label?: string;
  readonly idleSeconds?: number;
}

export interface ShortcutView {
  readonly shortcut: ShortcutRecord;
  readonly revision: number;
}

export interface NewShortcut {
  readonly shortcut: ShortcutRecord;
  readonly url: string;
}

/** What one tenant may have at a time. */
const MOST = 1000;

export class Shortcuts {
  readonly #options: WhitelistOptions;

  constructor(options: WhitelistOptions) {
    this.#options = options;
  }

  /** @throws SallyportError `not_found`, `body_invalid`, `limit_reached` */
  async planCreate(id: TenantId, input: ShortcutInput, author: Author): Promise<Plan<NewShortcut>> {
    const { store, clock, users } = this.#options;
    const { tenant, standing } = await loadTenant(store, id);
    const user = input.user === undefined ? undefined : await users.find(tenant, input.user);
    if (input.user !== undefined && (user === undefined || user.disabled)) {
      const issues = [{ at: "/user", message: "is not an enabled user of this tenant" }];
      throw new SallyportError("body_invalid", "user is not an enabled user of this tenant", { issues });
    }
    const present = await shortcutsOf(store, id);
    if (present.length >= MOST) throw new SallyportError("limit_reached", `a tenant has at most ${MOST} shortcuts`);
    const nowMs = clock.nowMs();
    const idleSeconds = within(limitsOf(tenant).shortcutIdle, input.idleSeconds, "idleSeconds");
    const shortcut: ShortcutRecord = {
      id: newId("sct", nowMs),
      label: readLabel(input.label ?? user?.name ?? user?.email ?? "", "/label"),
      ...(user === undefined ? {} : { user: user.id }),
      createdBy: `${author.actor.kind}:${author.actor.id}`,
      createdAt: new Date(nowMs).toISOString(),
      idleSeconds,
      expiresAt: new Date(nowMs + idleSeconds * 1000).toISOString(),
      runs: 0,
      entries: [],
      networks: [],
    };
    const write = shortcutWrite(id, shortcut);
    return {
      result: { shortcut, url: await this.urlOf(tenant, shortcut) },
      change: {
        writes: [write],
        preconditions: [standing, { kind: write.kind, id: write.id, revision: 0 }],
        audit: [{ action: "shortcut.created", tenant: id, ...author, target: shortcut.id, after: shortcut }],
      },
    };
  }

  /** The address that runs it; the same each time. */
  async urlOf(tenant: Tenant, { id }: ShortcutRecord): Promise<string> {
    const { keyring, siteOrigin } = this.#options;
    const token = await signToken(keyring, { kind: "shortcut", tenant: tenant.id, id });
    return `${siteOrigin(tenant)}/.sallyport/allow/${token}`;
  }

  /** @throws SallyportError `not_found` */
  async read(tenant: TenantId, id: string): Promise<ShortcutView> {
    return viewOf(await this.#document(tenant, id));
  }

  /** In the order of their making. */
  async list(tenant: TenantId, limit: number, after?: string): Promise<ShortcutView[]> {
    const prefix = `${tenant}/`;
    const last = after === undefined ? undefined : prefix + after;
    const found = await this.#options.store.list({ kind: SHORTCUT_KIND, prefix, limit, after: last });
    return found.map(viewOf);
  }

  /** Those of one person, for the account page. */
  async listOf(tenant: TenantId, user: string): Promise<ShortcutView[]> {
    return (await shortcutsOf(this.#options.store, tenant, user)).map(viewOf);
  }

  /** It runs no more, and its entry goes, in one commit. @throws SallyportError `not_found` */
  async planDelete(
    id: TenantId,
    shortcut: string,
    author: Author,
    expected?: Expectation,
  ): Promise<Plan<ShortcutRecord>> {
    const { store, entries } = this.#options;
    const { tenant } = await loadTenant(store, id);
    const document = await this.#document(id, shortcut);
    expectRevision(expected, document);
    const result = shortcutOf(document);
    const { part } = await removing(store, tenant, result.entries, author);
    return { result, change: joined(entries, tenant, [part], deletionOf(id, [document], author)) };
  }

  async #document(tenant: TenantId, id: string): Promise<StoredDocument> {
    const found = isShortcutId(id) ? await this.#options.store.get(SHORTCUT_KIND, `${tenant}/${id}`) : undefined;
    if (found === undefined) throw new SallyportError("not_found", "there is no such shortcut");
    return found;
  }
}

/** All of a tenant's, or those of one person. */
export async function shortcutsOf(store: Store, tenant: TenantId, user?: string): Promise<StoredDocument[]> {
  const all = await store.list({ kind: SHORTCUT_KIND, prefix: `${tenant}/`, limit: MOST });
  return user === undefined ? all : all.filter((document) => shortcutOf(document).user === user);
}

/** The shortcuts' own part of a change that ends them. */
export function deletionOf(tenant: TenantId, documents: readonly StoredDocument[], author: Author) {
  return {
    writes: documents.map(({ kind, id }) => ({ kind, id, value: null })),
    preconditions: documents.map(at),
    audit: documents.map((document) => {
      const before = shortcutOf(document);
      return { action: "shortcut.deleted", tenant, ...author, target: before.id, before };
    }),
  };
}

function viewOf(document: StoredDocument): ShortcutView {
  return { shortcut: shortcutOf(document), revision: document.revision };
}
