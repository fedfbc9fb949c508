/** The upstream without anything in front: what the load generator and the upstream cost by themselves. */
import type { Contestant } from "../job.ts";
import { family, start, stop } from "../processes.ts";
import { upstreamConfig } from "./nginx.ts";

/** A second copy of the upstream on the contestant's own port. */
export const upstreamDirect: Contestant = {
  name: "upstream direct",
  doors: "none",
  start: async ({ folder, port }) => {
    const child = await start("nginx", ["-p", folder, "-c", upstreamConfig(folder, port)], { port });
    return { pids: () => family(child.pid ?? 0), stop: () => stop(child) };
  },
};
