/** The back half of the edge in a process of its own, so that its memory can be measured. Started with an IPC channel. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { parseAddress } from "../../src/core/address.ts";
import { systemClock } from "../../src/core/clock.ts";
import type { CanonicalHost } from "../../src/core/ids.ts";
import { Forwarder } from "../../src/edge/forward.ts";
import { CLIENT, TIMEOUTS, tenantFor } from "./forward-edge.ts";

const [origin = ""] = process.argv.slice(2);
const log = { debug() {}, info() {}, warn() {}, error() {} };
const forwarder = new Forwarder({
  config: { timeouts: TIMEOUTS, upstream: { keepAliveSeconds: 30, maxConnections: 256 } },
  pagesSocket: "/nonexistent",
  clock: systemClock,
  log,
});
const tenant = tenantFor([origin]);
const address = parseAddress(CLIENT);
if (address === undefined) throw new Error("not an address");

const server = createServer((req, res) => {
  const host = "happyfeet.example" as CanonicalHost;
  forwarder.forward(req, res, { tenant, address, tls: false, host, target: req.url ?? "/", requestId: "req-1" });
});
server.listen(0, "127.0.0.1", () => process.send?.({ port: (server.address() as AddressInfo).port }));

let peak = 0;
setInterval(() => {
  peak = Math.max(peak, process.memoryUsage.rss());
}, 10);
/** Any message asks for the peak since the last one, in bytes. */
process.on("message", () => {
  process.send?.({ peak: Math.max(peak, process.memoryUsage.rss()) });
  peak = 0;
});
process.on("disconnect", () => process.exit(0));
