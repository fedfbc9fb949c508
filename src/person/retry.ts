/** Optimistic writing: read, decide, commit; again from the reading on when somebody else wrote first. */
import { ConflictError } from "../core/errors.ts";

const ATTEMPTS = 8;

/**
 * Runs `attempt` until its commit does not lose against another writer, at most eight times. `attempt` must
 * read whatever it decides on, so that each try judges the present state.
 * @param settled a kind of document that `attempt` does not read again: losing it is final
 * @throws ConflictError when it lost every time, and whatever else `attempt` throws.
 */
export async function retryConflicts<T>(attempt: () => Promise<T>, settled?: string): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof ConflictError) || error.kind === settled || tries === ATTEMPTS) throw error;
    }
  }
}

/** The value of `attempt`, or `lost` when another request of the same browser was first with this kind of document. */
export async function unlessLost<T, L>(kind: string, lost: L, attempt: () => Promise<T>): Promise<T | L> {
  try {
    return await attempt();
  } catch (error) {
    if (error instanceof ConflictError && error.kind === kind) return lost;
    throw error;
  }
}
