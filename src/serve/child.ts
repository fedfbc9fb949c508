/** The frame of a child process: it starts when told, says so, and ends when told or when its supervisor is gone. */
import { SallyportError } from "../core/errors.ts";
import type { Order, Report, Running, RunningControl } from "./messages.ts";

const ORPHAN_DEADLINE_MS = 30_000;

/**
 * Runs `start` once the supervisor's message is here. SIGINT and SIGHUP, which a terminal sends to the whole
 * group, are the supervisor's to answer; SIGTERM drains this process alone.
 */
export function runChild<Start>(start: (options: Start) => Promise<Running | RunningControl>): void {
  let running: Promise<Running | RunningControl> | undefined;
  let stopping = false;
  const stop = (deadlineMs: number): void => {
    if (stopping) return;
    stopping = true;
    void end(running, deadlineMs);
  };
  process.on("SIGINT", ignore);
  process.on("SIGHUP", ignore);
  process.on("SIGTERM", () => stop(ORPHAN_DEADLINE_MS));
  process.on("disconnect", () => stop(ORPHAN_DEADLINE_MS));
  process.on("message", (order: Order<Start>) => {
    if (order.type === "stop") stop(order.deadlineMs);
    else if (order.type === "declare") void declare(running, order.tenants);
    else {
      running ??= start(order.start);
      void announce(running);
    }
  });
}

function ignore(): void {}

async function announce(running: Promise<Running>): Promise<void> {
  try {
    tell({ type: "listening", addresses: (await running).addresses });
  } catch (error) {
    tell(failure(error), () => process.exit(1));
  }
}

async function declare(
  running: Promise<Running | RunningControl> | undefined,
  tenants: Parameters<RunningControl["declare"]>[0],
): Promise<void> {
  try {
    const control = await running;
    if (control !== undefined && "declare" in control) await control.declare(tenants);
    tell({ type: "declared" });
  } catch (error) {
    tell(failure(error));
  }
}

async function end(running: Promise<Running> | undefined, deadlineMs: number): Promise<void> {
  try {
    await (await running)?.stop(deadlineMs);
    process.exit(0);
  } catch {
    process.exit(1);
  }
}

function failure(error: unknown): Report {
  const message = error instanceof Error ? error.message : String(error);
  return { type: "failed", message, issues: error instanceof SallyportError ? error.issues : [] };
}

/** The supervisor may be gone, which `disconnect` deals with. */
function tell(report: Report, done: () => void = ignore): void {
  if (process.connected) process.send?.(report, undefined, {}, done);
  else done();
}
