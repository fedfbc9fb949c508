/** All upstreams of this process, shared between the tenants that name the same origin, and the choice among a tenant's. */
import type { Clock } from "../core/clock.ts";
import type { TenantId } from "../core/ids.ts";
import type { Upstream } from "./upstream.ts";

/** What choosing needs of a tenant. `upstreams` is replaced, never changed. */
export interface UpstreamOwner {
  readonly id: TenantId;
  readonly upstreams: readonly string[];
}

/** One tenant's upstreams. */
class UpstreamSet {
  readonly origins: readonly string[];
  readonly members: readonly Upstream[];
  #turn = 0;

  constructor(origins: readonly string[], members: readonly Upstream[]) {
    this.origins = origins;
    this.members = members;
  }

  /**
   * The least used one that is well and not in `tried`; those that failed to connect lately only when nothing
   * else is left, the longest rested first. Equals take turns.
   */
  choose(nowMs: number, tried: readonly Upstream[]): Upstream | undefined {
    const { members } = this;
    let best: Upstream | undefined;
    this.#turn = (this.#turn + 1) % members.length;
    for (let index = 0; index < members.length; index++) {
      const member = members[(this.#turn + index) % members.length];
      if (member === undefined || tried.includes(member)) continue;
      if (best === undefined || isBetter(member, best, nowMs)) best = member;
    }
    return best;
  }
}

function isBetter(candidate: Upstream, best: Upstream, nowMs: number): boolean {
  const candidateRests = candidate.downUntilMs > nowMs;
  const bestRests = best.downUntilMs > nowMs;
  if (candidateRests !== bestRests) return bestRests;
  return candidateRests ? candidate.downUntilMs < best.downUntilMs : candidate.active < best.active;
}

const NOTHING_TRIED: readonly Upstream[] = [];

export class Upstreams {
  readonly #clock: Clock;
  readonly #make: (origin: string) => Upstream;
  readonly #sets = new Map<TenantId, UpstreamSet>();
  readonly #pools = new Map<string, { readonly upstream: Upstream; users: number }>();

  constructor(clock: Clock, make: (origin: string) => Upstream) {
    this.#clock = clock;
    this.#make = make;
  }

  /**
   * Where the tenant's next request goes; `undefined` when every upstream of its has been tried.
   *
   * Hot path: one hash look-up, and a walk over the tenant's few upstreams.
   */
  choose(owner: UpstreamOwner, tried: readonly Upstream[] = NOTHING_TRIED): Upstream | undefined {
    let set = this.#sets.get(owner.id);
    if (set === undefined || set.origins !== owner.upstreams) set = this.#replace(owner);
    const only = set.members[0];
    if (set.members.length === 1 && only !== undefined && tried.length === 0) return only;
    return set.members.length === 0 ? undefined : set.choose(this.#clock.nowMs(), tried);
  }

  /** Forgets a tenant that is gone; its upstreams close gracefully unless another tenant names them. */
  forget(tenant: TenantId): void {
    const set = this.#sets.get(tenant);
    this.#sets.delete(tenant);
    if (set !== undefined) this.#release(set);
  }

  /** The tenant's upstreams are other ones now; those that nobody names any more close gracefully. */
  update(owner: UpstreamOwner): void {
    const set = this.#sets.get(owner.id);
    if (set !== undefined && set.origins !== owner.upstreams) this.#replace(owner);
  }

  /** The tenants that have sent anything here. */
  known(): TenantId[] {
    return [...this.#sets.keys()];
  }

  /** Ends every connection now. */
  destroy(): void {
    for (const { upstream } of this.#pools.values()) upstream.destroy();
    this.#pools.clear();
    this.#sets.clear();
  }

  #replace(owner: UpstreamOwner): UpstreamSet {
    const earlier = this.#sets.get(owner.id);
    const origins = [...new Set(owner.upstreams)];
    const set = new UpstreamSet(
      owner.upstreams,
      origins.map((origin) => this.#use(origin)),
    );
    this.#sets.set(owner.id, set);
    // After the new set has taken its share, so that a pool in both is not closed in between.
    if (earlier !== undefined) this.#release(earlier);
    return set;
  }

  #use(origin: string): Upstream {
    const known = this.#pools.get(origin);
    const pool = known ?? { upstream: this.#make(origin), users: 0 };
    if (known === undefined) this.#pools.set(origin, pool);
    pool.users += 1;
    return pool.upstream;
  }

  #release(set: UpstreamSet): void {
    for (const origin of new Set(set.origins)) {
      const pool = this.#pools.get(origin);
      if (pool === undefined || --pool.users > 0) continue;
      this.#pools.delete(origin);
      pool.upstream.close();
    }
  }
}
