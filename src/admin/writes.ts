/** How the API writes: once per idempotency key, under the client's preconditions, answered with the revision. */
import { createHash } from "node:crypto";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Author, Plan } from "../core/audit.ts";
import { carryOut, type Done, type Expectation } from "../core/change.ts";
import { SallyportError } from "../core/errors.ts";
import type { Write } from "../core/store.ts";
import { authorOf, principalOf } from "./authentication.ts";
import { bodyDigest } from "./body.ts";
import { entityTag, expectationOf } from "./conditional.ts";
import type { AdminDependencies } from "./dependencies.ts";
import { sendProblem } from "./problem.ts";

/** What a write answers; the revision is added to a body once it is known. */
export interface Answer {
  readonly status: 200 | 201 | 204;
  readonly body?: object;
  readonly location?: string;
}

/** Quiet documents: what was answered to a request with an idempotency key. */
const ANSWER_KIND = "idempotency";
const ANSWER_TTL_MS = 24 * 60 * 60 * 1000;
const KEY = /^[\x21-\x7e]{1,255}$/;
const DEFAULT_WAIT_MS = 5_000;

interface StoredAnswer {
  /** Of the request: the same key with another request is a mistake. */
  readonly fingerprint: string;
  /** Sealed, because an answer can hold a new key's token. */
  readonly sealed: string;
}

/** A request's idempotency key: where its answer is kept, and what the request was. */
interface Ticket {
  readonly id: string;
  readonly fingerprint: string;
}

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
  const done = await carryOut(dependencies.ledger, async (): Promise<Plan<Answer> | Done<Answer>> => {
    const earlier = ticket === undefined ? undefined : await findAnswer(dependencies, ticket);
    if (earlier !== undefined) {
      void reply.header("idempotency-replayed", "true");
      return earlier;
    }
    const { change, result, ...rest } = await plan(author, expected);
    const given = answer(result);
    if (ticket === undefined) return { ...rest, change, result: given };
    const kept = keepAnswer(dependencies, ticket, given);
    const absent = { kind: ANSWER_KIND, id: ticket.id, revision: 0 };
    const whole = {
      ...change,
      writes: [...change.writes, kept],
      preconditions: [...(change.preconditions ?? []), absent],
    };
    return { ...rest, change: whole, result: given };
  });
  return await sendDone(dependencies, request, reply, done);
}

async function sendDone(
  { waitApplied }: AdminDependencies,
  request: FastifyRequest,
  reply: FastifyReply,
  { result, revision }: Done<Answer>,
) {
  const { wait, timeoutMs = DEFAULT_WAIT_MS } = request.query as { wait?: "applied"; timeoutMs?: number };
  void reply.header("sallyport-revision", String(revision));
  if (wait === "applied") {
    const { applied, pending } = await waitApplied(revision, timeoutMs);
    void reply.header("sallyport-applied", applied.join(", "));
    if (pending.length > 0) {
      const detail = "the change is committed; the edges named in pending have not applied it yet";
      return sendProblem(reply, "not_applied", detail, [], { applied, pending });
    }
  }
  if (result.location !== undefined) void reply.header("location", result.location);
  if (result.body === undefined) return reply.code(result.status).send();
  return reply
    .code(result.status)
    .header("etag", entityTag(revision))
    .send({ ...result.body, revision });
}

function ticketOf(request: FastifyRequest): Ticket | undefined {
  const key = request.headers["idempotency-key"];
  if (key === undefined) return undefined;
  if (typeof key !== "string" || !KEY.test(key))
    throw new SallyportError("request_malformed", "Idempotency-Key must be 1 to 255 printable ASCII characters");
  const what = [request.method, request.url, request.headers["if-match"] ?? "", bodyDigest(request)];
  return { id: digest([principalOf(request).id, key]), fingerprint: digest(what) };
}

async function findAnswer({ store, keyring }: AdminDependencies, ticket: Ticket): Promise<Done<Answer> | undefined> {
  const document = await store.get(ANSWER_KIND, ticket.id);
  if (document === undefined) return undefined;
  const { fingerprint, sealed } = document.value as StoredAnswer;
  if (fingerprint !== ticket.fingerprint)
    throw new SallyportError(
      "idempotency_conflict",
      "this Idempotency-Key was used for another request; use a new one",
    );
  return {
    result: JSON.parse(keyring.open(sealed, `${ANSWER_KIND}/${ticket.id}`).toString()) as Answer,
    revision: document.revision,
  };
}

function keepAnswer({ keyring, clock }: AdminDependencies, { id, fingerprint }: Ticket, answer: Answer): Write {
  const value: StoredAnswer = { fingerprint, sealed: keyring.seal(JSON.stringify(answer), `${ANSWER_KIND}/${id}`) };
  return { kind: ANSWER_KIND, id, value, expiresAtMs: clock.nowMs() + ANSWER_TTL_MS, quiet: true };
}

function digest(parts: readonly string[]): string {
  return createHash("sha256").update(JSON.stringify(parts)).digest("base64url");
}
