/**
 * Repairs a store that went back in time: a fail-over to a replica that lagged, or an older copy put in its
 * place. What this node has seen acknowledged is carried out again, revocations above all.
 */
import { parsePrefix } from "../core/address.ts";
import { type AllowlistEntry, ENTRY_KIND } from "../core/entry.ts";
import type { TenantId } from "../core/ids.ts";
import { readPages } from "../core/read-all.ts";
import type { Change, Commit, Head, Precondition, Store, StoredDocument, Write } from "../core/store.ts";
import type { PolicyReplica } from "./policy.ts";

const BATCH = 500;

export interface Healed {
  /** Deletions that had been lost. */
  readonly deleted: number;
  /** Documents that had gone back, or were gone. */
  readonly restored: number;
}

interface Known {
  readonly change: Change;
  readonly revision: number;
}

/**
 * Changes nothing in a store that has lost nothing, so that a node that is merely far behind may call it too.
 * @param head of the store, read after the loss was noticed
 * @param recent the newest commits that this node has seen, oldest first
 * @param replica the policy as this node knows it, which tells lost deletions of entries however old they are
 * @throws StoreUnavailableError, ConflictError when somebody else repairs at the same time: try again
 */
export async function healStore(
  store: Store,
  head: Head,
  recent: readonly Commit[],
  replica: PolicyReplica,
): Promise<Healed> {
  const known = latestKnown(recent);
  const healed = { deleted: 0, restored: 0 };
  for (const [kind, changes] of Map.groupBy(known, ({ change }) => change.kind)) {
    for (let at = 0; at < changes.length; at += BATCH) {
      const batch = changes.slice(at, at + BATCH);
      const present = await store.getMany(
        kind,
        batch.map(({ change }) => change.id),
      );
      await commitRepairs(
        store,
        healed,
        batch.flatMap((item, index) => repairOf(item, present[index], head) ?? []),
      );
    }
  }
  await deleteUnknownEntries(store, replica, healed);
  return healed;
}

interface Repair {
  readonly write: Write;
  readonly revision: number;
}

function latestKnown(recent: readonly Commit[]): Known[] {
  const known = new Map<string, Known>();
  for (const commit of recent) {
    for (const change of commit.changes) {
      known.set(`${change.kind}\n${change.id}`, { change, revision: commit.revision });
    }
  }
  return [...known.values()];
}

function repairOf({ change, revision }: Known, present: StoredDocument | undefined, head: Head): Repair | undefined {
  const { was: _, ...write } = change;
  if (present !== undefined) return present.revision < revision ? { write, revision: present.revision } : undefined;
  // Absent: where the store's history ends before the creation it was lost; otherwise somebody may have deleted it since.
  return change.value !== null && head.revision < revision ? { write, revision: 0 } : undefined;
}

async function commitRepairs(store: Store, healed: { deleted: number; restored: number }, repairs: readonly Repair[]) {
  if (repairs.length === 0) return;
  const preconditions: Precondition[] = repairs.map(({ write: { kind, id }, revision }) => ({ kind, id, revision }));
  await store.commit({ writes: repairs.map(({ write }) => write), preconditions });
  for (const { write } of repairs) healed[write.value === null ? "deleted" : "restored"] += 1;
}

/** An entry that is no newer than this node's policy and is not in it was deleted. */
async function deleteUnknownEntries(
  store: Store,
  replica: PolicyReplica,
  healed: { deleted: number; restored: number },
): Promise<void> {
  for await (const page of readPages(store, { kind: ENTRY_KIND })) {
    const repairs = page.filter((document) => document.revision <= replica.revision && !isKnown(replica, document));
    await commitRepairs(
      store,
      healed,
      repairs.map(({ kind, id, revision }) => ({ write: { kind, id, value: null }, revision })),
    );
  }
}

function isKnown(replica: PolicyReplica, document: StoredDocument): boolean {
  const tenant = document.id.slice(0, document.id.indexOf("/")) as TenantId;
  const { id, cidr } = document.value as AllowlistEntry;
  return replica.list(tenant)?.has({ id, prefix: parsePrefix(cidr) }) ?? false;
}
