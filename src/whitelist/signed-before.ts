/** Which links and shortcuts were handed out before a moment: their addresses are signed, and end with the key that signed them. */
import type { Store } from "../core/store.ts";
import { LINK_KIND } from "./link-record.ts";
import { SHORTCUT_KIND } from "./shortcut-record.ts";

const PAGE = 500;

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
  for (let after = ""; ; ) {
    const page = await store.list({ kind, limit: PAGE, ...(after === "" ? {} : { after }) });
    found += page.filter(({ value }) => Date.parse((value as { createdAt: string }).createdAt) < atMs).length;
    if (page.length < PAGE) return found;
    after = page.at(-1)?.id ?? "";
  }
}
