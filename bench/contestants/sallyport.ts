/** Sallyport itself, with one edge worker. */
import { join } from "node:path";
import { type Contestant, HOST, type Running, type Scenario } from "../job.ts";
import { callAdmin, startNode } from "../node.ts";
import { family, stop } from "../processes.ts";
import { entriesFor } from "../workloads.ts";
import { seedSessions } from "./sallyport-sessions.ts";

const TENANT = "tenant-0";
/** How many of the sessions take turns under load; the others only have to be there. */
const SESSIONS_IN_USE = 1_000;
const ENTRIES_PER_COMMIT = 100_000;

interface Doors {
  readonly network: "enforce" | "off";
  readonly secondFactor: "required" | "off";
}

async function startSallyport(scenario: Scenario, policy: Doors): Promise<Running> {
  const { folder, port, tls, sessions, entries } = scenario;
  const cookies =
    policy.secondFactor === "off"
      ? undefined
      : await seedSessions(join(folder, "data"), TENANT, tls !== undefined, sessions, SESSIONS_IN_USE);
  const child = await startNode({
    folder,
    port,
    ...(tls === undefined ? {} : { tls }),
    tenants: tenantsOf(scenario, policy),
    entriesPerTenant: Math.max(1_000, entries.length),
  });
  if (policy.network === "enforce") await allow(port, entries);
  return {
    pids: () => family(child.pid ?? 0),
    ...(cookies === undefined ? {} : { cookies }),
    stop: () => stop(child),
  };
}

/** Adds the entries, in as many commits as a store takes; the last is answered once the edge decides by them all. */
async function allow(port: number, entries: readonly string[]): Promise<void> {
  for (let at = 0; at < entries.length; at += ENTRIES_PER_COMMIT) {
    const lines = entries.slice(at, at + ENTRIES_PER_COMMIT).join("\n");
    const wait = at + ENTRIES_PER_COMMIT >= entries.length ? "?wait=applied" : "";
    await callAdmin(port, "POST", `tenants/${TENANT}/allowlist/import${wait}`, lines);
  }
}

function tenantsOf({ tenants, upstreamPort }: Scenario, policy: Doors): unknown[] {
  return Array.from({ length: tenants }, (_, index) => ({
    id: `tenant-${index}`,
    name: `Clinic ${index}`,
    hosts: [index === 0 ? HOST : `clinic-${index}.example`],
    upstreams: [`http://127.0.0.1:${upstreamPort}`],
    policy,
  }));
}

const BOTH: Doors = { network: "enforce", secondFactor: "required" };

export const sallyportBoth: Contestant = {
  name: "Sallyport, both doors",
  doors: "both",
  start: (scenario) => startSallyport(scenario, BOTH),
};

/** The same with more of one thing each than the scenario asks for, to run beside it. */
export const sallyportSizes: readonly Contestant[] = Object.entries({
  "1,000,000 entries": { entries: entriesFor(1_000_000) },
  "10,000 tenants": { tenants: 10_000 },
  "100,000 sessions": { sessions: 100_000 },
}).map(([size, more]) => ({
  name: `Sallyport, ${size}`,
  doors: "both",
  start: (scenario) => startSallyport({ ...scenario, ...more }, BOTH),
}));

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
