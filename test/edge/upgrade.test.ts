/** Which requests may leave HTTP: by the page that they come from, the protocol and their form. */
import t, { type Test } from "tap";
import { HAPPY, startLiveEdge } from "../support/live-edge.ts";
import { RawClient } from "../support/raw-http.ts";
import { startUpstream } from "../support/upstream.ts";

const AGREES = "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n";

async function start(t: Test, webSocketOrigins: readonly string[] = []) {
  const upstream = await startUpstream(t, ({ socket }) => socket.write(AGREES));
  const { port, policy } = await startLiveEdge(t, { upstream: upstream.origin });
  policy.setPolicy(HAPPY, { network: "off", webSocketOrigins });
  const status = async (fields: string, host: string = HAPPY.host) => {
    const client = await RawClient.open(port);
    client.send(`GET /socket HTTP/1.1\r\nHost: ${host}\r\nConnection: upgrade\r\n${fields}\r\n`);
    const answer = await client.until((received) => received.includes("\r\n\r\n"));
    client.close();
    return answer.slice(9, 12);
  };
  return { upstream, status };
}

t.test("a page of a foreign origin gets no tunnel", async (t) => {
  const { upstream, status } = await start(t, ["https://partner.example"]);
  const from = (origin: string, host?: string) => status(`Upgrade: websocket\r\nOrigin: ${origin}\r\n`, host);
  t.equal(await status("Upgrade: websocket\r\n"), "101", "no origin: not a browser");
  t.equal(await from("http://happyfeet.example"), "101");
  t.equal(await from("https://HAPPYFEET.example"), "101");
  t.equal(await from("https://happyfeet.example:8443", `${HAPPY.host}:8443`), "101");
  t.equal(await from("https://partner.example"), "101");
  const reached = upstream.connections.length;
  for (const origin of [
    ...["https://evil.example", "null", "", "https://happyfeet.example.evil.example"],
    ...["https://evil.example/happyfeet.example", "https://happyfeet.example@evil.example"],
    ...["file://happyfeet.example", "https://partner.example:444", "https://happyfeet.example:8443"],
    "https://happyfeet.example\r\nOrigin: https://evil.example",
  ]) {
    t.equal(await from(origin), "403", origin);
  }
  t.equal(upstream.connections.length, reached, "the upstream hears nothing of it");
});

t.test("protocols that carry HTTP, and requests with a body, get no tunnel", async (t) => {
  const { upstream, status } = await start(t);
  for (const protocol of ["h2c", "websocket, h2c", "HTTP/2.0", "TLS/1.0"]) {
    t.equal(await status(`Upgrade: ${protocol}\r\n`), "400", protocol);
  }
  t.equal(await status("Upgrade: websocket\r\nContent-Length: 3\r\n"), "400");
  t.equal(upstream.connections.length, 0);
});
