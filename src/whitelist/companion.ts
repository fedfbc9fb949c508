/** Enrols the visitor's address of the other family in the same click, by way of a host that has only that family. */
import type { Plan } from "../core/audit.ts";
import { carryOut } from "../core/change.ts";
import { at } from "../core/entries.ts";
import { type AllowlistEntry, ENTRY_KIND, entryDocumentId } from "../core/entry.ts";
import type { EntryId, TenantId } from "../core/ids.ts";
import type { StoredDocument, Write } from "../core/store.ts";
import { loadTenant } from "../core/tenant-lookup.ts";
import type { WhitelistOptions } from "./dependencies.ts";
import { adding, joined } from "./entry-parts.ts";
import { LINK_KIND, LINK_USE_KIND, type LinkRecord, linkWrite, useOf, useWrite } from "./link-record.ts";
import type { Companion } from "./outcome.ts";
import { cidrOf, type Place } from "./place.ts";
import { SHORTCUT_KIND, shortcutOf, shortcutWrite } from "./shortcut-record.ts";
import { signToken, type TokenFacts } from "./token.ts";

/** How long the page has to reach the other host. */
const LIFETIME_MS = 120_000;
const MANY = 1000;

/** The use or run that a companion belongs to. */
interface Parent {
  readonly documents: readonly StoredDocument[];
  /** What records the companion. */
  readonly write: (entry: AllowlistEntry, address: string) => readonly Write[];
}

export class Companions {
  readonly #options: WhitelistOptions;

  constructor(options: WhitelistOptions) {
    this.#options = options;
  }

  /** `undefined` where the tenant has no host for the other family. */
  async offer(id: TenantId, source: string, entry: EntryId, place: Place): Promise<Companion | undefined> {
    const { store, keyring, clock, siteOrigin } = this.#options;
    const { tenant } = await loadTenant(store, id);
    const family = place.address.family === 4 ? 6 : 4;
    const host = family === 4 ? tenant.altHosts?.ipv4 : tenant.altHosts?.ipv6;
    if (host === undefined) return undefined;
    const expiresAtSeconds = Math.ceil((clock.nowMs() + LIFETIME_MS) / 1000);
    const token = await signToken(keyring, { kind: "companion", tenant: id, id: source, entry, expiresAtSeconds });
    return { family, url: `${siteOrigin({ hosts: [host] })}/.sallyport/allow/${token}` };
  }

  /**
   * Once for each use, and only while the entry of that use is there; never of the same family. It ends with it,
   * and goes with it.
   */
  async redeem(id: TenantId, { id: source, entry }: TokenFacts, place: Place): Promise<AllowlistEntry | undefined> {
    const plan = async () =>
      (await this.#plan(id, source, entry as EntryId, place)) ?? { result: undefined, revision: 0 };
    return (await carryOut(this.#options.ledger, plan)).result;
  }

  async #plan(
    id: TenantId,
    source: string,
    firstId: EntryId | undefined,
    place: Place,
  ): Promise<Plan<AllowlistEntry> | undefined> {
    const { store, entries } = this.#options;
    const first = firstId === undefined ? undefined : await store.get(ENTRY_KIND, entryDocumentId(id, firstId));
    if (first === undefined) return undefined;
    const { cidr, label, kind, createdBy, expiresAt } = first.value as AllowlistEntry;
    if (cidr.includes(":") === (place.address.family === 6)) return undefined;
    const parent = source.startsWith("lnk_")
      ? await this.#linkUse(id, source, first.value as AllowlistEntry)
      : await this.#shortcutRun(id, source, first.value as AllowlistEntry);
    if (parent === undefined) return undefined;
    const { tenant, standing } = await loadTenant(store, id);
    const actor = { kind: kind === "link" ? "link" : "shortcut", id: source, address: place.address.text } as const;
    const wanted = { cidr: cidrOf(place), label, ...(expiresAt === undefined ? {} : { expiresAt }) };
    const { entry, part } = adding(entries, tenant, wanted, { kind, createdBy, sourceId: source }, { actor });
    return {
      result: entry,
      relieve: () => entries.recount(id),
      change: joined(entries, tenant, [part], {
        writes: parent.write(entry, place.address.text),
        preconditions: [standing, at(first), ...parent.documents.map(at)],
        audit: [],
      }),
    };
  }

  async #linkUse(id: TenantId, source: string, { id: first }: AllowlistEntry): Promise<Parent | undefined> {
    const { store } = this.#options;
    const link = await store.get(LINK_KIND, `${id}/${source}`);
    const uses = await store.list({ kind: LINK_USE_KIND, prefix: `${id}/${source}/`, limit: MANY });
    const found = uses.find((each) => useOf(each).entry === first);
    if (link === undefined || found === undefined) return undefined;
    const use = useOf(found);
    if (use.companion !== undefined || use.removedAt !== undefined) return undefined;
    const record = link.value as LinkRecord;
    return {
      documents: [link, found],
      write: (entry, address) => [
        useWrite(id, record, { ...use, companion: { entry: entry.id, cidr: entry.cidr, address } }),
        linkWrite(id, record),
      ],
    };
  }

  async #shortcutRun(id: TenantId, source: string, { id: first }: AllowlistEntry): Promise<Parent | undefined> {
    const document = await this.#options.store.get(SHORTCUT_KIND, `${id}/${source}`);
    if (document === undefined) return undefined;
    const shortcut = shortcutOf(document);
    if (shortcut.entries.length !== 1 || shortcut.entries[0] !== first) return undefined;
    return {
      documents: [document],
      write: (entry) => [shortcutWrite(id, { ...shortcut, entries: [first, entry.id] })],
    };
  }
}
