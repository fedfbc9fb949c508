/** Control's end of the feed: gives every edge the full state, then each change, and knows what each has applied. */
import { chmodSync, rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import type { Clock } from "../core/clock.ts";
import type { EntryId, SessionHash, TenantId } from "../core/ids.ts";
import type { Logger } from "../core/log.ts";
import type { SessionLookup, SessionUse } from "../core/session.ts";
import type { Follower } from "./follower.ts";
import { encodeFrame, type Frame, FrameReader } from "./frames.ts";
import type { FeedMessage, PolicyFrame } from "./messages.ts";
import type { SeenReport } from "./policy.ts";

/** An edge is not trusted with more than this at once. */
const MAX_EDGE_FRAME_BYTES = 4 << 20;
/** An edge that is so far behind is cut off; it comes back and takes the full state. */
const MAX_UNSENT_BYTES = 512 << 20;
/** Well within the silence after which an edge takes the connection for dead. */
const ALIVE_EVERY_MS = 1_000;

export interface EdgeStatus {
  /** `{node}/{worker}`. */
  readonly id: string;
  readonly pid: number;
  /** The revision that it has applied. */
  readonly revision: number;
  /** How long it took to apply its latest change. */
  readonly lagMs: number;
  readonly connectedAt: string;
}

export interface FeedServerOptions {
  readonly socketPath: string;
  /** This node's name, the first part of its edges' ids. */
  readonly node: string;
  readonly follower: Follower;
  readonly clock: Clock;
  readonly log: Logger;
  /** What an edge counted. Unchecked: it comes from a process that faces the internet. */
  readonly onTally: (edge: string, tally: unknown) => void;
  readonly onSeen: (seen: SeenReport) => void;
  readonly lookupSession: SessionLookup;
  readonly onSessionUse: (use: SessionUse) => void;
}

interface Said {
  readonly type?: unknown;
  readonly [key: string]: unknown;
}

class EdgeLink {
  readonly socket: Socket;
  readonly connectedAt: string;
  worker = "";
  pid = 0;
  applied = 0;
  lagMs = 0;
  listening = false;
  #sentRevision = -1;
  #sentAtMs = 0;

  constructor(socket: Socket, connectedAt: string) {
    this.socket = socket;
    this.connectedAt = connectedAt;
  }

  send(frames: readonly PolicyFrame[], nowMs: number): void {
    if (this.socket.writableLength > MAX_UNSENT_BYTES) {
      this.socket.destroy();
      return;
    }
    this.socket.cork();
    for (const { message, parts } of frames) {
      for (const part of encodeFrame(message, parts)) this.socket.write(part);
      if (message.type === "at" && message.revision > this.#sentRevision) {
        this.#sentRevision = message.revision;
        this.#sentAtMs = nowMs;
      }
    }
    this.socket.uncork();
  }

  tell(message: FeedMessage): void {
    for (const part of encodeFrame(message)) this.socket.write(part);
  }

  acknowledge(revision: number, nowMs: number): void {
    this.applied = revision;
    if (revision >= this.#sentRevision) this.lagMs = nowMs - this.#sentAtMs;
  }
}

/** Listens on a socket in a folder that only this user may enter; whoever can connect is an edge of this node. */
export class FeedServer {
  readonly #options: FeedServerOptions;
  readonly #server: Server;
  readonly #links = new Set<EdgeLink>();
  readonly #watchers = new Set<() => void>();
  readonly #unsubscribe: () => void;
  #alive: NodeJS.Timeout | undefined;

  constructor(options: FeedServerOptions) {
    this.#options = options;
    this.#server = createServer((socket) => this.#welcome(socket));
    this.#unsubscribe = options.follower.onFrames((frames) => {
      const nowMs = options.clock.nowMs();
      for (const link of this.#links) if (link.worker !== "") link.send(frames, nowMs);
    });
  }

  async listen(): Promise<void> {
    const { socketPath } = this.#options;
    rmSync(socketPath, { force: true });
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(socketPath, resolve);
    });
    chmodSync(socketPath, 0o600);
    this.#alive = setInterval(() => {
      for (const link of this.#links) link.tell({ type: "alive" });
    }, ALIVE_EVERY_MS);
  }

  async close(): Promise<void> {
    this.#unsubscribe();
    clearInterval(this.#alive);
    for (const link of this.#links) link.socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  /** This node's live edges, by name. */
  edges(): EdgeStatus[] {
    return [...this.#links]
      .filter((link) => link.worker !== "")
      .map((link) => ({
        id: `${this.#options.node}/${link.worker}`,
        pid: link.pid,
        revision: link.applied,
        lagMs: link.lagMs,
        connectedAt: link.connectedAt,
      }))
      .sort((one, other) => (one.id < other.id ? -1 : 1));
  }

  /** How many of this node's edges clients can connect to. */
  get listeningEdges(): number {
    return [...this.#links].filter((link) => link.listening).length;
  }

  /** Calls `changed` whenever an edge came, went or applied something. */
  onProgress(changed: () => void): () => void {
    this.#watchers.add(changed);
    return () => this.#watchers.delete(changed);
  }

  #welcome(socket: Socket): void {
    const { clock, log } = this.#options;
    const link = new EdgeLink(socket, new Date(clock.nowMs()).toISOString());
    const reader = new FrameReader(MAX_EDGE_FRAME_BYTES);
    this.#links.add(link);
    socket.on("data", (chunk: Buffer) => {
      try {
        reader.push(chunk, (frame) => this.#hear(link, frame));
      } catch (error) {
        log.error({ err: error, edge: link.worker }, "an edge said what no edge says; its feed is cut");
        socket.destroy();
      }
    });
    socket.on("error", () => socket.destroy());
    socket.on("close", () => {
      this.#links.delete(link);
      this.#progressed();
    });
  }

  #hear(link: EdgeLink, { message }: Frame): void {
    const { clock, follower, onTally, onSeen, onSessionUse } = this.#options;
    const said = message as Said;
    switch (said?.type) {
      case "hello":
        link.worker = name(said["worker"]);
        link.pid = wholeNumber(said["pid"]);
        // What is not known yet is said to everybody once it is.
        if (follower.hasState) link.send(follower.fullState(), clock.nowMs());
        break;
      case "listening":
        link.listening = true;
        break;
      case "applied":
        link.acknowledge(wholeNumber(said["revision"]), clock.nowMs());
        break;
      case "tally":
        onTally(`${this.#options.node}/${link.worker}`, said["tally"]);
        return;
      case "seen":
        onSeen(seenReport(said["seen"]));
        return;
      case "session-use":
        onSessionUse(sessionUse(said["use"]));
        return;
      case "session?":
        void this.#answer(link, wholeNumber(said["ask"]), name(said["tenant"]), name(said["hash"]));
        return;
      default:
        throw new TypeError("unknown message");
    }
    this.#progressed();
  }

  async #answer(link: EdgeLink, ask: number, tenant: string, hash: string): Promise<void> {
    try {
      const found = await this.#options.lookupSession(tenant as TenantId, hash as SessionHash);
      link.tell({ type: "session", ask, session: found ?? null });
    } catch (error) {
      this.#options.log.warn({ err: error }, "a session could not be looked up");
      link.tell({ type: "session", ask });
    }
  }

  #progressed(): void {
    for (const changed of this.#watchers) changed();
  }
}

function name(value: unknown): string {
  if (typeof value === "string" && /^[\w-]{1,64}$/.test(value)) return value;
  throw new TypeError("not a name");
}

function wholeNumber(value: unknown): number {
  if (Number.isSafeInteger(value) && (value as number) >= 0) return value as number;
  throw new TypeError("not a whole number");
}

function sessionUse(value: unknown): SessionUse {
  if (!Array.isArray(value)) throw new TypeError("not a list");
  return value.map(([tenant, hash, seconds]) => [
    name(tenant) as TenantId,
    name(hash) as SessionHash,
    wholeNumber(seconds),
  ]);
}

function seenReport(value: unknown): SeenReport {
  if (!Array.isArray(value)) throw new TypeError("not a list");
  return value.map(([tenant, entries]) => [
    name(tenant) as TenantId,
    (entries as unknown[][]).map(([id, seconds]) => [name(id) as EntryId, wholeNumber(seconds)] as const),
  ]);
}
