/** What one client's requests on one connection may do to each other, and to the edge. */
import t from "tap";
import { CLEARTEXT_SESSION_COOKIE } from "../../src/core/cookies.ts";
import { HAPPY, startLiveEdge } from "../support/live-edge.ts";
import { RawClient } from "../support/raw-http.ts";
import { startUpstream } from "../support/upstream.ts";

t.test("an upgrade with an unknown session behind an unfinished answer is refused in its turn", async (t) => {
  const answers = Promise.withResolvers<() => void>();
  const upstream = await startUpstream(t, ({ socket }) => {
    answers.resolve(() => socket.write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfirst"));
  });
  const asked = Promise.withResolvers<void>();
  const { port, policy } = await startLiveEdge(t, {
    upstream: upstream.origin,
    lookupSession: async () => {
      asked.resolve();
      return undefined;
    },
  });
  policy.setPolicy(HAPPY, { network: "off", secondFactor: "required", exempt: [{ path: "/hook", methods: ["GET"] }] });
  const client = await RawClient.open(port);
  t.teardown(() => client.close());
  const cookie = `${CLEARTEXT_SESSION_COOKIE}=${"x".repeat(43)}`;
  // A length, so that it is not plain: Node reads on while the answer is under way.
  client.send(`GET /hook HTTP/1.1\r\nHost: ${HAPPY.host}\r\nContent-Length: 0\r\n\r\n`);
  const answer = await answers.promise;
  client.send(
    `GET /live HTTP/1.1\r\nHost: ${HAPPY.host}\r\nCookie: ${cookie}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
  );
  await asked.promise;
  answer();
  const received = await client.until((text) => /first.*HTTP\/1\.1 401 /s.test(text));
  t.notMatch(received, / 101 /);
});
