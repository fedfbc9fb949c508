/** The demo as a stranger tries it: what it prints to do is done, word by word. */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import t from "tap";
import { sallyport } from "../support/command-line.ts";
import { freePort, isAlive, plainNode } from "../support/gate.ts";
import { program } from "../support/programs.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

t.test("blocked, admitted, and gone", async (t) => {
  if (program(t, "curl") === undefined) return;
  const args = ["src/main.ts", "demo", "--port", `${freePort()}`, "--admin-port", `${freePort()}`];
  const env = { PATH: process.env["PATH"] };
  const demo = spawn("env", plainNode(...args), { cwd: ROOT, env, stdio: ["ignore", "pipe", "inherit"] });
  t.teardown(() => demo.kill("SIGKILL"));
  let said = "";
  const { promise: guided, resolve } = Promise.withResolvers<void>();
  demo.stdout.on("data", (chunk) => {
    said += String(chunk);
    if (said.includes("Ctrl-C")) resolve();
  });
  await guided;
  const [knock = "", admit = "", again = "", elsewhere] = [...said.matchAll(/^ +(curl (?:[^\\\n]|\\\n)+)/gm)].map(
    ([, command]) => command ?? "",
  );
  const run = async (command: string): Promise<string> => (await promisify(execFile)("sh", ["-c", command])).stdout;
  t.match(await run(knock), /^HTTP\/1\.1 403/);
  t.match(await run(admit), /"cidr":"127\.0\.0\.1\/32"/);
  t.match(await run(again), /^HTTP\/1\.1 200[\s\S]*Today's appointments/);
  if (process.platform === "linux") t.match(await run(elsewhere ?? ""), /^HTTP\/1\.1 403/);

  const folder = /\/\S*sallyport-demo-\w+/.exec(said)?.[0] ?? "";
  t.ok(existsSync(folder));
  demo.kill("SIGINT");
  const [code] = await once(demo, "exit");
  t.equal(code, 0);
  t.notOk(existsSync(folder), "its folder is gone");
  t.notOk(isAlive(demo.pid ?? 0));
});

t.test("ports that are taken are told with the flag that moves them", async (t) => {
  const { createServer } = await import("node:net");
  const server = createServer().listen(0, "127.0.0.1");
  t.teardown(() => server.close());
  await once(server, "listening");
  const address = server.address();
  const taken = typeof address === "object" ? `${address?.port}` : "";
  t.match(await sallyport(["demo", "--port", taken], ROOT), {
    code: 1,
    stderr: /taken by another process[\s\S]*--port/,
  });
  const admin = ["demo", "--port", `${freePort()}`, "--admin-port", taken];
  t.match(await sallyport(admin, ROOT), { code: 1, stderr: /taken by another process[\s\S]*--admin-port/ });
  t.match(await sallyport(["demo", "--port", "x"], ROOT), { code: 2, stderr: /port number/ });
});
