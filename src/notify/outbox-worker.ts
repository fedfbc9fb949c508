/** Sends what is in the outbox: one node at a time per mail, with back-off, until it is sent or dead. */
import type { Clock } from "../core/clock.ts";
import { ConflictError, StoreUnavailableError } from "../core/errors.ts";
import type { Logger } from "../core/log.ts";
import type { CommitRequest, Store, StoredDocument } from "../core/store.ts";
import { DeliveryError } from "./delivery-error.ts";
import { type MailTransport, SEND_DEADLINE_MS } from "./mail-transport.ts";
import {
  KEEP_SETTLED_MS,
  listDue,
  OUTBOX_CONTENT_KIND,
  OUTBOX_KIND,
  OUTBOX_SETTLED_KIND,
  type Outbox,
  type OutboxItem,
} from "./outbox.ts";

/** Twice an attempt's longest, so that clocks of nodes may differ by that much before two of them send. */
const LEASE_MS = 2 * SEND_DEADLINE_MS;
const FIRST_DELAY_MS = 30_000;
const LONGEST_DELAY_MS = 2 * 60 * 60 * 1000;
const MOST_ATTEMPTS = 8;
const AT_ONCE = 4;
/** A mail made on this node is committed within moments; the longest wait finds what another node left behind. */
const SHORTEST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 10_000;

export interface OutboxWorkerOptions {
  readonly store: Store;
  readonly outbox: Outbox;
  readonly transport: MailTransport;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * A mail is claimed by a commit that demands its revision, so that of all nodes one sends it; the claim lapses
 * if that node dies. A mail is sent twice only when the node dies, or cannot reach the store until the lease is
 * over, after the mail server took the mail and before that was written down: no protocol closes that gap
 * (RFC 5321 section 6.1). Both copies then carry the same Message-ID.
 */
export class OutboxWorker {
  readonly #options: OutboxWorkerOptions;
  /** What was done but could not yet be written down, by mail; never sent again by this node. */
  readonly #unwritten = new Map<string, CommitRequest>();
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #waitMs = SHORTEST_WAIT_MS;
  #state: "new" | "started" | "stopped" = "new";

