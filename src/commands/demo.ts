/** `demo`: the whole gate with two sample clinics behind it, in a folder that goes away again. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { ADMIN_KEY_FILE } from "../config/key-files.ts";
import { loadConfig } from "../config.ts";
import { createLog } from "../observe/log.ts";
import { probe } from "../serve/listeners.ts";
import { Supervisor } from "../serve/supervisor.ts";
import { type Call, type Command, UsageError } from "./command.ts";
import { openElsewhere } from "./demo-elsewhere.ts";
import { CLINICS, guide, LAB } from "./demo-guide.ts";
import { showMails } from "./demo-outbox.ts";
import { seedPeople } from "./demo-people.ts";
import { StopSignal } from "./stop-signal.ts";

const PORTS = { port: 8080, "admin-port": 8081, "elsewhere-port": 8090 } as const;

interface Ports {
  readonly port: number;
  readonly adminPort: number;
  readonly elsewherePort: number;
}

export const demo: Command = {
  summary: "Run the gate with two sample clinics behind it; Ctrl-C ends it and leaves nothing behind.",
  args: "",
  options: {
    port: { type: "string", value: "PORT", help: "where the gate listens (default 8080)" },
    "admin-port": { type: "string", value: "PORT", help: "where the admin API listens (default 8081)" },
    "elsewhere-port": { type: "string", value: "PORT", help: "the gate as seen from another town (default 8090)" },
  },
  async run(call) {
    const ports = {
      port: portOf(call, "port"),
      adminPort: portOf(call, "admin-port"),
      elsewherePort: portOf(call, "elsewhere-port"),
    };
    // Whoever read along may leave first; the folder goes away all the same.
    process.stdout.on("error", () => {});
    const folder = mkdtempSync(join(tmpdir(), "sallyport-demo-"));
    process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
    process.once("SIGINT", leave).once("SIGTERM", leave);
    const gate = `http://localhost:${ports.port}`;
    const clinic = fork(new URL("../../examples/sample-clinic/main.ts", import.meta.url), ["0", "127.0.0.1", gate], {
      silent: true,
    });
    try {
      await runIn(folder, clinic, ports);
    } finally {
      clinic.kill();
      rmSync(folder, { recursive: true, force: true });
    }
    return undefined;
  },
};

/** Before everything runs: what has begun ends with this process. */
function leave(): void {
  process.exit(1);
}

/** @throws UsageError; SallyportError that names the flag when the port is taken */
function portOf(call: Call, option: keyof typeof PORTS): number {
  const text = call.text(option) ?? `${PORTS[option]}`;
  if (!/^[1-9][0-9]{0,4}$/.test(text) || Number(text) > 65_535)
    throw new UsageError(`--${option} must be a port number`);
  probe({ host: "127.0.0.1", port: Number(text) }, { key: `--${option}` });
  return Number(text);
}

async function runIn(folder: string, clinic: ChildProcess, ports: Ports): Promise<void> {
  const mailFolder = join(folder, "mail");
  mkdirSync(mailFolder, { mode: 0o700 });
  const file = join(folder, "sallyport.yaml");
  const [{ port: clinicPort }] = (await once(clinic, "message")) as [{ port: number }];
  writeFileSync(file, stringify(settings(folder, ports, `http://127.0.0.1:${clinicPort}`)), { mode: 0o600 });
  const load = () => loadConfig({ file, env: {}, base: folder });
  const owner = await seedPeople(
    load(),
    CLINICS.map(({ id }) => id),
  );
  const log = createLog("error", { process: "demo" });
  const supervisor = await Supervisor.start({ load, log, development: true });
  process.off("SIGINT", leave).off("SIGTERM", leave);
  const stop = new StopSignal();
  stop.kill = () => supervisor.kill();
  const ready = await supervisor.ready();
  const [, elsewhere = ""] = ready.edge;
  const town = await openElsewhere(ports.elsewherePort, new URL(elsewhere));
  const places = { ...ports, admin: ready.admin, adminKeyFile: join(folder, ADMIN_KEY_FILE), mailFolder };
  process.stdout.write(guide(places, owner));
  const mails = showMails(mailFolder, (text) => process.stdout.write(text));
  await stop.asked;
  process.stdout.write("\nstopping…\n");
  mails.close();
  town.close();
  await supervisor.stop();
}

/** The other town comes in by a listener of its own, which believes the PROXY header of this machine alone. */
function settings(folder: string, { port, adminPort }: Ports, upstream: string): object {
  const tenants = [
    ...CLINICS.map(({ id, name, host }) => ({ id, name, hosts: [host], upstreams: [upstream] })),
    // An application asks for the gate's keys under `localhost`, since not every system resolves what is below it.
    { ...{ id: LAB.id, name: LAB.name }, hosts: [LAB.host, "localhost"], upstreams: [upstream] },
  ];
  const policies = [{}, { combine: "any" }, { secondFactor: "off" }];
  return {
    dataDir: folder,
    publicUrl: `http://{host}:${port}`,
    edge: {
      listen: [`127.0.0.1:${port}`, { address: "127.0.0.1:0", proxyProtocol: true }],
      trustedProxies: ["127.0.0.1/32"],
      workers: 2,
      drain: "1s",
    },
    admin: { listen: `127.0.0.1:${adminPort}` },
    mail: { transport: "file", from: "gate@sallyport.example" },
    sms: { provider: "console" },
    log: { level: "error" },
    tenants: tenants.map((tenant, index) => ({ ...tenant, policy: policies[index] })),
  };
}
