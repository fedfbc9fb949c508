/** Commits changes together with their audit records, in one chain per node, many waiting changes to a commit. */
import { setImmediate as nextTurn } from "node:timers/promises";
import {
  AUDIT_HEAD_KIND,
  AUDIT_KIND,
  type AuditedChange,
  type ChangeCommitter,
  type CounterChange,
  isOverLimit,
  TENANT_AUDIT_KIND,
} from "../core/audit.ts";
import type { Clock } from "../core/clock.ts";
import { ConflictError, SallyportError, StoreUnavailableError } from "../core/errors.ts";
import type { Keyring } from "../core/keyring.ts";
import type { Precondition, Store, Write } from "../core/store.ts";
import { appendRecord, auditKeys, type ChainHead, emptyHead, isSealed, sealHead } from "./audit-chain.ts";

export type { Actor, AuditedChange, AuditInput, AuditRecord } from "../core/audit.ts";

/** More than this many documents in one commit would hold a shared store up for others. */
const GROUP_WRITES = 500;
const MAX_ATTEMPTS = 100;

export interface LedgerOptions {
  readonly store: Store;
  /** Seals the chain's head. */
  readonly keyring: Keyring;
  /** The name of this process's chain: lasting, and of no other process that runs at the same time. */
  readonly chain: string;
  readonly clock: Clock;
}

interface Job {
  readonly change: AuditedChange;
  resolve(revision: number): void;
  reject(error: unknown): void;
}

interface Held<Value> {
  readonly value: Value;
  readonly revision: number;
}

const documentKey = (document: { readonly kind: string; readonly id: string }) => `${document.kind} ${document.id}`;

/**
 * Changes are carried out in the order of their arrival. Those that wait while a commit is under way share
 * the next one as long as they touch different documents; if such a group fails, each is tried alone, so
 * that no change fails because of another.
 */
export class Ledger implements ChangeCommitter {
  readonly #options: LedgerOptions;
  readonly #queue: Job[] = [];
  readonly #counters = new Map<string, Count>();
  readonly #refused = new WeakSet<Job>();
  #head: Held<Omit<ChainHead, "seal">> | undefined;
  #pumping = false;
  readonly #keys: readonly Uint8Array[];

  constructor(options: LedgerOptions) {
    this.#options = options;
    this.#keys = auditKeys(options.keyring);
  }

  commit(change: AuditedChange): Promise<number> {
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    this.#queue.push({ change, resolve, reject });
    if (!this.#pumping) void this.#pump();
    return promise;
  }

  async #pump(): Promise<void> {
    this.#pumping = true;
    while (this.#queue.length > 0) {
      // Whatever else this turn of the event loop brings joins the group, and shares its write to the disk.
      await nextTurn();
      const group = takeGroup(this.#queue);
      await this.#carryOut(group).catch((error: unknown) => this.#fail(group, error));
    }
    this.#pumping = false;
  }

  /** Whatever went wrong, what is cached may be wrong too. Nobody waits behind a store that does not answer. */
  #fail(group: readonly Job[], error: unknown): void {
    this.#head = undefined;
    this.#counters.clear();
    const waiting = error instanceof StoreUnavailableError ? this.#queue.splice(0) : [];
    for (const job of [...group, ...waiting]) job.reject(error);
  }

