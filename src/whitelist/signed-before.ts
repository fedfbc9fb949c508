/** Which links and shortcuts were handed out before a moment: their addresses are signed, and end with the key that signed them. */
import { readAll } from "../core/read-all.ts";
import type { Store } from "../core/store.ts";
import { LINK_KIND } from "./link-record.ts";
import { SHORTCUT_KIND } from "./shortcut-record.ts";

export interface SignedBefore {
  readonly links: number;
  readonly shortcuts: number;
}

/** Those that still count, of all tenants. Reads every one of them. */
export async function signedBefore(store: Store, atMs: number): Promise<SignedBefore> {
  return { links: await count(store, LINK_KIND, atMs), shortcuts: await count(store, SHORTCUT_KIND, atMs) };
}

async function count(store: Store, kind: string, atMs: number): Promise<number> {
  let found = 0;
  for await (const { value } of readAll(store, { kind }))
    if (Date.parse((value as { createdAt: string }).createdAt) < atMs) found += 1;
  return found;
}
