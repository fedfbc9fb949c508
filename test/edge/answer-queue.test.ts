/** One person's answer never reaches another: connections to upstreams that were left in doubt carry nothing more. */
import t from "tap";
import { HAPPY, startLiveEdge } from "../support/live-edge.ts";
import { RawClient } from "../support/raw-http.ts";
import { startUpstream } from "../support/upstream.ts";

const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: ${HAPPY.host}\r\n\r\n`;

for (const [name, answer] of [
  ["a 204 with a length", "HTTP/1.1 204 No Content\r\nContent-Length: 45\r\n\r\n"],
  ["a 204 with chunks", "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n"],
  ["a 304 with chunks", "HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n"],
] as const) {
  t.test(`${name} leaves its connection to nobody`, async (t) => {
    const upstream = await startUpstream(t, (connection) => {
      if (!connection.received.endsWith("\r\n\r\n")) return;
      const first = connection.received.includes("/one");
      connection.received = "";
      connection.socket.write(first ? answer : "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nplain!");
    });
    const { port, policy } = await startLiveEdge(t, { upstream: upstream.origin });
    policy.allow("127.0.0.1/32");
    const [one, two] = [await RawClient.open(port), await RawClient.open(port)];
    t.teardown(() => one.close());
    t.teardown(() => two.close());
    one.send(get("/one"));
    await one.until((received) => /HTTP\/1\.1 (204|304)/.test(received));
    two.send(get("/two"));
    await two.until((received) => received.includes("plain!"));
    t.equal(upstream.connections.length, 2);
  });
}
