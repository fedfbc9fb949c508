/** What all routes share: the parts of their schemas, and the rules and tools that their handlers are given. */

import type { IncomingMessage, ServerResponse } from "node:http";
import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from "fastify";
import Type, { type TSchema } from "typebox";
import type { AllowlistRules } from "../core/allowlist.ts";
import type { EntryRules } from "../core/entries.ts";
import type { ErrorCode } from "../core/errors.ts";
import type { KeyRules } from "../core/keys.ts";
import type { TenantRules } from "../core/tenants.ts";
import { closed } from "../schema/parts.ts";
import type { Cursors } from "./cursor.ts";
import type { AdminDependencies } from "./dependencies.ts";
import { STATUS } from "./problem.ts";

export type Api = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

/** Made once; every route file takes what it needs of it. */
export interface Services {
  readonly dependencies: AdminDependencies;
  readonly tenants: TenantRules;
  readonly entries: EntryRules;
  readonly allowlists: AllowlistRules;
  readonly keys: KeyRules;
  readonly cursors: Cursors;
}

/** A path parameter. Whether there is such a thing is for the rules to say: an impossible id is one that is not there. */
export const IdParam = (description: string) => Type.String({ description, minLength: 1, maxLength: 100 });
/** The parameters of a path to what a tenant has. */
export function tenantParams<Fields extends Record<string, TSchema>>(fields: Fields) {
  return Type.Object({ tenant: IdParam("The tenant's id."), ...fields }, closed);
}
export const TenantParams = tenantParams({});
export const UserParams = tenantParams({ user: IdParam("The user's id.") });

const waitFields = {
  wait: Type.Optional(
    Type.Literal("applied", {
      description: "Answer only once every live edge has applied the change.",
      errorMessage: "must be applied",
    }),
  ),
  timeoutMs: Type.Optional(
    Type.Integer({
      description: "How long to wait; default 5000.",
      minimum: 1,
      maximum: 60_000,
      errorMessage: "must be a whole number from 1 to 60000",
    }),
  ),
};

/** The query of a write, with more fields where a route has them. */
export function writeQuery<Fields extends Record<string, TSchema>>(fields: Fields) {
  return Type.Object({ ...fields, ...waitFields }, closed);
}

/** On a change that the lock-out guard may refuse. */
export const force = Type.Optional(
  Type.Boolean({ description: "Even if it leaves no owner a way in.", errorMessage: "must be true or false" }),
);

const pageFields = {
  limit: Type.Optional(
    Type.Integer({
      description: "Default 100.",
      minimum: 1,
      maximum: 1000,
      errorMessage: "must be a whole number from 1 to 1000",
    }),
  ),
  cursor: Type.Optional(Type.String({ description: "next of the page before.", maxLength: 1024 })),
};
export const DEFAULT_LIMIT = 100;

/** The query of a list, with more fields where a route has them. */
export function pageQuery<Fields extends Record<string, TSchema>>(fields: Fields) {
  return Type.Object({ ...fields, ...pageFields }, closed);
}

export function pageSchema(item: string) {
  return Type.Object(
    {
      items: Type.Array(Type.Ref(item)),
      next: Type.Optional(Type.String({ description: "The cursor of the next page." })),
    },
    closed,
  );
}

export const WriteHeaders = Type.Object({
  "idempotency-key": Type.Optional(
    Type.String({
      description: "Repeating the request with the same key changes nothing and gets the same answer, for 24 hours.",
    }),
  ),
});
export const ChangeHeaders = Type.Object({
  ...WriteHeaders.properties,
  "if-match": Type.Optional(
    Type.String({ description: 'Refuse with 412 unless the resource has this entity tag, such as "42".' }),
  ),
});
export const ReadHeaders = Type.Object({
  "if-none-match": Type.Optional(Type.String({ description: "Answer 304 if the resource still has this entity tag." })),
});

/** What any write can be refused for, besides what is particular to it. */
export const WRITE_REFUSALS = ["request_malformed", "idempotency_conflict", "not_applied"] as const;
/** What a body can be refused for. */
export const BODY_REFUSALS = ["body_invalid", "payload_too_large", "unsupported_media_type"] as const;

/** The responses of a route: its own, and a problem for each of the codes and for those that any route can have. */
export function responses(own: Record<number, TSchema>, codes: readonly ErrorCode[]): Record<string, TSchema> {
  const always: ErrorCode[] = [
    "unauthorized",
    "forbidden",
    "body_invalid",
    "limit_reached",
    "internal",
    "store_unavailable",
  ];
  const byStatus = Map.groupBy(new Set([...codes, ...always]), (code) => STATUS[code]);
  const problems = [...byStatus].map(([status, each]) => [
    status,
    { ...Type.Ref("Problem"), description: each.join(", ") },
  ]);
  return { ...Object.fromEntries(problems), ...own };
}

const tagged = { ETag: Type.String({ description: "For If-Match and If-None-Match." }) };
const written = {
  "Sallyport-Revision": Type.Integer({ description: "The revision of the change." }),
  "Sallyport-Applied": Type.String({ description: "With wait=applied: the edges that have applied the change." }),
};

export const created = (schema: string) => ({
  ...Type.Ref(schema),
  description: "Created.",
  headers: { ...tagged, ...written },
});
export const changed = (schema: string) => ({
  ...Type.Ref(schema),
  description: "As it is now.",
  headers: { ...tagged, ...written },
});
export const found = (schema: string) => ({ ...Type.Ref(schema), description: "As it is.", headers: tagged });
export const NoContent = { ...Type.Null(), description: "Done.", headers: written };
export const NotModified = Type.Null({ description: "As If-None-Match has it." });
