/** HAProxy with the allowlist as an ACL file: the location door alone. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Contestant } from "../job.ts";
import { family, start, stop } from "../processes.ts";

export const haproxyAcl: Contestant = {
  name: "HAProxy ACL file",
  doors: "location",
  start: async ({ folder, port, upstreamPort, entries, tls }) => {
    const list = join(folder, "allowed.lst");
    writeFileSync(list, `${entries.join("\n")}\n`);
    const file = join(folder, "haproxy.cfg");
    const bind = tls === undefined ? "" : ` ssl crt ${tls.cert} ssl-min-ver TLSv1.3`;
    writeFileSync(
      file,
      `global
  nbthread 1
  maxconn 8000
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  http-reuse always
frontend in
  bind 127.0.0.1:${port}${bind}
  http-request deny unless { src -f ${list} }
  option forwardfor
  default_backend app
backend app
  server app 127.0.0.1:${upstreamPort}
`,
    );
    const child = await start("haproxy", ["-db", "-f", file], { port });
    return { pids: () => family(child.pid ?? 0), stop: () => stop(child) };
  },
};
