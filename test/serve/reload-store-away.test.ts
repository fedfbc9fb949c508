/** Tenants that a reload could not declare for want of the store are not declared later either. */
import t, { type Test } from "tap";
import { Gate, openTenant, startUpstream, visit } from "../support/gate.ts";
import { type RedisServer, startRedis, until } from "../support/redis.ts";

const env = { SALLYPORT_SECRET_KEY: Buffer.alloc(32, 5).toString("base64") };

async function startGate(t: Test, url: string) {
  const upstream = await startUpstream(t, (_request, response) => void response.end("in"));
  const first = openTenant("first", "first.example", upstream);
  const second = openTenant("second", "second.example", upstream);
  const settings = { edge: { workers: 1 }, store: { url }, tenants: [first] };
  const gate = new Gate(t, { settings, env });
  const { edge } = await gate.ready();
  const reload = async (tenants: object[], outcome: string) => {
    const before = gate.log.length;
    gate.configure({ ...settings, tenants });
    gate.process.kill("SIGHUP");
    return gate.logged(outcome, (line) => gate.log.indexOf(line) >= before);
  };
  const becomes = (host: string, status: number) => until(async () => (await visit(edge, host)).status === status);
  return { gate, edge, first, second, reload, becomes };
}

const REFUSED = "reload refused; the earlier configuration goes on";

async function revision(redis: RedisServer): Promise<string> {
  const client = redis.client();
  const [key = ""] = await client.keys("*meta");
  return JSON.stringify(await client.hgetall(key));
}

t.test("the store is away at the start, while tenants change, and comes back", async (t) => {
  const redis = await startRedis(t);
  if (redis === undefined) return;
  await redis.kill();
  const { gate, edge, first, second, reload, becomes } = await startGate(t, redis.url);
  await reload([first, second], REFUSED);
  await redis.start();
  await becomes("first.example", 200);
  t.match(await visit(edge, "second.example"), { status: 421 });
  await reload([first, second], "reloaded");
  await becomes("second.example", 200);
  gate.process.kill("SIGTERM");
  t.equal(await gate.exited, 0);
});

t.test("tenants are written, and the store cannot say so", async (t) => {
  const redis = await startRedis(t);
  if (redis === undefined) return;
  // Nobody replicates, so that every write is carried out and told as failed.
  const { gate, edge, first, second, reload, becomes } = await startGate(t, `${redis.url}?waitReplicas=1`);
  await becomes("first.example", 200);
  const before = await revision(redis);
  await reload([first, second], REFUSED);
  t.not(await revision(redis), before, "they were written all the same");
  await gate.logged("as configured again");
  await becomes("second.example", 421);
  t.match(await visit(edge, "first.example"), { status: 200 });
});
