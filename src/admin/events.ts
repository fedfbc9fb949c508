/** `/v1/events`: audit records as they happen, as server-sent events that resume. */

import { once } from "node:events";
import type { ServerResponse } from "node:http";
import Type from "typebox";
import { AUDIT_KIND, type AuditRecord } from "../core/audit.ts";
import { SallyportError } from "../core/errors.ts";
import type { TenantId } from "../core/ids.ts";
import { KEY_KIND, type Principal } from "../core/keys.ts";
import type { Commit } from "../core/store.ts";
import { noSuchTenant } from "../core/tenant-lookup.ts";
import { closed } from "../schema/parts.ts";
import { TenantIdSchema } from "../schema/tenant.ts";
import { principalOf } from "./authentication.ts";
import type { AdminDependencies } from "./dependencies.ts";
import { type FeedStep, followFeed } from "./feed.ts";
import { type Api, responses, type Services } from "./routes.ts";

const HEARTBEAT_MS = 15_000;
const RETRY_MS = 2_000;
const MAX_STREAMS_PER_KEY = 50;

const EventHeaders = Type.Object({
  "last-event-id": Type.Optional(Type.String({ description: "Go on after this event." })),
});

/** Where a stream goes on: after a commit, or within the next one, because one commit can hold several records. */
interface Position {
  readonly revision: number;
  /** Records of the commit after `revision` that were already sent. */
  readonly skip: number;
}

/** Open streams end with the API. */
export function eventRoutes(api: Api, { dependencies }: Services): void {
  const open = new Map<AbortController, string>();
  api.addHook("preClose", async () => {
    for (const stream of open.keys()) stream.abort();
  });
  const schema = {
    operationId: "streamEvents",
    summary: "Changes as they happen (server-sent events)",
    description:
      "The event's name is the record's action, its data the audit record and its revision. Reconnect with Last-Event-ID to miss none. An event named resync says that some are no longer kept: read the present state again.",
    tags: ["audit"],
    produces: ["text/event-stream"],
    headers: EventHeaders,
    querystring: Type.Object({ tenant: Type.Optional(TenantIdSchema) }, closed),
    response: responses({ 200: Type.String({ description: "text/event-stream" }) }, [
      "cursor_invalid",
      "not_found",
      "body_invalid",
    ]),
  };
  api.get("/v1/events", { schema, exposeHeadRoute: false, config: { scope: "all" } }, async (request, reply) => {
    const principal = principalOf(request);
    const tenant = readTenant(request.query.tenant, principal);
    const position = readPosition(request.headers["last-event-id"]);
    const own = [...open.values()].filter((key) => key === principal.id);
    if (own.length >= MAX_STREAMS_PER_KEY)
      throw new SallyportError("limit_reached", "this key has too many event streams open");
    const from = position ?? { revision: (await dependencies.store.head()).revision, skip: 0 };
    reply.hijack();
    const stream = new AbortController();
    open.set(stream, principal.id);
    reply.raw.once("close", () => stream.abort());
    try {
      await new EventStream(dependencies, reply.raw, principal, tenant, stream).run(from);
    } catch (error) {
      dependencies.log.warn({ err: error, requestId: request.id }, "an event stream ended early");
    } finally {
      open.delete(stream);
      reply.raw.end();
    }
    return reply;
  });
}

function readTenant(asked: string | undefined, principal: Principal): TenantId | undefined {
  if (asked !== undefined && principal.tenant !== undefined && asked !== principal.tenant) throw noSuchTenant();
  return principal.tenant ?? (asked as TenantId | undefined);
}

/** `{revision}`: after that commit; `{revision}-{n}`: and after n records of the commit that follows it. */
function readPosition(text: string | undefined): Position | undefined {
  if (text === undefined || text === "") return undefined;
  const [, revision, index] = /^(\d{1,16})(?:-(\d{1,6}))?$/.exec(text) ?? [];
  if (revision === undefined)
    throw new SallyportError("cursor_invalid", "Last-Event-ID is not one that this stream gave out");
  return { revision: Number(revision), skip: Number(index ?? 0) };
}

class EventStream {
  readonly #dependencies: AdminDependencies;
  readonly #response: ServerResponse;
  readonly #principal: Principal;
  readonly #tenant: TenantId | undefined;
  readonly #end: AbortController;

  constructor(
    dependencies: AdminDependencies,
    response: ServerResponse,
    principal: Principal,
    tenant: TenantId | undefined,
    end: AbortController,
  ) {
    this.#dependencies = dependencies;
    this.#response = response;
    this.#principal = principal;
    this.#tenant = tenant;
    this.#end = end;
  }

  async run({ revision, skip }: Position): Promise<void> {
    this.#response.writeHead(200, {
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-store",
      "x-accel-buffering": "no",
      "x-content-type-options": "nosniff",
    });
    // An id without data: a reader that is cut off before the first event still knows where it stood.
    await this.#write(`retry: ${RETRY_MS}\nid: ${revision}\n\n`);
    const heartbeat = setInterval(() => this.#beat(), HEARTBEAT_MS);
    let skipped = skip;
    try {
      for await (const step of followFeed(this.#dependencies.store, revision, this.#end.signal)) {
        await this.#send(step, skipped);
        if (step.type === "commit") skipped = 0;
      }
    } finally {
      clearInterval(heartbeat);
    }
  }

  #beat(): void {
    const { expiresAtMs = Infinity } = this.#principal;
    if (expiresAtMs <= this.#dependencies.clock.nowMs()) this.#end.abort();
    else if (!this.#response.writableNeedDrain) this.#response.write(": still here\n\n");
  }

  async #send(step: FeedStep, skip: number): Promise<void> {
    if (step.type === "idle") return;
    if (step.type === "gap") {
      await this.#write(
        `id: ${step.revision}\nevent: resync\ndata: ${JSON.stringify({ revision: step.revision })}\n\n`,
      );
      // The key may have been revoked within the gap: whoever reconnects proves it anew.
      this.#end.abort();
      return;
    }
    await this.#write(this.#format(step.commit, skip));
    const revoked = ({ kind, id, value }: Commit["changes"][number]) =>
      kind === KEY_KIND && id === this.#principal.id && value === null;
    if (step.commit.changes.some(revoked)) this.#end.abort();
  }

  #format({ revision, previous, changes }: Commit, skip: number): string {
    const records = changes
      .filter(({ kind, value }) => kind === AUDIT_KIND && value !== null)
      .map(({ value }) => value as AuditRecord);
    const events = records.map((record, index) => {
      if (index < skip || (this.#tenant !== undefined && record.tenant !== this.#tenant)) return "";
      const id = index === records.length - 1 ? revision : `${previous}-${index + 1}`;
      return `id: ${id}\nevent: ${record.action}\ndata: ${JSON.stringify({ ...record, revision })}\n\n`;
    });
    return events.join("");
  }

  async #write(text: string): Promise<void> {
    if (text === "" || this.#end.signal.aborted || this.#response.write(text)) return;
    await once(this.#response, "drain", { signal: this.#end.signal }).catch(() => undefined);
  }
}
