/** What the admin API refuses, as the command line tells it: by line, and with the flags that its own commands take. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import t, { type Test } from "tap";
import { ADMIN_KEY, startAdminApi } from "../support/admin-api.ts";
import { sallyport } from "../support/command-line.ts";

async function start(t: Test) {
  const api = await startAdminApi(t);
  await api.tenant("a");
  const cwd = t.testdir({});
  const env = { SALLYPORT_ADMIN_URL: api.origin, SALLYPORT_ADMIN_KEY: ADMIN_KEY };
  const said = (...args: string[]) => sallyport(args, cwd, env);
  return { ...api, said, file: (text: string) => writeFileSync(join(cwd, "list.txt"), text) };
}

t.test("an import's mistakes are told by line", async (t) => {
  const { said, file } = await start(t);
  file("192.0.2.1\n10.1\n10.0.0.0/7 too broad\n");
  const refused = await said("allow", "import", "a", "list.txt");
  t.match(refused, { code: 1, stderr: /2 of 3 lines are refused[\s\S]*line 2: "10\.1"[\s\S]*line 3: / });
  t.notMatch(refused.stderr, /undefined/);
  t.match(refused.stderr, /narrow it, or ask with --allow-broad/);
  file("10.0.0.0/7 broad\n");
  t.match(await said("allow", "import", "a", "list.txt", "--allow-broad"), { code: 0 });
  t.match((await said("allow", "add", "a", "20.0.0.0/6")).stderr, /\/cidr: .*\n.*or state --allow-broad$/m);
  t.match(await said("allow", "add", "a", "20.0.0.0/6", "--allow-broad"), { code: 0 });
  const { stderr } = await said("allow", "add", "a", "10.1");
  t.equal(stderr.match(/write all four/g)?.length, 1, "told once");
});

t.test("the lock-out guard is passed by a flag, wherever it stands", async (t) => {
  const { call, said } = await start(t);
  const json = { email: "ann@a.example", role: "owner", password: "correct pony battery staple" };
  await call("POST", "/v1/tenants/a/users", { json });
  const { id } = (await call("POST", "/v1/tenants/a/allowlist", { json: { cidr: "192.0.2.1" } })).body;
  await call("PATCH", "/v1/tenants/a", { json: { policy: { selfAllow: "nobody" } } });
  const user = ["a", "ann@a.example"];
  for (const args of [
    ["allow", "remove", "a", id],
    ["user", "disable", ...user],
    ["user", "delete", ...user],
  ]) {
    const refused = await said(...args);
    t.match(refused, { code: 1, stderr: /no owner a way in; repeat it with --force if/ }, args.join(" "));
    t.notMatch(refused.stderr, /force=true/);
  }
  t.equal((await said("allow", "remove", "a", id, "--force")).code, 0);
  await call("PATCH", "/v1/tenants/a?force=true", { json: { policy: { selfAllow: "owner" } } });
  t.equal((await said("user", "disable", ...user, "--force")).code, 0);
  t.equal((await said("user", "enable", ...user)).code, 0);
  t.equal((await said("user", "delete", ...user, "--force")).code, 0);
});

t.test("changing a tenant, too", async (t) => {
  const { call, said } = await start(t);
  await call("PATCH", "/v1/tenants/a", { json: { policy: { selfAllow: "nobody", network: "observe" } } });
  const json = { email: "ann@a.example", role: "owner", password: "correct pony battery staple" };
  await call("POST", "/v1/tenants/a/users", { json });
  const enforce = ["tenant", "set", "a", "--network", "enforce"];
  t.match(await said(...enforce), { code: 1, stderr: /repeat it with --force/ });
  t.match(await said(...enforce, "--force"), { code: 0, stdout: /network +enforce/ });
});
