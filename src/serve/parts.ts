/** How each part of the gate is brought up: in processes of their own, or all in this one. */
import { systemClock } from "../core/clock.ts";
import type { Logger } from "../core/log.ts";
import { edgeFlags } from "./confinement.ts";
import type { ControlStart, EdgeStart, Running } from "./messages.ts";
import { Slot } from "./slot.ts";

export interface Part extends Running {
  /** Ends it without asking. */
  kill(): void;
}

/** A control process of its own. */
export function startControlProcess(start: ControlStart, log: Logger): Promise<Part> {
  const entry = new URL("control-process.ts", import.meta.url);
  return Slot.start({ name: "control", entry, execArgv: [], start, descriptors: [], log });
}

/** An edge process, which inherits the listening sockets. */
export function startEdgeProcess(start: EdgeStart, descriptors: readonly number[], log: Logger): Promise<Part> {
  const entry = new URL("edge-process.ts", import.meta.url);
  const execArgv = edgeFlags(start.edge);
  return Slot.start({ name: `edge-${start.worker}`, entry, execArgv, start, descriptors, log });
}

/** Both in this process; loaded only there, so that a supervisor holds no code that parses requests. */
export async function startControlHere(start: ControlStart, log: Logger): Promise<Part> {
  const { runControl } = await import("./control-part.ts");
  return { ...(await runControl(start, log, systemClock)), kill: () => {} };
}

export async function startEdgeHere(start: EdgeStart, log: Logger): Promise<Part> {
  const { runEdge } = await import("./edge-part.ts");
  return { ...(await runEdge(start, log, systemClock)), kill: () => {} };
}
