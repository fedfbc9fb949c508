/** How the API writes: once per idempotency key, under the client's preconditions, answered with the revision. */
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Author, Plan } from "../core/audit.ts";
import { carryOut, type Done, type Expectation } from "../core/change.ts";
import { authorOf } from "./authentication.ts";
import { entityTag, expectationOf } from "./conditional.ts";
import type { AdminDependencies } from "./dependencies.ts";
import { answerInstead, findAnswer, ticketOf, withAnswer } from "./idempotency.ts";
import { sendProblem } from "./problem.ts";

/** What a write answers; the revision is added to a body once it is known. */
export interface Answer {
  readonly status: 200 | 201 | 204;
  readonly body?: object;
  readonly location?: string;
}

const DEFAULT_WAIT_MS = 5_000;

/**
 * Carries a planned change out and answers. The answer of a request with `Idempotency-Key` is stored in the
 * very commit of its change, per API key and for 24 hours: a repetition changes nothing and gets the same
 * answer, also after a crash, on another node, or while the first is still under way. Refusals are not
 * stored: a corrected state of things may turn them into successes.
 */
export async function executeWrite<Result>(
  dependencies: AdminDependencies,
  request: FastifyRequest,
  reply: FastifyReply,
  plan: (author: Author, expected: Expectation) => Promise<Plan<Result>>,
  answer: (result: Result) => Answer,
): Promise<FastifyReply> {
  const author = authorOf(request);
  const expected = expectationOf(request);
  const ticket = ticketOf(request);
  let given: Answer | undefined;
  const planAnswered = async (): Promise<Plan<Answer> | Done<Answer>> => {
    const earlier = ticket === undefined ? undefined : await findAnswer<Answer>(dependencies, ticket);
    if (earlier !== undefined) return earlier;
    const { change, result, ...rest } = await plan(author, expected);
    given = answer(result);
    if (ticket === undefined) return { ...rest, change, result: given };
    return { ...rest, change: withAnswer(dependencies, ticket, change, given), result: given };
  };
  const done = await carryOut(dependencies.ledger, planAnswered).catch((failure: unknown) =>
    answerInstead<Answer>(dependencies, ticket, failure),
  );
  if (done.result !== given) void reply.header("idempotency-replayed", "true");
  return await sendDone(dependencies, request, reply, done);
}

async function sendDone(
  dependencies: AdminDependencies,
  request: FastifyRequest,
  reply: FastifyReply,
  { result, revision }: Done<Answer>,
) {
  const late = await awaitApplied(dependencies, request, reply, revision);
  if (late !== undefined) return late;
  if (result.location !== undefined) void reply.header("location", result.location);
  if (result.body === undefined) return reply.code(result.status).send();
  return reply
    .code(result.status)
    .header("etag", entityTag(revision))
    .send({ ...result.body, revision });
}

/**
 * Tells the change's revision, and with `wait=applied` waits for the edges.
 * @param until what they must have applied, where that is more than the change
 * @returns the reply, sent, when they did not get there in time
 */
export async function awaitApplied(
  { waitApplied }: AdminDependencies,
  request: FastifyRequest,
  reply: FastifyReply,
  revision: number,
  until: number = revision,
): Promise<FastifyReply | undefined> {
  const { wait, timeoutMs = DEFAULT_WAIT_MS } = request.query as { wait?: "applied"; timeoutMs?: number };
  void reply.header("sallyport-revision", String(revision));
  if (wait !== "applied") return undefined;
  const { applied, pending } = await waitApplied(until, timeoutMs);
  void reply.header("sallyport-applied", applied.join(", "));
  if (pending.length === 0) return undefined;
  const detail = "the change is committed; the edges named in pending have not applied it yet";
  return sendProblem(reply, "not_applied", detail, [], { applied, pending });
}
