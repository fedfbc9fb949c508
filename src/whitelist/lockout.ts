/** The guard against locking a clinic out: a change must not take away the last way in of its owners. */
import type { ChangeCommitter, Plan } from "../core/audit.ts";
import { ConflictError, SallyportError } from "../core/errors.ts";
import type { TenantId } from "../core/ids.ts";
import type { Precondition, Write } from "../core/store.ts";
import type { Tenant } from "../core/tenant.ts";
import { findTenant } from "../core/tenant-lookup.ts";
import type { WhitelistOptions } from "./dependencies.ts";
import { given, type Remainder, remainderOf, suffices } from "./remainder.ts";

type GuardOptions = Pick<WhitelistOptions, "store" | "users" | "clock" | "entries">;

/** What a change would leave behind, besides what it writes of the list; absent where it does not touch it. */
export interface Aftermath {
  /** The tenant as it would be. */
  readonly tenant?: Tenant;
  /** This user would be disabled, deleted, or no longer an owner. */
  readonly withoutOwner?: string;
}

/**
 * An owner has a way in who can sign in (enabled, with what the policy asks for), and whose place is no obstacle:
 * the location door does not shut alone, or the policy lets owners add the place where they stand, or there is an
 * entry at all. One that ends within a day, and sooner than what they had, is none. A tenant whose owners had no way
 * in before, or that has no owners, has nothing to lose.
 */
export class LockoutGuard {
  readonly #options: GuardOptions;

  constructor(options: GuardOptions) {
    this.#options = options;
  }

  /**
   * The planned change, on the condition that the way in which it leaves is there when it is committed: two changes at
   * once cannot each rely on what the other takes away.
   * @throws SallyportError `lockout_refused` when owners have a way in now and would have none afterwards
   */
  async guard<Result>(id: TenantId, aftermath: Aftermath, planned: Plan<Result>): Promise<Plan<Result>> {
    const { change } = planned;
    return { ...planned, change: given(await this.#check(id, aftermath, change.writes), change) };
  }

  /**
   * The same for rules that commit by themselves: each of their commits is guarded. One that loses against a change of
   * what the guard relied on ends in a conflict of the kind `lockout`, to be tried again.
   */
  committer(id: TenantId, aftermath: Aftermath, ledger: ChangeCommitter): ChangeCommitter {
    return {
      commit: async (change) => {
        const guarded = given(await this.#check(id, aftermath, change.writes), change);
        try {
          return await ledger.commit(guarded);
        } catch (error) {
          if (!(error instanceof ConflictError)) throw error;
          const own = change.preconditions?.some((each) => each.kind === error.kind && each.id === error.id);
          throw own === true ? error : new ConflictError("lockout", id);
        }
      },
    };
  }

  /** @returns what must stay as it is for owners to keep a way in; nothing where they have none to lose */
  async #check(id: TenantId, aftermath: Aftermath, writes: readonly Write[]): Promise<readonly Precondition[]> {
    const found = await findTenant(this.#options.store, id);
    if (found === undefined) return [];
    const left = await this.#wayIn(aftermath.tenant ?? found.tenant, aftermath.withoutOwner, writes);
    if (await suffices(left, this.#options.clock.nowMs(), () => this.#wayIn(found.tenant, undefined, [])))
      return left === undefined ? [] : [found.standing, ...left.standing];
    throw new SallyportError(
      "lockout_refused",
      "this would leave no owner a way in; repeat it with force=true if that is meant",
    );
  }

  /** One owner who can sign in, and the list where their place needs it. */
  async #wayIn(
    tenant: Tenant,
    withoutOwner: string | undefined,
    writes: readonly Write[],
  ): Promise<Remainder | undefined> {
    const place = placeIsNoObstacle(tenant)
      ? NO_OBSTACLE
      : await remainderOf(this.#options, tenant.id, () => true, writes);
    const owner = place === undefined ? undefined : await this.#options.users.ableOwner(tenant, withoutOwner);
    return place === undefined || owner === undefined
      ? undefined
      : { ...place, standing: [...place.standing, ...owner] };
  }
}

const NO_OBSTACLE: Remainder = { untilMs: Infinity, standing: [] };

function placeIsNoObstacle({ policy: { network, combine, selfAllow } }: Tenant): boolean {
  return network !== "enforce" || combine === "any" || selfAllow !== "nobody";
}
