/** A link's uses follow the list: an entry that lasts longer keeps its use, and the last one taken off takes it back. */
import { at } from "../core/entries.ts";
import { type AllowlistEntry, ENTRY_KIND, entryDocumentId } from "../core/entry.ts";
import type { EntryId, TenantId } from "../core/ids.ts";
import type { Precondition, Store, StoredDocument, Write } from "../core/store.ts";
import { later } from "./lifetime.ts";
import {
  entriesOf,
  LINK_KIND,
  LINK_USE_KIND,
  type LinkRecord,
  type LinkUse,
  linkWrite,
  useOf,
  useWrite,
} from "./link-record.ts";

const MANY = 1000;

export interface UseEnds {
  readonly writes: readonly Write[];
  readonly preconditions: readonly Precondition[];
}

/** The entries of a change: those that it takes off the list, and those to which it gives another end. */
export interface EntryEnds {
  readonly gone: readonly AllowlistEntry[];
  readonly moved: readonly AllowlistEntry[];
}

/**
 * What a change adds that ends these entries, each of them present until then. A link whose use changes is written,
 * so that its tag moves and nobody uses it at the same moment; it is kept for as long as its entries last.
 */
export async function followingUses(
  store: Store,
  tenant: TenantId,
  { gone, moved }: EntryEnds,
  nowMs: number,
): Promise<UseEnds> {
  const removedAt = new Date(nowMs).toISOString();
  const sources = [...gone, ...moved].filter(({ kind }) => kind === "link").map(({ sourceId }) => sourceId);
  const ids = new Set(gone.map(({ id }) => id));
  const ends: { writes: Write[]; preconditions: Precondition[] } = { writes: [], preconditions: [] };
  for (const source of new Set(sources)) {
    const document = await store.get(LINK_KIND, `${tenant}/${source}`);
    if (document === undefined) continue;
    const own = moved.filter(({ sourceId }) => sourceId === source);
    const link = keptFor(document.value as LinkRecord, own);
    const written: Write[] = [];
    for (const found of await usesOf(store, document)) {
      const use = useOf(found);
      const others = entriesOf(use).filter((id) => !ids.has(id));
      const mine = own.filter(({ id }) => others.includes(id));
      if (use.removedAt !== undefined || (mine.length === 0 && others.length === entriesOf(use).length)) continue;
      const left = await present(store, tenant, others);
      ends.preconditions.push(at(found), ...left.map(at));
      if (left.length === 0) written.push(useWrite(tenant, link, { ...use, removedAt }));
      else if (mine.length > 0) written.push(useWrite(tenant, link, withEnd(use, mine)));
    }
    if (written.length === 0) continue;
    ends.writes.push(...written, linkWrite(tenant, link));
    ends.preconditions.push(at(document));
  }
  return ends;
}

/** The link, kept until the last of these entries ends. */
function keptFor(link: LinkRecord, entries: readonly AllowlistEntry[]): LinkRecord {
  const keptUntil = entries.map(({ expiresAt }) => expiresAt ?? "").reduce(later, link.keptUntil ?? "");
  return keptUntil === "" ? link : { ...link, keptUntil };
}

function withEnd(use: LinkUse, entries: readonly AllowlistEntry[]): LinkUse {
  const entry = entries.find(({ id }) => id === use.entry);
  return { ...use, entryUntil: entry?.expiresAt ?? use.entryUntil };
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
