/** Entry of an edge process. */
import { systemClock } from "../core/clock.ts";
import { createLog } from "../observe/log.ts";
import { runChild } from "./child.ts";
import { runEdge } from "./edge-part.ts";
import type { EdgeStart } from "./messages.ts";

runChild<EdgeStart>((start) =>
  runEdge(start, createLog(start.logLevel, { process: `edge-${start.worker}` }), systemClock),
);
