/** Composes the admin API and listens. */
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import fastify, { type FastifyInstance } from "fastify";
import { AllowlistRules } from "../core/allowlist.ts";
import { EntryRules } from "../core/entries.ts";
import { KeyRules } from "../core/keys.ts";
import { TenantRules } from "../core/tenants.ts";
import { auditRoutes } from "./audit.ts";
import { authenticator } from "./authentication.ts";
import { readJsonBodies } from "./body.ts";
import { refusePointless } from "./conditional.ts";
import { Cursors } from "./cursor.ts";
import { denialRoutes } from "./denials.ts";
import type { AdminDependencies } from "./dependencies.ts";
import { entryRoutes } from "./entries.ts";
import { eventRoutes } from "./events.ts";
import { keyRoutes } from "./keys.ts";
import { linkRoutes } from "./links.ts";
import { listRoutes } from "./lists.ts";
import { nameRoutes } from "./names.ts";
import { notFoundHandler, RouteTable } from "./not-found.ts";
import { describeApi, openapiRoute } from "./openapi.ts";
import { healthRoutes, operationsRoutes } from "./operations.ts";
import { outboxRoutes } from "./outbox.ts";
import { errorHandler } from "./problem.ts";
import { reportRoutes } from "./reports.ts";
import { requestRoutes } from "./requests.ts";
import type { Api, Services } from "./routes.ts";
import { sessionRoutes } from "./sessions.ts";
import { shortcutRoutes } from "./shortcuts.ts";
import { closeSoon } from "./shutdown.ts";
import { tenantRoutes } from "./tenants.ts";
import { refuseUnknownInput } from "./unknown-input.ts";
import { userActionRoutes } from "./user-actions.ts";
import { userRoutes } from "./users.ts";
import { validatorCompiler } from "./validation.ts";

export type * from "./dependencies.ts";
export type AdminApi = FastifyInstance;

export interface AdminApiOptions {
  readonly host: string;
  readonly port: number;
  /** PEM files. Without them the API speaks cleartext, which is for loopback and private networks. */
  readonly tls?: { readonly cert: string; readonly key: string };
  readonly version: string;
}

const USES_FLUSH_MS = 60_000;
/** Enough for any single resource. */
const BODY_BYTES = 1024 * 1024;
const REQUEST_TIMEOUT_MS = 60_000;
const KEEP_ALIVE_MS = 65_000;

/** Listening when it resolves; `close()` ends open event streams, and finishes what is under way. */
export async function createAdminApi(dependencies: AdminDependencies, options: AdminApiOptions): Promise<AdminApi> {
  const api = createServer(dependencies, options);
  const services = createServices(dependencies);
  const routes = new RouteTable();
  api.addHook("onRoute", (route) => routes.add(route.method, route.url));
  await describeApi(api, options.version);
  openapiRoute(api);
  healthRoutes(api, services);
  await api.register(async (keyed: Api) => {
    keyed.addHook("onRequest", authenticator(dependencies, services.keys));
    keyed.addHook("onRequest", refusePointless);
    refuseUnknownInput(keyed);
    tenantRoutes(keyed, services);
    entryRoutes(keyed, services);
    listRoutes(keyed, services);
    nameRoutes(keyed, services);
    linkRoutes(keyed, services);
    shortcutRoutes(keyed, services);
    requestRoutes(keyed, services);
    denialRoutes(keyed, services);
    reportRoutes(keyed, services);
    userRoutes(keyed, services);
    userActionRoutes(keyed, services);
    sessionRoutes(keyed, services);
    outboxRoutes(keyed, services);
    keyRoutes(keyed, services);
    auditRoutes(keyed, services);
    eventRoutes(keyed, services);
    operationsRoutes(keyed, services);
  });
  api.setNotFoundHandler(notFoundHandler(routes));
  keepUses(api, dependencies, services.keys);
  const { log } = dependencies;
  services.tenants
    .resumePurges()
    .catch((error: unknown) => log.warn({ err: error }, "deleted tenants' documents are still there"));
  await api.listen({ host: options.host, port: options.port });
  return api as unknown as AdminApi;
}

function createServer(dependencies: AdminDependencies, { tls }: AdminApiOptions): Api {
  const api = fastify({
    logger: false,
    genReqId: () => randomUUID(),
    trustProxy: false,
    bodyLimit: BODY_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    connectionTimeout: 0,
    keepAliveTimeout: KEEP_ALIVE_MS,
    forceCloseConnections: "idle",
    return503OnClosing: false,
    // A name of any length is looked for like another, after the key: Node's limit for a whole head is below this.
    routerOptions: { maxParamLength: 64 * 1024 },
    ...(tls === undefined
      ? {}
      : { https: { cert: readFileSync(tls.cert), key: readFileSync(tls.key), minVersion: "TLSv1.2" } }),
    frameworkErrors: errorHandler(dependencies.log),
  }) as unknown as Api;
  closeSoon(api);
  api.setValidatorCompiler(validatorCompiler);
  api.setSerializerCompiler(() => (value) => JSON.stringify(value));
  api.setErrorHandler(errorHandler(dependencies.log));
  readJsonBodies(api);
  api.addHook("onRequest", async (request, reply) => {
    void reply.headers({
      "sallyport-request-id": request.id,
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
      "referrer-policy": "no-referrer",
      "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    });
  });
  api.addHook("onResponse", async (request, reply) => {
    const route = request.routeOptions.url ?? "(none)";
    dependencies.metrics.adminRequest(request.method, route, reply.statusCode, reply.elapsedTime / 1000);
  });
  return api;
}

function createServices(dependencies: AdminDependencies): Services {
  const { store, clock, limits, keyring, adminKey, ownedKinds = [] } = dependencies;
  const entries = new EntryRules({ store, clock, entriesPerTenant: limits.entriesPerTenant });
  return {
    dependencies,
    entries,
    allowlists: new AllowlistRules(store, entries),
    tenants: new TenantRules({ store, ownedKinds }),
    keys: new KeyRules(adminKey === undefined ? { store, clock } : { store, clock, bootstrap: adminKey }),
    cursors: new Cursors(keyring.deriveKey("cursor")),
  };
}

/** When keys were last used is worth a write a minute, not one a request. */
function keepUses(api: Api, { log }: AdminDependencies, keys: KeyRules): void {
  const flush = () =>
    keys.flushUses().catch((error: unknown) => log.warn({ err: error }, "cannot note when keys were used"));
  const timer = setInterval(() => void flush(), USES_FLUSH_MS);
  timer.unref();
  api.addHook("onClose", async () => {
    clearInterval(timer);
    await flush();
  });
}
