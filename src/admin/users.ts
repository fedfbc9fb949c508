/** `/v1/tenants/{tenant}/users`: who may sign in. */
import Type from "typebox";
import type { Author } from "../core/audit.ts";
import type { TenantId } from "../core/ids.ts";
import type { Tenant } from "../core/tenant.ts";
import { USER_KIND, userDocumentId } from "../person/account.ts";
import { UserChangeSchema, UserInputSchema } from "../schema/user.ts";
import type { Removal } from "../whitelist/removals.ts";
import { authorOf } from "./authentication.ts";
import { entityTag } from "./conditional.ts";
import { pageOf } from "./cursor.ts";
import type { AdminDependencies } from "./dependencies.ts";
import { executeManaged, type Subject } from "./managed-writes.ts";
import { REMOVAL_REFUSALS, RemovalHeaders, removalOf, removalQuery } from "./removal.ts";
import {
  type Api,
  BODY_REFUSALS,
  changed,
  created,
  DEFAULT_LIMIT,
  found,
  NoContent,
  pageQuery,
  pageSchema,
  responses,
  type Services,
  TenantParams,
  UserParams,
  WRITE_REFUSALS,
  WriteHeaders,
  writeQuery,
} from "./routes.ts";

const tags = ["users"];

export function userRoutes(api: Api, services: Services): void {
  createRoute(api, services);
  listRoute(api, services);
  readRoute(api, services);
  changeRoute(api, services);
  deleteRoute(api, services);
}

function createRoute(api: Api, { dependencies, tenants }: Services): void {
  const schema = {
    operationId: "createUser",
    summary: "Create a user",
    tags,
    headers: WriteHeaders,
    params: TenantParams,
    querystring: writeQuery({}),
    body: {
      ...UserInputSchema,
      examples: [{ email: "reception@happyfeet.example", name: "Robin Reed", role: "user" }],
    } as typeof UserInputSchema,
    response: responses({ 201: created("User") }, [
      ...BODY_REFUSALS,
      "email_invalid",
      "email_taken",
      "password_refused",
      "not_found",
      ...WRITE_REFUSALS,
    ]),
  };
  api.post("/v1/tenants/:tenant/users", { schema }, async (request, reply) => {
    const { tenant } = await tenants.read(request.params.tenant as TenantId);
    return await executeManaged(
      dependencies,
      request,
      reply,
      ({ users }, actor) => users.create(tenant, request.body, actor),
      async ({ target }) => ({
        status: 201,
        location: `/v1/tenants/${tenant.id}/users/${target}`,
        body: await dependencies.person.users.get(tenant, target),
      }),
    );
  });
}

const email = Type.Optional(
  Type.String({
    description: "Only the user of this login.",
    maxLength: 320,
    errorMessage: "must be an e-mail address",
  }),
);

function listRoute(api: Api, { dependencies: { person }, tenants, cursors }: Services): void {
  const schema = {
    operationId: "listUsers",
    summary: "List users, in the order of their creation",
    tags,
    params: TenantParams,
    querystring: pageQuery({ email }),
    response: responses({ 200: pageSchema("User") }, ["not_found", "body_invalid", "cursor_invalid"]),
  };
  api.get("/v1/tenants/:tenant/users", { schema }, async (request) => {
    const { limit = DEFAULT_LIMIT, cursor, email: login } = request.query;
    const { tenant } = await tenants.read(request.params.tenant as TenantId);
    const list = `users/${tenant.id}`;
    const after = cursors.read(list, cursor);
    if (login !== undefined) {
      const user = await person.users.byEmail(tenant, login);
      return { items: user === undefined ? [] : [user] };
    }
    return await pageOf(
      limit,
      (count) => person.users.list(tenant, { limit: count, after }),
      (user) => user,
      (user) => cursors.make(list, user.id),
    );
  });
}

