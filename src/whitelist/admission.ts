/** Admitting a place that was blocked, unless the list has it by now. */
import { type Prefix, parsePrefix, prefixContains } from "../core/address.ts";
import type { Author, Plan } from "../core/audit.ts";
import type { Done } from "../core/change.ts";
import { ALLOWLIST_KIND, type EntryRules, type Origin } from "../core/entries.ts";
import type { AllowlistEntry } from "../core/entry.ts";
import type { EntryInput } from "../core/entry-input.ts";
import type { TenantId } from "../core/ids.ts";
import type { Store } from "../core/store.ts";

export interface AdmissionOptions {
  readonly entries: EntryRules;
  readonly store: Store;
}

/**
 * Two who admit the same place at once add it once.
 * @returns the plan, or nothing done and `undefined` where an entry covers the whole of it
 * @throws SallyportError as {@link EntryRules.planCreate}
 */
export async function planAdmission(
  { entries, store }: AdmissionOptions,
  tenant: TenantId,
  input: EntryInput,
  origin: Origin,
  author: Author,
): Promise<Plan<AllowlistEntry | undefined> | Done<undefined>> {
  const revision = (await store.get(ALLOWLIST_KIND, tenant))?.revision ?? 0;
  const planned = await entries.planCreate(tenant, input, origin, author);
  const wanted = parsePrefix(planned.result.cidr);
  for await (const page of entries.pages(tenant)) {
    const present = page.map(({ value }) => parsePrefix((value as AllowlistEntry).cidr));
    if (present.some((prefix) => covers(prefix, wanted))) return { result: undefined, revision: 0 };
  }
  const { preconditions = [] } = planned.change;
  const unchanged = { kind: ALLOWLIST_KIND, id: tenant, revision };
  return { ...planned, change: { ...planned.change, preconditions: [...preconditions, unchanged] } };
}

function covers(prefix: Prefix, wanted: Prefix): boolean {
  return prefix.length <= wanted.length && prefixContains(prefix, wanted);
}
