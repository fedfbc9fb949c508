/** Plain connections by themselves: what they carry, what they hold between requests, and who is let go. */
import { Socket } from "node:net";
import { setImmediate } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import t from "tap";
import { parseAddress } from "../../src/core/address.ts";
import { systemClock } from "../../src/core/clock.ts";
import { newSecret } from "../../src/core/ids.ts";
import { AwaitedBodies } from "../../src/edge/awaited-bodies.ts";
import type { ClientRequest } from "../../src/edge/client-message.ts";
import { Connection } from "../../src/edge/connection.ts";
import { Gate } from "../../src/edge/gate.ts";
import { PlainConnection, type PlainReceiver } from "../../src/edge/plain-connection.ts";
import { Refusal } from "../../src/edge/refusals.ts";
import { SessionDirectory } from "../../src/edge/sessions.ts";
import { TrustedProxies } from "../../src/edge/source.ts";
import { HAPPY, PolicyWriter } from "../support/live-edge.ts";
import { SILENT } from "../support/silent-log.ts";

/** A client's socket whose end never gets through, as beneath TLS when the client reads no more. */
class Endless extends Socket {
  override _read(): void {}
  override _write(_bytes: Buffer, _encoding: string, done: () => void): void {
    done();
  }
  override _writev(_chunks: unknown, done: () => void): void {
    done();
  }
  override _final(): void {}
}

function connectionOn(socket: Socket, tls: boolean): Connection {
  const peer = parseAddress("127.0.0.1");
  if (peer === undefined) throw new Error("not an address");
  const facts = { peer, trusted: false, forwards: false, tls, transport: socket, serverName: undefined };
  return new Connection(socket, facts);
}

/** Answers everything. @param note hears of each request */
function plainOn(
  socket: Socket,
  note: (req: ClientRequest, connection: Connection) => void,
  options: { handOver?: () => void; tls?: boolean; awaited?: AwaitedBodies } = {},
): PlainConnection {
  const { handOver = nobodyElse, tls = false, awaited = new AwaitedBodies() } = options;
  const receiver: PlainReceiver = {
    receive: (req, res, { connection }) => {
      note(req, connection);
      connection.used = true;
      res.writeHead(200, undefined, ["Content-Length", "2"]).end("ok", "latin1");
    },
    finished() {},
    late() {},
    cutOff() {},
  };
  return new PlainConnection(connectionOn(socket, tls), {
    receiver,
    headersMs: 1_000,
    keepAliveMs: 1_000,
    awaited,
    handOver,
  });
}

function nobodyElse(): void {
  throw new Error("nobody else should read this");
}

const get = (fields: string): string => `GET / HTTP/1.1\r\nHost: ${HAPPY.host}\r\n${fields}\r\n`;

t.test("whose answer was the last is heard no more, and let go if it does not go", async (t) => {
  const socket = new Endless();
  t.teardown(() => socket.destroy());
  let heard = 0;
  const note = () => {
    heard += 1;
  };
  const plain = plainOn(socket, note, { tls: true });
  socket.push(get("Connection: close\r\n"));
  await setImmediate();
  socket.push(get(""));
  socket.push("POST / HTTP/1.1\r\n\r\n");
  await setImmediate();
  t.equal(heard, 1);
  plain.tick(performance.now() + 1_000);
  t.equal(socket.destroyed, false);
  plain.tick(performance.now() + 2_100);
  t.equal(socket.destroyed, true);
});

t.test("a connection that carries small bodies stays plain", async (t) => {
  const bodies: (string | undefined)[] = [];
  const socket = new Endless();
  t.teardown(() => socket.destroy());
  const plain = plainOn(socket, ({ body }) => bodies.push(body?.toString()));
  const post = `POST / HTTP/1.1\r\nHost: ${HAPPY.host}\r\nContent-Length: 9\r\n\r\n`;
  for (const piece of [`${post}all of it`, get(""), post, "in ", "pieces", get("")]) {
    socket.push(piece);
    await setImmediate();
    t.equal(plain.receives, piece === post || piece === "in ");
  }
  t.strictSame(bodies, ["all of it", undefined, "in pieces", undefined]);
});

