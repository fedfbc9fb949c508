/** Whitelist links: making, listing, revoking them, and taking back what one use admitted. */
import { formatPrefix, parsePrefix } from "../core/address.ts";
import type { Author, Plan } from "../core/audit.ts";
import { type Expectation, expectRevision } from "../core/change.ts";
import { at } from "../core/entries.ts";
import { readLabel } from "../core/entry-input.ts";
import { SallyportError } from "../core/errors.ts";
import { newId, type TenantId } from "../core/ids.ts";
import type { StoredDocument } from "../core/store.ts";
import type { Tenant, TenantLimits } from "../core/tenant.ts";
import { loadTenant } from "../core/tenant-lookup.ts";
import { isMailable } from "../notify/outbox.ts";
import type { WhitelistOptions } from "./dependencies.ts";
import { joined, removing } from "./entry-parts.ts";
import { limitsOf, within } from "./lifetime.ts";
import {
  entriesOf,
  isLinkId,
  LINK_KIND,
  LINK_USE_KIND,
  type LinkRecord,
  type LinkUse,
  linkWrite,
  useOf,
  useWrite,
} from "./link-record.ts";
import { signToken } from "./token.ts";

export interface LinkInput {
  readonly label?: string;
  /** Where the gate sends it. */
  readonly recipient?: string;
  /** Until when it can be used. */
  readonly ttlSeconds?: number;
  readonly maxUses?: number;
  /** How long what it admits stays admitted. */
  readonly entryTtlSeconds?: number;
  readonly allowedNetwork?: string;
}

/** What a tenant lets a link be. */
export interface LinkTerms extends Pick<TenantLimits, "linkTtl" | "linkUses" | "linkEntryTtl"> {
  /** Whether the tenant leaves it to the gate to write to people. */
  readonly mailable: boolean;
}

export interface LinkView {
  readonly link: LinkRecord;
  readonly revision: number;
}

export interface NewLink {
  readonly link: LinkRecord;
  /** Whoever opens it is let in by one click: for the maker's eyes. */
  readonly url: string;
  /** Whether the gate sends it. */
  readonly mailed: boolean;
}

/** Mails that one tenant's links may cause. */
const MAILS = { burst: 100, periodMs: 3_600_000 };
/** More than any link has uses. */
const MANY = 1000;

export class Links {
  readonly #options: WhitelistOptions;

  constructor(options: WhitelistOptions) {
    this.#options = options;
  }

  /** @throws SallyportError `not_found` */
  async terms(id: TenantId): Promise<LinkTerms> {
    const { tenant } = await loadTenant(this.#options.store, id);
    return { ...limitsOf(tenant), mailable: tenant.mail !== "own" };
  }

  /** @throws SallyportError `not_found`, `body_invalid`, `address_invalid`, `email_invalid`, `limit_reached` */
  async planCreate(id: TenantId, input: LinkInput, author: Author): Promise<Plan<NewLink>> {
    const { store, clock } = this.#options;
    const { tenant, standing } = await loadTenant(store, id);
    const nowMs = clock.nowMs();
    const link = makeLink(tenant, input, author, nowMs);
    const url = await this.urlOf(tenant, link);
    const mail = await this.#mail(tenant, link, url);
    const write = linkWrite(id, link);
    return {
      result: { link, url, mailed: mail.length > 0 },
      change: {
        writes: [write, ...mail],
        preconditions: [standing, { kind: write.kind, id: write.id, revision: 0 }],
        audit: [{ action: "link.created", tenant: id, ...author, target: link.id, after: link }],
      },
    };
  }

  /** The address that opens a link; the same each time. */
  async urlOf(tenant: Tenant, link: LinkRecord): Promise<string> {
    const { keyring, siteOrigin } = this.#options;
    const expiresAtSeconds = Math.floor(Date.parse(link.expiresAt) / 1000);
    const token = await signToken(keyring, { kind: "link", tenant: tenant.id, id: link.id, expiresAtSeconds });
    return `${siteOrigin(tenant)}/.sallyport/allow/${token}`;
  }

  /** @throws SallyportError `not_found` */
  async read(tenant: TenantId, id: string): Promise<LinkView & { readonly uses: readonly LinkUse[] }> {
    const document = await this.#document(tenant, id);
    const uses = await this.#uses(tenant, id);
    return { ...viewOf(document), uses: uses.map(useOf).toSorted((one, other) => compare(other.lastAt, one.lastAt)) };
  }

  /** In the order of their making. */
  async list(tenant: TenantId, limit: number, after?: string): Promise<LinkView[]> {
    const prefix = `${tenant}/`;
    const last = after === undefined ? undefined : prefix + after;
    const found = await this.#options.store.list({ kind: LINK_KIND, prefix, limit, after: last });
    return found.map(viewOf);
  }

  /** The link ends, and every entry that it admitted goes, in one commit. @throws SallyportError `not_found` */
  async planDelete(id: TenantId, link: string, author: Author, expected?: Expectation): Promise<Plan<LinkRecord>> {
    const { store, entries } = this.#options;
    const { tenant } = await loadTenant(store, id);
    const document = await this.#document(id, link);
    expectRevision(expected, document);
    const uses = await this.#uses(id, link);
    const ids = uses.flatMap((use) => entriesOf(useOf(use)));
    const { removed, part } = await removing(store, tenant, ids, author);
    const before = document.value as LinkRecord;
    const gone = [document, ...uses].map(({ kind, id: each }) => ({ kind, id: each, value: null }));
    const audit = { action: "link.deleted", tenant: id, ...author, target: link, before };
    return {
      result: before,
      change: joined(entries, tenant, [part], {
        writes: gone,
        preconditions: [at(document)],
        audit: [{ ...audit, after: { entriesRemoved: removed.length } }],
      }),
    };
  }

  /** "Not us": what the use admitted goes, and the link admits that network no more. @throws SallyportError `not_found` */
  async planRemoveUse(
    id: TenantId,
    link: string,
    use: string,
    author: Author,
    expected?: Expectation,
  ): Promise<Plan<LinkUse>> {
    const { store, entries, clock } = this.#options;
    const { tenant } = await loadTenant(store, id);
    const document = await this.#document(id, link);
    expectRevision(expected, document);
    const found = await store.get(LINK_USE_KIND, `${id}/${link}/${use}`);
    if (found === undefined) throw new SallyportError("not_found", "the link has no such use");
    const before = useOf(found);
    const { part } = await removing(store, tenant, entriesOf(before), author);
    const removedAt = before.removedAt ?? new Date(clock.nowMs()).toISOString();
    const after: LinkUse = { ...before, removedAt, notUs: true };
    const record = document.value as LinkRecord;
    return {
      result: after,
      change: joined(entries, tenant, [part], {
        // The link is written as it is, so that nobody uses it at the same moment.
        writes: [useWrite(id, record, after), linkWrite(id, record)],
        preconditions: [at(document), at(found)],
        audit: [{ action: "link.use-removed", tenant: id, ...author, target: link, before, after }],
      }),
    };
  }

  async #document(tenant: TenantId, id: string): Promise<StoredDocument> {
    const document = isLinkId(id) ? await this.#options.store.get(LINK_KIND, `${tenant}/${id}`) : undefined;
    if (document === undefined) throw new SallyportError("not_found", "there is no such link");
    return document;
  }

