/** Runs the table of exchanges with an upstream: real sockets, the bytes as written. */
import t from "tap";
import { CLIENT, startForwardEdge } from "../support/forward-edge.ts";
import { RawClient } from "../support/raw-http.ts";
import { type Script, startUpstream } from "../support/upstream.ts";
import { UPSTREAM_CASES, type UpstreamCase } from "./upstream.ts";

t.jobs = 4;

for (const row of UPSTREAM_CASES) {
  t.test(`case ${row.number}: ${row.name}`, async (t) => {
    const upstream = await startUpstream(t, scriptOf(row));
    const edge = await startForwardEdge(t, { upstreams: [upstream.origin], assertion: "the.assertion" });
    const client = await RawClient.open(edge.port);
    t.teardown(() => client.close());
    client.send(row.request);
    const answer = await client.untilEnd();
    t.ok(answer.startsWith(row.status), `the client gets ${row.status}`, { answer });
    const sent = upstream.connections.map((connection) => connection.received).join("");
    for (const pattern of row.clientSees ?? []) t.match(answer, pattern);
    for (const pattern of row.clientMisses ?? []) t.notMatch(answer, pattern);
    for (const pattern of row.upstreamSees ?? []) t.match(sent, pattern);
    for (const pattern of row.upstreamMisses ?? []) t.notMatch(sent, pattern);
    const requests = sent.match(/^[A-Z]+ \S+ HTTP\/1\.1$/gm)?.length ?? 0;
    t.ok(requests <= (row.requests ?? 1), `no more than ${row.requests ?? 1} request reaches the upstream`, { sent });
    if (sent !== "") t.match(sent, new RegExp(`^x-forwarded-for: ${CLIENT}$`, "im"));
  });
}

function scriptOf(row: UpstreamCase): Script {
  const { after = "\r\n\r\n", answer = "", afterwards } = row;
  return ({ received, socket }) => {
    if (!received.endsWith(after)) return;
    const finish = () => {
      if (afterwards === "reset") socket.resetAndDestroy();
      else if (afterwards === "end") socket.end();
    };
    if (answer === "") finish();
    else socket.write(Buffer.from(answer, "latin1"), finish);
  };
}
