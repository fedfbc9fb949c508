/** How each part of the gate is brought up: in processes of their own, or all in this one. */
import type { DeclaredTenant } from "../config.ts";
import { systemClock } from "../core/clock.ts";
import type { Logger } from "../core/log.ts";
import type { Place } from "./affinity.ts";
import { edgeFlags } from "./confinement.ts";
import type { ControlStart, EdgeStart, Running } from "./messages.ts";
import { Slot } from "./slot.ts";

/** A part from its beginning on, in whichever process, so that whoever holds it can end it before it listens. */
export interface Part {
  /** Where it listens, `host:port` each. Rejects with what is in the way; then nothing of it is left. */
  readonly listening: Promise<readonly string[]>;
  /** Takes nothing new, lets what is in flight end until the deadline, then cuts it. */
  stop(deadlineMs: number): Promise<void>;
  /** Ends it without asking. */
  kill(): void;
}

export interface ControlPart extends Part {
  /** @throws SallyportError when the tenants cannot all be had; then nothing has changed */
  declare(tenants: readonly DeclaredTenant[], start: ControlStart): Promise<void>;
}

/** A control process of its own. */
export function startControlProcess(start: ControlStart, log: Logger, place?: Place): ControlPart {
  const entry = new URL("control-process.ts", import.meta.url);
  const options = { entry, execArgv: [], start, serialization: "advanced", descriptors: [], place } as const;
  return new Slot({ name: "control", ...options }, log);
}

/** An edge process, which inherits the listening sockets. */
export function startEdgeProcess(start: EdgeStart, descriptors: readonly number[], log: Logger, place?: Place): Part {
  const entry = new URL("edge-process.ts", import.meta.url);
  const execArgv = edgeFlags(start.edge);
  const options = { entry, execArgv, start, serialization: "json", descriptors, place } as const;
  return new Slot({ name: `edge-${start.worker}`, ...options }, log);
}

/** Both in this process; loaded only there, so that a supervisor holds no code that parses requests. */
export function startControlHere(start: ControlStart, log: Logger): ControlPart {
  const starting = import("./control-part.ts").then(({ runControl }) => runControl(start, log, systemClock));
  const declare = async (tenants: readonly DeclaredTenant[]) => (await starting).declare(tenants);
  return { ...partHere(starting), declare };
}

export function startEdgeHere(start: EdgeStart, log: Logger): Part {
  return partHere(import("./edge-part.ts").then(({ runEdge }) => runEdge(start, log, systemClock)));
}

/** What is asked to stop before it is up does so once it is; a reload and a stop may both ask. */
function partHere(starting: Promise<Running>): Part {
  let stopping: Promise<void> | undefined;
  const end = async (deadlineMs: number): Promise<void> => {
    const running = await starting.catch(() => undefined);
    await running?.stop(deadlineMs);
  };
  return {
    listening: starting.then(({ addresses }) => addresses),
    stop: (deadlineMs) => (stopping ??= end(deadlineMs)),
    kill: () => void end(0).catch(() => {}),
  };
}
