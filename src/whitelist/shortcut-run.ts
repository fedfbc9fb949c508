/** Running a shortcut: the entry moves to where its device is now. */
import type { Author, Plan } from "../core/audit.ts";
import { carryOut } from "../core/change.ts";
import { at } from "../core/entries.ts";
import type { AllowlistEntry } from "../core/entry.ts";
import type { TenantId } from "../core/ids.ts";
import type { Precondition, StoredDocument } from "../core/store.ts";
import type { Tenant } from "../core/tenant.ts";
import { findTenant } from "../core/tenant-lookup.ts";
import type { WhitelistOptions } from "./dependencies.ts";
import type { SignedInUser } from "./door.ts";
import { adding, joined, type NewEntry, removing, renewing } from "./entry-parts.ts";
import type { Confirmation } from "./outcome.ts";
import { browserOf, cidrOf, networkId, type Place } from "./place.ts";
import { isShortcutId, SHORTCUT_KIND, type ShortcutRecord, shortcutOf, shortcutWrite } from "./shortcut-record.ts";

/** How many networks count as known. */
const KNOWN_NETWORKS = 20;

interface Standing {
  readonly tenant: Tenant;
  readonly tenantStands: Precondition;
  readonly document: StoredDocument;
  readonly shortcut: ShortcutRecord;
}

export class ShortcutRuns {
  readonly #options: WhitelistOptions;

  constructor(options: WhitelistOptions) {
    this.#options = options;
  }

  /** The shortcut, and what running it from this place takes. Changes nothing. */
  async peek(
    id: TenantId,
    shortcut: string,
    place: Place,
    person?: SignedInUser,
  ): Promise<{ readonly shortcut: ShortcutRecord; readonly by: Confirmation } | undefined> {
    const standing = await this.#standing(id, shortcut);
    if (standing === undefined) return undefined;
    const by = this.#needsFactor(standing, place, person)
      ? "sign-in"
      : standing.tenant.policy.shortcut === "auto"
        ? "auto"
        : "click";
    return { shortcut: standing.shortcut, by };
  }

  /**
   * Admits the place's network in place of the one before, in one commit.
   * @returns the entry, `sign-in` where the policy asks for the factor first, `undefined` when the shortcut is gone
   * @throws SallyportError `entry_limit`
   */
  async run(
    id: TenantId,
    shortcut: string,
    place: Place,
    person?: SignedInUser,
  ): Promise<AllowlistEntry | "sign-in" | undefined> {
    const plan = async (): Promise<Plan<AllowlistEntry> | { result: "sign-in" | undefined; revision: number }> => {
      const standing = await this.#standing(id, shortcut);
      if (standing === undefined) return { result: undefined, revision: 0 };
      if (this.#needsFactor(standing, place, person)) return { result: "sign-in", revision: 0 };
      return await this.#plan(standing, place);
    };
    return (await carryOut<AllowlistEntry | "sign-in" | undefined>(this.#options.ledger, plan)).result;
  }

  async #plan({ tenant, tenantStands, document, shortcut }: Standing, place: Place): Promise<Plan<AllowlistEntry>> {
    const { clock, entries, store } = this.#options;
    const nowMs = clock.nowMs();
    const expiresAt = new Date(nowMs + shortcut.idleSeconds * 1000).toISOString();
    const author = { actor: { kind: "shortcut", id: shortcut.id, address: place.address.text } } as const;
    const cidr = cidrOf(place);
    const stays = shortcut.lastRun?.cidr === cidr && shortcut.entries.length > 0;
    const renewed = stays ? await renewing(store, tenant, shortcut.entries, expiresAt, author) : undefined;
    const moved = renewed ?? (await this.#move(tenant, shortcut, { cidr, label: shortcut.label, expiresAt }, author));
    const after: ShortcutRecord = {
      ...shortcut,
      expiresAt: renewed?.until ?? expiresAt,
      runs: shortcut.runs + 1,
      lastRun: {
        at: new Date(nowMs).toISOString(),
        address: place.address.text,
        cidr,
        userAgent: browserOf(place),
      },
      entries: renewed === undefined ? [moved.entry.id] : shortcut.entries,
      networks: [...new Set([networkId(cidr), ...shortcut.networks])].slice(0, KNOWN_NETWORKS),
    };
    return {
      result: moved.entry,
      relieve: () => entries.recount(tenant.id),
      change: joined(entries, tenant, moved.parts, {
        writes: [shortcutWrite(tenant.id, after)],
        preconditions: [tenantStands, at(document)],
        audit: [{ action: "shortcut.run", tenant: tenant.id, ...author, target: shortcut.id, after: after.lastRun }],
      }),
    };
  }

  /** The new entry, and the end of those before, whatever their family. */
  async #move(tenant: Tenant, shortcut: ShortcutRecord, wanted: NewEntry, author: Author) {
    const { store, entries } = this.#options;
    const origin = { kind: "shortcut", createdBy: `shortcut:${shortcut.id}`, sourceId: shortcut.id } as const;
    const { entry, part } = adding(entries, tenant, wanted, origin, author);
    const { part: removal } = await removing(store, tenant, shortcut.entries, author);
    return { entry, parts: [part, removal] };
  }

  #needsFactor({ tenant, shortcut }: Standing, place: Place, person: SignedInUser | undefined): boolean {
    if (tenant.policy.shortcut !== "factor-on-new-network") return false;
    if (shortcut.networks.includes(networkId(cidrOf(place)))) return false;
    return person === undefined || (shortcut.user !== undefined && person.user !== shortcut.user);
  }

  /** `undefined` for a shortcut that is not there or has expired, or whose person is disabled or gone. */
  async #standing(id: TenantId, shortcutId: string): Promise<Standing | undefined> {
    const { store, users } = this.#options;
    const document = isShortcutId(shortcutId) ? await store.get(SHORTCUT_KIND, `${id}/${shortcutId}`) : undefined;
    const loaded = document === undefined ? undefined : await findTenant(store, id);
    if (document === undefined || loaded === undefined) return undefined;
    const shortcut = shortcutOf(document);
    if (shortcut.user !== undefined) {
      const user = await users.find(loaded.tenant, shortcut.user);
      if (user === undefined || user.disabled) return undefined;
    }
    return { tenant: loaded.tenant, tenantStands: loaded.standing, document, shortcut };
  }
}
