/** The example of a portal backend, run against a real gate; and its types, compared with the API's description. */
import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import t, { type Test } from "tap";
import { type Description, generateTypes } from "../../examples/portal-backend/generate-types.ts";
import { Gate, plainNode } from "../support/gate.ts";
import { PageClient } from "../support/page-client.ts";

const EXAMPLE = fileURLToPath(new URL("../../examples/portal-backend/main.ts", import.meta.url));
const TYPES = fileURLToPath(new URL("../../examples/portal-backend/sallyport-api.d.ts", import.meta.url));

/** Its lines as they come. */
class Backend {
  readonly #lines: AsyncIterator<string>;
  readonly #process;

  constructor(t: Test, admin: string, key: string, place: string) {
    const env = { PATH: process.env["PATH"], SALLYPORT_ADMIN_KEY: key };
    const command = plainNode(EXAMPLE, admin, place);
    this.#process = spawn("env", command, { env, stdio: ["ignore", "pipe", "inherit"] });
    this.#lines = createInterface(this.#process.stdout)[Symbol.asyncIterator]();
    t.teardown(() => this.#process.kill());
  }

  /** The next line that matches. */
  async says(pattern: RegExp): Promise<string> {
    for (;;) {
      const { value, done } = await this.#lines.next();
      if (done === true) throw new Error(`it ended without ${pattern}`);
      if (pattern.test(value)) return value;
    }
  }

  stop(): void {
    this.#process.kill();
  }
}

t.test("its whole life, twice", async (t) => {
  const gate = new Gate(t, { settings: { edge: { workers: 1 } } });
  const { edge, admin } = await gate.ready();
  const place = join(gate.dir, "place");
  const backend = new Backend(t, admin, gate.adminKey(), place);
  const invitation = await backend.says(/^write to ann@happyfeet\.example: http.*\/\.sallyport\/invite\//);
  const url = new URL((await backend.says(/^write to the night shift: /)).replace(/^.*: /, ""));
  await backend.says(/^203\.0\.113\.7: deny, since blocked: not on the allowlist/);
  await backend.says(/ tenant\.created happy-feet by key /);
  await backend.says(/ link\.created /);

  const colleague = new PageClient(edge.replace("127.0.0.1", url.hostname));
  const page = await colleague.get(url.pathname);
  t.equal((await colleague.submit(page, url.pathname)).status, 200);
  await backend.says(/ link\.used .* by link lnk_\w+ at 127\.0\.0\.1$/);
  t.match(await (await gate.admin("GET", "/v1/tenants/happy-feet/allowlist")).json(), { items: [{ kind: "link" }] });
  backend.stop();

  const entry = { cidr: "203.0.113.7", label: "meanwhile" };
  t.equal((await gate.admin("POST", "/v1/tenants/happy-feet/allowlist", entry)).status, 201);
  const again = new Backend(t, admin, gate.adminKey(), place);
  t.equal(await again.says(/invite/), invitation, "nothing is done a second time");
  await again.says(/^203\.0\.113\.7: deny, since .*/);
  const first = await again.says(/^20\d\d-/);
  t.match(first, /entry\.created|link\.used/, "it goes on where it stopped");
  if (/link\.used/.test(first)) await again.says(/entry\.created/);
});

t.test("started again when the API knows its requests no more", async (t) => {
  const gate = new Gate(t, { settings: { edge: { workers: 1 } } });
  const { admin } = await gate.ready();
  const upstreams = ["http://127.0.0.1:9000"];
  const tenant = { id: "happy-feet", name: "Happy Feet Podiatry", hosts: ["happyfeet.localhost"], upstreams };
  t.equal((await gate.admin("POST", "/v1/tenants", tenant)).status, 201);
  const owner = { email: "ann@happyfeet.example", role: "owner" };
  t.equal((await gate.admin("POST", "/v1/tenants/happy-feet/users", owner)).status, 201);
  const backend = new Backend(t, admin, gate.adminKey(), join(gate.dir, "place"));
  t.equal(await backend.says(/./), "tenant happy-feet is there");
  t.match(await backend.says(/./), /^203\.0\.113\.7: deny/, "nothing is made");
  await backend.says(/ tenant\.created happy-feet by key /);
});

t.test("its types are the API's", async (t) => {
  const gate = new Gate(t, { settings: { edge: { workers: 1 } } });
  const { admin } = await gate.ready();
  const types = generateTypes((await (await fetch(`${admin}/openapi.json`)).json()) as Description);
  if (process.env["TAP_SNAPSHOT"] === "1") writeFileSync(TYPES, types);
  t.equal(
    readFileSync(TYPES, "utf8"),
    types,
    "`TAP_SNAPSHOT=1 tap test/examples/portal-backend.test.ts` writes them anew",
  );
});
