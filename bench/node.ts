/** One Sallyport node as operators run it, supervisor and control and all, and its admin API. */
import type { ChildProcess } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { start, untilListening } from "./processes.ts";

const MAIN = fileURLToPath(new URL("../src/main.ts", import.meta.url));
export const ADMIN_KEY = "only-this-bench-knows-this-key-0123456789";

export interface NodeOptions {
  /** For its configuration, and its data below. */
  readonly folder: string;
  /** The edge's; the admin API has the next one. */
  readonly port: number;
  readonly tls?: { readonly cert: string; readonly key: string };
  readonly tenants: readonly unknown[];
  readonly entriesPerTenant?: number;
  /** More of the file's section `edge`. */
  readonly edge?: object;
  readonly env?: NodeJS.ProcessEnv;
}

/** Starts it with one edge worker, and returns once that one listens. @throws with its own words when it cannot */
export async function startNode(options: NodeOptions): Promise<ChildProcess> {
  const { folder, port, tls, tenants, entriesPerTenant = 1_000, edge = {}, env = {} } = options;
  const address = `127.0.0.1:${port}`;
  const file = join(folder, "sallyport.yaml");
  // YAML is a superset of JSON.
  const configuration = {
    dataDir: join(folder, "data"),
    edge: { listen: [tls === undefined ? address : { address, tls }], workers: 1, ...edge },
    admin: { listen: `127.0.0.1:${port + 1}` },
    limits: { entriesPerTenant },
    log: { level: "error" },
    tenants,
  };
  writeFileSync(file, JSON.stringify(configuration));
  const child = await start(process.execPath, [MAIN, "serve", "--config", file], {
    env: { ...process.env, SALLYPORT_ADMIN_KEY: ADMIN_KEY, NODE_ENV: "production", ...env },
    port: port + 1,
  });
  await untilListening(port);
  return child;
}

/** Calls the admin API of the node at `port`. @param body text as it is, anything else as JSON. @throws when it refuses */
export async function callAdmin(port: number, method: string, path: string, body?: unknown): Promise<unknown> {
  const type = typeof body === "string" ? "text/plain" : "application/json";
  const answer = await fetch(`http://127.0.0.1:${port + 1}/v1/${path}`, {
    method,
    headers: {
      authorization: `Bearer ${ADMIN_KEY}`,
      ...(body === undefined ? {} : { "content-type": type }),
    },
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path} was answered with ${answer.status}: ${text}`);
  return text === "" ? undefined : JSON.parse(text);
}
