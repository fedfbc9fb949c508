/** Runs the table of requests at the gate: a whole edge, real sockets, the bytes as written. */
import t from "tap";
import { startLiveEdge } from "../support/live-edge.ts";
import { parseRaw, RawClient } from "../support/raw-http.ts";
import { startUpstream } from "../support/upstream.ts";
import { GATE_CASES, type GateCase } from "./gate.ts";

t.jobs = 4;

for (const row of GATE_CASES) {
  t.test(`case ${row.number}: ${row.name}`.slice(0, 120), async (t) => {
    const { answer, sent } = await send(row);
    t.match(answer, row.status === 0 ? /^$/ : new RegExp(`^HTTP/1\\.1 ${row.status} `), "the client's answer");
    if (row.code !== undefined) t.equal(JSON.parse(parseRaw(answer).body).code, row.code);
    if (row.status !== 200 && row.status !== 101) t.equal(sent, "", "nothing reaches the upstream");
    for (const pattern of row.upstreamSees ?? []) t.match(sent, pattern);
    for (const pattern of row.upstreamMisses ?? []) t.notMatch(sent, pattern);

    async function send({ request, trusted, allow = ["127.0.0.1/32"] }: GateCase) {
      const upstream = await startUpstream(t, ({ received, socket }) => {
        if (/upgrade: websocket/i.test(received)) {
          socket.end("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
        } else {
          socket.end("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
        }
      });
      const trustedProxies = trusted === true ? ["127.0.0.1/32", "10.0.0.0/8"] : [];
      const { port, policy } = await startLiveEdge(t, { upstream: upstream.origin, trustedProxies });
      for (const cidr of allow) policy.allow(cidr);
      const client = await RawClient.open(port);
      t.teardown(() => client.close());
      client.send(request);
      const answer = await client.untilEnd();
      return { answer, sent: upstream.connections.map(({ received }) => received).join("") };
    }
  });
}
