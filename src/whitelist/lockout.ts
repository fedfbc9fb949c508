/** The guard against locking a clinic out: a change must not take away the last way in of its owners. */

import { ENTRY_KIND, entryDocumentId } from "../core/entry.ts";
import { SallyportError } from "../core/errors.ts";
import type { EntryId, TenantId } from "../core/ids.ts";
import type { Tenant } from "../core/tenant.ts";
import { findTenant, type WhitelistOptions } from "./settings.ts";

/** What a change would leave behind; absent where it does not touch it. */
export interface Aftermath {
  /** The tenant as it would be. */
  readonly tenant?: Tenant;
  /** This user would be disabled, deleted, or no longer an owner. */
  readonly withoutOwner?: string;
  /** These entries would go; `all` of them. */
  readonly withoutEntries?: "all" | readonly EntryId[];
}

/**
 * An owner has a way in who can sign in (enabled, with what the policy asks for), and whose place is no obstacle:
 * the location door does not shut alone, or the policy lets owners add the place where they stand, or there is an
 * entry at all. A tenant whose owners had no way in before, or that has no owners, has nothing to lose.
 */
export class LockoutGuard {
  readonly #options: Pick<WhitelistOptions, "store" | "users">;

  constructor(options: Pick<WhitelistOptions, "store" | "users">) {
    this.#options = options;
  }

  /** @throws SallyportError `lockout_refused` when owners have a way in now and would have none afterwards */
  async check(id: TenantId, aftermath: Aftermath): Promise<void> {
    const found = await findTenant(this.#options.store, id);
    if (found === undefined) return;
    const before = found.tenant;
    const after = aftermath.tenant ?? before;
    if (await this.#hasWayIn(id, after, aftermath)) return;
    if (!(await this.#hasWayIn(id, before, {}))) return;
    throw new SallyportError(
      "lockout_refused",
      "this would leave no owner a way in; repeat it with force=true if that is meant",
    );
  }

  async #hasWayIn(id: TenantId, tenant: Tenant, { withoutOwner, withoutEntries }: Aftermath): Promise<boolean> {
    if (!placeIsNoObstacle(tenant) && !(await this.#hasEntry(id, withoutEntries))) return false;
    const owners = await this.#options.users.owners(tenant);
    return owners.some((owner) => owner.canSignIn && owner.id !== withoutOwner);
  }

  async #hasEntry(id: TenantId, without: Aftermath["withoutEntries"]): Promise<boolean> {
    if (without === "all") return false;
    const gone = new Set(without?.map((entry) => entryDocumentId(id, entry)));
    const some = await this.#options.store.list({ kind: ENTRY_KIND, prefix: `${id}/`, limit: gone.size + 1 });
    return some.some((document) => !gone.has(document.id));
  }
}

function placeIsNoObstacle({ policy: { network, combine, selfAllow } }: Tenant): boolean {
  return network !== "enforce" || combine === "any" || selfAllow !== "nobody";
}
