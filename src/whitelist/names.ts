/** Names that move: a DNS name on an allowlist, its making and its end; `name-resolver.ts` follows its answers. */
import type { Author, Plan } from "../core/audit.ts";
import { type Expectation, expectRevision } from "../core/change.ts";
import { at } from "../core/entries.ts";
import type { AllowlistEntry } from "../core/entry.ts";
import { readExpiry, readLabel } from "../core/entry-input.ts";
import { SallyportError } from "../core/errors.ts";
import { canonicalHost } from "../core/host.ts";
import { newEntryId, type TenantId } from "../core/ids.ts";
import type { StoredDocument } from "../core/store.ts";
import { loadTenant } from "../core/tenant-lookup.ts";
import type { WhitelistOptions } from "./dependencies.ts";
import { joined, type Part, removing } from "./entry-parts.ts";
import { NAME_KIND, type NameFacts, type NameRecord, nameOf, nameWrite } from "./name-record.ts";

export interface NameInput {
  readonly hostname: string;
  readonly label?: string;
  readonly expiresAt?: string;
  readonly ttlSeconds?: number;
  readonly allowPrivate?: boolean;
}

export interface NameView {
  readonly name: NameRecord;
  readonly revision: number;
}

/** What one tenant may have at a time. */
const MOST = 100;

export class Names {
  readonly #options: WhitelistOptions;

  constructor(options: WhitelistOptions) {
    this.#options = options;
  }

  /** The name is asked for within seconds. @throws SallyportError `not_found`, `body_invalid`, `limit_reached` */
  async planCreate(id: TenantId, input: NameInput, author: Author): Promise<Plan<NameRecord>> {
    const nowMs = this.#options.clock.nowMs();
    const hostname = readHostname(input.hostname);
    const expiresAt = readExpiry(input, nowMs, "/");
    const facts: NameFacts = {
      id: newEntryId(nowMs),
      hostname,
      label: readLabel(input.label ?? hostname, "/label"),
      createdBy: `${author.actor.kind}:${author.actor.id}`,
      createdAt: new Date(nowMs).toISOString(),
      ...(expiresAt === undefined ? {} : { expiresAt }),
      allowPrivate: input.allowPrivate ?? false,
    };
    return await this.#planFollow(id, facts, "name.created", author);
  }

  /** A name that was removed is followed again, under its own id. @throws SallyportError `not_found`, `limit_reached` */
  async planRestore(id: TenantId, removed: NameRecord, author: Author): Promise<Plan<NameRecord>> {
    const { hostname, label, createdBy, createdAt, expiresAt, allowPrivate } = removed;
    const until = expiresAt === undefined ? {} : { expiresAt };
    const facts = { id: removed.id, hostname, label, createdBy, createdAt, ...until, allowPrivate };
    return await this.#planFollow(id, facts, "name.restored", author);
  }

  async #planFollow(id: TenantId, facts: NameFacts, action: string, author: Author): Promise<Plan<NameRecord>> {
    const { store, clock } = this.#options;
    const { standing } = await loadTenant(store, id);
    if ((await this.list(id, MOST)).length >= MOST)
      throw new SallyportError("limit_reached", `a tenant has at most ${MOST} names`);
    const name: NameRecord = { ...facts, entries: [], nextAt: new Date(clock.nowMs()).toISOString() };
    const write = nameWrite(id, name, false);
    return {
      result: name,
      change: {
        writes: [write],
        preconditions: [standing, { kind: write.kind, id: write.id, revision: 0 }],
        audit: [{ action, tenant: id, ...author, target: name.id, after: name }],
      },
    };
  }

  /** @throws SallyportError `not_found` */
  async read(tenant: TenantId, id: string): Promise<NameView> {
    const document = await this.#document(tenant, id);
    return { name: nameOf(document), revision: document.revision };
  }

  /** In the order of their making. */
  async list(tenant: TenantId, limit: number, after?: string): Promise<NameView[]> {
    const prefix = `${tenant}/`;
    const last = after === undefined ? undefined : prefix + after;
    const found = await this.#options.store.list({ kind: NAME_KIND, prefix, limit, after: last });
    return found.map((document) => ({ name: nameOf(document), revision: document.revision }));
  }

  /** The name and the entries of its answers go, in one commit. @throws SallyportError `not_found` */
  async planDelete(id: TenantId, name: string, author: Author, expected?: Expectation): Promise<Plan<NameRecord>> {
    const { store, entries } = this.#options;
    const { tenant } = await loadTenant(store, id);
    const document = await this.#document(id, name);
    expectRevision(expected, document);
    const before = nameOf(document);
    const ids = before.entries.map((entry) => entry.id);
    const { part } = await removing(store, tenant, ids, author);
    return {
      result: before,
      change: joined(entries, tenant, [part], {
        writes: [{ kind: NAME_KIND, id: document.id, value: null }],
        preconditions: [at(document)],
        audit: [{ action: "name.deleted", tenant: id, ...author, target: name, before }],
      }),
    };
  }

  /** The end of the names of which a change takes entries off the list: what it adds, when it takes all of a name's. */
  async endingWith(id: TenantId, gone: readonly AllowlistEntry[], author: Author): Promise<Omit<Part, "by">> {
    const ids = new Set(gone.map((entry) => entry.id));
    const sources = new Set(gone.filter(({ kind }) => kind === "dns").map(({ sourceId }) => sourceId));
    const known = await Promise.all(
      [...sources].map((source) => this.#options.store.get(NAME_KIND, `${id}/${source}`)),
    );
    const ended = known
      .filter((document) => document !== undefined)
      .filter((document) => nameOf(document).entries.some((entry) => ids.has(entry.id)));
    return {
      writes: ended.map((document) => ({ kind: NAME_KIND, id: document.id, value: null })),
      preconditions: ended.map(at),
      audit: ended.map((document) => {
        const before = nameOf(document);
        return { action: "name.deleted", tenant: id, ...author, target: before.id, before };
      }),
    };
  }

  async #document(tenant: TenantId, id: string): Promise<StoredDocument> {
    const known = /^e[0-9a-z]{13}$/.test(id) ? await this.#options.store.get(NAME_KIND, `${tenant}/${id}`) : undefined;
    if (known === undefined) throw new SallyportError("not_found", "there is no such allowlist entry");
    return known;
  }
}

/** @throws SallyportError `body_invalid` */
function readHostname(text: string): string {
  const host = /[:/@[\]]/.test(text) ? undefined : canonicalHost(text);
  // A name without a dot, or of digits at its end, means something only to this machine, or is an address.
  if (host !== undefined && /\.[a-z][a-z0-9-]*$/.test(host)) return host;
  const hint = "write a DNS name alone, such as clinic.dyndns.example; addresses go into cidr";
  const issues = [{ at: "/hostname", message: "is not a DNS name", hint }];
  throw new SallyportError("body_invalid", "hostname is not a DNS name", { issues });
}
