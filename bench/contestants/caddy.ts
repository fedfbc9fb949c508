/** Caddy with a remote_ip matcher and forward_auth to the minimal session check. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Contestant } from "../job.ts";
import { family, start, stop } from "../processes.ts";
import { startAuthServer } from "./auth-server.ts";

export const caddyForwardAuth: Contestant = {
  name: "Caddy forward_auth",
  doors: "both",
  start: async (scenario) => {
    const { folder, port, upstreamPort, entries } = scenario;
    const auth = await startAuthServer(scenario);
    const file = join(folder, "Caddyfile");
    writeFileSync(
      file,
      `{
  admin off
  auto_https off
  storage file_system ${folder}
}
http://:${port} {
  bind 127.0.0.1
  @stranger not remote_ip ${entries.join(" ")}
  respond @stranger 403
  forward_auth 127.0.0.1:${auth.port} {
    uri /check
  }
  reverse_proxy 127.0.0.1:${upstreamPort}
}
`,
    );
    const env = { ...process.env, GOMAXPROCS: "1", HOME: folder };
    const child = await start("caddy", ["run", "--config", file, "--adapter", "caddyfile"], { port, env });
    return {
      pids: () => [...family(child.pid ?? 0), ...auth.pids()],
      cookies: auth.cookies,
      stop: async () => {
        await Promise.all([stop(child), auth.stop()]);
      },
    };
  },
};
