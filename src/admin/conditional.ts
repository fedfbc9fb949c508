/** Entity tags and the preconditions that name them (RFC 9110 sections 8.8.3 and 13.1). */
import type { FastifyReply, FastifyRequest } from "fastify";
import { anyRevision, type Expectation } from "../core/change.ts";
import { SallyportError } from "../core/errors.ts";

const TAG_LIST = /^\s*(W\/)?"[^"]*"(\s*,\s*(W\/)?"[^"]*")*\s*$/;

export function entityTag(revision: number): string {
  return `"${revision}"`;
}

/**
 * A hook for every route of a scope: a precondition on a write that has nothing to hold it against is refused, rather
 * than the write carried out regardless (RFC 9110 section 13.1.1). Routes that judge one describe it.
 * @throws SallyportError `request_malformed`
 */
export async function refusePointless({ method, headers, routeOptions }: FastifyRequest): Promise<void> {
  if (method === "GET" || method === "HEAD") return;
  const described = (routeOptions.schema?.headers as { properties?: object } | undefined)?.properties ?? {};
  for (const name of ["If-Match", "If-None-Match"]) {
    const field = name.toLowerCase();
    if (headers[field] !== undefined && !(field in described))
      throw new SallyportError("request_malformed", `${name} means nothing here; nothing was done: send it without`);
  }
}

/** What `If-Match` says of the revision to be changed; a weak tag never matches. @throws SallyportError `request_malformed` */
export function expectationOf(request: FastifyRequest): Expectation {
  const tags = readTags(request.headers["if-match"], "If-Match");
  if (tags === undefined) return undefined;
  return tags === "*" ? anyRevision : (revision) => tags.includes(entityTag(revision));
}

/** Answers 304 where `If-None-Match` names the revision, else the body with its tag. */
export function sendFresh(request: FastifyRequest, reply: FastifyReply, body: { readonly revision: number }) {
  const tag = entityTag(body.revision);
  const tags = readTags(request.headers["if-none-match"], "If-None-Match");
  void reply.header("etag", tag);
  const known = tags === "*" || tags?.some((each) => each.replace(/^W\//, "") === tag);
  return known === true ? reply.code(304).send() : reply.send(body);
}

function readTags(field: string | string[] | undefined, name: string): "*" | string[] | undefined {
  if (field === undefined) return undefined;
  const text = String(field);
  if (text.trim() === "*") return "*";
  if (!TAG_LIST.test(text))
    throw new SallyportError("request_malformed", `${name} must be * or entity tags such as "42"`);
  return text.match(/(W\/)?"[^"]*"/g) ?? [];
}
