/** Using a whitelist link: what its page shows, and what its one click does. */
import { parsePrefix, prefixContains } from "../core/address.ts";
import type { Author, Plan } from "../core/audit.ts";
import { carryOut } from "../core/change.ts";
import { at } from "../core/entries.ts";
import { type AllowlistEntry, ENTRY_KIND, entryDocumentId } from "../core/entry.ts";
import type { EntryId, TenantId } from "../core/ids.ts";
import { takeAll } from "../core/rate-limits.ts";
import type { Precondition, StoredDocument } from "../core/store.ts";
import type { Tenant } from "../core/tenant.ts";
import { findTenant } from "../core/tenant-lookup.ts";
import type { WhitelistOptions } from "./dependencies.ts";
import { adding, joined, type Part, renewing } from "./entry-parts.ts";
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
import { browserOf, cidrOf, networkId, type Place } from "./place.ts";

const HOUR_MS = 3_600_000;
/** How many tries outside its network are recorded of a link. */
const REFUSALS_TOLD = { network: { burst: 1, periodMs: HOUR_MS }, link: { burst: 10, periodMs: HOUR_MS } };

/** A link and what it has had to do with the network that asks. */
interface Standing {
  readonly tenant: Tenant;
  readonly tenantStands: Precondition;
  readonly document: StoredDocument;
  readonly link: LinkRecord;
  readonly use: LinkUse | undefined;
  readonly useRevision: number;
  /** Those of the use's entries that are on the list. */
  readonly present: ReadonlySet<EntryId>;
}

export class LinkUses {
  readonly #options: WhitelistOptions;

  constructor(options: WhitelistOptions) {
    this.#options = options;
  }

