/** The frame of a child process: it starts when told, says so, and ends when told or when its supervisor is gone. */
import type { Order, Report, Running } from "./messages.ts";

const ORPHAN_DEADLINE_MS = 30_000;

/**
 * Runs `start` once the supervisor's message is here. SIGINT and SIGHUP, which a terminal sends to the whole
 * group, are the supervisor's to answer; SIGTERM drains this process alone.
 */
export function runChild<Start>(start: (options: Start) => Promise<Running>): void {
  let running: Promise<Running> | undefined;
  let deadlineMs = ORPHAN_DEADLINE_MS;
  let stopping = false;
  const stop = (): void => {
    if (stopping) return;
    stopping = true;
    void end(running, deadlineMs);
  };
  process.on("SIGINT", ignore);
  process.on("SIGHUP", ignore);
  process.on("SIGTERM", stop);
  process.on("disconnect", stop);
  process.on("message", (order: Order<Start>) => {
    if (order.type === "stop") {
      deadlineMs = order.deadlineMs;
      stop();
    } else if (running === undefined) {
      running = start(order.start);
      void announce(running);
    }
  });
}

function ignore(): void {}

async function announce(running: Promise<Running>): Promise<void> {
  try {
    tell({ type: "listening", addresses: (await running).addresses });
  } catch (error) {
    tell({ type: "failed", message: error instanceof Error ? error.message : String(error) }, () => process.exit(1));
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

/** The supervisor may be gone, which `disconnect` deals with. */
function tell(report: Report, done: () => void = ignore): void {
  if (process.connected) process.send?.(report, undefined, {}, done);
  else done();
}
