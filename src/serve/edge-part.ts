/** One edge, composed: the replica, its feed from control, and the listeners, which open once there is policy to decide by. */

import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { formatEndpoint } from "../config/units.ts";
import type { Clock } from "../core/clock.ts";
import type { Logger } from "../core/log.ts";
import { startEdge } from "../edge/edge.ts";
import { SessionDirectory } from "../edge/sessions.ts";
import { Tally } from "../edge/tally.ts";
import { FeedClient } from "../replica/client.ts";
import { PolicyReplica } from "../replica/policy.ts";
import type { EdgeStart, Running } from "./messages.ts";

/** How long an edge waits for its first policy before it listens all the same, and denies. */
const FIRST_POLICY_MS = 5_000;
/** Sessions that one edge remembers; about half a kilobyte each. */
const MOST_SESSIONS = 200_000;

export async function runEdge(start: EdgeStart, log: Logger, clock: Clock): Promise<Running> {
  const { edge: config, staleness, socketDir } = start;
  const replica = new PolicyReplica(staleness.allowlistSeconds * 1000);
  const tally = new Tally();
  const sessions = new SessionDirectory({
    lookup: (tenant, hash) => feed.lookupSession(tenant, hash),
    clock,
    log,
    leaseMs: staleness.sessionSeconds * 1000,
    capacity: MOST_SESSIONS,
  });
  const feed: FeedClient = new FeedClient({
    socketPath: join(socketDir, "feed.sock"),
    replica,
    worker: `edge-${start.worker}`,
    drainTally: () => tally.drain(),
    drainSessionUse: () => sessions.drainUse(),
    log,
  });
  await settledWithin(feed.ready, FIRST_POLICY_MS);
  const pagesSocket = join(socketDir, "pages.sock");
  try {
    const edge = await startEdge({ config, staleness, replica, pagesSocket, tally, sessions, clock, log });
    feed.announceListening();
    const stop = async (deadlineMs: number): Promise<void> => {
      await edge.drain(deadlineMs);
      await edge.close();
      feed.close();
    };
    const health = edge.healthAddress === undefined ? [] : [edge.healthAddress];
    return { addresses: [...edge.addresses, ...health].map(formatAddress), stop };
  } catch (error) {
    feed.close();
    throw error;
  }
}

function formatAddress({ address, port }: AddressInfo): string {
  return formatEndpoint({ host: address, port });
}

async function settledWithin(promise: Promise<void>, ms: number): Promise<void> {
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  await Promise.race([promise, late]);
  clearTimeout(timer);
}
