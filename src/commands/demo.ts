/** `demo`: the whole gate with a sample clinic behind it, in a folder that goes away again. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { ADMIN_KEY_FILE } from "../config/key-files.ts";
import { loadConfig } from "../config.ts";
import { createLog } from "../observe/log.ts";
import { probe } from "../serve/listeners.ts";
import { Supervisor } from "../serve/supervisor.ts";
import { type Call, type Command, UsageError } from "./command.ts";
import { stopSignal } from "./serve.ts";

const HOST = "happyfeet.localhost";

export const demo: Command = {
  summary: "Run the gate with a sample clinic behind it; Ctrl-C ends it and leaves nothing behind.",
  args: "",
  options: {
    port: { type: "string", value: "PORT", help: "where the gate listens (default 8080)" },
    "admin-port": { type: "string", value: "PORT", help: "where the admin API listens (default 8081)" },
  },
  async run(call) {
    const port = portOf(call, "port", 8080);
    const adminPort = portOf(call, "admin-port", 8081);
    probe({ host: "127.0.0.1", port }, { key: "--port" });
    probe({ host: "127.0.0.1", port: adminPort }, { key: "--admin-port" });
    // Whoever read along may leave first; the folder goes away all the same.
    process.stdout.on("error", () => {});
    const folder = mkdtempSync(join(tmpdir(), "sallyport-demo-"));
    const clinic = fork(new URL("../../examples/sample-clinic/main.ts", import.meta.url), ["0"], { silent: true });
    try {
      const file = await writeConfig(folder, clinic, port, adminPort);
      const load = () => loadConfig({ file, env: {}, base: folder });
      const supervisor = await Supervisor.start({ load, log: createLog("error", { process: "demo" }) });
      const stopped = stopSignal(supervisor);
      process.stdout.write(guide(supervisor.ready.edge[0] ?? "", supervisor.ready.admin, folder));
      await stopped;
      process.stdout.write("\nstopping…\n");
      await supervisor.stop();
    } finally {
      clinic.kill();
      rmSync(folder, { recursive: true, force: true });
    }
    return undefined;
  },
};

function portOf(call: Call, option: string, byDefault: number): number {
  const text = call.text(option);
  if (text === undefined) return byDefault;
  if (!/^(0|[1-9][0-9]{0,4})$/.test(text) || Number(text) > 65_535)
    throw new UsageError(`--${option} must be a port number`);
  return Number(text);
}

async function writeConfig(folder: string, clinic: ChildProcess, port: number, adminPort: number): Promise<string> {
  const [{ port: clinicPort }] = (await once(clinic, "message")) as [{ port: number }];
  const file = join(folder, "sallyport.yaml");
  const tenant = {
    id: "happy-feet",
    name: "Happy Feet Podiatry",
    hosts: [HOST, "localhost"],
    upstreams: [`http://127.0.0.1:${clinicPort}`],
    policy: { network: "enforce", secondFactor: "off" },
  };
  const settings = {
    dataDir: folder,
    edge: { listen: `127.0.0.1:${port}`, workers: 2, drain: "1s" },
    admin: { listen: `127.0.0.1:${adminPort}` },
    log: { level: "error" },
    tenants: [tenant],
  };
  writeFileSync(file, stringify(settings), { mode: 0o600 });
  return file;
}

function guide(edge: string, admin: string, folder: string): string {
  const { port } = new URL(edge);
  const visit = `curl -i -H 'Host: ${HOST}' ${edge}/`;
  return `
Sallyport guards a sample clinic, Happy Feet Podiatry. Its allowlist is empty: nobody gets in.

  Open   http://${HOST}:${port}/      and meet the block page, or in a second terminal

  1. knock, and be blocked (403):
     ${visit}

  2. admit this machine by the admin API:
     curl -H "Authorization: Bearer $(cat ${join(folder, ADMIN_KEY_FILE)})" -H 'Content-Type: application/json' \\
       -d '{"cidr": "127.0.0.1", "label": "my desk"}' '${admin}/v1/tenants/happy-feet/allowlist?wait=applied'

  3. knock again, and be let in (200); the browser too, on reload:
     ${visit}
${
  process.platform === "linux"
    ? `
  4. knock from another place, and be blocked (403):
     curl -i --interface 127.0.0.2 -H 'Host: ${HOST}' ${edge}/
`
    : ""
}
  Browse the admin API at ${admin}/docs. Ctrl-C ends it all and leaves nothing behind.

`;
}
