/** The pages' server: HTTP on a Unix socket that only the edges of this node reach. */
import { chmodSync, rmSync } from "node:fs";
import fastify, { type FastifyBaseLogger, type FastifyInstance } from "fastify";
import type { TenantId } from "../core/ids.ts";
import type { Logger } from "../core/log.ts";
import { negotiateLanguage } from "../look/language.ts";
import { renderErrorPage } from "../look/refusals.ts";
import { ASSET_CACHE_CONTROL, type Asset, STYLESHEET } from "../look/stylesheet.ts";
import type { TenantPolicy } from "../replica/policy.ts";

/** The edge refuses larger bodies too. */
const BODY_BYTES = 64 * 1024;

export interface PagesOptions {
  readonly socketPath: string;
  /** The tenants as control's replica knows them. */
  readonly tenant: (id: TenantId) => TenantPolicy | undefined;
  readonly log: Logger;
}

/** Listens once it resolves. Whoever can connect is an edge, whose facts about the client are believed. */
export async function startPages(options: PagesOptions): Promise<FastifyInstance> {
  const server = fastify({
    bodyLimit: BODY_BYTES,
    // Edges keep their connections; the edge is the one who gives up on a slow client.
    keepAliveTimeout: 120_000,
    requestTimeout: 30_000,
    loggerInstance: options.log as FastifyBaseLogger,
    disableRequestLogging: true,
    exposeHeadRoutes: true,
  });
  serveAssets(server, [STYLESHEET]);
  server.setNotFoundHandler((request, reply) => {
    const id = String(request.headers["sallyport-tenant"] ?? "") as TenantId;
    const known = options.tenant(id);
    const page = renderErrorPage(404, {
      lang: negotiateLanguage(request.headers["accept-language"]),
      reference: String(request.headers["sallyport-request-id"] ?? request.id),
      ...(known === undefined ? {} : { tenant: known }),
    });
    return reply.code(page.status).headers(page.headers).send(page.body);
  });
  rmSync(options.socketPath, { force: true });
  await server.listen({ path: options.socketPath });
  chmodSync(options.socketPath, 0o600);
  return server;
}

function serveAssets(server: FastifyInstance, assets: readonly Asset[]): void {
  for (const { path, contentType, body } of assets) {
    server.get(path, (_request, reply) =>
      reply
        .header("cache-control", ASSET_CACHE_CONTROL)
        .header("x-content-type-options", "nosniff")
        .type(contentType)
        .send(body),
    );
  }
}
