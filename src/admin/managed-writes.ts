/** How the API has the person door's rules write: as every write, once per idempotency key and answered with the revision. */
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Actor, AuditedChange, Author, ChangeCommitter } from "../core/audit.ts";
import type { Done, Expectation } from "../core/change.ts";
import { ConflictError } from "../core/errors.ts";
import type { Management } from "../person/door.ts";
import { authorOf } from "./authentication.ts";
import { entityTag, expectationOf } from "./conditional.ts";
import type { AdminDependencies } from "./dependencies.ts";
import { ANSWER_KIND, findAnswer, type Ticket, ticketOf, withAnswer } from "./idempotency.ts";
import { type Answer, awaitApplied } from "./writes.ts";

/** What a change leaves to answer from, now and at each repetition of the request. */
export interface Made {
  /** The id of what it was done to. */
  readonly target: string;
  /** What nobody can read back, such as a token. */
  readonly outcome?: unknown;
}

/** A body with a `revision` is a resource's, and gets an entity tag. */
export interface ManagedAnswer extends Answer {
  readonly body?: object & { readonly revision?: number };
}

/**
 * Has the rules make their one change, and answers from what it left. A repetition with the same
 * `Idempotency-Key` changes nothing and is answered from the same; of a resource that has changed since, as it is
 * then. With `wait=applied` also what a revocation swept up after its commit is out of every edge.
 */
export async function executeManaged(
  dependencies: AdminDependencies,
  request: FastifyRequest,
  reply: FastifyReply,
  work: (rules: Management, actor: Actor, expected: Expectation) => Promise<unknown>,
  answer: (made: Made) => Promise<ManagedAnswer> | ManagedAnswer,
): Promise<FastifyReply> {
  const author = authorOf(request);
  const expected = expectationOf(request);
  const ticket = ticketOf(request);
  const carrier = new Carrier(dependencies, author, ticket);
  const earlier = ticket === undefined ? undefined : await findAnswer<Made>(dependencies, ticket);
  const done = earlier ?? (await carrier.run((rules) => work(rules, author.actor, expected)));
  if (!carrier.committed) void reply.header("idempotency-replayed", "true");
  const { status, body, location } = await answer(done.result);
  const { revision: until } = await dependencies.store.head();
  const late = await awaitApplied(dependencies, request, reply, done.revision, until);
  if (late !== undefined) return late;
  if (location !== undefined) void reply.header("location", location);
  if (body?.revision !== undefined) void reply.header("etag", entityTag(body.revision));
  return reply.code(status).send(body);
}

/** Another request with the same key was first. */
class AnsweredMeanwhile extends Error {}

/** Adds the request's id to the records of a change, and what to answer from to the change. */
class Carrier implements ChangeCommitter {
  readonly #dependencies: AdminDependencies;
  readonly #author: Author;
  readonly #ticket: Ticket | undefined;
  #done: Done<Made> | undefined;

  constructor(dependencies: AdminDependencies, author: Author, ticket: Ticket | undefined) {
    this.#dependencies = dependencies;
    this.#author = author;
    this.#ticket = ticket;
  }

  get committed(): boolean {
    return this.#done !== undefined;
  }

  async run(work: (rules: Management) => Promise<unknown>): Promise<Done<Made>> {
    try {
      await work(this.#dependencies.person.manage(this));
    } catch (error) {
      if (!(error instanceof AnsweredMeanwhile) || this.#ticket === undefined) throw error;
      const answered = await findAnswer<Made>(this.#dependencies, this.#ticket);
      if (answered === undefined) throw error;
      return answered;
    }
    if (this.#done === undefined) throw new TypeError("the rules changed nothing");
    return this.#done;
  }

  async commit(change: AuditedChange): Promise<number> {
    const made: Made = { target: change.audit[0]?.target ?? "", outcome: change.outcome };
    const traced = { ...change, audit: change.audit.map((record) => ({ ...record, ...this.#author })) };
    const whole = this.#ticket === undefined ? traced : withAnswer(this.#dependencies, this.#ticket, traced, made);
    try {
      const revision = await this.#dependencies.ledger.commit(whole);
      this.#done = { result: made, revision };
      return revision;
    } catch (error) {
      if (error instanceof ConflictError && (await this.#isAnswered(error))) throw new AnsweredMeanwhile();
      throw error;
    }
  }

  /** Whichever condition of the change failed first, the answer tells whether this very request was carried out. */
  async #isAnswered(conflict: ConflictError): Promise<boolean> {
    if (this.#ticket === undefined) return false;
    return conflict.kind === ANSWER_KIND || (await findAnswer<Made>(this.#dependencies, this.#ticket)) !== undefined;
  }
}
