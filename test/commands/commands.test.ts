/** The command line against a running gate, and without one. */
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t, { type Test } from "tap";
import { sallyport } from "../support/command-line.ts";
import { Gate, startUpstream, visit } from "../support/gate.ts";

const HOST = "clinic.example";

async function json(t: Test, gate: Gate, ...args: string[]): Promise<Record<string, unknown>> {
  const { admin } = await gate.ready();
  const said = await sallyport([...args, "--json", "--config", gate.file, "--url", admin], gate.dir);
  t.equal(said.code, 0, `${args.join(" ")}: ${said.stderr}${said.stdout}`);
  return JSON.parse(said.stdout) as Record<string, unknown>;
}

t.test("a clinic's life by command line", async (t) => {
  const upstream = await startUpstream(t, (_request, response) => void response.end("served"));
  const gate = new Gate(t, { settings: { edge: { workers: 0 } } });
  const { edge, admin } = await gate.ready();
  const local = (...args: string[]) => sallyport([...args, "--config", gate.file], gate.dir);
  const human = (...args: string[]) => local(...args, "--url", admin);

  const tenant = [
    "tenant",
    "create",
    "clinic",
    "--name",
    "Clinic",
    "--host",
    HOST,
    "--upstream",
    upstream,
    "--second-factor",
    "off",
  ];
  t.match(await json(t, gate, ...tenant), { id: "clinic", policy: { secondFactor: "off", network: "enforce" } });
  t.match(await human("tenant", "list"), { code: 0, stdout: /clinic +Clinic +clinic\.example/ });
  t.match(await human("allow", "list", "clinic"), { stdout: /nobody is admitted/ });
  t.match(await human("explain", "clinic", "127.0.0.1"), { code: 0, stdout: /^deny \(403\)\n/ });
  const page = await human("explain", "clinic", "127.0.0.1", "--path", "/.sallyport/sign-in");
  t.match(page, { code: 0, stdout: /^allow \(200\)\n[\s\S]*target +\/\.sallyport\/sign-in is the gate's own/ });

  t.match(await human("allow", "add", "clinic", "127.0.0.1", "--label", "here", "--ttl", "8h"), {
    code: 0,
    stdout: /^admitted 127\.0\.0\.1\/32 until /,
  });
  t.match(await visit(edge, HOST), { status: 200, body: "served" }, "in force when the command returns");
  t.match(await json(t, gate, "explain", "clinic", "127.0.0.1"), { verdict: "allow", entry: { label: "here" } });
  const again = await human("allow", "add", "clinic", "010.0.0.1");
  t.equal(again.code, 1);
  t.match(again.stderr, /010\.0\.0\.1/, "what the API refuses is told");

  writeFileSync(join(gate.dir, "list.txt"), "192.0.2.1 site\n198.51.100.0/24\n");
  t.equal((await human("allow", "import", "clinic", "list.txt")).code, 0);
  t.match(await human("allow", "export", "clinic"), { stdout: /192\.0\.2\.1\/32,"site"/ });
  t.match(await json(t, gate, "allow", "list", "clinic"), { items: { length: 3 } });
  t.match(await human("allow", "remove", "clinic", "192.0.2.1"), { code: 0, stdout: /removed/ });
  t.match(await human("allow", "remove", "clinic", "192.0.2.1"), { code: 1, stdout: /not on the list/ });

  t.match(await json(t, gate, "tenant", "set", "clinic", "--network", "observe"), {
    policy: { network: "observe", secondFactor: "off" },
  });
  const key = await json(t, gate, "key", "create", "portal");
  t.match(await human("key", "list"), { stdout: /read.*portal/ });
  t.equal((await human("key", "revoke", String(key["id"]))).code, 0);

  t.match(await human("check", "--health"), { code: 0, stdout: /ready/ });
  t.match(await human("check"), { code: 0, stdout: new RegExp(`upstream +${upstream}`) });
  const backup = join(gate.dir, "backup.db");
  t.equal((await local("backup", backup)).code, 0);
  t.equal(statSync(backup).mode & 0o777, 0o600);
  t.match(await local("restore", backup), { code: 1, stderr: /in use/ }, "not under a running gate");
  t.match(await human("audit", "verify"), { code: 0, stdout: /whole/ });
  t.match(await local("audit", "verify", "--offline"), { code: 0, stdout: /whole/ });
  const { token } = (await json(t, gate, "key", "create", "clinic's", "--tenant", "clinic")) as { token: string };
  const env = { SALLYPORT_ADMIN_KEY: token };
  t.match(await sallyport(["audit", "verify", "--url", admin], gate.dir, env), { code: 1, stderr: /for every tenant/ });

  await t.test("break-glass", async (t) => {
    const offline = ["allow", "add", "clinic", "203.0.113.9", "--offline"];
    t.match(await human(...offline), { code: 2, stderr: /--ttl/ });
    t.match(await human(...offline, "--ttl", "30d"), { code: 2, stderr: /7d/ });
    t.equal((await human(...offline, "--ttl", "1h")).code, 0);
    let listed: readonly { cidr: string; createdBy: string }[] = [];
    for (let tries = 0; tries < 50 && !listed.some(({ cidr }) => cidr === "203.0.113.9/32"); tries++) {
      listed = (await json(t, gate, "allow", "list", "clinic"))["items"] as typeof listed;
    }
    t.match(
      listed.find(({ cidr }) => cidr === "203.0.113.9/32"),
      { createdBy: "break-glass" },
      "the running gate has it",
    );
    const audit = (await (await gate.admin("GET", "/v1/audit?limit=5")).json()) as { items: object[] };
    t.match(audit.items, [{ action: "entry.created", actor: { kind: "cli", id: "break-glass" } }], "and it is audited");
  });

  t.equal((await human("tenant", "delete", "clinic")).code, 0);
  gate.process.kill("SIGTERM");
  await gate.exited;
  t.match(await human("tenant", "list"), { code: 1, stderr: /does not answer; is sallyport running/ });
  t.match(await human("check", "--health"), { code: 1 });
  t.equal((await local("restore", backup)).code, 0);
  const before = readFileSync(join(gate.dir, "data/secret.key"), "utf8").trim();
  t.equal((await local("rotate-keys")).code, 0);
  t.match(
    readFileSync(join(gate.dir, "data/secret.key"), "utf8"),
    new RegExp(`,${before.replaceAll(/[+/]/g, "\\$&")}\n$`),
  );
  t.match(await human("audit", "verify"), { code: 1, stderr: /does not answer/ });
  t.match(await local("audit", "verify", "--offline"), { code: 0 }, "what was sealed before still verifies");
});

t.test("called wrongly", async (t) => {
  const cwd = t.testdir({ "bad.yaml": "nonsense: 1\nlog: { level: loud }" });
  t.match(await sallyport(["tenat"], cwd), { code: 2, stderr: /did you mean tenant\?/ });
  t.match(await sallyport(["tenant"], cwd), { code: 2, stderr: /tenant create/ });
  t.match(await sallyport(["tenant", "get"], cwd), { code: 2, stderr: /TENANT is missing/ });
  t.match(await sallyport(["tenant", "get", "a", "b"], cwd), { code: 2, stderr: /one argument too many/ });
  t.match(await sallyport(["serve", "--colour"], cwd), { code: 2, stderr: /--colour/ });
  t.match(await sallyport(["allow", "add", "a", "192.0.2.1", "--ttl", "soon"], cwd), {
    code: 2,
    stderr: /duration/,
  });
  t.match(await sallyport(["check", "--config", "bad.yaml"], cwd), {
    code: 1,
    stdout: /nonsense[\s\S]*log\.level/,
  });
  const wrong = await sallyport(["tenant", "get", "--json"], cwd);
  t.match(JSON.parse(wrong.stdout), { error: { code: "usage" } });
});

t.test("help and what needs nothing", async (t) => {
  const cwd = t.testdir({});
  const help = await sallyport(["--help"], cwd);
  t.equal(help.code, 0);
  for (const name of ["serve", "check", "demo", "explain", "allow add", "audit verify", "rotate-keys"])
    t.match(help.stdout, `  ${name} `);
  t.match(await sallyport(["allow", "add", "--help"], cwd), { code: 0, stdout: /--offline/ });
  t.match(await sallyport(["version"], cwd), { code: 0, stdout: /^sallyport \d/ });
  t.match(JSON.parse((await sallyport(["schema"], cwd)).stdout), { properties: { edge: {} } });
});
