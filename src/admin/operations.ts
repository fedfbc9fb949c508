/** What operations asks: explain, edges, health, readiness and metrics. */
import Type from "typebox";
import { parseAddress } from "../core/address.ts";
import { SallyportError } from "../core/errors.ts";
import type { TenantId } from "../core/ids.ts";
import { closed } from "../schema/parts.ts";
import { sendProblem } from "./problem.ts";
import { type Api, found, responses, type Services, TenantParams } from "./routes.ts";

const tags = ["operations"];

export function operationsRoutes(api: Api, services: Services): void {
  explainRoute(api, services);
  edgesRoute(api, services);
  metricsRoute(api, services);
}

const ExplainQuery = Type.Object(
  {
    ip: Type.String({
      description: "The client's address.",
      maxLength: 100,
      examples: ["203.0.113.7"],
      errorMessage: "must be one IP address",
    }),
    user: Type.Optional(Type.String({ description: "A user's id or e-mail.", maxLength: 254 })),
    path: Type.Optional(
      Type.String({
        description: "The request's path, for exemptions.",
        maxLength: 4096,
        pattern: "^/",
        errorMessage: "must start with /",
      }),
    ),
    method: Type.Optional(
      Type.Enum(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"], {
        description: "Default GET.",
        errorMessage: "must be a method in capitals",
      }),
    ),
  },
  closed,
);

function explainRoute(api: Api, { dependencies }: Services): void {
  const schema = {
    operationId: "explain",
    summary: "Why a request is admitted or blocked",
    tags,
    params: TenantParams,
    querystring: ExplainQuery,
    response: responses({ 200: found("Explanation") }, ["body_invalid", "address_invalid", "not_found", "not_ready"]),
  };
  api.get("/v1/tenants/:tenant/explain", { schema }, async (request) => {
    const { ip, user, path, method = "GET" } = request.query;
    const address = parseAddress(ip);
    if (address === undefined) {
      const issues = [{ at: "/ip", message: "is not an IP address", hint: "write 203.0.113.7 or 2001:db8::1" }];
      throw new SallyportError("address_invalid", "ip is not an IP address", { issues });
    }
    const asked = { address, method, ...(user === undefined ? {} : { user }), ...(path === undefined ? {} : { path }) };
    return await dependencies.explain(request.params.tenant as TenantId, asked);
  });
}

function edgesRoute(api: Api, { dependencies }: Services): void {
  const schema = {
    operationId: "listEdges",
    summary: "Every live edge of all nodes, and what it has applied",
    tags,
    response: responses({ 200: Type.Object({ items: Type.Array(Type.Ref("Edge")) }, closed) }, []),
  };
  api.get("/v1/edges", { schema }, async () => {
    const edges = await dependencies.edges();
    return { items: edges.map((edge) => ({ ...edge, node: edge.id.slice(0, edge.id.lastIndexOf("/")) })) };
  });
}

function metricsRoute(api: Api, { dependencies: { metrics, edges } }: Services): void {
  const schema = {
    operationId: "readMetrics",
    summary: "Metrics in the Prometheus text format",
    tags,
    produces: ["text/plain"],
    response: responses({ 200: Type.String() }, []),
  };
  api.get("/metrics", { schema }, async (_request, reply) => {
    metrics.edges(await edges());
    return reply.header("content-type", metrics.registry.contentType).send(await metrics.registry.metrics());
  });
}

/** Without a key: what a load balancer or a container asks. */
export function healthRoutes(api: Api, { dependencies }: Services): void {
  const health = {
    operationId: "health",
    summary: "Whether the process answers",
    tags,
    security: [],
    response: { 200: Type.Object({ status: Type.Literal("ok") }, closed) },
  };
  api.get("/healthz", { schema: health }, async () => ({ status: "ok" as const }));
  const readiness = {
    operationId: "readiness",
    summary: "Whether the node can do its work",
    tags,
    security: [],
    response: { 200: found("Readiness"), 503: { ...Type.Ref("Problem"), description: "not_ready" } },
  };
  api.get("/readyz", { schema: readiness }, async (_request, reply) => {
    const { ready, checks } = await dependencies.readiness();
    return ready ? { ready, checks } : sendProblem(reply, "not_ready", undefined, [], { checks });
  });
}
