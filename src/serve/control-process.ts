/** Entry of the control process. */
import { systemClock } from "../core/clock.ts";
import { createLog } from "../observe/log.ts";
import { runChild } from "./child.ts";
import { runControl } from "./control-part.ts";
import type { ControlStart } from "./messages.ts";

runChild<ControlStart>((start) =>
  runControl(start, createLog(start.config.log.level, { process: "control" }), systemClock),
);