  constructor(options: OutboxWorkerOptions) {
    this.#options = options;
    options.outbox.onWrite(() => this.#expectMail());
  }

  /** Looks now, soon after each mail made on this node, and every few seconds. */
  start(): void {
    this.#state = "started";
    this.#running = this.#run();
  }

  /** Lets attempts under way end (at most {@link SEND_DEADLINE_MS}) and starts no other. */
  async stop(): Promise<void> {
    this.#state = "stopped";
    clearTimeout(this.#timer);
    await this.#running;
  }

  /** One pass over everything that is due. @throws StoreUnavailableError */
  async runOnce(): Promise<void> {
    for (const id of [...this.#unwritten.keys()]) await this.#writeDown(id);
    const due = await listDue(this.#options.store, this.#options.clock.nowMs());
    const queue = due.values();
    const lanes = await Promise.allSettled(Array.from({ length: AT_ONCE }, () => this.#work(queue)));
    for (const lane of lanes) if (lane.status === "rejected") throw lane.reason;
  }

  async #run(): Promise<void> {
    try {
      await this.runOnce();
    } catch (error) {
      this.#options.log.warn({ err: error }, "outbox: the store does not answer");
    }
    this.#running = undefined;
    this.#wait();
  }

  /** Waits twice as long each time, until a mail is made. */
  #wait(): void {
    clearTimeout(this.#timer);
    if (this.#state !== "started") return;
    this.#timer = setTimeout(() => {
      this.#running = this.#run();
    }, this.#waitMs).unref();
    this.#waitMs = Math.min(2 * this.#waitMs, LONGEST_WAIT_MS);
  }

  #expectMail(): void {
    this.#waitMs = SHORTEST_WAIT_MS;
    if (this.#running === undefined) this.#wait();
  }

  async #work(queue: Iterator<StoredDocument>): Promise<void> {
    for (let next = queue.next(); next.done !== true && this.#state !== "stopped"; next = queue.next()) {
      const claimed = await this.#claim(next.value);
      if (claimed !== undefined) await this.#attempt(claimed.item, claimed.id, claimed.revision);
    }
  }

  /** @returns the mail with this node's lease, or `undefined` when another node was first. */
  async #claim(document: StoredDocument): Promise<{ id: string; item: OutboxItem; revision: number } | undefined> {
    const { id } = document;
    const item = document.value as OutboxItem;
    const leased = { ...item, attempts: item.attempts + 1, dueAtMs: this.#options.clock.nowMs() + LEASE_MS };
    const write = { kind: OUTBOX_KIND, id, value: leased, quiet: true };
    const precondition = { kind: OUTBOX_KIND, id, revision: document.revision };
    try {
      const revision = await this.#options.store.commit({ writes: [write], preconditions: [precondition] });
      return { id, item: leased, revision };
    } catch (error) {
      if (error instanceof ConflictError) return undefined;
      throw error;
    }
  }

  async #attempt(item: OutboxItem, id: string, revision: number): Promise<void> {
    const { clock, log } = this.#options;
    const failure = await this.#send(item, id);
    const after = outcomeOf(item, failure, clock.nowMs());
    this.#unwritten.set(id, settle(id, revision, after, clock.nowMs()));
    const fields = { mail: id, notice: item.notice, attempts: item.attempts, detail: after.lastError };
    if (after.state === "dead") log.error(fields, "outbox: a mail was given up");
    else log.info(fields, after.state === "sent" ? "outbox: a mail was sent" : "outbox: a mail is tried again later");
    await this.#writeDown(id);
  }

  /** @returns why it was not sent; a text where trying again is of no use. */
  async #send(item: OutboxItem, id: string): Promise<DeliveryError | string | undefined> {
    const { store, outbox, transport, clock } = this.#options;
    if (item.expiresAtMs <= clock.nowMs()) return "expired";
    // Claims that never came to an end: something about this mail ends the process.
    if (item.attempts > MOST_ATTEMPTS) return "abandoned";
    try {
      await transport.send(await outbox.read(store, id));
      return undefined;
    } catch (error) {
      if (error instanceof DeliveryError) return error;
      return error instanceof StoreUnavailableError ? new DeliveryError("not-sent", "store") : "unreadable";
    }
  }

  /** Writes down what became of a mail; what the store does not take now is kept for the next pass. */
  async #writeDown(id: string): Promise<void> {
    const request = this.#unwritten.get(id);
    if (request === undefined) return;
    try {
      await this.#options.store.commit(request);
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error;
      this.#options.log.warn({ mail: id }, "outbox: the lease was over before the outcome was written");
    }
    this.#unwritten.delete(id);
  }
}

/** The item as it is after an attempt. */
function outcomeOf(item: OutboxItem, failure: DeliveryError | string | undefined, nowMs: number): OutboxItem {
  if (failure === undefined) {
    const { lastError: _, ...rest } = item;
    return { ...rest, state: "sent", settledAtMs: nowMs };
  }
  const lastError = failure instanceof DeliveryError ? failure.detail : failure;
  const final = !(failure instanceof DeliveryError) || failure.outcome === "refused" || item.attempts >= MOST_ATTEMPTS;
  if (final) return { ...item, state: "dead", lastError, settledAtMs: nowMs };
  const delay = Math.min(FIRST_DELAY_MS * 4 ** (item.attempts - 1), LONGEST_DELAY_MS);
  return { ...item, lastError, dueAtMs: nowMs + delay };
}

function settle(id: string, revision: number, item: OutboxItem, nowMs: number): CommitRequest {
  const preconditions = [{ kind: OUTBOX_KIND, id, revision }];
  if (item.state === "queued") {
    return { preconditions, writes: [{ kind: OUTBOX_KIND, id, value: item, quiet: true }] };
  }
  const expiresAtMs = nowMs + KEEP_SETTLED_MS;
  // A dead mail keeps its content, so that it can be tried again once the cause is mended.
  const content = { kind: OUTBOX_CONTENT_KIND, id, value: null, quiet: true };
  return {
    preconditions,
    writes: [
      ...(item.state === "sent" ? [content] : []),
      { kind: OUTBOX_KIND, id, value: null, quiet: true },
      { kind: OUTBOX_SETTLED_KIND, id, value: item, expiresAtMs, quiet: true },
    ],
  };
}
