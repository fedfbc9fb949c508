/** Sallyport itself as operators run it, supervisor and control and all, with one edge worker. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Contestant, HOST, type Running, type Scenario } from "../job.ts";
import { family, start, stop, untilListening } from "../processes.ts";
import { seedSessions } from "./sallyport-sessions.ts";

const MAIN = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
const ADMIN_KEY = "only-this-bench-knows-this-key-0123456789";
const TENANT = "tenant-0";

interface Doors {
  readonly network: "enforce" | "off";
  readonly secondFactor: "required" | "off";
}

/** How many of the sessions take turns under load; the others only have to be there. */
const SESSIONS_IN_USE = 1_000;

async function startSallyport(scenario: Scenario, policy: Doors): Promise<Running> {
  const { folder, port, tls, sessions } = scenario;
  const cookies =
    policy.secondFactor === "off"
      ? undefined
      : await seedSessions(join(folder, "data"), TENANT, tls !== undefined, sessions, SESSIONS_IN_USE);
  const config = join(folder, "sallyport.yaml");
  writeFileSync(config, JSON.stringify(configuration(scenario, policy)));
  const env = { ...process.env, SALLYPORT_ADMIN_KEY: ADMIN_KEY, NODE_ENV: "production" };
  const child = await start(process.execPath, [MAIN, "serve", "--config", config], { env, port: port + 1 });
  await untilListening(port);
  if (policy.network === "enforce") await allow(scenario);
  return {
    pids: () => family(child.pid ?? 0),
    ...(cookies === undefined ? {} : { cookies }),
    stop: () => stop(child),
  };
}

/** YAML is a superset of JSON. */
function configuration({ folder, port, upstreamPort, entries, tenants, tls }: Scenario, policy: Doors): unknown {
  const address = `127.0.0.1:${port}`;
  return {
    dataDir: join(folder, "data"),
    edge: { listen: [tls === undefined ? address : { address, tls }], workers: 1 },
    admin: { listen: `127.0.0.1:${port + 1}` },
    limits: { entriesPerTenant: Math.max(1_000, entries.length) },
    log: { level: "warn" },
    tenants: Array.from({ length: tenants }, (_, index) => ({
      id: `tenant-${index}`,
      name: `Clinic ${index}`,
      hosts: [index === 0 ? HOST : `clinic-${index}.example`],
      upstreams: [`http://127.0.0.1:${upstreamPort}`],
      policy,
    })),
  };
}

/** Replaces the list, and returns once the edge decides by it. */
async function allow({ port, entries }: Scenario): Promise<void> {
  const url = `http://127.0.0.1:${port + 1}/v1/tenants/${TENANT}/allowlist?wait=applied`;
  const answer = await fetch(url, {
    method: "PUT",
    headers: { authorization: `Bearer ${ADMIN_KEY}`, "content-type": "application/json" },
    body: JSON.stringify({ items: entries.map((cidr) => ({ cidr })) }),
  });
  if (!answer.ok) throw new Error(`the allowlist was answered with ${answer.status}: ${await answer.text()}`);
}

export const sallyportBoth: Contestant = {
  name: "Sallyport, both doors",
  doors: "both",
  start: (scenario) => startSallyport(scenario, { network: "enforce", secondFactor: "required" }),
};

export const sallyportLocation: Contestant = {
  name: "Sallyport, location only",
  doors: "location",
  start: (scenario) => startSallyport(scenario, { network: "enforce", secondFactor: "off" }),
};

export const sallyportForwardOnly: Contestant = {
  name: "Sallyport, forwarding only",
  doors: "none",
  start: (scenario) => startSallyport(scenario, { network: "off", secondFactor: "off" }),
};
