/** `serve`: runs the gate until it is told to stop. */
import { loadConfig } from "../config.ts";
import { type Issue, SallyportError } from "../core/errors.ts";
import type { Logger } from "../core/log.ts";
import { createLog } from "../observe/log.ts";
import { Supervisor } from "../serve/supervisor.ts";
import type { Command } from "./command.ts";

const SAME_SIGNAL_MS = 500;

export const serve: Command = {
  summary: "Run the gate: SIGTERM drains and stops it, SIGHUP re-reads the configuration.",
  args: "",
  options: {},
  async run(call) {
    const first = loadConfig({ file: call.text("config"), env: call.env, base: call.base });
    const log = createLog(first.config.log.level, { process: "supervisor" });
    // A file that was read must stay: were it lost, a reload would take the defaults, and every tenant with it.
    const load = () => loadConfig({ file: first.file, env: call.env, base: call.base });
    const supervisor = await Supervisor.start({ load, log });
    log.info({ ...supervisor.ready, pid: process.pid }, "ready");
    process.on("SIGHUP", () => void reload(supervisor, log));
    await stopSignal(supervisor);
    log.info({}, "draining");
    await supervisor.stop();
    log.info({}, "stopped");
    return undefined;
  },
};

async function reload(supervisor: Supervisor, log: Logger): Promise<void> {
  try {
    await supervisor.reload();
    log.info({ ...supervisor.ready }, "reloaded");
  } catch (error) {
    const issues: readonly Issue[] = error instanceof SallyportError ? error.issues : [];
    const reason = error instanceof Error ? error.message : String(error);
    log.error({ reason, issues }, "reload refused; the earlier configuration goes on");
  }
}

/**
 * Resolves at the first SIGTERM or SIGINT; the next one ends everything at once. One Ctrl-C can arrive twice,
 * from the terminal and from a runner such as npm that passes it on: what follows at once is the same one.
 */
export function stopSignal(supervisor: Supervisor): Promise<void> {
  return new Promise((resolve) => {
    let askedAt: number | undefined;
    const stop = (): void => {
      if (askedAt === undefined) {
        askedAt = performance.now();
        resolve();
      } else if (performance.now() - askedAt > SAME_SIGNAL_MS) {
        supervisor.kill();
        process.exit(1);
      }
    };
    process.on("SIGTERM", stop);
    process.on("SIGINT", stop);
  });
}
