/** Control and an edge over a real socket: what is said, what is acknowledged, and what happens when either goes. */

import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t, { type Test } from "tap";
import { systemClock } from "../../src/core/clock.ts";
import type { SessionHash, TenantId } from "../../src/core/ids.ts";
import { FeedClient } from "../../src/replica/client.ts";
import { encodeFrame } from "../../src/replica/frames.ts";
import { PolicyReplica } from "../../src/replica/policy.ts";
import { FeedServer } from "../../src/replica/server.ts";
import { openStore } from "../../src/store/open.ts";
import {
  admits,
  entryRemoval,
  entryWrite,
  newEntry,
  newFollower,
  STALE_AFTER_MS,
  tenantWrite,
} from "../support/policy-store.ts";
import { SILENT } from "../support/silent-log.ts";

const FACTS = { id: "ses_1", user: "usr_1", email: "a@b.example", amr: ["pwd", "otp"], expiresAtMs: 1 };

async function node(t: Test) {
  const store = await openStore("sqlite::memory:", { clock: systemClock });
  const { follower, replica } = newFollower(store, systemClock);
  // A socket's path may have a hundred bytes or so, fewer than the folders that tap names after tests.
  const folder = mkdtempSync(join(tmpdir(), "feed-"));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const socketPath = join(folder, "feed.sock");
  const tallies: unknown[] = [];
  let answers = 0;
  const newServer = () =>
    new FeedServer({
      socketPath,
      node: "node",
      follower,
      clock: systemClock,
      log: SILENT,
      onTally: (_edge, tally) => tallies.push(tally),
      onSeen: () => {},
      lookupSession: async (tenant, hash) => {
        answers += 1;
        if (tenant === "away") throw new Error("the store is away");
        return hash === "known" ? FACTS : undefined;
      },
      onSessionUse: () => {},
    });
  const newEdge = (worker = "edge-1") => {
    const edge = new PolicyReplica(STALE_AFTER_MS);
    const client = new FeedClient({
      socketPath,
      replica: edge,
      worker,
      drainTally: () => ({ some: "counts" }),
      drainSessionUse: () => [],
      log: SILENT,
    });
    t.teardown(() => client.close());
    return { edge, client };
  };
  const server = newServer();
  t.teardown(async () => {
    await follower.close();
    await store.close();
  });
  return { store, follower, replica, server, newServer, newEdge, socketPath, tallies, asked: () => answers };
}

/** Resolves when next an edge comes, goes or says something. */
async function progress(server: FeedServer): Promise<void> {
  await new Promise<void>((resolve) => {
    const stop = server.onProgress(() => {
      stop();
      resolve();
    });
  });
}

/** Resolves once every edge has applied the revision. */
async function applied(server: FeedServer, revision: number, edges = 1): Promise<void> {
  const done = () => server.edges().filter((edge) => edge.revision >= revision).length >= edges;
  while (!done()) await progress(server);
}

t.test("an edge takes the whole state, then every change, and acknowledges each", async (t) => {
  const { store, follower, server, newEdge } = await node(t);
  const entry = newEntry("203.0.113.7/32");
  await store.commit({ writes: [tenantWrite("happy"), entryWrite("happy", entry)] });
  await follower.start();
  await server.listen();
  const { edge, client } = newEdge();
  await client.ready;
  t.equal(admits(edge, "happy", "203.0.113.7"), true);
  t.match(server.edges(), [{ id: "node/edge-1", pid: process.pid }]);
  const changed: unknown[] = [];
  edge.onChange((tenants) => changed.push(tenants));
  const revision = await store.commit({ writes: [entryRemoval("happy", entry)] });
  await applied(server, revision);
  t.equal(admits(edge, "happy", "203.0.113.7"), false);
  t.strictSame(changed, [new Set(["happy"])], "who is touched is told once");
  await server.close();
});

t.test("control knows which edges clients can connect to, a new control too", async (t) => {
  const { follower, server, newServer, newEdge } = await node(t);
  await follower.start();
  await server.listen();
  const { client } = newEdge();
  await client.ready;
  t.equal(server.listeningEdges, 0, "connected is not listening");
  t.match(server.edges(), [{ revision: 0, lagMs: Number }]);
  t.ok((server.edges()[0]?.lagMs ?? Infinity) < 10_000, "nor is the empty state fifty years late");
  const listening = async (of: FeedServer) => {
    while (of.listeningEdges === 0) await progress(of);
  };
  client.announceListening();
  await listening(server);
  await server.close();
  const next = newServer();
  await next.listen();
  await listening(next);
  t.equal(next.listeningEdges, 1);
  await next.close();
});

