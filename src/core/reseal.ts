/** A rotation of the sealing keys, in the store: who seals with which key, and everything sealed once more under the newest. */
import { ConflictError, SallyportError } from "./errors.ts";
import type { Keyring } from "./keyring.ts";
import { readAll } from "./read-all.ts";
import type { Store, StoredDocument, Write } from "./store.ts";

/** `node/{name}` → {@link SealingNode}, while the node runs; `key/{id}` → {@link SealingKey}. Quiet. */
export const SEALING_KEY_KIND = "sealingkey";
/** A node that died is waited for so long. */
const NODE_TTL_MS = 2 * 60_000;
/** How often a node must say that it runs. */
export const SEALING_NODE_EVERY_MS = 30_000;

interface SealingNode {
  readonly key: string;
}

interface SealingKey {
  /** Since when every node seals and signs with it. */
  readonly sinceMs: number;
}

/** A kind of document that holds something sealed. */
export interface SealedKind {
  readonly kind: string;
  /** Whether its writes stay out of the feed. */
  readonly quiet: boolean;
  /** The value with everything sealed under the primary key. @throws SallyportError `seal_invalid` */
  reseal(keyring: Keyring, document: StoredDocument): unknown;
}

export interface Resealed {
  /** How many documents of each kind were sealed again. */
  readonly resealed: Readonly<Record<string, number>>;
  /** Documents that no key of the ring opens, as `kind/id`: they were unreadable before, and are left as they are. */
  readonly unreadable: readonly string[];
  readonly sinceMs: number;
}

/** What a running node writes every {@link SEALING_NODE_EVERY_MS}. */
export function sealingNode(node: string, keyring: Pick<Keyring, "primaryKeyId">, nowMs: number): Write {
  const value: SealingNode = { key: keyring.primaryKeyId };
  return { kind: SEALING_KEY_KIND, id: `node/${node}`, value, expiresAtMs: nowMs + NODE_TTL_MS, quiet: true };
}

/** What a node writes when it stops. */
export function stoppedSealing(node: string): Write {
  return { kind: SEALING_KEY_KIND, id: `node/${node}`, value: null, quiet: true };
}

/**
 * Seals everything again under the ring's primary key. Afterwards nothing in the store needs an earlier key, and
 * nothing will, since every running node seals with the primary one. May be repeated, and broken off at any time.
 * @throws SallyportError `config_invalid`, before anything is written, while a node runs that seals with another key
 */
export async function resealAll(
  store: Store,
  keyring: Keyring,
  kinds: readonly SealedKind[],
  nowMs: number,
): Promise<Resealed> {
  const behind = await nodesBehind(store, keyring);
  if (behind.length > 0) {
    const detail = `another sealing key is in use by ${behind.join(", ")}: give every node the new one first (SIGHUP)`;
    throw new SallyportError("config_invalid", detail);
  }
  const sinceMs = await inUseSince(store, keyring, nowMs);
  const resealed: Record<string, number> = {};
  const unreadable: string[] = [];
  for (const sealed of kinds) {
    for await (const document of readAll(store, { kind: sealed.kind })) {
      const outcome = await resealOne(store, keyring, sealed, document);
      if (outcome === "unreadable") unreadable.push(`${document.kind}/${document.id}`);
      if (outcome === "resealed") resealed[sealed.kind] = (resealed[sealed.kind] ?? 0) + 1;
    }
  }
  return { resealed, unreadable, sinceMs };
}

async function nodesBehind(store: Store, keyring: Keyring): Promise<string[]> {
  const behind: string[] = [];
  for await (const { id, value } of readAll(store, { kind: SEALING_KEY_KIND, prefix: "node/" }))
    if ((value as SealingNode).key !== keyring.primaryKeyId) behind.push(id.slice("node/".length));
  return behind;
}

async function inUseSince(store: Store, keyring: Keyring, nowMs: number): Promise<number> {
  const key = { kind: SEALING_KEY_KIND, id: `key/${keyring.primaryKeyId}` };
  const known = (await store.get(key.kind, key.id))?.value as SealingKey | undefined;
  if (known !== undefined) return known.sinceMs;
  const value: SealingKey = { sinceMs: nowMs };
  await store.commit({ writes: [{ ...key, value, quiet: true }] });
  return nowMs;
}

async function resealOne(store: Store, keyring: Keyring, { kind, quiet, reseal }: SealedKind, first: StoredDocument) {
  for (let document: StoredDocument | undefined = first; document !== undefined; ) {
    const { id, revision, expiresAtMs } = document;
    try {
      const value = reseal(keyring, document);
      if (JSON.stringify(value) === JSON.stringify(document.value)) return "as it was";
      const write = { kind, id, value, quiet, ...(expiresAtMs === undefined ? {} : { expiresAtMs }) };
      await store.commit({ writes: [write], preconditions: [{ kind, id, revision }] });
      return "resealed";
    } catch (error) {
      if (error instanceof SallyportError && error.code === "seal_invalid") return "unreadable";
      if (!(error instanceof ConflictError)) throw error;
      document = await store.get(kind, id);
    }
  }
  return "gone";
}
