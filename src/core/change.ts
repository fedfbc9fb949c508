/** Works a change out, carries it out, and starts again from what is there now when somebody else was first. */
import type { ChangeCommitter, Plan } from "./audit.ts";
import { ConflictError, SallyportError } from "./errors.ts";

const MAX_ATTEMPTS = 100;

export interface Done<Result> {
  readonly result: Result;
  readonly revision: number;
}

/**
 * Errors of the planning itself (not found, refused, a lost `If-Match`) go to the caller; a commit that lost
 * against another is planned again. A planner that finds its change already carried out says what came of it.
 * Each lost attempt means that another succeeded, so somebody always gets on.
 */
export async function carryOut<Result>(
  committer: ChangeCommitter,
  plan: () => Promise<Plan<Result> | Done<Result>>,
): Promise<Done<Result>> {
  let relieved = false;
  for (let attempt = 1; ; attempt++) {
    const planned = await plan();
    if ("revision" in planned) return planned;
    const { change, result, relieve } = planned;
    try {
      return { result, revision: await committer.commit(change) };
    } catch (error) {
      if (error instanceof ConflictError && attempt < MAX_ATTEMPTS) continue;
      const full = error instanceof SallyportError && error.code === "entry_limit";
      if (!full || relieved || relieve === undefined || !(await relieve())) throw error;
      relieved = true;
    }
  }
}

/** Lets the event loop turn, so that a long piece of work holds nobody up. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** What a client says that it read: `If-Match`. `undefined` says nothing. */
export type Expectation = ((revision: number) => boolean) | undefined;

/** `If-Match: *`: whatever is there. */
export const anyRevision = () => true;

/** @throws ConflictError when the document is not at the revision that the client expects */
export function expectRevision(
  expected: Expectation,
  document: { readonly kind: string; readonly id: string; readonly revision: number },
): void {
  if (expected !== undefined && !expected(document.revision)) throw new ConflictError(document.kind, document.id);
}
