/** The pages' server: HTTP on a Unix socket that only the edges of this node reach. */
import { chmodSync, rmSync } from "node:fs";
import fastify, { type FastifyInstance } from "fastify";
import { ASSET_CACHE_CONTROL, type Asset } from "../look/stylesheet.ts";
import { ASSETS } from "./assets.ts";
import { Reception, type ReceptionOptions } from "./reception.ts";
import type { Route } from "./route.ts";

/** The edge refuses larger bodies too. */
const BODY_BYTES = 64 * 1024;

export interface PagesOptions extends ReceptionOptions {
  readonly socketPath: string;
  /** Every page there is: as a rule those of {@link ./person-routes.ts} and their like for other doors. */
  readonly routes: readonly Route[];
}

/** Listens once it resolves. Whoever can connect is an edge, whose facts about the client are believed. */
export async function startPages(options: PagesOptions): Promise<FastifyInstance> {
  const reception = new Reception(options);
  const server = fastify({
    bodyLimit: BODY_BYTES,
    // Edges keep their connections; the edge is the one who gives up on a slow client.
    keepAliveTimeout: 120_000,
    requestTimeout: 30_000,
    exposeHeadRoutes: true,
    // Whatever stands for a token is a page's to answer: more than the target's whole length that the edge takes.
    routerOptions: { maxParamLength: 64 * 1024 },
    frameworkErrors: (error, request, reply) => void reception.unrouted(error, request, reply),
  });
  reception.attend(server, options.routes);
  serveAssets(server, ASSETS);
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
        .header("cross-origin-resource-policy", "same-origin")
        .type(contentType)
        .send(body),
    );
  }
}
