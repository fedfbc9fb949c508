/** `audit verify`: reads the whole audit log and finds what was removed, changed, reordered or cut off. */
import { AUDIT_HEAD_KIND, AUDIT_KIND, type AuditRecord } from "../core/audit.ts";
import type { Keyring } from "../core/keyring.ts";
import type { Store, StoredDocument } from "../core/store.ts";
import { auditId, auditKeys, type ChainHead, GENESIS, hashRecord, isSealed } from "./audit-chain.ts";

export interface AuditProblem {
  readonly chain: string;
  readonly seq: number;
  readonly problem:
    | "altered"
    | "missing"
    | "out-of-place"
    | "truncated"
    | "head-missing"
    | "head-altered"
    | "unreadable";
}

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
  readonly head: ChainHead | undefined;
  /** The record last seen: the next must be the one before it. */
  seq: number | undefined;
  prevHash: string;
}

const PAGE = 1000;

/**
 * Reads with the log in use: records that are added meanwhile are neither missed nor reported. Memory does not
 * grow with the log.
 */
export async function verifyAudit(store: Store, keyring: Keyring): Promise<AuditVerification> {
  const keys = auditKeys(keyring);
  const verification = new Verification();
  for await (const document of readAll(store, AUDIT_HEAD_KIND)) verification.addHead(keys, document);
  for await (const document of readAll(store, AUDIT_KIND)) verification.addRecord(document);
  return verification.finish();
}

async function* readAll(store: Store, kind: string): AsyncGenerator<StoredDocument> {
  let after: string | undefined;
  for (;;) {
    const page = await store.list({ kind, limit: PAGE, ...(after === undefined ? {} : { after }) });
    yield* page;
    if (page.length < PAGE) return;
    after = page.at(-1)?.id;
  }
}

class Verification {
  readonly #chains = new Map<string, Progress>();
  readonly #problems: AuditProblem[] = [];
  #problemCount = 0;
  #records = 0;

  addHead(keys: readonly Uint8Array[], { id, value }: StoredDocument): void {
    const head = value as ChainHead;
    if (!isSealed(keys, id, head)) this.#report(id, head.seq, "head-altered");
    this.#chains.set(id, { head, seq: undefined, prevHash: "" });
  }

  addRecord({ id, value }: StoredDocument): void {
    this.#records++;
    const { hash, ...body } = value as AuditRecord;
    const { chain, seq, at } = body;
    if (
      typeof chain !== "string" ||
      typeof seq !== "number" ||
      typeof at !== "string" ||
      Number.isNaN(Date.parse(at))
    ) {
      this.#report(String(chain), Number(seq), "unreadable");
      return;
    }
    if (hashRecord(body) !== hash) this.#report(chain, seq, "altered");
    if (id !== auditId(chain, Date.parse(at), seq)) this.#report(chain, seq, "out-of-place");
    this.#follow(chain, value as AuditRecord);
  }

  #follow(chain: string, { seq, hash, prevHash }: AuditRecord): void {
    let progress = this.#chains.get(chain);
    if (progress === undefined) {
      progress = { head: undefined, seq: undefined, prevHash: "" };
      this.#chains.set(chain, progress);
      this.#report(chain, seq, "head-missing");
    }
    const { head } = progress;
    if (progress.seq === undefined) {
      if (head !== undefined && seq < head.seq) this.#report(chain, head.seq, "truncated");
    } else if (seq >= progress.seq) {
      this.#report(chain, seq, "out-of-place");
    } else if (seq < progress.seq - 1) {
      this.#report(chain, progress.seq - 1, "missing");
    } else if (progress.prevHash !== hash) {
      this.#report(chain, seq, "altered");
    }
    if (head?.seq === seq && head.hash !== hash) this.#report(chain, seq, "altered");
    progress.seq = seq;
    progress.prevHash = prevHash;
  }

  finish(): AuditVerification {
    for (const [chain, { head, seq, prevHash }] of this.#chains) {
      if (seq === undefined) {
        if (head !== undefined && head.seq > 0) this.#report(chain, head.seq, "truncated");
      } else if (seq !== 1) this.#report(chain, seq - 1, "missing");
      else if (prevHash !== GENESIS) this.#report(chain, 1, "altered");
    }
    return {
      ok: this.#problemCount === 0,
      records: this.#records,
      chains: [...this.#chains].map(([chain, { head }]) => ({ chain, length: head?.seq ?? 0 })),
      problems: this.#problems,
      problemCount: this.#problemCount,
    };
  }

  #report(chain: string, seq: number, problem: AuditProblem["problem"]): void {
    this.#problemCount++;
    if (this.#problems.length < 100) this.#problems.push({ chain, seq, problem });
  }
}
