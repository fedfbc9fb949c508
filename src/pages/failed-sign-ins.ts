/** Failed sign-ins as an owner is told of them: one line for a person and a day, however often somebody tried. */
import type { AuditRecord } from "../core/audit.ts";

/** Lines that may stand between the others, the newest first. */
const MOST = 10;

export function isFailedSignIn({ action }: AuditRecord): boolean {
  return action === "sign-in.failed";
}

/** The other records as they are; of a person's failures on a day the newest, with their `count`. Of nobody's login: none. */
export function foldFailures(newestFirst: readonly AuditRecord[]): AuditRecord[] {
  const lines = new Map<string, { newest: AuditRecord; count: number }>();
  for (const record of newestFirst) {
    if (!isFailedSignIn(record) || record.target === undefined) continue;
    const key = `${record.target}/${record.at.slice(0, 10)}`;
    const line = lines.get(key);
    if (line !== undefined) line.count += 1;
    else if (lines.size < MOST) lines.set(key, { newest: record, count: 1 });
  }
  const counts = new Map([...lines.values()].map(({ newest, count }) => [newest, count]));
  return newestFirst.flatMap((record) => {
    if (!isFailedSignIn(record)) return [record];
    const count = counts.get(record);
    return count === undefined ? [] : [{ ...record, after: { count } }];
  });
}
