/** How each part of the gate is brought up: in processes of their own, or all in this one. */
import type { DeclaredTenant } from "../config.ts";
import { systemClock } from "../core/clock.ts";
import type { Logger } from "../core/log.ts";
import { edgeFlags } from "./confinement.ts";
import type { ControlStart, EdgeStart, Running } from "./messages.ts";
import { Slot } from "./slot.ts";

export interface Part extends Running {
  /** Ends it without asking. */
  kill(): void;
}

export interface ControlPart extends Part {
  /** @throws SallyportError when the tenants cannot all be had; then nothing has changed */
  declare(tenants: readonly DeclaredTenant[], start: ControlStart): Promise<void>;
}

/** A control process of its own. */
export function startControlProcess(start: ControlStart, log: Logger): Promise<ControlPart> {
  const entry = new URL("control-process.ts", import.meta.url);
  return Slot.start({ name: "control", entry, execArgv: [], start, serialization: "advanced", descriptors: [] }, log);
}

/** An edge process, which inherits the listening sockets. */
export function startEdgeProcess(start: EdgeStart, descriptors: readonly number[], log: Logger): Promise<Part> {
  const entry = new URL("edge-process.ts", import.meta.url);
  const execArgv = edgeFlags(start.edge);
  return Slot.start({ name: `edge-${start.worker}`, entry, execArgv, start, serialization: "json", descriptors }, log);
}

/** Both in this process; loaded only there, so that a supervisor holds no code that parses requests. */
export async function startControlHere(start: ControlStart, log: Logger): Promise<ControlPart> {
  const { runControl } = await import("./control-part.ts");
  const control = await runControl(start, log, systemClock);
  return { ...control, kill: () => void control.stop(0).catch(() => {}) };
}

export async function startEdgeHere(start: EdgeStart, log: Logger): Promise<Part> {
  const { runEdge } = await import("./edge-part.ts");
  const edge = await runEdge(start, log, systemClock);
  return { ...edge, kill: () => void edge.stop(0).catch(() => {}) };
}
