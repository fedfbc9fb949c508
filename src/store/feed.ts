/** Reads the change feed page by page: what a gap is, the same for both adapters. */
import type { Changes, Commit, Head } from "../core/store.ts";
import { checkLimit, decodeChanges } from "./codec.ts";

/** A page ends, after at least one commit, once its text has reached this many bytes. */
export const PAGE_BYTES = 8 * 1024 * 1024;

/** The commits after a revision, oldest first, and the head, all of one moment. */
export interface FeedPage {
  readonly head: Head;
  readonly commits: readonly { readonly revision: number; readonly previous: number; readonly text: string }[];
}

/**
 * Every commit must name as `previous` the one before it, the first one `revision` itself: whatever was
 * trimmed, lost in a failover or restored shows as a gap.
 */
export async function readFeed(
  revision: number,
  limit: number,
  readPage: (after: number, limit: number) => Promise<FeedPage>,
): Promise<Changes> {
  checkLimit(limit);
  const commits: Commit[] = [];
  for (let at = revision; ; ) {
    const page = await readPage(at, limit - commits.length);
    for (const { text, ...commit } of page.commits) {
      if (commit.previous !== at) return { gap: true, head: page.head };
      commits.push({ ...commit, changes: await decodeChanges(text) });
      at = commit.revision;
    }
    if (commits.length === limit || at === page.head.revision) return { gap: false, head: page.head, commits };
    if (page.commits.length === 0) return { gap: true, head: page.head };
  }
}
