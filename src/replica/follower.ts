/**
 * Control's follower of the store: takes a snapshot, then every commit of the feed in order, compiles them
 * into control's own replica and says the same to whoever subscribed (the edges, the snapshot on disk).
 */
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Clock } from "../core/clock.ts";
import { ENTRY_KIND } from "../core/entry.ts";
import { StoreUnavailableError } from "../core/errors.ts";
import type { Logger } from "../core/log.ts";
import type { Commit, Head, Store } from "../core/store.ts";
import { TENANT_KIND } from "../core/tenant.ts";
import { commitFrames, policyFrame, replicaFrames, StateBuilder } from "./compile.ts";
import { healStore } from "./heal.ts";
import type { PolicyFrame } from "./messages.ts";
import type { PolicyReplica } from "./policy.ts";

/** The kinds that decide about requests, in the order in which a full state is read. */
const POLICY_KINDS = [TENANT_KIND, ENTRY_KIND] as const;
const POLL_MS = 500;
const COMMITS_PER_READ = 500;
/** How long control is kept from other work at a time by a large change. */
const SLICE_MS = 5;
/** How many of the newest changes are kept to repair the store from, at least: some 30 MB, and at times twice that. */
const REMEMBERED_CHANGES = 20_000;

export interface FollowerOptions {
  readonly store: Store;
  readonly replica: PolicyReplica;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Why the follower does not follow: the store does not answer; it does not know the newest change that this
 * node has seen, and is being repaired; or another store stands in its place.
 */
export type FollowerState = "starting" | "following" | "store-away" | "mending" | "store-replaced";

export type FramesListener = (frames: readonly PolicyFrame[]) => void;

/**
 * Guarantees: subscribers get every change once, in commit order, and a full state after a gap; the replica's
 * `confirmedAtMs` moves only when the store confirmed its head; a store that went back in time is repaired before
 * it is followed, and one that was replaced is not followed at all.
 */
export class Follower {
  readonly #options: FollowerOptions;
  readonly #framesListeners = new Set<FramesListener>();
  readonly #waiters = new Set<{ revision: number; resolve: () => void; reject: (error: Error) => void }>();
  #state: FollowerState = "starting";
  #recent: Commit[] = [];
  /** Changes among them. */
  #remembered = 0;
  #pumping: Promise<void> | undefined;
  #pumpAgain = false;
  #timer: NodeJS.Timeout | undefined;
  #unwatch: (() => void) | undefined;
  #closed = false;

  constructor(options: FollowerOptions) {
    this.#options = options;
  }

  get state(): FollowerState {
    return this.#state;
  }

  /** Whether there is any policy, from the store or from the snapshot on disk. */
  get hasState(): boolean {
    return this.#options.replica.epoch !== "";
  }

  /** Frames of each commit, and of a full state after a gap; ends with an `at`. */
  onFrames(listener: FramesListener): () => void {
    this.#framesListeners.add(listener);
    return () => this.#framesListeners.delete(listener);
  }

