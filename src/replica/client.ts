/** An edge's end of the feed: keeps the replica current and reports what the edge counted and saw. */
import { connect, type Socket } from "node:net";
import type { SessionHash, TenantId } from "../core/ids.ts";
import type { Logger } from "../core/log.ts";
import type { SessionFacts, SessionUse } from "../core/session.ts";
import { encodeFrame, FrameReader } from "./frames.ts";
import type { FeedMessage } from "./messages.ts";
import type { PolicyReplica } from "./policy.ts";

const MAX_FRAME_BYTES = 1 << 30;
const FIRST_RETRY_MS = 20;
const LAST_RETRY_MS = 1_000;
const TALLY_EVERY_MS = 1_000;
/** Control says every second that it is alive; after this long without the connection is taken for dead. */
const SILENCE_MS = 5_000;
const SEEN_EVERY_TALLIES = 10;

export interface FeedClientOptions {
  readonly socketPath: string;
  readonly replica: PolicyReplica;
  /** This worker's name: letters, digits, `-` and `_`. */
  readonly worker: string;
  /** What was counted since the last call, as JSON data; sent once a second. */
  readonly drainTally: () => unknown;
  /** Which sessions were used since the last call. */
  readonly drainSessionUse: () => SessionUse;
  readonly log: Logger;
}

/**
 * Reconnects for ever. While control is away the replica stays as it is and grows stale in its time; on
 * every connection control gives the full state, so that nothing is ever guessed across a gap.
 */
export class FeedClient {
  readonly #options: FeedClientOptions;
  readonly #timer: NodeJS.Timeout;
  #socket: Socket | undefined;
  #retryMs = FIRST_RETRY_MS;
  #retryTimer: NodeJS.Timeout | undefined;
  #tallies = 0;
  #acknowledged = -1;
  #asked = 0;
  #listening = false;
  readonly #asking = new Map<number, PromiseWithResolvers<SessionFacts | undefined>>();
  #closed = false;
  #settled: () => void = () => {};
  /** Resolves when the first full state is in force. */
  readonly ready: Promise<void>;

  constructor(options: FeedClientOptions) {
    this.#options = options;
    this.ready = new Promise((resolve) => {
      this.#settled = resolve;
    });
    this.#timer = setInterval(() => this.#report(), TALLY_EVERY_MS);
    this.#connect();
  }

  /** Asks control, and waits for as long as control is there. @throws when it goes away, or the store cannot answer */
  async lookupSession(tenant: TenantId, hash: SessionHash): Promise<SessionFacts | undefined> {
    if (this.#socket === undefined) throw new Error("control is away");
    this.#asked += 1;
    const ask = this.#asked;
    const answer = Promise.withResolvers<SessionFacts | undefined>();
    this.#asking.set(ask, answer);
    this.#send({ type: "session?", ask, tenant, hash });
    try {
      return await answer.promise;
    } finally {
      this.#asking.delete(ask);
    }
  }

  /** Says that clients can connect to this edge, now and whenever control is new. */
  announceListening(): void {
    this.#listening = true;
    this.#send({ type: "listening" });
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#timer);
    clearTimeout(this.#retryTimer);
    this.#report();
    this.#socket?.end();
  }

  #connect(): void {
    const { socketPath, worker, log } = this.#options;
    const socket = connect(socketPath);
    const reader = new FrameReader(MAX_FRAME_BYTES);
    socket.setTimeout(SILENCE_MS, () => socket.destroy());
    socket.on("connect", () => {
      this.#socket = socket;
      this.#retryMs = FIRST_RETRY_MS;
      this.#acknowledged = -1;
      this.#send({ type: "hello", worker, pid: process.pid });
      if (this.#listening) this.#send({ type: "listening" });
    });
    socket.on("data", (chunk: Buffer) => {
      try {
        reader.push(chunk, ({ message, bytes }) => this.#hear(message as FeedMessage, bytes));
      } catch (error) {
        log.error({ err: error }, "the feed did not fit the replica; asking for the full state");
        socket.destroy();
      }
    });
    socket.on("error", (error) => log.debug({ err: error }, "feed connection"));
    socket.on("close", () => this.#lost());
  }

  #lost(): void {
    this.#socket = undefined;
    this.#options.replica.abandonReset();
    for (const answer of this.#asking.values()) answer.reject(new Error("control went away"));
    if (this.#closed) return;
    this.#retryTimer = setTimeout(() => this.#connect(), this.#retryMs);
    this.#retryMs = Math.min(this.#retryMs * 2, LAST_RETRY_MS);
  }

  #hear(message: FeedMessage, bytes: Uint8Array): void {
    if (message.type === "alive") return;
    if (message.type === "session") {
      if (message.session === undefined) this.#asking.get(message.ask)?.reject(new Error("the store did not answer"));
      else this.#asking.get(message.ask)?.resolve(message.session ?? undefined);
      return;
    }
    this.#options.replica.apply(message, bytes);
    if (message.type !== "at" || message.revision === this.#acknowledged) return;
    this.#acknowledged = message.revision;
    this.#settled();
    this.#send({ type: "applied", revision: message.revision });
  }

  #report(): void {
    const { replica, drainTally, drainSessionUse } = this.#options;
    if (this.#socket === undefined) return;
    this.#send({ type: "tally", tally: drainTally() });
    this.#tallies += 1;
    const use = drainSessionUse();
    if (use.length > 0) this.#send({ type: "session-use", use });
    if (this.#tallies % SEEN_EVERY_TALLIES !== 0 && !this.#closed) return;
    const seen = replica.takeSeen();
    if (seen.length > 0) this.#send({ type: "seen", seen });
  }

  #send(message: unknown): void {
    for (const part of encodeFrame(message)) this.#socket?.write(part);
  }
}
