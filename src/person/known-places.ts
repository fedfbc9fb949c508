/**
 * Networks from which somebody of a tenant signed in. They are the tenant's, not a login's: what a try is counted
 * under must not tell whether the login exists.
 */
import { digest, type TenantId } from "../core/ids.ts";
import type { Store, StoredDocument, Write } from "../core/store.ts";

/** `{tenant}/{place}` → `{}`, as `placeOf` names the place. Quiet; gone when nobody signed in from there for long. */
export const KNOWN_PLACE_KIND = "knownplace";

const DAY_MS = 24 * 60 * 60_000;
const MEMORY_MS = 90 * DAY_MS;
/** Counts that one login has for all known places together: whoever signs in from ever more places buys few guesses. */
const GROUPS = 8;

/** `undefined` when nobody signed in from there. */
export async function knownPlace(store: Store, tenant: TenantId, place: string): Promise<StoredDocument | undefined> {
  return await store.get(KNOWN_PLACE_KIND, `${tenant}/${place}`);
}

/**
 * Part of the commit of a sign-in that is finished; nothing where it was noted today, as by everybody before in a clinic.
 * @param noted as {@link knownPlace} found it
 */
export function markKnownPlace(
  noted: StoredDocument | undefined,
  tenant: TenantId,
  place: string,
  nowMs: number,
): Write[] {
  const expiresAtMs = nowMs + MEMORY_MS;
  if (noted !== undefined && (noted.expiresAtMs ?? 0) > expiresAtMs - DAY_MS) return [];
  return [{ kind: KNOWN_PLACE_KIND, id: `${tenant}/${place}`, value: {}, expiresAtMs, quiet: true }];
}

/** Which of a login's counts a known place falls under. */
export function groupOf(email: string, place: string): number {
  return digest(`${email} ${place}`).charCodeAt(0) % GROUPS;
}
