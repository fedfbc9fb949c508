/** The back half of the edge behind a bare HTTP server that admits everybody: what forwarding alone does. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Test } from "tap";
import { parseAddress } from "../../src/core/address.ts";
import { systemClock } from "../../src/core/clock.ts";
import type { CanonicalHost, TenantId } from "../../src/core/ids.ts";
import { type Admission, Forwarder, type ForwarderOptions } from "../../src/edge/forward.ts";
import type { ForwardTenant } from "../../src/edge/forward-order.ts";
import { SILENT } from "./silent-log.ts";

export const CLIENT = "203.0.113.7";

export interface ForwardEdgeOptions {
  readonly upstreams: readonly string[];
  readonly timeouts?: Partial<ForwarderOptions["config"]["timeouts"]>;
  readonly upstream?: Partial<ForwarderOptions["config"]["upstream"]>;
  readonly pagesSocket?: string;
  readonly assertion?: string;
  readonly clock?: ForwarderOptions["clock"];
  readonly log?: ForwarderOptions["log"];
}

export interface ForwardEdge {
  readonly port: number;
  readonly server: Server;
  readonly forwarder: Forwarder;
  readonly tenant: ForwardTenant;
}

export const TIMEOUTS: ForwarderOptions["config"]["timeouts"] = {
  headersSeconds: 15,
  requestIdleSeconds: 60,
  keepAliveSeconds: 65,
  writeIdleSeconds: 60,
  connectSeconds: 5,
  responseHeadersSeconds: 60,
  responseIdleSeconds: 120,
  tunnelIdleSeconds: 3600,
};

export function tenantFor(upstreams: readonly string[], id = "happy-feet"): ForwardTenant {
  return { id: id as TenantId, name: "Happy Feet", upstreams, branding: {} };
}

/** Starts it; it ends with the test. Paths under `/.sallyport/` go to control. */
export async function startForwardEdge(t: Test, options: ForwardEdgeOptions): Promise<ForwardEdge> {
  const tenant = tenantFor(options.upstreams);
  const forwarder = new Forwarder({
    config: {
      timeouts: { ...TIMEOUTS, ...options.timeouts },
      upstream: { keepAliveSeconds: 30, maxConnections: 256, ...options.upstream },
    },
    pagesSocket: options.pagesSocket ?? "/nonexistent",
    clock: options.clock ?? systemClock,
    log: options.log ?? SILENT,
  });
  const server = createServer({ keepAliveTimeout: 60_000, insecureHTTPParser: false });
  const handle = (req: IncomingMessage, res: ServerResponse): void => {
    if (req.url?.startsWith("/.sallyport/"))
      forwarder.forwardToControl(req, res, admit(tenant, req, options.assertion));
    else forwarder.forward(req, res, admit(tenant, req, options.assertion));
  };
  server.on("request", handle).on("checkContinue", handle);
  server.on("upgrade", (req, socket, head) =>
    forwarder.upgrade(req, socket, head, admit(tenant, req, options.assertion)),
  );
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
    forwarder.close();
  });
  return { port: (server.address() as AddressInfo).port, server, forwarder, tenant };
}

function admit(tenant: ForwardTenant, req: IncomingMessage, assertion: string | undefined): Admission {
  const address = parseAddress(CLIENT);
  if (address === undefined) throw new Error("not an address");
  return {
    tenant,
    address,
    tls: false,
    host: "happyfeet.example" as CanonicalHost,
    target: req.url ?? "/",
    ...(assertion === undefined ? {} : { assertion }),
    requestId: "req-1",
  };
}
