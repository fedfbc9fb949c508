/** The rules of this room, put together: the one thing that control makes of it. */
import type { Author, ChangeCommitter, Plan } from "../core/audit.ts";
import { carryOut, type Done } from "../core/change.ts";
import type { TenantId } from "../core/ids.ts";
import { Companions } from "./companion.ts";
import type { WhitelistOptions } from "./dependencies.ts";
import { Door } from "./door.ts";
import { LINK_KIND, LINK_USE_KIND } from "./link-record.ts";
import { LinkUses } from "./link-use.ts";
import { Links } from "./links.ts";
import { LockoutGuard } from "./lockout.ts";
import { NAME_KIND } from "./name-record.ts";
import { Names } from "./names.ts";
import { endingPerson } from "./person-end.ts";
import { Removals, type Removed } from "./removals.ts";
import { REQUEST_KIND, Requests } from "./requests.ts";
import { planRestore } from "./restore.ts";
import { SELF_ALLOW_KIND, SelfAllow } from "./self-allow.ts";
import { SHORTCUT_KIND } from "./shortcut-record.ts";
import { ShortcutRuns } from "./shortcut-run.ts";
import { Shortcuts } from "./shortcuts.ts";

export type { KnownUser, UserDirectory, WhitelistOptions } from "./dependencies.ts";

/** Kinds whose documents belong to a tenant by an id of `{tenant}/…`: they go when it is deleted. */
export const WHITELIST_KINDS: readonly string[] = [
  LINK_KIND,
  LINK_USE_KIND,
  SHORTCUT_KIND,
  SELF_ALLOW_KIND,
  REQUEST_KIND,
  NAME_KIND,
];

/**
 * A method named `plan…` works a change out; {@link carryOut} of `core/change.ts` with the node's ledger, or
 * `manage`, carries it out. The other methods do all that they say.
 */
export interface Whitelist {
  readonly links: Links;
  readonly shortcuts: Shortcuts;
  readonly selfAllow: SelfAllow;
  readonly requests: Requests;
  readonly names: Names;
  readonly removals: Removals;
  readonly lockout: LockoutGuard;
  /** The page `allow/{token}`. */
  readonly door: Door;
  /** {@link planRestore}: takes a removal back, within the hour. @throws SallyportError `not_found` */
  planRestore(tenant: TenantId, id: string, author: Author): Promise<Plan<Removed>>;
  /** What a change commits through that disables or deletes this user: what they brought goes with them. */
  endingPerson(tenant: TenantId, user: string, author: Author, ledger: ChangeCommitter): ChangeCommitter;
  /** Carries a planned change out, planning anew when somebody else was first. */
  manage<Result>(plan: () => Promise<Plan<Result> | Done<Result>>): Promise<Result>;
}

export function openWhitelist(options: WhitelistOptions): Whitelist {
  const [companions, names, lockout] = [new Companions(options), new Names(options), new LockoutGuard(options)];
  return {
    links: new Links(options),
    shortcuts: new Shortcuts(options),
    selfAllow: new SelfAllow(options),
    requests: new Requests(options),
    names,
    removals: new Removals(options, names, lockout),
    lockout,
    door: new Door(options, { links: new LinkUses(options), shortcuts: new ShortcutRuns(options), companions }),
    planRestore: (tenant, id, author) => planRestore({ ...options, names }, tenant, id, author),
    endingPerson: (tenant, user, author, ledger) => endingPerson(options, tenant, user, author, ledger),
    manage: async (plan) => (await carryOut(options.ledger, plan)).result,
  };
}
