/** The thread's side of {@link HashThread}: one argon2id after another, at a priority below everything else's. */
import { argon2Sync } from "node:crypto";
import { constants, getPriority, setPriority } from "node:os";
import { parentPort } from "node:worker_threads";
import type { HashOrder } from "./hash-thread.ts";

// Of this thread alone, on Linux; where threads have no priority of their own, nothing is changed for the process.
if (process.platform === "linux") setPriority(Math.max(getPriority(), constants.priority.PRIORITY_BELOW_NORMAL));

parentPort?.on("message", (order: HashOrder) => parentPort?.postMessage(argon2Sync("argon2id", order)));
