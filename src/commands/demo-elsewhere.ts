/** The demo's other town: what comes in here reaches the gate as if from another address, by the PROXY protocol. */
import { once } from "node:events";
import { connect, createServer, type Server } from "node:net";

/** Where those who come by {@link openElsewhere} seem to be (RFC 5737: an address of nobody). */
export const OTHER_TOWN = "198.51.100.20";

/** @param listener the gate's listener that demands a PROXY header; only a configuration can open such a one */
export async function openElsewhere(port: number, listener: URL): Promise<Server> {
  const to = { host: listener.hostname, port: Number(listener.port) };
  const server = createServer((client) => {
    const gate = connect(to);
    gate.write(`PROXY TCP4 ${OTHER_TOWN} ${to.host} 40000 ${to.port}\r\n`);
    client.pipe(gate).pipe(client);
    client.on("error", () => gate.destroy());
    gate.on("error", () => client.destroy());
    client.once("close", () => gate.destroy());
    gate.once("close", () => client.destroy());
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return server;
}
