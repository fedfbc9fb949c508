/** What an edge process has: no key, no store, no way to them. */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { Gate } from "../support/gate.ts";
import { memoryHolds } from "../support/process-memory.ts";

const ADMIN_KEY = `admin-${"x".repeat(20)}-${process.pid}-never-at-an-edge`;
const SECRET_KEY = Buffer.from(`seal-${process.pid}-`.padEnd(32, "s"));

t.test("an edge holds no secret and reaches none", async (t) => {
  const gate = new Gate(t, {
    env: {
      SALLYPORT_ADMIN_KEY: ADMIN_KEY,
      SALLYPORT_SECRET_KEY: SECRET_KEY.toString("base64"),
      CLOUD_TOKEN: "hunter2hunter2",
    },
    settings: { edge: { workers: 1 } },
  });
  const { admin } = await gate.ready();
  const headers = { authorization: `Bearer ${ADMIN_KEY}` };
  t.equal((await fetch(`${admin}/v1/tenants`, { headers })).status, 200, "the key is in use");
  const [edge = 0] = gate.pids("edge-process.ts");
  const [control = 0] = gate.pids("control-process.ts");

  const environment = readFileSync(`/proc/${edge}/environ`, "utf8");
  t.notMatch(environment, /SALLYPORT|CLOUD_TOKEN|hunter2/, "nothing secret in its environment");
  t.notMatch(readFileSync(`/proc/${control}/environ`, "utf8"), /SALLYPORT|CLOUD_TOKEN/, "nor in control's");
  t.notMatch(readFileSync(`/proc/${edge}/cmdline`, "utf8"), ADMIN_KEY, "nor in its command line");

  const files = readdirSync(`/proc/${edge}/fd`).map((fd) => linkOf(`/proc/${edge}/fd/${fd}`));
  t.strictSame(
    files.filter((file) => file.startsWith(gate.dir)),
    [],
    "no file of the data folder is open",
  );

  // Memory holds whatever it was ever told, over IPC, the feed or otherwise.
  t.ok(memoryHolds(control, ADMIN_KEY), "control has the key, so that the search is known to find it");
  t.notOk(memoryHolds(edge, ADMIN_KEY), "the edge was never told the bootstrap key");
  t.notOk(memoryHolds(edge, SECRET_KEY.toString()), "nor the sealing key");
  t.notOk(memoryHolds(edge, SECRET_KEY.toString("base64")), "nor in base64");
  t.notOk(memoryHolds(edge, join(gate.dir, "data", "sallyport.db")), "nor where the store is");
});

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return "";
  }
}
