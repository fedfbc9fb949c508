/** `audit verify`: reads the whole audit log and finds what was removed, changed, reordered or cut off. */
import { hash as digest } from "node:crypto";
import type { AuditRecord } from "../core/audit.ts";
import { GENESIS, hashRecord } from "./audit-chain.ts";

/** Where a chain ends, by its head. */
export interface ChainEnd {
  readonly chain: string;
  readonly length: number;
  readonly hash: string;
  /** Whether the head's seal is right. */
  readonly genuine: boolean;
}

/** The log as it can be read: in the store itself, or from outside by the admin API. */
export interface AuditEvidence {
  heads(): AsyncIterable<ChainEnd>;
  /** The ids of all tenants and keys that are there: each must have the record of its making. */
  things(): AsyncIterable<string>;
  /** Newest first. */
  records(): AsyncIterable<AuditRecord>;
  /** What a reader of one tenant's log is given, newest first. */
  recordsOf(tenant: string): AsyncIterable<AuditRecord>;
}

type ChainProblem =
  | "altered"
  | "missing"
  | "out-of-place"
  | "truncated"
  | "head-missing"
  | "head-altered"
  | "unreadable";

/**
 * `unrecorded`: a tenant or key is there, and the record of its making is not. `index-altered`: a tenant's own
 * log has other records than the whole log has of it.
 */
export type AuditProblem =
  | { readonly chain: string; readonly seq: number; readonly problem: ChainProblem }
  | { readonly subject: string; readonly problem: "unrecorded" | "index-altered" };

export interface AuditVerification {
  readonly ok: boolean;
  readonly records: number;
  readonly chains: readonly { readonly chain: string; readonly length: number }[];
  /** The first 100. */
  readonly problems: readonly AuditProblem[];
  readonly problemCount: number;
}

/** What has been seen of one chain; records come newest first. */
interface Progress {
  readonly head: ChainEnd | undefined;
  /** The first that was seen. What came after it was not there yet when this began. */
  newest: number;
  /** The record last seen: the next must be the one before it. */
  seq: number | undefined;
  prevHash: string;
}

const MAKINGS = new Set(["tenant.created", "tenant.declared", "key.created"]);
const NOTHING = "";

/**
 * Reads with the log in use: records that are added meanwhile are neither missed nor reported. Memory grows with
 * the number of tenants and keys, not with the log.
 */
export async function verifyAudit(evidence: AuditEvidence): Promise<AuditVerification> {
  const verification = new Verification();
  for await (const head of evidence.heads()) verification.addHead(head);
  // Before the records, so that whatever is there has one among them.
  const things = await Array.fromAsync(evidence.things());
  for await (const record of evidence.records()) verification.addRecord(record);
  for (const thing of things) verification.checkMade(thing);
  for (const tenant of verification.tenants) {
    let seen = NOTHING;
    for await (const record of evidence.recordsOf(tenant)) seen = verification.follow(seen, record);
    verification.checkTenant(tenant, seen);
  }
  return verification.finish();
}

class Verification {
  readonly #chains = new Map<string, Progress>();
  /** Tenant → a hash over its records in their order. */
  readonly #tenants = new Map<string, string>();
  readonly #made = new Set<string>();
  readonly #problems: AuditProblem[] = [];
  #problemCount = 0;
  #records = 0;
  #atMs = Number.POSITIVE_INFINITY;

  get tenants(): readonly string[] {
    return [...this.#tenants.keys()];
  }

  addHead(head: ChainEnd): void {
    if (!head.genuine) this.#reportRecord(head.chain, head.length, "head-altered");
    this.#chains.set(head.chain, { head, newest: 0, seq: undefined, prevHash: "" });
  }

  addRecord(record: AuditRecord): void {
    this.#records++;
    const { hash, ...body } = record;
    const { chain, seq, at, tenant, action, target } = body;
    const atMs = Date.parse(at);
    if (typeof chain !== "string" || typeof seq !== "number" || typeof at !== "string" || Number.isNaN(atMs)) {
      this.#reportRecord(String(chain), Number(seq), "unreadable");
      return;
    }
    if (hashRecord(body) !== hash) this.#reportRecord(chain, seq, "altered");
    if (atMs > this.#atMs) this.#reportRecord(chain, seq, "out-of-place");
    this.#atMs = atMs;
    this.#followChain(record);
    if (tenant !== undefined) this.#tenants.set(tenant, this.follow(this.#tenants.get(tenant) ?? NOTHING, record));
    if (target !== undefined && MAKINGS.has(action)) this.#made.add(target);
  }

  #followChain({ chain, seq, hash, prevHash }: AuditRecord): void {
    let progress = this.#chains.get(chain);
    if (progress === undefined) {
      progress = { head: undefined, newest: 0, seq: undefined, prevHash: "" };
      this.#chains.set(chain, progress);
      this.#reportRecord(chain, seq, "head-missing");
    }
    const { head } = progress;
    if (progress.seq === undefined) {
      progress.newest = seq;
      if (head !== undefined && seq < head.length) this.#reportRecord(chain, head.length, "truncated");
    } else if (seq >= progress.seq) {
      this.#reportRecord(chain, seq, "out-of-place");
    } else if (seq < progress.seq - 1) {
      this.#reportRecord(chain, progress.seq - 1, "missing");
    } else if (progress.prevHash !== hash) {
      this.#reportRecord(chain, seq, "altered");
    }
    if (head?.length === seq && head.hash !== hash) this.#reportRecord(chain, seq, "altered");
    progress.seq = seq;
    progress.prevHash = prevHash;
  }

  /** The hash over what was seen and one record more, if that was there when this began. */
  follow(seen: string, { chain, seq, hash }: AuditRecord): string {
    const isNew = seq > (this.#chains.get(chain)?.newest ?? 0);
    return isNew ? seen : digest("sha256", seen + hash, "base64");
  }

  checkMade(thing: string): void {
    if (!this.#made.has(thing)) this.#report({ subject: thing, problem: "unrecorded" });
  }

  checkTenant(tenant: string, seen: string): void {
    if (this.#tenants.get(tenant) !== seen) this.#report({ subject: tenant, problem: "index-altered" });
  }

  finish(): AuditVerification {
    for (const [chain, { head, seq, prevHash }] of this.#chains) {
      if (seq === undefined) {
        if (head !== undefined && head.length > 0) this.#reportRecord(chain, head.length, "truncated");
      } else if (seq !== 1) this.#reportRecord(chain, seq - 1, "missing");
      else if (prevHash !== GENESIS) this.#reportRecord(chain, 1, "altered");
    }
    return {
      ok: this.#problemCount === 0,
      records: this.#records,
      chains: [...this.#chains].map(([chain, { head }]) => ({ chain, length: head?.length ?? 0 })),
      problems: this.#problems,
      problemCount: this.#problemCount,
    };
  }

  #reportRecord(chain: string, seq: number, problem: ChainProblem): void {
    this.#report({ chain, seq, problem });
  }

  #report(problem: AuditProblem): void {
    this.#problemCount++;
    if (this.#problems.length < 100) this.#problems.push(problem);
  }
}
