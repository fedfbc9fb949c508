/** The minimal Fastify session check that auth_request and forward_auth ask: a cookie, a Map, 200 or 401. */
import { fileURLToPath } from "node:url";
import type { Running, Scenario } from "../job.ts";
import { start, stop } from "../processes.ts";

const SERVER = fileURLToPath(new URL("../peers/auth-server.ts", import.meta.url));

export async function startAuthServer(scenario: Scenario): Promise<Running & { port: number; cookie: string }> {
  const port = scenario.port + 1;
  const child = await start(process.execPath, [SERVER, `${port}`, `${scenario.sessions}`], { port });
  return { port, cookie: "session=session1", pids: () => [child.pid ?? 0], stop: () => stop(child) };
}
