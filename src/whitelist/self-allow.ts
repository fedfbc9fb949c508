/** Adding the place where one stands, after a full sign-in. */
import type { Author, Plan } from "../core/audit.ts";
import { carryOut } from "../core/change.ts";
import type { AllowlistEntry } from "../core/entry.ts";
import { readLabel } from "../core/entry-input.ts";
import { SallyportError } from "../core/errors.ts";
import type { EntryId, TenantId } from "../core/ids.ts";
import type { Precondition, Write } from "../core/store.ts";
import type { Policy, Tenant } from "../core/tenant.ts";
import { loadTenant } from "../core/tenant-lookup.ts";
import type { WhitelistOptions } from "./dependencies.ts";
import { adding, joined, renewing } from "./entry-parts.ts";
import { limitsOf, within } from "./lifetime.ts";
import { cidrOf, networkId, type Place, takeUse } from "./place.ts";

/**
 * `{tenant}/{user}/{network}` → `{entry}`: the places that a person added, so that none is added twice; `{tenant}/{user}`
 * is written with each, so that the person's end misses none. Quiet.
 */
export const SELF_ALLOW_KIND = "selfallow";

/** A person whose session has proven all that the tenant asks for. */
export interface SelfAllowing {
  readonly user: string;
  readonly role: "owner" | "user";
}

export interface SelfAllowInput {
  readonly label?: string;
  readonly ttlSeconds?: number;
}

/** Whether the policy lets somebody of this role add the place where they stand. */
export function maySelfAllow({ selfAllow }: Pick<Policy, "selfAllow">, role: SelfAllowing["role"]): boolean {
  return selfAllow === "user" || (selfAllow === "owner" && role === "owner");
}

/** Whether a person added it where they stood (a request that they approved is another's), and it is a way in without them. */
export function endsWithPerson({ kind, sourceId }: AllowlistEntry, policy: Policy): boolean {
  return placesEndWithPerson(policy) && kind === "self" && sourceId === undefined;
}

function placesEndWithPerson({ combine }: Policy): boolean {
  return combine === "any";
}

/** The write that goes with a person's own place onto the list. */
export function ownPlaceWrite(id: TenantId, user: string, expiresAtMs: number): Write {
  return { kind: SELF_ALLOW_KIND, id: `${id}/${user}`, value: {}, expiresAtMs, quiet: true };
}

/** The places that end with this person, and that none is added meanwhile. Costs a pass over the list, if there can be any. */
export async function placesOf(
  { store, entries }: Pick<WhitelistOptions, "store" | "entries">,
  { id, policy }: Tenant,
  user: string,
): Promise<{ readonly ids: readonly EntryId[]; readonly standing: Precondition }> {
  const key = { kind: SELF_ALLOW_KIND, id: `${id}/${user}` };
  const latest = await store.get(key.kind, key.id);
  const standing = { ...key, revision: latest?.revision ?? 0 };
  const ids: EntryId[] = [];
  if (!placesEndWithPerson(policy)) return { ids, standing };
  for await (const page of entries.pages(id)) {
    for (const { value } of page) {
      const entry = value as AllowlistEntry;
      if (endsWithPerson(entry, policy) && entry.createdBy === `user:${user}`) ids.push(entry.id);
    }
  }
  return { ids, standing };
}

export class SelfAllow {
  readonly #options: WhitelistOptions;

  constructor(options: WhitelistOptions) {
    this.#options = options;
  }

  /**
   * Admits the place's network; one that the same person added before lasts anew.
   * @throws SallyportError `forbidden`, `limit_reached`, `entry_limit`, `body_invalid`, `not_found`
   */
  async admit(id: TenantId, place: Place, person: SelfAllowing, input: SelfAllowInput = {}): Promise<AllowlistEntry> {
    const { store, ledger } = this.#options;
    const retryAfterMs = await takeUse(store, id, person.user, place);
    if (retryAfterMs > 0)
      throw new SallyportError("limit_reached", "too many places were added; wait a minute", { retryAfterMs });
    return (await carryOut(ledger, () => this.#plan(id, place, person, input))).result;
  }

  async #plan(id: TenantId, place: Place, person: SelfAllowing, input: SelfAllowInput): Promise<Plan<AllowlistEntry>> {
    const { store, entries, clock, users } = this.#options;
    const { tenant, standing } = await loadTenant(store, id);
    const user = await users.find(tenant, person.user);
    if (user === undefined || user.disabled) throw new SallyportError("forbidden", "this login has ended");
    if (!maySelfAllow(tenant.policy, person.role))
      throw new SallyportError("forbidden", "this clinic's policy does not let you add the place where you are");
    const ttlSeconds = within(limitsOf(tenant).selfEntryTtl, input.ttlSeconds, "ttlSeconds");
    const expiresAtMs = clock.nowMs() + ttlSeconds * 1000;
    const wanted = {
      cidr: cidrOf(place),
      label: readLabel(input.label ?? "", "/label"),
      expiresAt: new Date(expiresAtMs).toISOString(),
    };
    const key = { kind: SELF_ALLOW_KIND, id: `${id}/${person.user}/${networkId(wanted.cidr)}` };
    const known = await store.get(key.kind, key.id);
    const author = { actor: { kind: "user", id: person.user, address: place.address.text } } as const;
    const earlier = (known?.value as { entry: EntryId } | undefined)?.entry;
    const { entry, parts } = await this.#part(tenant, wanted, earlier, author);
    return {
      result: entry,
      relieve: () => entries.recount(id),
      change: joined(entries, tenant, parts, {
        writes: [
          { ...key, value: { entry: entry.id }, expiresAtMs, quiet: true },
          ownPlaceWrite(id, person.user, expiresAtMs),
        ],
        preconditions: [standing, user.standing, { ...key, revision: known?.revision ?? 0 }],
        audit: [],
      }),
    };
  }

  async #part(
    tenant: Tenant,
    wanted: Parameters<typeof adding>[2] & { readonly expiresAt: string },
    earlier: EntryId | undefined,
    author: Author,
  ) {
    const { store, entries } = this.#options;
    const renewed =
      earlier === undefined ? undefined : await renewing(store, tenant, [earlier], wanted.expiresAt, author);
    if (renewed !== undefined) return renewed;
    const origin = { kind: "self", createdBy: `user:${author.actor.id}` } as const;
    const { entry, part } = adding(entries, tenant, wanted, origin, author);
    return { entry, parts: [part] };
  }
}
