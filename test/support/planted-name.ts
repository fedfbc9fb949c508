/** A DNS name on a clinic's list as the gate leaves it once DNS has answered, without a DNS server for the gate to ask. */
import { join } from "node:path";
import { systemClock } from "../../src/core/clock.ts";
import { entryWrite } from "../../src/core/entries.ts";
import type { EntryId, TenantId } from "../../src/core/ids.ts";
import { openStore } from "../../src/store/open.ts";
import { nameWrite } from "../../src/whitelist/name-record.ts";
import { CLINIC, type Clinics } from "./clinics.ts";

const HOUR = 3_600_000;

export interface PlantedName {
  readonly name: EntryId;
  /** In the order of the addresses. */
  readonly entries: readonly EntryId[];
}

/** @param addresses IPv4 */
export async function plantName({ gate }: Clinics, addresses: readonly string[]): Promise<PlantedName> {
  const store = await openStore(`sqlite:${join(gate.dataDir, "sallyport.db")}`, { clock: systemClock });
  const nowMs = Date.now();
  const [now, later] = [new Date(nowMs).toISOString(), new Date(nowMs + HOUR).toISOString()];
  const made = { label: "Anna, at home", createdBy: "key:bootstrap", createdAt: now };
  const id = "e0000000000000" as EntryId;
  const places = addresses.map((address, n) => ({ id: `e000000000000${n + 1}` as EntryId, cidr: `${address}/32` }));
  const state = { entries: places, entriesUntil: later, resolvedAt: now, nextAt: later };
  const name = { ...made, id, hostname: "anna.dyndns.example", allowPrivate: true, ...state };
  const tenant = CLINIC.id as TenantId;
  const entries = places.map((place) =>
    entryWrite(tenant, { ...made, ...place, kind: "dns", sourceId: id, expiresAt: later }),
  );
  await store.commit({ writes: [nameWrite(tenant, name, false), ...entries] });
  await store.close();
  return { name: id, entries: places.map((place) => place.id) };
}
