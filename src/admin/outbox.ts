/** `/v1/tenants/{tenant}/outbox`: mail that waits, was sent, or was given up. */
import type { Author, Plan } from "../core/audit.ts";
import { SallyportError } from "../core/errors.ts";
import type { TenantId } from "../core/ids.ts";
import { formatInstant } from "../core/instant.ts";
import { listOutbox, type OutboxEntry, planRetry } from "../notify/outbox.ts";
import { pageOf } from "./cursor.ts";
import {
  type Api,
  DEFAULT_LIMIT,
  IdParam,
  NoContent,
  pageQuery,
  pageSchema,
  responses,
  type Services,
  TenantParams,
  tenantParams,
  WRITE_REFUSALS,
  WriteHeaders,
  writeQuery,
} from "./routes.ts";
import { executeWrite } from "./writes.ts";

const tags = ["outbox"];
const MailParams = tenantParams({ mail: IdParam("The mail's id.") });

export function outboxRoutes(api: Api, services: Services): void {
  listRoute(api, services);
  retryRoute(api, services);
}

function listRoute(api: Api, { dependencies: { store }, tenants, cursors }: Services): void {
  const schema = {
    operationId: "listOutbox",
    summary: "List mail: first what waits, then what was sent or given up in the last seven days",
    tags,
    params: TenantParams,
    querystring: pageQuery({}),
    response: responses({ 200: pageSchema("Mail") }, ["not_found", "body_invalid", "cursor_invalid"]),
  };
  api.get("/v1/tenants/:tenant/outbox", { schema }, async (request) => {
    const { limit = DEFAULT_LIMIT, cursor } = request.query;
    const { tenant } = await tenants.read(request.params.tenant as TenantId);
    const list = `outbox/${tenant.id}`;
    const [, state, id] = /^(queued|sent|dead) (.+)$/.exec(cursors.read(list, cursor) ?? "") ?? [];
    const after = id === undefined ? undefined : { state: state as OutboxEntry["state"], id };
    return await pageOf(
      limit,
      (count) => listOutbox(store, tenant.id, count, after),
      toWire,
      (last) => cursors.make(list, `${last.state} ${last.id}`),
    );
  });
}

function retryRoute(api: Api, { dependencies, tenants }: Services): void {
  const schema = {
    operationId: "retryMail",
    summary: "Try mail again that was given up",
    tags,
    headers: WriteHeaders,
    params: MailParams,
    querystring: writeQuery({}),
    response: responses({ 204: NoContent }, ["body_invalid", "not_found", ...WRITE_REFUSALS]),
  };
  api.post("/v1/tenants/:tenant/outbox/:mail/retry", { schema }, async (request, reply) => {
    const { tenant } = await tenants.read(request.params.tenant as TenantId);
    const plan = async (author: Author): Promise<Plan<undefined>> => {
      const { store, clock } = dependencies;
      const retry = await planRetry(store, `${tenant.id}/${request.params.mail}`, clock.nowMs());
      if (retry === undefined)
        throw new SallyportError("not_found", "there is no mail of this id that was given up and is still of use");
      const record = { action: "mail.retried", tenant: tenant.id, ...author, target: request.params.mail };
      return { result: undefined, change: { ...retry, audit: [record] } };
    };
    return await executeWrite(dependencies, request, reply, plan, () => ({ status: 204 }));
  });
}

function toWire(entry: OutboxEntry) {
  const { id, notice, to, state, attempts, lastError, createdAtMs, dueAtMs, settledAtMs, expiresAtMs } = entry;
  return {
    id: id.slice(id.indexOf("/") + 1),
    notice,
    to,
    state,
    attempts,
    ...(lastError === undefined ? {} : { lastError }),
    createdAt: formatInstant(createdAtMs),
    ...(state === "queued" ? { dueAt: formatInstant(dueAtMs) } : {}),
    ...(settledAtMs === undefined ? {} : { settledAt: formatInstant(settledAtMs) }),
    expiresAt: formatInstant(expiresAtMs),
  };
}
