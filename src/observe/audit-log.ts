/** Reads the audit log, newest first: all of it, or one tenant's. */
import { AUDIT_KIND, type AuditRecord, TENANT_AUDIT_KIND } from "../core/audit.ts";
import type { TenantId } from "../core/ids.ts";
import { readPages } from "../core/read-all.ts";
import type { Store, StoredDocument } from "../core/store.ts";
import { auditIdAt } from "./audit-chain.ts";

export interface AuditQuery {
  readonly tenant?: TenantId;
  /** `entry.created`, or `entry.` for everything that starts so. */
  readonly action?: string;
  /** Milliseconds since 1970, inclusive. */
  readonly sinceMs?: number;
  readonly untilMs?: number;
  /** The id after which to go on. */
  readonly after?: string | undefined;
}

export interface AuditRow {
  readonly id: string;
  readonly record: AuditRecord;
}

/** Every record that fits, one after the other. */
export async function* readAudit(store: Store, query: AuditQuery): AsyncGenerator<AuditRow> {
  const from = query.after ?? (query.untilMs === undefined ? undefined : auditIdAt(query.untilMs));
  for await (const page of readRecords(store, query.tenant, from)) {
    for (const document of page) {
      if (document === undefined) continue;
      const row = { id: document.id, record: document.value as AuditRecord };
      if (query.sinceMs !== undefined && Date.parse(row.record.at) < query.sinceMs) return;
      if (fits(row.record, query.action)) yield row;
    }
  }
}

async function* readRecords(
  store: Store,
  tenant: TenantId | undefined,
  after: string | undefined,
): AsyncGenerator<readonly (StoredDocument | undefined)[]> {
  if (tenant === undefined) return yield* readPages(store, { kind: AUDIT_KIND, after });
  const prefix = `${tenant}/`;
  const own = { kind: TENANT_AUDIT_KIND, prefix, after: after === undefined ? undefined : prefix + after };
  for await (const page of readPages(store, own)) {
    const ids = page.map(({ id }) => id.slice(prefix.length));
    yield await store.getMany(AUDIT_KIND, ids);
  }
}

function fits({ action }: AuditRecord, wanted: string | undefined): boolean {
  return wanted === undefined || (wanted.endsWith(".") ? action.startsWith(wanted) : action === wanted);
}
