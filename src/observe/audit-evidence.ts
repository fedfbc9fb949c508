/** The audit log as it stands in the store, for its verification. */
import { AUDIT_HEAD_KIND, AUDIT_KIND, type AuditRecord } from "../core/audit.ts";
import type { TenantId } from "../core/ids.ts";
import type { Keyring } from "../core/keyring.ts";
import { KEY_KIND } from "../core/keys.ts";
import { readAll } from "../core/read-all.ts";
import type { Store } from "../core/store.ts";
import { TENANT_KIND } from "../core/tenant.ts";
import { auditKeys, type ChainHead, isSealed } from "./audit-chain.ts";
import { readAudit } from "./audit-log.ts";
import type { AuditEvidence, ChainEnd } from "./audit-verify.ts";

export function storedEvidence(store: Store, keyring: Pick<Keyring, "deriveKeys">): AuditEvidence {
  return {
    heads: () => readHeads(store, keyring),
    async *things() {
      for (const kind of [TENANT_KIND, KEY_KIND]) for await (const { id } of readAll(store, { kind })) yield id;
    },
    async *records() {
      for await (const { value } of readAll(store, { kind: AUDIT_KIND })) yield value as AuditRecord;
    },
    async *recordsOf(tenant) {
      for await (const { record } of readAudit(store, { tenant: tenant as TenantId })) yield record;
    },
  };
}

/** Every chain's end, with the word of whoever holds the keys that it is genuine. */
export async function* readHeads(store: Store, keyring: Pick<Keyring, "deriveKeys">): AsyncGenerator<ChainEnd> {
  const keys = auditKeys(keyring);
  for await (const { id, value } of readAll(store, { kind: AUDIT_HEAD_KIND })) {
    const head = value as ChainHead;
    yield { chain: id, length: head.seq, hash: head.hash, genuine: isSealed(keys, id, head) };
  }
}
