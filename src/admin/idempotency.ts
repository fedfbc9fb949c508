/** `Idempotency-Key`: what was answered to a request, kept with its change, so that a repetition gets it again. */
import { createHash } from "node:crypto";
import type { FastifyRequest } from "fastify";
import type { AuditedChange } from "../core/audit.ts";
import type { Done } from "../core/change.ts";
import { SallyportError } from "../core/errors.ts";
import type { SealedKind } from "../core/reseal.ts";
import { principalOf } from "./authentication.ts";
import { bodyDigest } from "./body.ts";
import type { AdminDependencies } from "./dependencies.ts";

/** Quiet documents. */
export const ANSWER_KIND = "idempotency";
const ANSWER_TTL_MS = 24 * 60 * 60 * 1000;
const KEY = /^[\x21-\x7e]{1,255}$/;

interface StoredAnswer {
  /** Of the request: the same key with another request is a mistake. */
  readonly fingerprint: string;
  /** Sealed, because an answer can hold a new key's token. */
  readonly sealed: string;
}

/** Answers that may be asked for again, for a rotation of what seals them. */
export const SEALED_ANSWERS: SealedKind = {
  kind: ANSWER_KIND,
  quiet: true,
  reseal(keyring, { id, value }) {
    const { fingerprint, sealed } = value as StoredAnswer;
    return { fingerprint, sealed: keyring.reseal(sealed, sealContext({ id })) };
  },
};

/** A request's idempotency key: where its answer is kept, and what the request was. */
export interface Ticket {
  readonly id: string;
  readonly fingerprint: string;
}

/** `undefined` for a request without the key. @throws SallyportError `request_malformed` */
export function ticketOf(request: FastifyRequest): Ticket | undefined {
  const key = request.headers["idempotency-key"];
  if (key === undefined) return undefined;
  if (typeof key !== "string" || !KEY.test(key))
    throw new SallyportError("request_malformed", "Idempotency-Key must be 1 to 255 printable ASCII characters");
  const what = [request.method, request.url, request.headers["if-match"] ?? "", bodyDigest(request)];
  return { id: digest([principalOf(request).id, key]), fingerprint: digest(what) };
}

/** What {@link withAnswer} kept, and the revision of the change. @throws SallyportError `idempotency_conflict` */
export async function findAnswer<Answer>(
  { store, keyring }: AdminDependencies,
  ticket: Ticket,
): Promise<Done<Answer> | undefined> {
  const document = await store.get(ANSWER_KIND, ticket.id);
  if (document === undefined) return undefined;
  const { fingerprint, sealed } = document.value as StoredAnswer;
  if (fingerprint !== ticket.fingerprint)
    throw new SallyportError(
      "idempotency_conflict",
      "this Idempotency-Key was used for another request; use a new one",
    );
  const result = JSON.parse(keyring.open(sealed, sealContext(ticket)).toString()) as Answer;
  return { result, revision: document.revision };
}

/**
 * In place of a failure the answer to a request with the same key that was carried out meanwhile, which may be why.
 * @throws SallyportError `idempotency_conflict`, or the failure
 */
export async function answerInstead<Answer>(
  dependencies: AdminDependencies,
  ticket: Ticket | undefined,
  failure: unknown,
): Promise<Done<Answer>> {
  const answered = ticket === undefined ? undefined : await findAnswer<Answer>(dependencies, ticket);
  if (answered === undefined) throw failure;
  return answered;
}

/** The change with its answer in it, on the condition that none is there yet. */
export function withAnswer(
  { keyring, clock }: AdminDependencies,
  ticket: Ticket,
  change: AuditedChange,
  answer: unknown,
): AuditedChange {
  const key = { kind: ANSWER_KIND, id: ticket.id };
  const sealed = keyring.seal(JSON.stringify(answer), sealContext(ticket));
  const value: StoredAnswer = { fingerprint: ticket.fingerprint, sealed };
  const expiresAtMs = clock.nowMs() + ANSWER_TTL_MS;
  return {
    ...change,
    writes: [...change.writes, { ...key, value, expiresAtMs, quiet: true }],
    // First, so that a repetition meets its own answer before any rule that the answered request has since broken.
    preconditions: [{ ...key, revision: 0 }, ...(change.preconditions ?? [])],
  };
}

function sealContext({ id }: Pick<Ticket, "id">): string {
  return `${ANSWER_KIND}/${id}`;
}

function digest(parts: readonly string[]): string {
  return createHash("sha256").update(JSON.stringify(parts)).digest("base64url");
}
