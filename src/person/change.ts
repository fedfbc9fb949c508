/** A part of a commit: what is written, under which conditions. */
import type { Precondition, Write } from "../core/store.ts";

export interface Change {
  readonly writes: readonly Write[];
  readonly preconditions: readonly Precondition[];
}

export const NO_CHANGE: Change = { writes: [], preconditions: [] };

/** All of them, in one commit. */
export function joinChanges(...changes: readonly Change[]): Change {
  return {
    writes: changes.flatMap((change) => change.writes),
    preconditions: changes.flatMap((change) => change.preconditions),
  };
}
