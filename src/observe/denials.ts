/** Requests that were turned away: kept for whoever asks about a reference, the newest first for whoever looks. */
import { encodeBase32, type TenantId } from "../core/ids.ts";
import type { Store, Write } from "../core/store.ts";

/** Quiet documents `{tenant}/{reference}` → {@link Denial}. */
export const DENIAL_KIND = "denial";
/** `{tenant}/{time, descending}{reference}` → 1: a tenant's denials, newest first. Quiet. */
export const DENIAL_ORDER_KIND = "denialorder";
const KEEP_DENIAL_MS = 7 * 86_400_000;

/** A request that was turned away, or would have been where the tenant only observes (reason `observed`). */
export interface Denial {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly reference: string;
  readonly tenant?: string;
  readonly address: string;
  readonly method: string;
  /** Without query, and without the tokens of our own pages. */
  readonly path: string;
  readonly reason: string;
}

const LATEST = 1n << 63n;
const TIME_DIGITS = 13;

/** The documents that keep a denial of a tenant. */
export function denialWrites(tenant: string, denial: Denial, nowMs: number): Write[] {
  const expiresAtMs = nowMs + KEEP_DENIAL_MS;
  const order = encodeBase32(LATEST - BigInt(denial.at)) + denial.reference;
  return [
    { kind: DENIAL_KIND, id: `${tenant}/${denial.reference}`, value: denial, expiresAtMs, quiet: true },
    { kind: DENIAL_ORDER_KIND, id: `${tenant}/${order}`, value: 1, expiresAtMs, quiet: true },
  ];
}

export async function findDenial(store: Store, tenant: TenantId, reference: string): Promise<Denial | undefined> {
  if (!/^[\w-]{1,32}$/.test(reference)) return undefined;
  return (await store.get(DENIAL_KIND, `${tenant}/${reference}`))?.value as Denial | undefined;
}

export interface ListedDenial {
  readonly denial: Denial;
  /** Where the list goes on after it. */
  readonly position: string;
}

/** Newest first. @param after `position` of the last one of the page before */
export async function listDenials(
  store: Store,
  tenant: TenantId,
  limit: number,
  after?: string,
): Promise<ListedDenial[]> {
  const prefix = `${tenant}/`;
  const last = after === undefined ? undefined : prefix + after;
  const page = await store.list({ kind: DENIAL_ORDER_KIND, prefix, limit, after: last });
  const positions = page.map(({ id }) => id.slice(prefix.length));
  const ids = positions.map((position) => `${tenant}/${position.slice(TIME_DIGITS)}`);
  const found = ids.length === 0 ? [] : await store.getMany(DENIAL_KIND, ids);
  return found.flatMap((document, index) =>
    document === undefined ? [] : { denial: document.value as Denial, position: positions[index] ?? "" },
  );
}
