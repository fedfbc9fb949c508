/** The example of an application that verifies who asks, behind a real gate and without one. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { request } from "node:http";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import t, { type Test } from "tap";
import { freePort, Gate, plainNode, startUpstream, type Visit } from "../support/gate.ts";
import { PASSWORD } from "../support/person-door.ts";
import { openDoorOn, signInFirst } from "../support/signed-in.ts";

const EXAMPLE = fileURLToPath(new URL("../../examples/verify-assertion/main.ts", import.meta.url));
const HOST = "happyfeet.example";
const EMAIL = "ann@happyfeet.example";
const SECRET_KEY = Buffer.alloc(32, 5);

async function startExample(t: Test, origin: string, port: number): Promise<void> {
  const example = spawn("env", plainNode(EXAMPLE, HOST, origin, `${port}`), { stdio: ["ignore", "pipe", "inherit"] });
  t.teardown(() => example.kill());
  await once(createInterface(example.stdout), "line");
}

/** With a session's cookie, or an assertion of the caller's own. */
function ask(origin: string, fields: Record<string, string>): Promise<Visit> {
  const { promise, resolve, reject } = Promise.withResolvers<Visit>();
  request(origin, { agent: false, headers: { host: HOST, ...fields } }, (response) => {
    text(response).then((body) => resolve({ status: response.statusCode ?? 0, body }), reject);
  })
    .once("error", reject)
    .end();
  return promise;
}

t.test("the application knows whom the gate vouches for, and nobody else", async (t) => {
  let assertion = "";
  const witness = await startUpstream(t, (request, response) => {
    assertion = String(request.headers["sallyport-assertion"]);
    response.end();
  });
  const gate = new Gate(t, { env: { SALLYPORT_SECRET_KEY: SECRET_KEY.toString("base64") } });
  const { edge } = await gate.ready();
  const port = freePort();
  const create = async (id: string, hosts: string[], upstream: string): Promise<void> => {
    const tenant = { id, name: id, hosts, upstreams: [upstream], policy: { network: "off" } };
    t.equal((await gate.admin("POST", "/v1/tenants?wait=applied", tenant)).status, 201);
    t.equal((await gate.admin("POST", `/v1/tenants/${id}/users`, { email: EMAIL, password: PASSWORD })).status, 201);
  };
  // The keys are fetched from any name of the gate's that resolves; they are the same for every clinic.
  await create("happy-feet", [HOST, "localhost"], `http://127.0.0.1:${port}`);
  await create("elsewhere", ["elsewhere.example"], witness);
  await startExample(t, edge.replace("127.0.0.1", "localhost"), port);

  const door = await openDoorOn(t, `sqlite:${join(gate.dir, "data/sallyport.db")}`, SECRET_KEY);
  const cookie = async (tenant: string): Promise<string> => `sallyport=${await signInFirst(door, tenant, EMAIL)}`;
  t.match(await ask(edge, {}), { status: 401, body: /sign/i }, "the gate answers, not the application");
  const known = await ask(edge, { cookie: await cookie("happy-feet") });
  t.strictSame(known, { status: 200, body: `Hello ${EMAIL}, proven by pwd,otp,mfa\n` });

  const direct = `http://127.0.0.1:${port}`;
  t.match(await ask(direct, {}), { status: 401, body: /Nobody/ }, "without the gate nobody is believed");
  const none = `${Buffer.from('{"alg":"none"}').toString("base64url")}.${Buffer.from("{}").toString("base64url")}.`;
  t.match(await ask(direct, { "sallyport-assertion": none }), { status: 401 });
  const foreign = { host: "elsewhere.example", cookie: await cookie("elsewhere") };
  t.match(await ask(edge, foreign), { status: 200 });
  t.match(assertion, /^eyJ/);
  t.match(await ask(direct, { "sallyport-assertion": assertion }), { status: 401 }, "another clinic's is not ours");
});