t.test("a body that is slow is Node's to read, from its request's first byte", async (t) => {
  const socket = new Endless();
  t.teardown(() => socket.destroy());
  const handedOver: string[] = [];
  const handOver = () => handedOver.push(String(socket.read()));
  const plain = plainOn(socket, () => t.fail("not whole"), { handOver });
  const post = `POST / HTTP/1.1\r\nHost: ${HAPPY.host}\r\nContent-Length: 9\r\n\r\n`;
  for (const piece of [post, "slow"]) {
    socket.push(piece);
    await setImmediate();
  }
  plain.tick(performance.now());
  t.equal(handedOver.length, 0, "not all that are slow in one turn");
  await setImmediate();
  t.strictSame(handedOver, [`${post}slow`]);
  t.equal(plain.receives, false);
});

t.test("bodies that are waited for have room together; where it ends they are Node's at once", async (t) => {
  const mib = 1 << 20;
  const awaited = new AwaitedBodies();
  t.ok(awaited.hold(32 * mib - 300));
  const bodies: (string | undefined)[] = [];
  let handedOver = 0;
  const handOver = () => {
    handedOver += 1;
  };
  const open = () => {
    const socket = new Endless();
    t.teardown(() => socket.destroy());
    plainOn(socket, ({ body }) => bodies.push(body?.toString()), { handOver, awaited });
    return socket;
  };
  const post = `POST / HTTP/1.1\r\nHost: ${HAPPY.host}\r\nContent-Length: 100\r\n\r\n`;
  const body = "x".repeat(100);
  const [first, second, gone] = [open(), open(), open()];
  first.push(post);
  await setImmediate();
  second.push(post);
  await setImmediate();
  t.equal(handedOver, 1, "no room for the second");
  first.push(body);
  await setImmediate();
  t.strictSame(bodies, [body]);
  gone.push(post);
  await setImmediate();
  t.equal(handedOver, 1, "the first has made room");
  t.notOk(awaited.hold(200));
  gone.destroy();
  await setImmediate();
  t.ok(awaited.hold(300), "all of it is given back");
});

t.test("one that lies idle keeps nothing of its last request", async (t) => {
  const policy = new PolicyWriter("http://127.0.0.1:1", systemClock);
  policy.load();
  policy.setPolicy(HAPPY, { network: "enforce", secondFactor: "required" });
  policy.allow("127.0.0.1/32");
  const lookup = async () => undefined;
  const gate = new Gate({
    replica: policy.replica,
    trustedProxies: new TrustedProxies([]),
    limits: { headerBytes: 32_768, headerCount: 200, targetBytes: 8_192, connections: 0, connectionsPerAddress: 0 },
    clock: systemClock,
    sessions: new SessionDirectory({ lookup, clock: systemClock, log: SILENT, leaseMs: 1_000, capacity: 1 }),
  });
  setFlagsFromString("--expose-gc");
  const heap = (): number => {
    runInNewContext("gc")();
    return process.memoryUsage().heapUsed;
  };
  const sockets = Array.from({ length: 500 }, () => new Endless());
  let admitted = 0;
  const open = sockets.map((socket) =>
    plainOn(socket, (req, connection) => {
      if (!(gate.judge(req, connection) instanceof Refusal)) admitted += 1;
    }),
  );
  const before = heap();
  for (const [index, socket] of sockets.entries())
    socket.push(get(`Cookie: sallyport=${newSecret()}\r\nX-Number: ${index}\r\n${"X-Some: field\r\n".repeat(190)}`));
  await setImmediate();
  for (const plain of open) plain.tick(performance.now());
  const each = (heap() - before) / sockets.length;
  t.equal(admitted, sockets.length);
  t.ok(each < 2_000, `${each} bytes each`);
});