function readRoute(api: Api, { dependencies: { person }, tenants }: Services): void {
  const schema = {
    operationId: "readUser",
    summary: "Read a user, and why they cannot sign in if they cannot",
    description: "The entity tag is of what is managed here: factors, locks and sign-ins do not move it.",
    tags,
    params: UserParams,
    response: responses({ 200: found("User") }, ["not_found"]),
  };
  api.get("/v1/tenants/:tenant/users/:user", { schema }, async (request, reply) => {
    const { tenant } = await tenants.read(request.params.tenant as TenantId);
    const user = await person.users.get(tenant, request.params.user);
    return reply.header("etag", entityTag(user.revision)).send(user);
  });
}

function changeRoute(api: Api, { dependencies, tenants }: Services): void {
  const schema = {
    operationId: "changeUser",
    summary: "Change, disable or enable a user",
    description:
      "Another e-mail address, another role and disabling end every session of the user; disabling removes their shortcuts with what those admitted, and with `combine: any` the places that they added themselves, too.",
    tags,
    headers: RemovalHeaders,
    params: UserParams,
    querystring: writeQuery(removalQuery),
    body: { ...UserChangeSchema, examples: [{ state: "disabled" }] } as typeof UserChangeSchema,
    response: responses({ 200: changed("User") }, [
      ...BODY_REFUSALS,
      "email_invalid",
      "email_taken",
      "not_found",
      ...REMOVAL_REFUSALS,
      ...WRITE_REFUSALS,
    ]),
  };
  api.patch("/v1/tenants/:tenant/users/:user", { schema }, async (request, reply) => {
    const { tenant } = await tenants.read(request.params.tenant as TenantId);
    const { user } = request.params;
    const { role, state } = request.body;
    const removal = removalOf(request);
    const takesAway = role === "user" || state === "disabled";
    const committing = takesAway ? takingAway(dependencies, tenant.id, user, removal) : dependencies;
    return await executeManaged(
      state === "disabled" ? endingPerson(committing, tenant.id, user, authorOf(request)) : committing,
      request,
      reply,
      ({ users }, actor) => users.change(tenant, user, request.body, actor),
      async ({ target }) => ({ status: 200, body: await dependencies.person.users.get(tenant, target) }),
      userSubject(tenant, user),
    );
  });
}

function deleteRoute(api: Api, { dependencies, tenants }: Services): void {
  const schema = {
    operationId: "deleteUser",
    summary:
      "Delete a user with everything that proves them, their shortcuts and, with `combine: any`, the places that they added themselves",
    tags,
    headers: RemovalHeaders,
    params: UserParams,
    querystring: writeQuery(removalQuery),
    response: responses({ 204: NoContent }, ["not_found", ...REMOVAL_REFUSALS, ...WRITE_REFUSALS]),
  };
  api.delete("/v1/tenants/:tenant/users/:user", { schema }, async (request, reply) => {
    const { tenant } = await tenants.read(request.params.tenant as TenantId);
    const { user } = request.params;
    const committing = takingAway(dependencies, tenant.id, user, removalOf(request));
    return await executeManaged(
      endingPerson(committing, tenant.id, user, authorOf(request)),
      request,
      reply,
      ({ users }, actor) => users.delete(tenant, user, actor),
      () => ({ status: 204 }),
      userSubject(tenant, user),
    );
  });
}

/** What a change commits through that takes a user's rights, and may take places along. */
function takingAway(dependencies: AdminDependencies, tenant: TenantId, withoutOwner: string, removal: Removal) {
  const { ledger, whitelist } = dependencies;
  return { ...dependencies, ledger: whitelist.removals.committer(tenant, { withoutOwner }, removal, ledger) };
}

/** What a change commits through that takes along what a user brought onto the list. */
function endingPerson(dependencies: AdminDependencies, tenant: TenantId, user: string, author: Author) {
  const { ledger, whitelist } = dependencies;
  return { ...dependencies, ledger: whitelist.endingPerson(tenant, user, author, ledger) };
}

/** A user, for `If-Match`. */
export function userSubject(tenant: Tenant, user: string): Subject {
  return async ({ users }) => {
    const { id, revision } = await users.get(tenant, user);
    return { kind: USER_KIND, id: userDocumentId(tenant.id, id), revision };
  };
}
