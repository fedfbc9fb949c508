/** A raw TCP relay in Node: what passing bytes on costs when nobody asks whose they are. */
import { fileURLToPath } from "node:url";
import type { Contestant } from "../job.ts";
import { start, stop } from "../processes.ts";

const RELAY = fileURLToPath(new URL("../peers/tcp-relay.ts", import.meta.url));

export const tcpRelay: Contestant = {
  name: "raw TCP relay in Node",
  doors: "none",
  start: async ({ port, upstreamPort }) => {
    const child = await start(process.execPath, [RELAY, `${port}`, `${upstreamPort}`], { port });
    return { pids: () => [child.pid ?? 0], stop: () => stop(child) };
  },
};
