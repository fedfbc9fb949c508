/** Bare @fastify/http-proxy: forwards, decides nothing. */
import { fileURLToPath } from "node:url";
import type { Contestant } from "../job.ts";
import { start, stop } from "../processes.ts";

const SERVER = fileURLToPath(new URL("../peers/http-proxy.ts", import.meta.url));

export const bareHttpProxy: Contestant = {
  name: "@fastify/http-proxy",
  doors: "none",
  start: async ({ port, upstreamPort }) => {
    const child = await start(process.execPath, [SERVER, `${port}`, `${upstreamPort}`], { port });
    return { pids: () => [child.pid ?? 0], stop: () => stop(child) };
  },
};
