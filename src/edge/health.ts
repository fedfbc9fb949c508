/** The edge's own health listener: on its own port, for orchestrators and metrics, never for the public. */
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Endpoint } from "../config/settings.ts";
import type { ReplicaState } from "../replica/policy.ts";

export interface HealthSources {
  readonly state: () => ReplicaState | "draining";
  /** In the Prometheus text format. */
  readonly metrics: () => string;
}

/**
 * `/healthz`: the process answers. `/readyz`: it has policy to decide by, and accepts connections; else 503.
 * `/metrics`: what it counted.
 */
export async function openHealthListener(endpoint: Endpoint, sources: HealthSources): Promise<Server> {
  const server = createServer({ headersTimeout: 5_000, requestTimeout: 5_000 }, (req, res) => {
    if (req.method !== "GET" && req.method !== "HEAD") answer(res, 405, "method not allowed\n");
    else if (req.url === "/healthz") answer(res, 200, "ok\n");
    else if (req.url === "/readyz") answerState(res, sources.state());
    else if (req.url === "/metrics") answer(res, 200, sources.metrics(), "text/plain; version=0.0.4; charset=utf-8");
    else answer(res, 404, "not found\n");
  });
  const { host, port, fd } = endpoint;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject);
  server.listen(fd === undefined ? { host, port } : { fd }, resolve);
  await promise;
  return server;
}

export function addressOf(server: Server): AddressInfo {
  return server.address() as AddressInfo;
}

function answerState(res: ServerResponse, state: ReplicaState | "draining"): void {
  answer(res, state === "serving" ? 200 : 503, `${state}\n`);
}

function answer(res: ServerResponse, status: number, body: string, type = "text/plain; charset=utf-8"): void {
  const fields = { "content-type": type, "content-length": Buffer.byteLength(body), "cache-control": "no-store" };
  res.writeHead(status, status === 405 ? { ...fields, allow: "GET, HEAD" } : fields);
  res.end(body);
}
