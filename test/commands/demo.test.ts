/** The demo as a stranger tries it: what it prints to do is done, word by word. */
import { execFile } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { promisify } from "node:util";
import t from "tap";
import { sallyport } from "../support/command-line.ts";
import { Demo, ROOT } from "../support/demo.ts";
import { freePort, isAlive } from "../support/gate.ts";
import { totpCode } from "../support/person-door.ts";
import { program } from "../support/programs.ts";

t.test("blocked, admitted, and gone", async (t) => {
  if (program(t, "curl") === undefined) return;
  const demo = new Demo(t);
  await demo.says(/\/invite\//, 2);
  const { said } = demo;
  t.ok(said.slice(0, said.indexOf("✉")).split("\n").length <= 40, "it is short");
  const curls = [...said.matchAll(/^ +(curl (?:[^\\\n]|\\\n)+)/gm)].map(([, command]) => command ?? "");
  const [knock = "", admit = "", again = "", elsewhere = ""] = curls;
  const run = async (command: string): Promise<string> => (await promisify(execFile)("sh", ["-c", command])).stdout;
  t.match(await run(knock), /^HTTP\/1\.1 403[\s\S]*127\.0\.0\.1/);
  t.match(await run(admit), /"cidr":"127\.0\.0\.1\/32"/);
  t.match(await run(again), /^HTTP\/1\.1 200[\s\S]*Marigold Laboratory[\s\S]*Today's appointments/);
  t.match(await run(elsewhere), /^HTTP\/1\.1 403[\s\S]*198\.51\.100\.20/);

  const folder = /\/\S*sallyport-demo-\w+/.exec(said)?.[0] ?? "";
  t.ok(existsSync(folder));
  demo.process.kill("SIGINT");
  const [code] = await once(demo.process, "exit");
  t.equal(code, 0);
  t.notOk(existsSync(folder), "its folder is gone");
  t.notOk(isAlive(demo.process.pid ?? 0));
});

t.test("codes as an authenticator shows them", async (t) => {
  const key = "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ";
  const { stdout } = await sallyport(["demo", "code", key], ROOT);
  const nowMs = Date.now();
  t.ok([0, -1].some((offset) => stdout.startsWith(totpCode(key, nowMs, offset))));
  t.match(await sallyport(["demo", "code", "123456"], ROOT), { code: 2, stderr: /beside the QR code/ });
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
  const free = ["demo", "--port", `${freePort()}`];
  const admin = [...free, "--admin-port", taken];
  t.match(await sallyport(admin, ROOT), { code: 1, stderr: /taken by another process[\s\S]*--admin-port/ });
  const elsewhere = [...free, "--admin-port", `${freePort()}`, "--elsewhere-port", taken];
  t.match(await sallyport(elsewhere, ROOT), { code: 1, stderr: /taken by another process[\s\S]*--elsewhere-port/ });
  t.match(await sallyport(["demo", "--port", "x"], ROOT), { code: 2, stderr: /port number/ });
});
