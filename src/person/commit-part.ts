/** A part of a commit: what is written, under which conditions. */
import type { Precondition, Write } from "../core/store.ts";

export interface CommitPart {
  readonly writes: readonly Write[];
  readonly preconditions: readonly Precondition[];
}

export const NO_PART: CommitPart = { writes: [], preconditions: [] };

/** All of them, in one commit. */
export function joinParts(...parts: readonly CommitPart[]): CommitPart {
  return {
    writes: parts.flatMap((part) => part.writes),
    preconditions: parts.flatMap((part) => part.preconditions),
  };
}
