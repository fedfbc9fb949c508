/** How the API has the person door's rules write: as every write, once per idempotency key and answered with the revision. */
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Actor, AuditedChange, Author, ChangeCommitter } from "../core/audit.ts";
import { anyRevision, type Done, expectRevision } from "../core/change.ts";
import { ConflictError, SallyportError } from "../core/errors.ts";
import type { Precondition } from "../core/store.ts";
import type { Management } from "../person/door.ts";
import { authorOf } from "./authentication.ts";
import { entityTag, expectationOf } from "./conditional.ts";
import type { AdminDependencies } from "./dependencies.ts";
import { ANSWER_KIND, answerInstead, findAnswer, type Ticket, ticketOf, withAnswer } from "./idempotency.ts";
import { type Answer, awaitApplied } from "./writes.ts";

/** What a change leaves to answer from, now and at each repetition of the request. */
export interface Made {
  /** The id of what it was done to. */
  readonly target: string;
  /** What nobody can read back, such as a token. */
  readonly outcome?: unknown;
}

/** What the change is done to, and its revision now: what `If-Match` is about. */
export type Subject = (rules: Management) => Promise<Precondition>;

/** A body with a `revision` is a resource's, and gets an entity tag. */
export interface ManagedAnswer extends Answer {
  readonly body?: object & { readonly revision?: number };
}

/**
 * Has the rules make their one change, and answers from what it left. A repetition with the same
 * `Idempotency-Key` changes nothing and is answered from the same; of a resource that has changed since, as it is
 * then. It is carried out on the condition that the subject is as the client read it, where one is named.
 * With `wait=applied` also what a revocation swept up after its commit is out of every edge.
 */
export async function executeManaged(
  dependencies: AdminDependencies,
  request: FastifyRequest,
  reply: FastifyReply,
  work: (rules: Management, actor: Actor) => Promise<unknown>,
  answer: (made: Made) => Promise<ManagedAnswer> | ManagedAnswer,
  subject?: Subject,
): Promise<FastifyReply> {
  const author = authorOf(request);
  const expected = subject === undefined ? undefined : expectationOf(request);
  const ticket = ticketOf(request);
  const carrier = new Carrier(dependencies, author, ticket);
  const earlier = ticket === undefined ? undefined : await findAnswer<Made>(dependencies, ticket);
  const judge = async (rules: Management) => {
    if (expected === undefined || subject === undefined) return undefined;
    const read = await subject(rules);
    expectRevision(expected, read);
    return expected === anyRevision ? undefined : read;
  };
  const done = earlier ?? (await carrier.run(judge, (rules) => work(rules, author.actor)));
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
  #read: Precondition | undefined;
  #done: Done<Made> | undefined;

  constructor(dependencies: AdminDependencies, author: Author, ticket: Ticket | undefined) {
    this.#dependencies = dependencies;
    this.#author = author;
    this.#ticket = ticket;
  }

  get committed(): boolean {
    return this.#done !== undefined;
  }

  /** @param judge what the client read, which the change then demands */
  async run(
    judge: (rules: Management) => Promise<Precondition | undefined>,
    work: (rules: Management) => Promise<unknown>,
  ): Promise<Done<Made>> {
    const rules = this.#dependencies.person.manage(this);
    try {
      this.#read = await judge(rules);
      await work(rules);
    } catch (error) {
      if (this.#done !== undefined) throw error;
      return await answerInstead(this.#dependencies, this.#ticket, error);
    }
    if (this.#done === undefined) throw new TypeError("the rules changed nothing");
    return this.#done;
  }

  async commit(change: AuditedChange): Promise<number> {
    const made: Made = { target: change.audit[0]?.target ?? "", outcome: change.outcome };
    const read = this.#read;
    const traced = {
      ...change,
      preconditions: [...(change.preconditions ?? []), ...(read === undefined ? [] : [read])],
      audit: change.audit.map((record) => ({ ...record, ...this.#author })),
    };
    const whole = this.#ticket === undefined ? traced : withAnswer(this.#dependencies, this.#ticket, traced, made);
    try {
      const revision = await this.#dependencies.ledger.commit(whole);
      this.#done = { result: made, revision };
      return revision;
    } catch (error) {
      if (error instanceof ConflictError && (await this.#isAnswered(error))) throw new AnsweredMeanwhile();
      // The rules would try again; what the client read does not come back.
      if (error instanceof ConflictError && error.kind === read?.kind && error.id === read.id)
        throw new SallyportError(error.code, error.message);
      throw error;
    }
  }

  /** Whichever condition of the change failed first, the answer tells whether this very request was carried out. */
  async #isAnswered(conflict: ConflictError): Promise<boolean> {
    if (this.#ticket === undefined) return false;
    return conflict.kind === ANSWER_KIND || (await findAnswer<Made>(this.#dependencies, this.#ticket)) !== undefined;
  }
}
