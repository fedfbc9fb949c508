/** Relays TCP connections as they come, and looks at nothing: `node tcp-relay.ts PORT UPSTREAM_PORT`. */
import { connect, createServer } from "node:net";

const [port = "0", upstreamPort = "0"] = process.argv.slice(2);
const server = createServer({ noDelay: true }, (client) => {
  const upstream = connect({ port: Number(upstreamPort), host: "127.0.0.1", noDelay: true });
  client.on("error", () => upstream.destroy());
  upstream.on("error", () => client.destroy());
  client.pipe(upstream).pipe(client);
});
server.listen(Number(port), "127.0.0.1");
