/** The gate's life under `serve`: from its configuration to the end of what is in flight. */
import { setTimeout as delay } from "node:timers/promises";
import { loadConfig } from "../config.ts";
import { type Issue, SallyportError } from "../core/errors.ts";
import type { Logger } from "../core/log.ts";
import { createLog } from "../observe/log.ts";
import { Supervisor } from "../serve/supervisor.ts";
import type { Call } from "./command.ts";
import type { StopSignal } from "./stop-signal.ts";

const SIGNAL_GRACE_MS = 100;

/** Resolves when everything has ended as asked. A stop that is asked for while it starts is one like any other. */
export async function runGate(call: Call, stop: StopSignal): Promise<void> {
  const first = loadConfig({ file: call.text("config"), env: call.env, base: call.base });
  const log = createLog(first.config.log.level, { process: "supervisor" });
  // A file that was read must stay: were it lost, a reload would take the defaults, and every tenant with it.
  const load = () => loadConfig({ file: first.file, env: call.env, base: call.base });
  if (!stop.wasAsked) await serveUntil(stop, Supervisor.start({ load, log }), log);
  log.info({}, "stopped");
}

async function serveUntil(stop: StopSignal, starting: Promise<Supervisor>, log: Logger): Promise<void> {
  process.on("SIGHUP", () => {
    void starting.then(
      (supervisor) => reload(supervisor, stop, log),
      () => {},
    );
  });
  const supervisor = await starting.catch(async (error: unknown) => {
    // A Ctrl-C ends children that cannot hear it yet, and that may be known before the signal to this process.
    await delay(SIGNAL_GRACE_MS);
    if (!stop.wasAsked) throw error;
  });
  if (supervisor === undefined) return;
  stop.kill = () => supervisor.kill();
  log.info({ ...(await supervisor.ready()), pid: process.pid }, "ready");
  await stop.asked;
  log.info({}, "draining");
  await supervisor.stop();
}

async function reload(supervisor: Supervisor, stop: StopSignal, log: Logger): Promise<void> {
  try {
    await supervisor.reload();
    const ready = await supervisor.ready();
    if (!stop.wasAsked) log.info({ ...ready }, "reloaded");
  } catch (error) {
    // What a stop cuts short was not refused.
    if (stop.wasAsked) return;
    const issues: readonly Issue[] = error instanceof SallyportError ? error.issues : [];
    const reason = error instanceof Error ? error.message : String(error);
    log.error({ reason, issues }, "reload refused; the earlier configuration goes on");
  }
}
