/** Who asks, and whether they may: keys, their scope, and how forgeries are slowed down. */
import type { FastifyRequest } from "fastify";
import { parseAddress } from "../core/address.ts";
import type { Author } from "../core/audit.ts";
import { SallyportError } from "../core/errors.ts";
import type { TenantId } from "../core/ids.ts";
import type { KeyRules, Principal } from "../core/keys.ts";
import { LocalLimit } from "../core/local-limit.ts";
import { noSuchTenant } from "../core/tenant-lookup.ts";
import type { AdminDependencies } from "./dependencies.ts";

declare module "fastify" {
  interface FastifyContextConfig {
    /**
     * Who may ask on a route that names no tenant. `all`: keys of one tenant too, and the route shows them no
     * other. Without it: only keys that are for every tenant.
     */
    readonly scope?: "all";
  }
}

const principals = new WeakMap<FastifyRequest, Principal>();
const TENANT_ID = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
/** Failed attempts of one address, all at once and then spread over a minute. A valid key is never held up. */
const FAILURES = { burst: 20, periodMs: 60_000 };
/** Records of attempts across tenants that one key can cause. */
const CROSSINGS = { burst: 60, periodMs: 60_000 };

/** @throws TypeError on a route without authentication */
export function principalOf(request: FastifyRequest): Principal {
  const principal = principals.get(request);
  if (principal === undefined) throw new TypeError("the route is not authenticated");
  return principal;
}

/** The caller as the audit log names it. */
export function authorOf(request: FastifyRequest): Author {
  const address = parseAddress(request.ip)?.text;
  const actor = { kind: "key" as const, id: principalOf(request).id };
  return { actor: address === undefined ? actor : { ...actor, address }, requestId: request.id };
}

/**
 * A hook for every route of a scope. Only the Authorization field counts, which no browser sends by itself:
 * neither a foreign page nor a rebound name can use somebody's key.
 */
export function authenticator(dependencies: AdminDependencies, keys: KeyRules) {
  const { store, clock, metrics } = dependencies;
  const failures = new LocalLimit(FAILURES, clock, 10_000);
  return async (request: FastifyRequest): Promise<void> => {
    const principal = await keys.authenticate(bearerToken(request));
    if (principal !== undefined) {
      principals.set(request, principal);
      await authorise(request, principal);
      return;
    }
    metrics.authenticationFailure();
    const retryAfterMs = failures.take(request.ip);
    if (retryAfterMs === 0) throw new SallyportError("unauthorized", "send a valid key as Authorization: Bearer");
    const detail = "too many requests without a valid key; wait before the next";
    throw new SallyportError("limit_reached", detail, { retryAfterMs });
  };

  async function authorise(request: FastifyRequest, principal: Principal): Promise<void> {
    const { tenant } = request.params as { tenant?: string };
    const missing = noSuchTenant();
    if (tenant !== undefined && !TENANT_ID.test(tenant)) throw missing;
    if (principal.tenant !== undefined && tenant !== undefined && tenant !== principal.tenant) {
      await recordCrossing(request, principal.tenant, tenant);
      throw missing;
    }
    if (principal.tenant !== undefined && tenant === undefined && request.routeOptions.config.scope !== "all")
      throw new SallyportError("forbidden", "this key is for one tenant; this needs a key for every tenant");
    if (principal.access === "read" && request.method !== "GET" && request.method !== "HEAD")
      throw new SallyportError("forbidden", "this key may only read");
  }

  async function recordCrossing(request: FastifyRequest, tenant: TenantId, target: string): Promise<void> {
    const author = authorOf(request);
    const { allowed } = await store.take(`crossing/${author.actor.id}`, CROSSINGS);
    if (!allowed) return;
    const after = { method: request.method, route: request.routeOptions.url };
    await dependencies.ledger.commit({
      writes: [],
      audit: [{ action: "access.denied", tenant, ...author, target, after }],
    });
  }
}

function bearerToken(request: FastifyRequest): string {
  return /^Bearer +([!-~]+)$/i.exec(request.headers.authorization ?? "")?.[1] ?? "";
}
