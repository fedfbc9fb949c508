/** The minimal Fastify session check that auth_request and forward_auth ask: a cookie, a Map, 200 or 401. */
import { fileURLToPath } from "node:url";
import type { Running, Scenario } from "../job.ts";
import { start, stop } from "../processes.ts";

const SERVER = fileURLToPath(new URL("../peers/auth-server.ts", import.meta.url));

/** As many as take turns under load. */
export function sessionCookies(sessions: number): string[] {
  return Array.from({ length: Math.min(sessions, 1_000) }, (_, index) => `session=session${index + 1}`);
}

export async function startAuthServer(
  scenario: Scenario,
): Promise<Running & { port: number; cookies: readonly string[] }> {
  const port = scenario.port + 1;
  const child = await start(process.execPath, [SERVER, `${port}`, `${scenario.sessions}`], { port });
  return { port, cookies: sessionCookies(scenario.sessions), pids: () => [child.pid ?? 0], stop: () => stop(child) };
}
