/** A session that is revoked ends with everything that runs on it, in every edge process. */
import { once } from "node:events";
import { createServer, request } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { join } from "node:path";
import { decodeJwt } from "jose";
import t, { type Test } from "tap";
import { Gate } from "../support/gate.ts";
import { PASSWORD } from "../support/person-door.ts";
import { openDoorOn, signInFirst } from "../support/signed-in.ts";

const HOST = "clinic.example";
const SEAL = Buffer.alloc(32, 9);
const CLINIC = "/v1/tenants/clinic";
/** The promise for one node is 100 ms; here it may take some more, since CI is a noisy place. */
const SOON_MS = 400;
/** Of each kind; enough to reach both edges. */
const CONNECTIONS = 8;

/** Answers with the fields it saw, never ends `/download`, and echoes what comes after an upgrade. */
async function startApplication(t: Test): Promise<string> {
  const open = new Set<Socket>();
  const server = createServer((request, response) => {
    if (request.url === "/download") return void response.write("a page of many");
    response.end(JSON.stringify(request.headers));
  });
  server.on("connection", (socket) => open.add(socket));
  server.on("upgrade", (_request, socket) => {
    socket.on("error", () => {});
    socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n");
    socket.pipe(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.teardown(() => {
    server.close();
    for (const socket of open) socket.destroy();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Writes a request and waits for the first bytes of the answer. */
async function openExchange(t: Test, edge: string, head: readonly string[]) {
  const socket = connect(Number(new URL(edge).port), "127.0.0.1");
  t.teardown(() => socket.destroy());
  socket.on("error", () => {});
  const ended = new Promise<number>((resolve) => socket.once("close", () => resolve(performance.now())));
  socket.write(`${head.join("\r\n")}\r\n\r\n`);
  const [first] = (await once(socket, "data")) as [Buffer];
  return { socket, status: Number(first.toString("latin1").slice(9, 12)), ended };
}

async function get(edge: string, secret: string) {
  const cookie = `sallyport=${secret}; theirs=1`;
  const outgoing = request(edge, { agent: false, headers: { host: HOST, cookie, accept: "application/json" } });
  const [response] = await once(outgoing.end(), "response");
  let body = "";
  for await (const chunk of response) body += chunk;
  return { status: response.statusCode as number, body: JSON.parse(body) as Record<string, string> };
}

t.test("requests, WebSockets and downloads end with their session", async (t) => {
  const upstream = await startApplication(t);
  const policy = { network: "off", secondFactor: "required" };
  const tenant = { id: "clinic", name: "Clinic", hosts: [HOST], upstreams: [upstream], policy };
  const gate = new Gate(t, {
    settings: { edge: { workers: 2 }, tenants: [tenant] },
    env: { SALLYPORT_SECRET_KEY: SEAL.toString("base64") },
  });
  const { edge } = await gate.ready();
  const door = await openDoorOn(t, `sqlite:${join(gate.dir, "data/sallyport.db")}`, SEAL);
  const person = async (email: string) => {
    await gate.admin("POST", `${CLINIC}/users`, { email, password: PASSWORD });
    return await signInFirst(door, "clinic", email);
  };
  const [ann, bob] = [await person("ann@clinic.example"), await person("bob@clinic.example")];

  const { status, body } = await get(edge, ann);
  t.equal(status, 200);
  t.equal(body["cookie"], "theirs=1", "the application sees no cookie of ours");
  t.match(decodeJwt(body["sallyport-assertion"] ?? ""), { email: "ann@clinic.example", aud: HOST });
  t.equal((await get(edge, `${ann.slice(0, -1)}_`)).status, 401, "one character changed");

  const fields = (secret: string) => [`Host: ${HOST}`, `Cookie: sallyport=${secret}`];
  const download = (secret: string) => openExchange(t, edge, ["GET /download HTTP/1.1", ...fields(secret)]);
  const webSocket = (secret: string) =>
    openExchange(t, edge, ["GET /live HTTP/1.1", ...fields(secret), "Connection: upgrade", "Upgrade: websocket"]);
  const many = async (open: (secret: string) => ReturnType<typeof openExchange>) =>
    await Promise.all(Array.from({ length: CONNECTIONS }, () => open(ann)));
  const running = [...(await many(download)), ...(await many(webSocket))];
  const others = [await download(bob), await webSocket(bob)];
  t.same(new Set(running.map((exchange) => exchange.status)), new Set([200, 101]));

  const { items } = (await (await gate.admin("GET", `${CLINIC}/sessions`)).json()) as {
    items: { id: string; email: string }[];
  };
  const session = items.find(({ email }) => email === "ann@clinic.example");
  const ended = await gate.admin("DELETE", `${CLINIC}/sessions/${session?.id}?wait=applied`);
  const answeredAtMs = performance.now();
  t.match(ended.headers.get("sallyport-applied"), /\/edge-1, .*\/edge-2$/);
  const late = Math.max(...(await Promise.all(running.map((exchange) => exchange.ended)))) - answeredAtMs;
  t.ok(late < SOON_MS, `the last one ended ${late.toFixed(1)} ms after the answer`);
  const statuses = await Promise.all(Array.from({ length: CONNECTIONS }, async () => (await get(edge, ann)).status));
  t.same(new Set(statuses), new Set([401]), "no edge lets it in again");
  t.equal((await get(edge, bob)).status, 200);
  t.notOk(
    others.some(({ socket }) => socket.closed),
    "what runs on another session goes on",
  );
});
