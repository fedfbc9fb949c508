/** The flags of an edge process take from it all but the network and its own code. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import t from "tap";
import { loadConfig } from "../../src/config.ts";
import { edgeFlags } from "../../src/serve/confinement.ts";
import { plainNode } from "../support/gate.ts";

const SOURCE = fileURLToPath(new URL("../../src/edge/edge.ts", import.meta.url));

t.test("code that runs in an edge cannot leave it", async (t) => {
  const tls = "{ cert: cert.pem, key: cert.pem }";
  const dir = t.testdir({
    "cert.pem": "certificate",
    "secret.key": "secret",
    "sallyport.yaml": `edge: { listen: [{ address: "127.0.0.1:0", tls: ${tls} }] }`,
  });
  const { config } = loadConfig({ file: "sallyport.yaml", env: {}, base: dir });
  const attempts: Record<string, string> = {
    certificate: `fs.readFileSync(${JSON.stringify(join(dir, "cert.pem"))})`,
    code: `fs.readFileSync(${JSON.stringify(SOURCE)})`,
    network: `net.createServer().listen(0).close()`,
    secret: `fs.readFileSync(${JSON.stringify(join(dir, "secret.key"))})`,
    environment: `fs.readFileSync("/proc/" + process.ppid + "/environ")`,
    write: `fs.writeFileSync(${JSON.stringify(join(dir, "x"))}, "x")`,
    child: `child_process.spawnSync("id").error && (() => { throw child_process.spawnSync("id").error })()`,
    worker: `new worker_threads.Worker("", { eval: true })`,
    database: `new (require("node:sqlite").DatabaseSync)(${JSON.stringify(join(dir, "x.db"))})`,
  };
  const script = `
    const [fs, net, child_process, worker_threads] = ["fs", "net", "child_process", "worker_threads"].map((name) => require("node:" + name));
    const tried = {};
    const attempt = (name, act) => { try { act(); tried[name] = "done"; } catch (error) { tried[name] = error.code ?? error.message; } };
    ${Object.entries(attempts)
      .map(([name, code]) => `attempt("${name}", () => ${code});`)
      .join("\n")}
    console.log(JSON.stringify(tried));`;
  const { stdout, stderr } = spawnSync("env", plainNode(...edgeFlags(config.edge), "-e", script), {
    encoding: "utf8",
    env: { PATH: process.env["PATH"] },
  });
  const denied = "ERR_ACCESS_DENIED";
  t.strictSame(JSON.parse(stdout || `"${stderr}"`), {
    certificate: "done",
    code: "done",
    network: "done",
    secret: denied,
    environment: denied,
    write: denied,
    child: denied,
    worker: denied,
    database: "ERR_UNKNOWN_BUILTIN_MODULE",
  });
});
