/** `serve`: runs the gate until it is told to stop. */
import type { Command } from "./command.ts";
import { StopSignal } from "./stop-signal.ts";

export const serve: Command = {
  summary: "Run the gate: SIGTERM drains and stops it, SIGHUP re-reads the configuration.",
  args: "",
  options: {},
  async run(call) {
    const stop = new StopSignal();
    // Loaded only now: what it needs takes most of a start, in which a signal must not end it half begun.
    const { runGate } = await import("./serve-gate.ts");
    await runGate(call, stop);
    return undefined;
  },
};
