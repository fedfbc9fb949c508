/** nginx: with a geo list, with auth_request, with the answer cached, with Lua and a shared dictionary; and the upstream. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Contestant, HOST, type Running, type Scenario } from "../job.ts";
import { family, start, stop } from "../processes.ts";
import { sessionCookies, startAuthServer } from "./auth-server.ts";

const LUA_MODULES = ["ndk_http_module.so", "ngx_http_lua_module.so"];

interface Config {
  readonly modules?: readonly string[];
  /** Inside `http`. */
  readonly http?: string;
  /** Inside the server's `location /`. */
  readonly location?: string;
  /** Inside `server`. */
  readonly server?: string;
}

function head(modules: readonly string[]): string {
  const loads = modules.map((name) => `load_module /usr/lib/nginx/modules/${name};`).join("\n");
  return `${loads}
user root; daemon off; worker_processes 1; pid nginx.pid; error_log stderr error;
events { worker_connections 8192; }`;
}

function temporaryPaths(folder: string): string {
  return ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((name) => `${name}_temp_path ${join(folder, name)};`)
    .join(" ");
}

/** Writes the upstream's configuration: bodies by path, any POST swallowed. @returns its file */
export function upstreamConfig(folder: string, port: number): string {
  mkdirSync(folder, { recursive: true });
  const locations = [256, 65_536]
    .map((bytes) => {
      writeFileSync(join(folder, `${bytes}`), "x".repeat(bytes));
      return bytes === 256
        ? `location = /256 { default_type text/plain; return 200 "${"x".repeat(256)}"; }`
        : `location = /${bytes} { default_type text/plain; root ${folder}; }`;
    })
    .join("\n");
  const file = join(folder, "upstream.conf");
  writeFileSync(
    file,
    `${head([])}
http { access_log off; sendfile on; tcp_nopush on; keepalive_requests 100000000; keepalive_timeout 600s; client_max_body_size 0; client_body_buffer_size 64k;
  ${temporaryPaths(folder)}
  open_file_cache max=10;
  server { listen 127.0.0.1:${port} backlog=4096;
    ${locations}
    location = /post { proxy_pass http://127.0.0.1:${port}/256; proxy_method GET; proxy_pass_request_body off; proxy_set_header Content-Length ""; } } }`,
  );
  return file;
}

async function startNginx(scenario: Scenario, config: Config): Promise<Running> {
  const { folder, port, upstreamPort, tls } = scenario;
  writeFileSync(join(folder, "allowed.conf"), scenario.entries.map((cidr) => `${cidr} 1;`).join("\n"));
  const listen =
    tls === undefined
      ? `listen 127.0.0.1:${port} backlog=4096;`
      : `listen 127.0.0.1:${port} ssl backlog=4096; ssl_certificate ${tls.cert}; ssl_certificate_key ${tls.key};
         ssl_protocols TLSv1.3; ssl_session_cache shared:S:10m;`;
  const file = join(folder, "nginx.conf");
  writeFileSync(
    file,
    `${head(config.modules ?? [])}
http { access_log off; keepalive_requests 100000000; keepalive_timeout 600s; client_max_body_size 0; client_body_buffer_size 64k;
  ${temporaryPaths(folder)}
  geo $allowed { default 0; include ${join(folder, "allowed.conf")}; }
  upstream app { server 127.0.0.1:${upstreamPort}; keepalive 256; keepalive_requests 100000000; }
  ${config.http ?? ""}
  server { ${listen} server_name ${HOST};
    ${config.server ?? ""}
    location / {
      if ($allowed = 0) { return 403; }
      ${config.location ?? ""}
      proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header X-Forwarded-Proto $scheme; proxy_set_header X-Forwarded-Host $host;
      proxy_pass http://app; } } }`,
  );
  const child = await start("nginx", ["-p", folder, "-c", file], { port });
  return { pids: () => family(child.pid ?? 0), stop: () => stop(child) };
}

export const nginxGeo: Contestant = {
  name: "nginx geo",
  doors: "location",
  start: (scenario) => startNginx(scenario, {}),
};

async function withAuthServer(scenario: Scenario, config: (authPort: number) => Config): Promise<Running> {
  const auth = await startAuthServer(scenario);
  const nginx = await startNginx(scenario, config(auth.port));
  return {
    pids: () => [...nginx.pids(), ...auth.pids()],
    cookies: auth.cookies,
    stop: async () => {
      await Promise.all([nginx.stop(), auth.stop()]);
    },
  };
}

const authLocation = (extra: string): string => `location = /auth { internal; proxy_pass http://auth/check;
  proxy_http_version 1.1; proxy_set_header Connection ""; proxy_pass_request_body off; proxy_set_header Content-Length ""; ${extra} }`;

const authUpstream = (port: number): string =>
  `upstream auth { server 127.0.0.1:${port}; keepalive 256; keepalive_requests 100000000; }`;

export const nginxAuthRequest: Contestant = {
  name: "nginx geo + auth_request",
  doors: "both",
  start: (scenario) =>
    withAuthServer(scenario, (port) => ({
      http: authUpstream(port),
      server: authLocation(""),
      location: "auth_request /auth;",
    })),
};

export const nginxAuthRequestCached: Contestant = {
  name: "nginx geo + auth_request, cached",
  doors: "both",
  start: (scenario) =>
    withAuthServer(scenario, (port) => ({
      http: `proxy_cache_path ${join(scenario.folder, "cache")} keys_zone=auth:64m; ${authUpstream(port)}`,
      server: authLocation('proxy_cache auth; proxy_cache_key "$host$cookie_session"; proxy_cache_valid 200 401 30s;'),
      location: "auth_request /auth;",
    })),
};

export const nginxLua: Contestant = {
  name: "nginx geo + Lua shared dictionary",
  doors: "both",
  start: async (scenario) => {
    const running = await startNginx(scenario, {
      modules: LUA_MODULES,
      http: `lua_shared_dict sessions 64m;
        init_by_lua_block { for i = 1, ${scenario.sessions} do ngx.shared.sessions:set("session" .. i, 1) end }`,
      location: `access_by_lua_block {
        local session = ngx.var.cookie_session
        if not session or not ngx.shared.sessions:get(session) then return ngx.exit(401) end }`,
    });
    return { ...running, cookies: sessionCookies(scenario.sessions) };
  },
};
