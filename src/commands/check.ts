/** `check`: whether a start would go well: configuration, certificates, store, upstreams; or whether the running gate is well. */
import { connect } from "node:net";
import { type Config, loadConfig } from "../config.ts";
import { systemClock } from "../core/clock.ts";
import { type Issue, SallyportError, StoreAbsentError } from "../core/errors.ts";
import { readAll } from "../core/read-all.ts";
import { TENANT_KIND, type Tenant } from "../core/tenant.ts";
import { checkTlsFiles } from "../serve/tls-files.ts";
import { openStore } from "../store/open.ts";
import { AdminClient, CLIENT_OPTIONS } from "./admin-client.ts";
import { type Call, type Command, columns, describeError } from "./command.ts";

const CONNECT_MS = 3_000;

interface Finding {
  readonly what: string;
  readonly state: "ok" | "warning" | "error";
  readonly detail: string;
}

export const check: Command = {
  summary: "Check configuration, certificates, store and upstreams, without starting anything.",
  args: "",
  options: { health: { type: "boolean", help: "ask the running gate instead whether it is ready" }, ...CLIENT_OPTIONS },
  async run(call) {
    const findings = call.flag("health") ? [await checkHealth(call)] : await checkAll(call);
    const marks = { ok: "ok", warning: "!!", error: "NO" };
    const text = columns(findings.map(({ what, state, detail }) => [marks[state], what, detail]));
    return { data: { findings }, text, failed: findings.some(({ state }) => state === "error") };
  },
};

async function checkHealth(call: Call): Promise<Finding> {
  try {
    await AdminClient.anonymous(call).text("GET", "/readyz");
    return { what: "gate", state: "ok", detail: "ready" };
  } catch (error) {
    return { what: "gate", state: "error", detail: describeError(error) };
  }
}

async function checkAll(call: Call): Promise<Finding[]> {
  let config: Config;
  try {
    config = loadConfig({ file: call.text("config"), env: call.env, base: call.base }).config;
  } catch (error) {
    if (!(error instanceof SallyportError)) throw error;
    return error.issues.map((issue) => ({ what: "configuration", state: "error", detail: said(issue) }));
  }
  const certificates = checkTlsFiles(config, Date.now()).map(
    ({ severity, issue }): Finding => ({ what: "certificate", state: severity, detail: said(issue) }),
  );
  const { finding, tenants } = await checkStore(config);
  const origins = new Set([...config.tenants, ...tenants].flatMap(({ upstreams }) => upstreams));
  const upstreams = await Promise.all([...origins].map(checkUpstream));
  return [
    { what: "configuration", state: "ok", detail: `${config.tenants.length} tenants declared` },
    ...certificates,
    finding,
    ...upstreams,
  ];
}

function said({ at, message, hint }: Issue): string {
  return `${at}: ${message}${hint === undefined ? "" : ` → ${hint}`}`;
}

/** A store that is not there yet is not made. */
async function checkStore({ store: { url } }: Config): Promise<{ finding: Finding; tenants: readonly Tenant[] }> {
  const what = "store";
  try {
    const store = await openStore(url, { clock: systemClock, existing: true });
    try {
      const tenants = await Array.fromAsync(readAll(store, { kind: TENANT_KIND }), ({ value }) => value as Tenant);
      return { finding: { what, state: "ok", detail: `${tenants.length} tenants` }, tenants };
    } finally {
      await store.close();
    }
  } catch (error) {
    if (error instanceof StoreAbsentError)
      return { finding: { what, state: "ok", detail: `${error.message}; the start will make it` }, tenants: [] };
    return { finding: { what, state: "error", detail: describeError(error) }, tenants: [] };
  }
}

/** A gate may well start while an upstream is down, so this only warns. */
function checkUpstream(origin: string): Promise<Finding> {
  const { protocol, hostname, port } = new URL(origin);
  const socket = connect({
    host: hostname.replace(/^\[|\]$/g, ""),
    port: Number(port) || (protocol === "https:" ? 443 : 80),
  });
  return new Promise((resolve) => {
    const answer = (state: Finding["state"], detail: string): void => {
      socket.destroy();
      resolve({ what: "upstream", state, detail });
    };
    socket.setTimeout(CONNECT_MS, () => answer("warning", `${origin} does not answer`));
    socket.once("connect", () => answer("ok", origin));
    socket.once("error", (error) => answer("warning", `${origin}: ${error.message}`));
  });
}
