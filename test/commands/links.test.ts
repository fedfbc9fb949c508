/** Links and references by command line, against an admin API. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import type { TenantId } from "../../src/core/ids.ts";
import { denialWrites } from "../../src/observe/denials.ts";
import { ADMIN_KEY, START_MS, startAdminApi } from "../support/admin-api.ts";
import { sallyport } from "../support/command-line.ts";
import { place, tokenOf } from "../support/places.ts";

t.test("a link's life, and what a reference was", async (t) => {
  const gate = await startAdminApi(t);
  await gate.tenant("a");
  const dir = t.testdir({});
  writeFileSync(join(dir, "key"), ADMIN_KEY);
  const run = (...args: string[]) => sallyport([...args, "--url", gate.origin, "--key-file", "key"], dir);
  const options = ["--label", "Night shift", "--recipient", "anna@a.example", "--ttl", "8h", "--uses", "2"];
  const made = await run("link", "create", "a", ...options, "--entry-ttl", "1d");
  t.match(made, { code: 0, stdout: /^https:\/\/a\.example\/\.sallyport\/allow\/\S+\nlnk_\w+, good for 2 place/ });
  t.match(made.stdout, "It is sent to anna@a.example.");
  const [url = "", id = ""] = made.stdout.split(/\n|,/);
  await gate.whitelist.door.use("a" as TenantId, tokenOf(url), place("198.51.100.1"));
  t.match(await run("link", "list", "a"), { stdout: /1\/2 .*anna@a\.example +Night shift/ });
  t.match(await run("link", "get", "a", id), { stdout: /198\.51\.100\.1\/32 .*Firefox/ });
  t.match(await run("link", "revoke", "a", id), { code: 0 });
  t.match(await run("allow", "list", "a"), { stdout: /nobody is admitted/ });
  t.match(await run("link", "create", "a", "--ttl", "soon"), { code: 2 });

  const at = START_MS - 1000;
  const denial = { at, reference: "k3v9x2ab", address: "203.0.113.9", method: "GET", path: "/x", reason: "observed" };
  await gate.store.commit({ writes: denialWrites("a", denial, START_MS) });
  const said = await run("explain", "a", "k3v9x2ab");
  t.match(said.stdout, /^k3v9x2ab: 2029-12-31T23:59:59\.000Z GET \/x from 203\.0\.113\.9: observed\nnow: deny \(403\)/);
  t.match(await run("explain", "a", "nothing1"), { code: 1 });
});
