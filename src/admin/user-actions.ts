/** `/v1/tenants/{tenant}/users/{user}/…`: what is done to a user besides changing them. */
import Type from "typebox";
import type { TenantId } from "../core/ids.ts";
import { formatInstant } from "../core/instant.ts";
import type { Invitation, Ticket } from "../person/invitations.ts";
import { TicketInputSchema } from "../schema/user.ts";
import { executeManaged } from "./managed-writes.ts";
import {
  type Api,
  ChangeHeaders,
  changed,
  created,
  NoContent,
  responses,
  type Services,
  UserParams,
  WRITE_REFUSALS,
  writeQuery,
} from "./routes.ts";
import { userSubject } from "./users.ts";

const tags = ["users"];
const request = { tags, headers: ChangeHeaders, params: UserParams, querystring: writeQuery({}) };
const refusals = ["body_invalid", "not_found", "precondition_failed", ...WRITE_REFUSALS] as const;

export function userActionRoutes(api: Api, services: Services): void {
  inviteRoute(api, services);
  mendRoute(api, services, "reset-factors");
  mendRoute(api, services, "unlock");
  ticketRoute(api, services);
  endSessionsRoute(api, services);
}

function inviteRoute(api: Api, { dependencies, tenants }: Services): void {
  const schema = {
    ...request,
    operationId: "inviteUser",
    summary: "Invite a user to set a password and a second factor",
    description: "Earlier invitations are void and sessions end. Good once, for seven days.",
    response: responses({ 201: created("Invitation") }, refusals),
  };
  api.post("/v1/tenants/:tenant/users/:user/invite", { schema }, async (request, reply) => {
    const { tenant } = await tenants.read(request.params.tenant as TenantId);
    return await executeManaged(
      dependencies,
      request,
      reply,
      ({ invitations }, actor) => invitations.invite(tenant, request.params.user, actor),
      ({ outcome }) => {
        const { link, expiresAtMs } = outcome as Invitation;
        return { status: 201, body: { link, expiresAt: formatInstant(expiresAtMs), mailed: dependencies.sendsMail } };
      },
      userSubject(tenant, request.params.user),
    );
  });
}

const MENDS = {
  "reset-factors": {
    operationId: "resetFactors",
    summary: "Take all factors and recovery codes away; the next sign-in enrols anew",
    description: "For a lost phone. Sessions and remembered devices end, and the person is told by mail.",
    method: "resetFactors",
  },
  unlock: {
    operationId: "unlockUser",
    summary: "Lift the lock and the delays after failed sign-ins",
    description: "Sessions go on.",
    method: "unlock",
  },
} as const;

function mendRoute(api: Api, { dependencies, tenants }: Services, action: keyof typeof MENDS): void {
  const { method, ...described } = MENDS[action];
  const schema = { ...request, ...described, response: responses({ 200: changed("User") }, refusals) };
  api.post(`/v1/tenants/:tenant/users/:user/${action}`, { schema }, async (request, reply) => {
    const { tenant } = await tenants.read(request.params.tenant as TenantId);
    return await executeManaged(
      dependencies,
      request,
      reply,
      ({ users }, actor) => users[method](tenant, request.params.user, actor),
      async ({ target }) => ({ status: 200, body: await dependencies.person.users.get(tenant, target) }),
      userSubject(tenant, request.params.user),
    );
  });
}

const TicketBody = Type.Union([TicketInputSchema, Type.Null()], { examples: [{ path: "/diary" }] });

function ticketRoute(api: Api, { dependencies, tenants }: Services): void {
  const schema = {
    ...request,
    operationId: "createSignInTicket",
    summary: "Hand a browser over that the portal has identified",
    description:
      "Stands for the first step of signing in; the second factor is still asked for. Good once, for 60 seconds.",
    body: TicketBody,
    response: responses({ 201: created("SignInTicket") }, [...refusals, "payload_too_large", "unsupported_media_type"]),
  };
  api.post("/v1/tenants/:tenant/users/:user/sign-in-ticket", { schema }, async (request, reply) => {
    const { tenant } = await tenants.read(request.params.tenant as TenantId);
    return await executeManaged(
      dependencies,
      request,
      reply,
      ({ invitations }, actor) => invitations.ticket(tenant.id, request.params.user, actor, request.body?.path),
      ({ outcome }) => {
        const { token, expiresAtMs } = outcome as Ticket;
        const url = `${dependencies.siteOrigin(tenant)}/.sallyport/ticket/${token}`;
        return { status: 201, body: { url, token, expiresAt: formatInstant(expiresAtMs) } };
      },
      userSubject(tenant, request.params.user),
    );
  });
}

function endSessionsRoute(api: Api, { dependencies, tenants }: Services): void {
  const schema = {
    ...request,
    operationId: "endSessionsOfUser",
    summary: "Sign a user out everywhere, and forget their remembered devices",
    response: responses({ 204: NoContent }, refusals),
  };
  api.delete("/v1/tenants/:tenant/users/:user/sessions", { schema }, async (request, reply) => {
    const { tenant } = await tenants.read(request.params.tenant as TenantId);
    return await executeManaged(
      dependencies,
      request,
      reply,
      ({ users }, actor) => users.endSessions(tenant, request.params.user, actor),
      () => ({ status: 204 }),
      userSubject(tenant, request.params.user),
    );
  });
}