  #uses(tenant: TenantId, id: string): Promise<StoredDocument[]> {
    return this.#options.store.list({ kind: LINK_USE_KIND, prefix: `${tenant}/${id}/`, limit: MANY });
  }

  async #mail(tenant: Tenant, link: LinkRecord, url: string) {
    const { store, clock, outbox } = this.#options;
    if (link.recipient === undefined || tenant.mail === "own") return [];
    const { allowed, retryAfterMs } = await store.take(`allow/${tenant.id}/linkmail`, MAILS);
    if (!allowed) {
      const detail = "too many links were sent by e-mail within the hour";
      throw new SallyportError("limit_reached", detail, { retryAfterMs });
    }
    const expiresAtMs = Date.parse(link.expiresAt);
    const notice = { kind: "whitelist-link", link: url, expiresAtMs, label: link.label } as const;
    return outbox.write(tenant, { email: link.recipient }, notice, clock.nowMs());
  }
}

function makeLink(tenant: Tenant, input: LinkInput, { actor }: Author, nowMs: number): LinkRecord {
  const limits = limitsOf(tenant);
  const { recipient, allowedNetwork } = input;
  if (recipient !== undefined && !isMailable(recipient)) {
    const issues = [{ at: "/recipient", message: "is not an e-mail address" }];
    throw new SallyportError("email_invalid", "the recipient is not an e-mail address", { issues });
  }
  const ttlSeconds = within(limits.linkTtl, input.ttlSeconds, "ttlSeconds");
  return {
    id: newId("lnk", nowMs),
    label: readLabel(input.label ?? "", "/label"),
    ...(recipient === undefined ? {} : { recipient }),
    createdBy: `${actor.kind}:${actor.id}`,
    createdAt: new Date(nowMs).toISOString(),
    expiresAt: new Date(nowMs + ttlSeconds * 1000).toISOString(),
    maxUses: within(limits.linkUses, input.maxUses, "maxUses"),
    entryTtlSeconds: within(limits.linkEntryTtl, input.entryTtlSeconds, "entryTtlSeconds"),
    ...(allowedNetwork === undefined ? {} : { allowedNetwork: readNetwork(allowedNetwork) }),
    uses: 0,
  };
}

function readNetwork(text: string): string {
  try {
    return formatPrefix(parsePrefix(text));
  } catch (error) {
    if (!(error instanceof SallyportError)) throw error;
    throw new SallyportError(error.code, error.message, {
      issues: [{ at: "/allowedNetwork", message: error.message }],
    });
  }
}

function viewOf({ value, revision }: StoredDocument): LinkView {
  return { link: value as LinkRecord, revision };
}

function compare(one: string, other: string): number {
  return one < other ? -1 : Number(one > other);
}
