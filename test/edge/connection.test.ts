/** A client connection that is cut closes, whatever it was about to do; one that takes nothing is found. */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, Socket } from "node:net";
import { connect as connectTls, TLSSocket } from "node:tls";
import t, { type Test } from "tap";
import { parseAddress } from "../../src/core/address.ts";
import { Connection } from "../../src/edge/connection.ts";
import { selfSigned } from "../support/certificate.ts";

const peer = parseAddress("127.0.0.1");

function connectionOn(socket: Socket, transport: Socket, tls: boolean): Connection {
  if (peer === undefined) throw new Error("not an address");
  return new Connection(socket, { peer, trusted: false, forwards: false, tls, transport, serverName: undefined });
}

/** Both ends of a TCP connection. */
async function pair(t: Test): Promise<[Socket, Socket]> {
  const server = createServer({ allowHalfOpen: true }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const client = connect((server.address() as AddressInfo).port, "127.0.0.1");
  const [accepted] = await once(server, "connection");
  client.on("error", () => {});
  t.teardown(() => {
    client.destroy();
    server.close();
  });
  return [client, accepted];
}

/** Runs once everything is done that was put off only to the end of this turn. */
const endOfTurn = (then: () => void) => process.nextTick(() => process.nextTick(() => process.nextTick(then)));

t.test("while its end is on its way", async (t) => {
  const [client, socket] = await pair(t);
  client.resume();
  const connection = connectionOn(socket, socket, false);
  const closed = once(socket, "close");
  socket.end("the last");
  endOfTurn(() => connection.cut());
  await closed;
});

t.test("with bytes and its end still to send: these do not arrive", async (t) => {
  const [client, socket] = await pair(t);
  const connection = connectionOn(socket, socket, false);
  const closed = [socket, client].map((end) => new Promise((resolve) => end.once("close", resolve)));
  client.resume();
  socket.write(Buffer.alloc(32 << 20));
  socket.end();
  endOfTurn(() => connection.cut());
  await Promise.all(closed);
  t.ok(client.bytesRead < 32 << 20, `${client.bytesRead} bytes arrived`);
});

t.test("beneath TLS", async (t) => {
  const certificate = selfSigned(t, ["DNS:clinic.example"]);
  if (certificate === undefined) return;
  const [client, transport] = await pair(t);
  const socket = new TLSSocket(transport, { isServer: true, ...certificate });
  const secured = connectTls({ socket: client, ca: certificate.cert, servername: "clinic.example" });
  secured.on("error", () => {}).resume();
  await once(secured, "secureConnect");
  const connection = connectionOn(socket, transport, true);
  const closed = once(socket, "close");
  socket.end("the last");
  endOfTurn(() => connection.cut());
  await closed;
});

t.test("who does not take the end of a connection is stuck", async (t) => {
  const { promise, resolve } = Promise.withResolvers<() => void>();
  class Held extends Socket {
    override _final(done: () => void): void {
      resolve(done);
    }
  }
  const socket = new Held();
  t.teardown(() => socket.destroy());
  const connection = connectionOn(socket, socket, true);
  const isStuck = () => Array.from({ length: 4 }, () => connection.isStuck(2, 2));
  t.strictSame(isStuck(), [false, false, false, false], "not while nothing was written");
  socket.end();
  const taken = await promise;
  t.strictSame(isStuck(), [false, false, false, true]);
  taken();
  await once(socket, "finish");
  t.strictSame(isStuck(), [false, false, false, false], "nor once it is taken");
});
