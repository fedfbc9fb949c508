/** A child process that listens unless it is told an exit code, and ends at whatever else it is told. */
import type { Order } from "../../src/serve/messages.ts";

export interface FrailStart {
  readonly exitCode?: number;
}

process.on("message", (order: Order<FrailStart>) => {
  const exitCode = order.type === "start" ? order.start.exitCode : 1;
  if (exitCode !== undefined) process.exit(exitCode);
  process.send?.({ type: "listening", addresses: ["127.0.0.1:1"] });
});