t.test("an edge that comes before there is any policy waits for it", async (t) => {
  const { store, follower, server, newEdge } = await node(t);
  await server.listen();
  const { edge, client } = newEdge();
  await progress(server);
  t.equal(edge.state(Date.now()), "empty");
  await store.commit({ writes: [tenantWrite("happy")] });
  await follower.start();
  await client.ready;
  t.equal(edge.state(Date.now()), "serving");
  await server.close();
});

t.test("when control comes back an edge takes the full state anew, and keeps the old one until then", async (t) => {
  const { store, follower, server, newServer, newEdge } = await node(t);
  const [kept, removed] = [newEntry("203.0.113.7/32"), newEntry("203.0.113.8/32")];
  await store.commit({ writes: [tenantWrite("happy"), entryWrite("happy", kept), entryWrite("happy", removed)] });
  await follower.start();
  await server.listen();
  const { edge, client } = newEdge();
  await client.ready;
  await server.close();
  const revision = await store.commit({ writes: [entryRemoval("happy", removed)] });
  await follower.reached(revision);
  t.equal(admits(edge, "happy", "203.0.113.8"), true, "the last known policy goes on");
  const again = newServer();
  await again.listen();
  await applied(again, revision);
  t.equal(admits(edge, "happy", "203.0.113.8"), false);
  t.equal(admits(edge, "happy", "203.0.113.7"), true);
  await again.close();
});

t.test("sessions are looked up by control, and an answer that cannot be had is an error, not an absence", async (t) => {
  const { store, follower, server, newEdge } = await node(t);
  await store.commit({ writes: [tenantWrite("happy")] });
  await follower.start();
  await server.listen();
  const { client, edge } = newEdge();
  await client.ready;
  t.strictSame(await client.lookupSession("happy" as TenantId, "known" as SessionHash), FACTS);
  t.equal(await client.lookupSession("happy" as TenantId, "unknown" as SessionHash), undefined);
  await t.rejects(client.lookupSession("away" as TenantId, "known" as SessionHash));
  const ended: unknown[] = [];
  edge.onSessionEnd((one) => ended.push(one));
  await store.commit({ writes: [{ kind: "session", id: "happy/known", value: { user: "usr_1" }, quiet: true }] });
  const revision = await store.commit({ writes: [{ kind: "session", id: "happy/known", value: null }] });
  await applied(server, revision);
  t.match(ended, [{ tenant: "happy", hash: "known" }]);
  await server.close();
  await t.rejects(
    client.lookupSession("happy" as TenantId, "known" as SessionHash),
    "while control is away nobody is let in",
  );
});

t.test("whoever speaks otherwise than an edge is cut off", async (t) => {
  const { follower, server, socketPath } = await node(t);
  await follower.start();
  await server.listen();
  const hostile: Uint8Array[][] = [
    encodeFrame({ type: "hello", worker: "../../etc", pid: 1 }),
    encodeFrame({ type: "hello", worker: "edge", pid: "1" }),
    encodeFrame({ type: "reset" }),
    encodeFrame({ type: "seen", seen: [["happy", [["e1", -1]]]] }),
    encodeFrame(null),
    [Buffer.from([0xff, 0xff, 0xff, 0xff])],
  ];
  for (const [index, bytes] of hostile.entries()) {
    const socket = connect(socketPath);
    socket.on("error", () => {});
    socket.write(Buffer.concat(bytes));
    await once(socket, "close");
    t.pass(`case ${index}`);
  }
  t.strictSame(server.edges(), []);
  await server.close();
});

t.test("an edge that says what no edge says loses its feed, and control goes on", async (t) => {
  const { server, follower, newEdge, socketPath } = await node(t);
  await follower.start();
  await server.listen();
  t.teardown(() => server.close());
  const wrong = [
    { type: "session?" },
    { type: "session?", ask: -1, tenant: "known", hash: "known" },
    { type: "session?", ask: 1, tenant: {}, hash: "known" },
    { type: "session?", ask: 1, tenant: "known", hash: ["known"] },
    { type: "seen", seen: [["known", 7]] },
    { type: "session-use", use: [null] },
    { type: "format-the-disk" },
    null,
  ];
  for (const message of wrong) {
    const socket = connect(socketPath);
    for (const part of encodeFrame(message as never)) socket.write(part);
    await once(socket.resume(), "close");
    t.pass(JSON.stringify(message));
  }
  const { client } = newEdge();
  await client.ready;
});