  /** Begins to follow; resolves after the first try, whether or not the store answered. */
  async start(): Promise<void> {
    this.#unwatch = this.#options.store.watch(() => this.#wake());
    this.#timer = setInterval(() => this.#wake(), POLL_MS);
    await this.#pumpOnce();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#unwatch?.();
    clearInterval(this.#timer);
    this.#disappoint("the store is no longer followed");
    await this.#pumping;
  }

  /**
   * Resolves once the replica has reached this revision; at the latest with the next change or poll after it.
   * @throws StoreUnavailableError when the store cannot be followed there: what {@link FollowerState} names, or closed
   */
  async reached(revision: number): Promise<void> {
    if (this.#options.replica.revision >= revision) return;
    if (this.#closed) throw new StoreUnavailableError("the store is no longer followed");
    const reached = new Promise<void>((resolve, reject) => this.#waiters.add({ revision, resolve, reject }));
    this.#wake();
    await reached;
  }

  /** The present state as frames, of one moment: a `reset`, every list and tenant, an `at`. */
  fullState(): PolicyFrame[] {
    return replicaFrames(this.#options.replica);
  }

  #wake(): void {
    if (this.#closed) return;
    if (this.#pumping === undefined) void this.#pumpOnce();
    else this.#pumpAgain = true;
  }

  /** One pump at a time; a wake-up during one leads to one more. */
  async #pumpOnce(): Promise<void> {
    this.#pumping = this.#pumpUntilQuiet();
    await this.#pumping;
    this.#pumping = undefined;
    if (this.#pumpAgain) this.#wake();
  }

  async #pumpUntilQuiet(): Promise<void> {
    do {
      this.#pumpAgain = false;
      try {
        await this.#pump();
      } catch (error) {
        this.#failed(error);
      }
    } while (this.#pumpAgain && !this.#closed);
  }

  async #pump(): Promise<void> {
    const { store, replica, clock } = this.#options;
    if (replica.epoch === "") return await this.#resync();
    const askedAtMs = clock.nowMs();
    const changes = await store.changesSince(replica.revision, COMMITS_PER_READ);
    if (changes.head.epoch !== replica.epoch) return this.#refuse(changes.head);
    if (changes.gap) return await this.#mend(changes.head);
    for (const commit of changes.commits) await this.#follow(commit, askedAtMs);
    if (changes.commits.length === COMMITS_PER_READ) this.#pumpAgain = true;
    else await this.#confirm(askedAtMs);
  }

  async #follow(commit: Commit, askedAtMs: number): Promise<void> {
    this.#remember(commit);
    const frames = commitFrames(commit);
    frames.push(policyFrame({ type: "at", revision: commit.revision, confirmedAtMs: askedAtMs }));
    await this.#say(frames);
  }

  #remember(commit: Commit): void {
    this.#recent.push(commit);
    this.#remembered += commit.changes.length;
    if (this.#remembered < 2 * REMEMBERED_CHANGES) return;
    let kept = this.#recent.length;
    for (this.#remembered = 0; kept > 0 && this.#remembered < REMEMBERED_CHANGES; ) {
      kept -= 1;
      this.#remembered += this.#recent[kept]?.changes.length ?? 0;
    }
    this.#recent = this.#recent.slice(kept);
  }

  /** The store confirmed that there is nothing newer: a heartbeat that carries no change. */
  async #confirm(confirmedAtMs: number): Promise<void> {
    const { replica, log } = this.#options;
    await this.#say([policyFrame({ type: "at", revision: replica.revision, confirmedAtMs })]);
    if (this.#state !== "following") log.info({ revision: replica.revision, was: this.#state }, "following the store");
    this.#state = "following";
  }

  /** Reads everything anew. The earlier state goes on deciding until the new one is whole. */
  async #resync(): Promise<void> {
    const { store, clock, log } = this.#options;
    const confirmedAtMs = clock.nowMs();
    const { head, batches } = await store.snapshot(POLICY_KINDS);
    if (head.epoch === "") throw new StoreUnavailableError("the store is empty: it has lost its identity");
    const builder = new StateBuilder(head.epoch);
    for await (const batch of batches) builder.add(batch);
    const frames = builder.finish();
    frames.push(policyFrame({ type: "at", revision: head.revision, confirmedAtMs }));
    this.#recent = [];
    this.#remembered = 0;
    await this.#say(frames);
    log.info({ revision: head.revision, frames: frames.length }, "policy loaded from the store");
    this.#pumpAgain = true;
  }

  /**
   * The store does not know the newest change that this node has seen: it went back in time (a fail-over to a
   * replica that lagged, an older copy), or this node is so far behind that the feed has moved on. No number
   * tells the two apart once others have written again, and repairing what is not broken changes nothing.
   */
  async #mend(head: Head): Promise<void> {
    const { store, replica, log } = this.#options;
    this.#halt("mending");
    log.warn({ head, known: replica.revision }, "the store does not know this node's newest change");
    const healed = await healStore(store, head, this.#recent, replica);
    if (healed.deleted + healed.restored > 0) {
      log.error(healed, "the store had lost changes that were acknowledged; they were carried out again");
    }
    await this.#resync();
  }

  /** Another store is no word about this one's policy, however it came there: an operator has to say what holds. */
  #refuse(head: Head): void {
    const { log, replica } = this.#options;
    if (this.#state !== "store-replaced") {
      log.error(
        { head, known: { epoch: replica.epoch, revision: replica.revision } },
        "the store was emptied or replaced; the last known policy stays in force until it is stale",
      );
    }
    this.#halt("store-replaced");
  }

  #failed(error: unknown): void {
    if (this.#closed) return;
    this.#options.replica.abandonReset();
    const { log } = this.#options;
    if (this.#state !== "store-away") log.error({ err: error }, "cannot follow the store; trying again");
    this.#halt("store-away", error);
  }

  #halt(state: FollowerState, cause?: unknown): void {
    this.#state = state;
    this.#disappoint(`the store cannot be followed now: ${state}`, cause);
  }

  #disappoint(message: string, cause?: unknown): void {
    for (const waiter of this.#waiters) waiter.reject(new StoreUnavailableError(message, cause));
    this.#waiters.clear();
  }

  /** Applies to the own replica, in slices so that control answers meanwhile, then tells the subscribers in the order in which they came. */
  async #say(frames: readonly PolicyFrame[]): Promise<void> {
    let sliceEndMs = performance.now() + SLICE_MS;
    for (const { message, parts } of frames) {
      this.#options.replica.apply(message, Buffer.concat(parts));
      if (performance.now() < sliceEndMs) continue;
      await nextTurn();
      sliceEndMs = performance.now() + SLICE_MS;
    }
    for (const listener of this.#framesListeners) listener(frames);
    this.#release();
  }

  #release(): void {
    for (const waiter of this.#waiters) {
      if (this.#options.replica.revision < waiter.revision) continue;
      this.#waiters.delete(waiter);
      waiter.resolve();
    }
  }
}
