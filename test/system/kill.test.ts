/** Processes are killed while clients write and knock: what was acknowledged is there, and traffic goes on. */
import { setTimeout as delay } from "node:timers/promises";
import t, { type Test } from "tap";
import { freePort, Gate, isAlive, openTenant, startUpstream } from "../support/gate.ts";
import { Knocker } from "../support/knocker.ts";
import { startRedis } from "../support/redis.ts";

/** More by hand: `SALLYPORT_TEST_KILLS=1000 TAP_TIMEOUT=36000 tap test/system/kill.test.ts`. */
const KILLS = Number(process.env["SALLYPORT_TEST_KILLS"] ?? 3);
const HOST = "clinic.example";
const LIST = "/v1/tenants/clinic/allowlist";
const env = { SALLYPORT_SECRET_KEY: Buffer.alloc(32, 5).toString("base64") };

/** A client of the admin API that adds and removes entries without pause and knows what it was told. */
class Writer {
  readonly present = new Set<string>();
  readonly gone = new Set<string>();
  #created = 0;
  #stopped = false;
  #running: Promise<unknown> = Promise.resolve();

  start(gate: Gate): void {
    this.#running = Promise.all([this.#run(gate), this.#run(gate), this.#run(gate)]);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  /** Resolves after this many more acknowledged entries. */
  async more(entries: number): Promise<void> {
    const wanted = this.#created + entries;
    while (this.#created < wanted) await delay(5);
  }

  /** What is missing, and what is back, in a node's list. */
  async losses(gate: Gate): Promise<{ missing: string[]; back: string[] }> {
    const exported = (await (await gate.admin("GET", `${LIST}?limit=1000`)).json()) as Page;
    const items = [...exported.items];
    for (let { next } = exported; next !== undefined; ) {
      const page = (await (await gate.admin("GET", `${LIST}?limit=1000&cursor=${next}`)).json()) as Page;
      items.push(...page.items);
      next = page.next;
    }
    const there = new Set(items.map(({ id }) => id));
    return {
      missing: [...this.present].filter((id) => !there.has(id)),
      back: [...this.gone].filter((id) => there.has(id)),
    };
  }

  async #run(gate: Gate): Promise<void> {
    while (!this.#stopped) {
      const created = await gate.admin("POST", LIST, { cidr: "203.0.113.7", label: "here" }).catch(() => undefined);
      if (created?.status !== 201) {
        await delay(10);
        continue;
      }
      const { id } = (await created.json()) as { id: string };
      this.present.add(id);
      this.#created += 1;
      if (this.#created % 2 === 0) await this.#remove(gate, id);
    }
  }

  async #remove(gate: Gate, id: string): Promise<void> {
    // Without an answer it may be there or not.
    this.present.delete(id);
    const removed = await gate.admin("DELETE", `${LIST}/${id}`).catch(() => undefined);
    if (removed?.status === 204) this.gone.add(id);
  }
}

interface Page {
  readonly items: readonly { id: string }[];
  readonly next?: string;
}

async function clinic(t: Test, settings: object) {
  const upstream = await startUpstream(t, (_request, response) => void response.end("in"));
  return {
    edge: { workers: 2 },
    admin: { listen: `127.0.0.1:${freePort()}` },
    tenants: [openTenant("clinic", HOST, upstream)],
    ...settings,
  };
}

/** Kills control again and again, then the supervisor, and starts the node again. */
async function survives(t: Test, settings: Record<string, unknown>, alsoKill: () => Promise<void>): Promise<void> {
  const gate = new Gate(t, { settings, env });
  const { edge } = await gate.ready();
  const knocker = new Knocker(t, edge, { host: HOST, connections: 4 });
  const writer = new Writer();
  knocker.start();
  writer.start(gate);
  for (let kill = 0; kill < KILLS; kill++) {
    await writer.more(20);
    process.kill(gate.pids("control-process.ts")[0] ?? 0, "SIGKILL");
    await alsoKill();
  }
  await writer.more(20);
  await knocker.stop();
  t.strictSame([...knocker.statuses.keys()], [200], "every request was served");
  t.equal(knocker.failures, 0, "and none failed");
  const children = [...gate.pids("edge-process.ts"), ...gate.pids("control-process.ts")];
  gate.process.kill("SIGKILL");
  await writer.stop();
  while (children.some(isAlive)) await delay(20);
  const again = new Gate(t, { settings: { ...settings, dataDir: gate.dataDir }, env });
  await again.ready();
  t.strictSame(await writer.losses(again), { missing: [], back: [] }, "everything acknowledged is there");
  t.ok(writer.present.size > 10 && writer.gone.size > 10, `${writer.present.size} there, ${writer.gone.size} removed`);
}

t.test("control and supervisor, on SQLite", async (t) => {
  await survives(t, await clinic(t, {}), async () => {});
});

t.test("control, supervisor and Redis itself", async (t) => {
  const redis = await startRedis(t, ["--appendonly", "yes", "--appendfsync", "always"]);
  if (redis === undefined) return;
  await survives(t, await clinic(t, { store: { url: redis.url } }), async () => {
    await redis.kill();
    await redis.start();
  });
});

t.test("an edge of two: only requests in flight on it fail", async (t) => {
  const gate = new Gate(t, { settings: await clinic(t, {}) });
  const { edge } = await gate.ready();
  const knocker = new Knocker(t, edge, { host: HOST, connections: 8 });
  knocker.start();
  for (let kill = 0; kill < KILLS; kill++) {
    await knocker.more(200);
    const failedBefore = knocker.failures;
    const [victim = 0, other = 0] = gate.pids("edge-process.ts");
    process.kill(kill % 2 === 0 ? victim : other, "SIGKILL");
    await knocker.more(200);
    t.ok(knocker.failures - failedBefore <= 8, "no connection failed twice");
    await gate.logged("is back", ({ process }) => String(process).startsWith("edge"));
  }
  await knocker.stop();
  t.strictSame([...knocker.statuses.keys()], [200]);
});
