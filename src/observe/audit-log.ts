/** Reads the audit log, newest first: all of it, or one tenant's. */
import { AUDIT_KIND, type AuditRecord, TENANT_AUDIT_KIND } from "../core/audit.ts";
import type { TenantId } from "../core/ids.ts";
import type { Store } from "../core/store.ts";
import { auditIdAt } from "./audit-chain.ts";

export interface AuditQuery {
  readonly tenant?: TenantId;
  /** `entry.created`, or `entry.` for everything that starts so. */
  readonly action?: string;
  /** Milliseconds since 1970, inclusive. */
  readonly sinceMs?: number;
  readonly untilMs?: number;
  /** The id after which to go on. */
  readonly after?: string;
}

export interface AuditRow {
  readonly id: string;
  readonly record: AuditRecord;
}

const PAGE = 1000;

/** Every record that fits, one after the other. */
export async function* readAudit(store: Store, query: AuditQuery): AsyncGenerator<AuditRow> {
  let after = query.after ?? (query.untilMs === undefined ? undefined : auditIdAt(query.untilMs));
  for (;;) {
    const ids = await readPage(store, query.tenant, after);
    for (const row of ids.rows) {
      if (query.sinceMs !== undefined && Date.parse(row.record.at) < query.sinceMs) return;
      if (fits(row.record, query.action)) yield row;
    }
    if (ids.last === undefined) return;
    after = ids.last;
  }
}

async function readPage(store: Store, tenant: TenantId | undefined, after: string | undefined) {
  const prefix = tenant === undefined ? "" : `${tenant}/`;
  const kind = tenant === undefined ? AUDIT_KIND : TENANT_AUDIT_KIND;
  const page = await store.list({
    kind,
    prefix,
    limit: PAGE,
    ...(after === undefined ? {} : { after: prefix + after }),
  });
  const ids = page.map(({ id }) => id.slice(prefix.length));
  const documents = tenant === undefined || ids.length === 0 ? page : await store.getMany(AUDIT_KIND, ids);
  const rows = documents.flatMap((document) =>
    document === undefined ? [] : [{ id: document.id, record: document.value as AuditRecord }],
  );
  return { rows, last: page.length < PAGE ? undefined : ids.at(-1) };
}

function fits({ action }: AuditRecord, wanted: string | undefined): boolean {
  return wanted === undefined || (wanted.endsWith(".") ? action.startsWith(wanted) : action === wanted);
}
