/** The end of a person: what they brought onto the list goes with them. */
import type { Author, ChangeCommitter } from "../core/audit.ts";
import type { TenantId } from "../core/ids.ts";
import { loadTenant } from "../core/tenant-lookup.ts";
import type { WhitelistOptions } from "./dependencies.ts";
import { joined, removing } from "./entry-parts.ts";
import { placesOf } from "./self-allow.ts";
import { shortcutOf } from "./shortcut-record.ts";
import { deletionOf, shortcutsOf } from "./shortcuts.ts";

/**
 * For a change that disables or deletes a person: all of their shortcuts go in its own commit, and, where a place is a
 * way in by itself, those that they added. Elsewhere these stay: they let nobody in who does not sign in, and an owner
 * who leaves may have added the clinic's own. There it costs a pass over the list.
 */
export function endingPerson(
  { store, entries }: Pick<WhitelistOptions, "store" | "entries">,
  id: TenantId,
  user: string,
  author: Author,
  ledger: ChangeCommitter,
): ChangeCommitter {
  return {
    commit: async (change) => {
      const shortcuts = await shortcutsOf(store, id, user);
      const { tenant } = await loadTenant(store, id);
      const places = await placesOf({ store, entries }, tenant, user);
      const ids = [...shortcuts.flatMap((document) => shortcutOf(document).entries), ...places.ids];
      const { part } = await removing(store, tenant, ids, author);
      const end = joined(entries, tenant, ids.length === 0 ? [] : [part], deletionOf(id, shortcuts, author));
      return await ledger.commit({
        ...change,
        writes: [...change.writes, ...end.writes],
        preconditions: [...(change.preconditions ?? []), ...(end.preconditions ?? []), places.standing],
        counters: [...(change.counters ?? []), ...(end.counters ?? [])],
        audit: [...change.audit, ...end.audit],
      });
    },
  };
}