  /**
   * The link, if a click from this place would admit it or keep it admitted. Changes nothing on the list; that it was
   * opened elsewhere than in its own network is recorded.
   */
  async peek(tenant: TenantId, id: string, place: Place): Promise<LinkRecord | "elsewhere" | undefined> {
    const standing = await this.#standing(tenant, id, place);
    if (standing === "elsewhere") return await this.#refuse(tenant, id, place);
    if (standing === undefined) return undefined;
    const { link, use } = standing;
    if (use === undefined || !this.#goesOn(use, standing)) return this.#hasRoom(standing) ? link : undefined;
    return this.#isRemoved(use, standing) ? undefined : link;
  }

  /**
   * Admits the place's network. A network that the link has admitted already is no further use: its entry lasts
   * anew. Exact under any number of callers at once, on any node.
   * @returns the entry; `elsewhere` outside the link's own network; `undefined` when it admits nobody here any more
   * @throws SallyportError `entry_limit`
   */
  async redeem(tenant: TenantId, id: string, place: Place): Promise<AllowlistEntry | "elsewhere" | undefined> {
    const standing = await this.#standing(tenant, id, place);
    if (standing === "elsewhere") return await this.#refuse(tenant, id, place);
    const plan = async () => (await this.#plan(tenant, id, place)) ?? { result: undefined, revision: 0 };
    return (await carryOut(this.#options.ledger, plan)).result;
  }

  /** Told to the owners; once in a while, since whoever has the link may open it as often as they like. */
  async #refuse(tenant: TenantId, id: string, place: Place): Promise<"elsewhere"> {
    const { store, ledger } = this.#options;
    const waitMs = await takeAll(store, [
      [`allow/${tenant}/refused/${id}/${networkId(cidrOf(place))}`, REFUSALS_TOLD.network],
      [`allow/${tenant}/refused/${id}`, REFUSALS_TOLD.link],
    ]);
    if (waitMs > 0) return "elsewhere";
    const address = place.address.text;
    const actor = { kind: "link", id, address } as const;
    const after = { address, userAgent: browserOf(place) };
    await ledger.commit({ writes: [], audit: [{ action: "link.refused", tenant, actor, target: id, after }] });
    return "elsewhere";
  }

  async #plan(id: TenantId, linkId: string, place: Place): Promise<Plan<AllowlistEntry> | undefined> {
    const standing = await this.#standing(id, linkId, place);
    if (standing === undefined || standing === "elsewhere") return undefined;
    const { tenant, tenantStands, document, link, use, useRevision } = standing;
    const again = use !== undefined && this.#goesOn(use, standing);
    if (!again && !this.#hasRoom(standing)) return undefined;
    const nowMs = this.#options.clock.nowMs();
    const now = new Date(nowMs).toISOString();
    const author = { actor: { kind: "link", id: link.id, address: place.address.text } } as const;
    const made = await this.#admit(standing, place, nowMs, author);
    if (made === undefined) return undefined;
    const after: LinkUse = {
      ...(again ? use : { id: networkId(cidrOf(place)), cidr: cidrOf(place), firstAt: now, clicks: 0 }),
      address: place.address.text,
      userAgent: browserOf(place),
      lastAt: now,
      clicks: (again ? use.clicks : 0) + 1,
      entry: made.entry.id,
      entryUntil: made.entry.expiresAt ?? now,
    };
    const used: LinkRecord = { ...link, uses: link.uses + (again ? 0 : 1), lastUsedAt: now };
    const write = useWrite(id, link, after);
    return {
      result: made.entry,
      relieve: () => this.#options.entries.recount(id),
      change: joined(this.#options.entries, tenant, made.parts, {
        writes: [linkWrite(id, used), write],
        preconditions: [tenantStands, at(document), { kind: write.kind, id: write.id, revision: useRevision }],
        audit: [{ action: "link.used", tenant: id, ...author, target: link.id, after: { ...after, uses: used.uses } }],
      }),
    };
  }

  /** `undefined` when the entry went before its time: somebody removed it, and this link does not bring it back. */
  async #admit(
    standing: Standing,
    place: Place,
    nowMs: number,
    author: Author,
  ): Promise<{ readonly entry: AllowlistEntry; readonly parts: readonly Part[] } | undefined> {
    const { store, entries } = this.#options;
    const { tenant, link, use, present } = standing;
    const expiresAt = new Date(nowMs + link.entryTtlSeconds * 1000).toISOString();
    if (use !== undefined && this.#isRemoved(use, standing)) return undefined;
    if (use !== undefined && present.has(use.entry))
      return await renewing(store, tenant, entriesOf(use), expiresAt, author);
    const origin = { kind: "link", createdBy: `link:${link.id}`, sourceId: link.id } as const;
    const wanted = { cidr: cidrOf(place), label: link.label, expiresAt };
    const { entry, part } = adding(entries, tenant, wanted, origin, author);
    return { entry, parts: [part] };
  }

  /** `undefined` for a link that is not there, has expired, or was not this place's; `elsewhere` outside its network. */
  async #standing(id: TenantId, linkId: string, place: Place): Promise<Standing | "elsewhere" | undefined> {
    const { store, clock } = this.#options;
    if (!isLinkId(linkId)) return undefined;
    const document = await store.get(LINK_KIND, `${id}/${linkId}`);
    if (document === undefined) return undefined;
    const link = document.value as LinkRecord;
    if (Date.parse(link.expiresAt) <= clock.nowMs()) return undefined;
    if (link.allowedNetwork !== undefined && !prefixContains(parsePrefix(link.allowedNetwork), place.address))
      return "elsewhere";
    const found = await store.get(LINK_USE_KIND, `${id}/${linkId}/${networkId(cidrOf(place))}`);
    const use = found === undefined ? undefined : useOf(found);
    if (use?.removedAt !== undefined) return undefined;
    const loaded = await findTenant(store, id);
    if (loaded === undefined) return undefined;
    const { tenant, standing: tenantStands } = loaded;
    const present = await this.#present(id, use);
    return { tenant, tenantStands, document, link, use, useRevision: found?.revision ?? 0, present };
  }

  async #present(tenant: TenantId, use: LinkUse | undefined): Promise<ReadonlySet<EntryId>> {
    if (use === undefined) return new Set();
    const ids = entriesOf(use);
    const found = await this.#options.store.getMany(
      ENTRY_KIND,
      ids.map((id) => entryDocumentId(tenant, id)),
    );
    return new Set(ids.filter((_, index) => found[index] !== undefined));
  }

  /** A click belongs to the use for as long as one of its entries is on the list, or would be but for a removal. */
  #goesOn(use: LinkUse, { present }: Standing): boolean {
    return present.size > 0 || this.#isDue(use);
  }

  #isRemoved(use: LinkUse, { present }: Standing): boolean {
    return this.#isDue(use) && !present.has(use.entry);
  }

  #isDue({ entryUntil }: LinkUse): boolean {
    return Date.parse(entryUntil) > this.#options.clock.nowMs();
  }

  #hasRoom({ link }: Standing): boolean {
    return link.uses < link.maxUses;
  }
}
