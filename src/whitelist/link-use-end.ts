/** The end of a link's use by way of the list: the last of its entries is taken off, and so the use is taken back. */
import { at } from "../core/entries.ts";
import { type AllowlistEntry, ENTRY_KIND, entryDocumentId } from "../core/entry.ts";
import type { EntryId, TenantId } from "../core/ids.ts";
import type { Precondition, Store, StoredDocument, Write } from "../core/store.ts";
import { entriesOf, LINK_KIND, LINK_USE_KIND, type LinkRecord, linkWrite, useOf, useWrite } from "./link-record.ts";

const MANY = 1000;

export interface UseEnds {
  readonly writes: readonly Write[];
  readonly preconditions: readonly Precondition[];
}

/**
 * What a change adds that takes these entries off the list, each of them present until then. A link whose use changes
 * is written as it is, so that its tag moves and nobody uses it at the same moment.
 */
export async function endingUses(
  store: Store,
  tenant: TenantId,
  gone: readonly AllowlistEntry[],
  nowMs: number,
): Promise<UseEnds> {
  const removedAt = new Date(nowMs).toISOString();
  const brought = gone.filter(({ kind, sourceId }) => kind === "link" && sourceId !== undefined);
  const ids = new Set(brought.map(({ id }) => id));
  const ends: { writes: Write[]; preconditions: Precondition[] } = { writes: [], preconditions: [] };
  for (const source of new Set(brought.map(({ sourceId }) => sourceId))) {
    const document = await store.get(LINK_KIND, `${tenant}/${source}`);
    if (document === undefined) continue;
    const link = document.value as LinkRecord;
    const ended: Write[] = [];
    for (const found of await usesOf(store, document)) {
      const use = useOf(found);
      const others = entriesOf(use).filter((id) => !ids.has(id));
      if (use.removedAt !== undefined || others.length === entriesOf(use).length) continue;
      const left = await present(store, tenant, others);
      ends.preconditions.push(at(found), ...left.map(at));
      if (left.length === 0) ended.push(useWrite(tenant, link, { ...use, removedAt }));
    }
    if (ended.length === 0) continue;
    ends.writes.push(...ended, linkWrite(tenant, link));
    ends.preconditions.push(at(document));
  }
  return ends;
}

/** The use that goes on when an entry of it returns, unless somebody has said that it was not theirs; `undefined` then. */
export async function resumingUse(
  store: Store,
  tenant: TenantId,
  document: StoredDocument,
  entry: EntryId,
): Promise<UseEnds | undefined> {
  const found = (await usesOf(store, document)).find((each) => entriesOf(useOf(each)).includes(entry));
  if (found === undefined) return undefined;
  const { removedAt, notUs, ...use } = useOf(found);
  if (notUs === true) return undefined;
  const link = document.value as LinkRecord;
  const writes = removedAt === undefined ? [] : [useWrite(tenant, link, use), linkWrite(tenant, link)];
  return { writes, preconditions: [at(document), at(found)] };
}

async function usesOf(store: Store, { id }: StoredDocument): Promise<StoredDocument[]> {
  return await store.list({ kind: LINK_USE_KIND, prefix: `${id}/`, limit: MANY });
}

async function present(store: Store, tenant: TenantId, ids: readonly EntryId[]): Promise<StoredDocument[]> {
  if (ids.length === 0) return [];
  const found = await store.getMany(
    ENTRY_KIND,
    ids.map((id) => entryDocumentId(tenant, id)),
  );
  return found.filter((document) => document !== undefined);
}