  async #carryOut(group: readonly Job[]): Promise<void> {
    let jobs = group;
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const counted = await this.#count(jobs);
      jobs = counted.jobs;
      if (jobs.length === 0) return;
      const failure = await this.#write(jobs, counted.totals).catch(unlessUnavailable);
      if (failure === undefined) return;
      const ours = failure instanceof ConflictError && this.#isOurs(failure, jobs, counted.totals);
      if (ours) continue;
      if (jobs.length === 1) throw failure;
      for (const job of jobs) await this.#carryOut([job]).catch((error) => job.reject(unlessUnavailable(error)));
      return;
    }
    throw new StoreUnavailableError("too many writers at once; try again");
  }

  /** Whether another node moved the head or a counter, so that another try with what is there now can succeed. */
  #isOurs(conflict: ConflictError, jobs: readonly Job[], totals: ReadonlyMap<string, CounterTotal>): boolean {
    const key = documentKey(conflict);
    if (conflict.kind === AUDIT_HEAD_KIND) this.#head = undefined;
    this.#counters.delete(key);
    const stated = jobs.some(({ change }) => change.preconditions?.some((each) => documentKey(each) === key));
    return !stated && (conflict.kind === AUDIT_HEAD_KIND || totals.has(key));
  }

  /** Counts job by job. Who would pass a limit is refused alone, never on a cached count: another node may have made room. */
  async #count(group: readonly Job[]): Promise<{ jobs: Job[]; totals: Map<string, CounterTotal> }> {
    const totals = new Map<string, CounterTotal>();
    const jobs: Job[] = [];
    for (const job of group) {
      const next = await Promise.all((job.change.counters ?? []).map((counter) => this.#add(totals, counter)));
      const over = next.find((total) => isOverLimit(total, total.count));
      if (over === undefined) {
        for (const total of next) totals.set(documentKey(total), total);
        jobs.push(job);
      } else if (this.#counters.delete(documentKey(over))) {
        return await this.#count(group.filter((each) => !this.#refused.has(each)));
      } else {
        this.#refused.add(job);
        job.reject(limitError(over));
      }
    }
    return { jobs, totals };
  }

  async #add(totals: ReadonlyMap<string, CounterTotal>, counter: CounterChange): Promise<CounterTotal> {
    const { kind, id, by, limit = Infinity } = counter;
    const key = documentKey(counter);
    const before = totals.get(key) ?? this.#counters.get(key) ?? (await this.#readCounter(counter));
    return { kind, id, by, limit, count: Math.max(0, before.count + by), revision: before.revision };
  }

  async #readCounter({ kind, id }: CounterChange): Promise<Count> {
    const document = await this.#options.store.get(kind, id);
    const count = (document?.value as { count?: unknown } | undefined)?.count ?? 0;
    if (typeof count !== "number") throw new SallyportError("store_corrupt", "a counter is not readable");
    return { count, revision: document?.revision ?? 0 };
  }

  async #readHead(): Promise<Held<Omit<ChainHead, "seal">>> {
    const { store, chain } = this.#options;
    const document = await store.get(AUDIT_HEAD_KIND, chain);
    if (document === undefined) return { value: emptyHead(), revision: 0 };
    const head = document.value as ChainHead;
    // Going on from a forged head would seal the forgery.
    if (!isSealed(this.#keys, chain, head))
      throw new SallyportError("store_corrupt", "the audit chain's head was changed from outside");
    return { value: head, revision: document.revision };
  }

  async #write(jobs: readonly Job[], totals: ReadonlyMap<string, CounterTotal>): Promise<void> {
    const { store, chain, clock } = this.#options;
    this.#head ??= await this.#readHead();
    let head = this.#head.value;
    const writes: Write[] = [];
    const preconditions: Precondition[] = [{ kind: AUDIT_HEAD_KIND, id: chain, revision: this.#head.revision }];
    for (const { change } of jobs) {
      for (const write of change.writes) writes.push(write);
      for (const precondition of change.preconditions ?? []) preconditions.push(precondition);
      for (const input of change.audit) {
        // A large change has large records, and hashing one of them takes milliseconds.
        if (change.writes.length > GROUP_WRITES) await nextTurn();
        const next = appendRecord(chain, head, input, clock.nowMs());
        head = next.head;
        writes.push({ kind: AUDIT_KIND, id: next.id, value: next.record });
        if (input.tenant !== undefined) {
          writes.push({ kind: TENANT_AUDIT_KIND, id: `${input.tenant}/${next.id}`, value: 1, quiet: true });
        }
      }
    }
    for (const { kind, id, count, revision } of totals.values()) {
      writes.push({ kind, id, value: { count }, quiet: true });
      preconditions.push({ kind, id, revision });
    }
    writes.push({ kind: AUDIT_HEAD_KIND, id: chain, value: sealHead(this.#keys, chain, head), quiet: true });
    const revision = await store.commit({ writes, preconditions });
    this.#head = { value: head, revision };
    for (const total of totals.values()) this.#hold(total, revision);
    for (const job of jobs) job.resolve(revision);
  }

  #hold(total: CounterTotal, revision: number): void {
    if (this.#counters.size >= 10_000) this.#counters.clear();
    this.#counters.set(documentKey(total), { count: total.count, revision });
  }
}

/** A counter with the revision that it had before. */
interface Count {
  readonly count: number;
  readonly revision: number;
}

interface CounterTotal extends Count {
  readonly kind: string;
  readonly id: string;
  readonly by: number;
  readonly limit: number;
}

/** Only an absent store concerns everybody who waits. */
function unlessUnavailable(error: unknown): unknown {
  if (error instanceof StoreUnavailableError) throw error;
  return error;
}

function limitError({ id, limit }: CounterTotal): SallyportError {
  return new SallyportError("entry_limit", `"${id}" may hold at most ${limit} allowlist entries`);
}

/** Takes the longest run of jobs from the front that do not depend on one another. */
function takeGroup(queue: Job[]): Job[] {
  const written = new Set<string>();
  const counted = new Set<string>();
  let size = 0;
  let length = 0;
  for (const { change } of queue) {
    // A large change goes alone, and naming its documents would take long.
    if (change.writes.length > GROUP_WRITES) break;
    size += change.writes.length + change.audit.length * 2;
    const touched = [...change.writes, ...(change.preconditions ?? [])].map(documentKey);
    const dependent =
      touched.some((key) => written.has(key) || counted.has(key)) ||
      change.counters?.some((counter) => written.has(documentKey(counter)));
    if (length > 0 && (dependent || size > GROUP_WRITES)) break;
    for (const write of change.writes) written.add(documentKey(write));
    for (const counter of change.counters ?? []) counted.add(documentKey(counter));
    length++;
  }
  return queue.splice(0, Math.max(1, length));
}
