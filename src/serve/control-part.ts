/** Control as a part that the supervisor starts and stops, in a process of its own or in the same one. */
import { formatEndpoint } from "../config/units.ts";
import { startControl } from "../control/control.ts";
import type { Clock } from "../core/clock.ts";
import type { Logger } from "../core/log.ts";
import type { ControlStart, RunningControl } from "./messages.ts";

export async function runControl(start: ControlStart, log: Logger, clock: Clock): Promise<RunningControl> {
  const control = await startControl({ ...start, clock, log });
  const { address, port } = control.adminAddress;
  return {
    addresses: [formatEndpoint({ host: address, port })],
    declare: (tenants) => control.declare(tenants),
    stop: () => control.close(),
  };
}
