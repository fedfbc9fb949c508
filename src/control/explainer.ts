/** Explains a verdict from control's own replica, which holds what the edges hold. */
import type { ExplainRequest } from "../admin/dependencies.ts";
import type { Clock } from "../core/clock.ts";
import { type AllowlistEntry, ENTRY_KIND, entryDocumentId } from "../core/entry.ts";
import { SallyportError } from "../core/errors.ts";
import { type ExplainedEntry, type ExplainFacts, type Explanation, explain } from "../core/explain.ts";
import type { EntryId, TenantId } from "../core/ids.ts";
import type { Store } from "../core/store.ts";
import { noSuchTenant } from "../core/tenant-lookup.ts";
import type { Follower } from "../replica/follower.ts";
import type { PolicyReplica } from "../replica/policy.ts";

export interface ExplainerOptions {
  readonly store: Store;
  readonly follower: Follower;
  readonly replica: PolicyReplica;
  readonly clock: Clock;
  /** What the person door knows of a user; `undefined` when there is no such user. */
  readonly person: (tenant: TenantId, user: string) => Promise<ExplainFacts["person"]>;
}

/**
 * Explains by everything that was acknowledged before the question.
 * @throws SallyportError `not_found`, `not_ready`; StoreUnavailableError
 */
export async function explainRequest(
  options: ExplainerOptions,
  id: TenantId,
  request: ExplainRequest,
): Promise<Explanation> {
  const { store, follower, replica, clock, person } = options;
  await follower.reached((await store.head()).revision);
  if (replica.state(clock.nowMs()) === "empty") throw new SallyportError("not_ready", "no policy has been loaded yet");
  const tenant = replica.tenant(id);
  if (tenant === undefined) throw noSuchTenant();
  const slot = tenant.matcher.lookup(request.address, Math.floor(clock.nowMs() / 1000));
  const entry = slot < 0 ? undefined : await explainedEntry(store, id, tenant.matcher.entryId(slot));
  const who = request.user === undefined ? undefined : await person(id, request.user);
  return explain({
    policy: tenant.policy,
    address: request.address,
    entry,
    method: request.method,
    ...(who === undefined ? {} : { person: who }),
    ...(request.path === undefined ? {} : { path: request.path }),
  });
}

async function explainedEntry(store: Store, tenant: TenantId, id: EntryId): Promise<ExplainedEntry> {
  const document = await store.get(ENTRY_KIND, entryDocumentId(tenant, id));
  const { cidr, label, expiresAt } = (document?.value ?? { cidr: "", label: "" }) as AllowlistEntry;
  return { id, cidr, label, ...(expiresAt === undefined ? {} : { expiresAt }) };
}
