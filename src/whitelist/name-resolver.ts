/** Follows the DNS names on the allowlists: asks when they are due, and moves their entries to where they point. */
import { formatPrefix, networkOf } from "../core/address.ts";
import type { AuditInput, Author } from "../core/audit.ts";
import { at } from "../core/entries.ts";
import { ENTRY_KIND, entryDocumentId } from "../core/entry.ts";
import { ConflictError, SallyportError, StoreUnavailableError } from "../core/errors.ts";
import type { TenantId } from "../core/ids.ts";
import type { Logger } from "../core/log.ts";
import { readAll } from "../core/read-all.ts";
import type { StoredDocument } from "../core/store.ts";
import type { Tenant } from "../core/tenant.ts";
import { findTenant } from "../core/tenant-lookup.ts";
import type { WhitelistOptions } from "./dependencies.ts";
import { type DnsLookup, type FamilyAnswer, isAdmissible } from "./dns-lookup.ts";
import { adding, joined, type Part, removing, renewing } from "./entry-parts.ts";
import { NAME_KIND, type NameRecord, nameOf, nameWrite } from "./name-record.ts";
import type { Names } from "./names.ts";

export interface NameResolverOptions extends WhitelistOptions {
  readonly names: Names;
  readonly dns: DnsLookup;
  readonly log: Logger;
  /** How many names of all tenants get no answer at present. */
  readonly onFailing: (count: number) => void;
}

const EVERY_MS = 5_000;
/** Two answers' time-outs, and room. */
const LEASE_MS = 30_000;
const LEAST_TTL_SECONDS = 60;
const MOST_TTL_SECONDS = 3_600;
const RETRY_SECONDS = 60;
/** The last good answer counts so long. */
const LAST_GOOD_MS = 24 * 3_600_000;
const MOST_ADDRESSES = 16;
const AT_ONCE = 8;
const AUTHOR: Author = { actor: { kind: "system", id: "dns" } };

export class NameResolver {
  readonly #options: NameResolverOptions;
  #timer: NodeJS.Timeout | undefined;
  #round: Promise<void> | undefined;

  constructor(options: NameResolverOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timer = setInterval(() => void this.#begin(), EVERY_MS);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#round;
  }

  async #begin(): Promise<void> {
    if (this.#round !== undefined) return;
    this.#round = this.runDue().catch((error: unknown) =>
      this.#options.log.debug({ err: error }, "names on the allowlists wait for the store"),
    );
    await this.#round;
    this.#round = undefined;
  }

  /** Asks for every name that is due and that no other node asks for. */
  async runDue(): Promise<void> {
    const nowMs = this.#options.clock.nowMs();
    let failing = 0;
    const due: StoredDocument[] = [];
    for await (const document of readAll(this.#options.store, { kind: NAME_KIND })) {
      const { failingSince, nextAt } = nameOf(document);
      if (failingSince !== undefined) failing += 1;
      if (Date.parse(nextAt) <= nowMs) due.push(document);
    }
    this.#options.onFailing(failing);
    for (let from = 0; from < due.length; from += AT_ONCE)
      await Promise.all(due.slice(from, from + AT_ONCE).map((document) => this.#follow(document)));
  }

  async #follow(document: StoredDocument): Promise<void> {
    const { dns, log } = this.#options;
    const { hostname } = nameOf(document);
    const tenant = document.id.slice(0, document.id.indexOf("/")) as TenantId;
    try {
      const leased = await this.#lease(tenant, document);
      const [ipv4, ipv6] = await Promise.all([dns.lookup(hostname, 4), dns.lookup(hostname, 6)]);
      await this.#settle(tenant, leased, [ipv4, ipv6]);
    } catch (error) {
      if (error instanceof StoreUnavailableError) throw error;
      // Another node was first, or somebody changed the list: the next round sees what is there then.
      if (!(error instanceof ConflictError)) log.warn({ err: error, tenant, hostname }, "a name could not be followed");
    }
  }

  /** @throws ConflictError when another node has it */
  async #lease(tenant: TenantId, document: StoredDocument): Promise<StoredDocument> {
    const { store, clock } = this.#options;
    const value: NameRecord = { ...nameOf(document), nextAt: new Date(clock.nowMs() + LEASE_MS).toISOString() };
    const revision = await store.commit({
      writes: [nameWrite(tenant, value, true)],
      preconditions: [at(document)],
    });
    return { ...document, value, revision };
  }

  async #settle(id: TenantId, leased: StoredDocument, answers: readonly [FamilyAnswer, FamilyAnswer]): Promise<void> {
    const { store, ledger, entries, names } = this.#options;
    const found = await findTenant(store, id);
    if (found === undefined) return;
    const before = nameOf(leased);
    if (await this.#wasTakenOff(id, before)) {
      await ledger.commit((await names.planDelete(id, before.id, AUTHOR)).change);
      return;
    }
    const wanted = this.#wantedOf(before, answers);
    const settleWith = async ({ after, parts, audit }: Settled) => {
      const change = joined(entries, found.tenant, parts, {
        writes: [nameWrite(id, after, true)],
        preconditions: [found.standing, at(leased)],
        audit: audit.map((record) => ({ ...record, tenant: id, ...AUTHOR, target: before.id })),
      });
      // What moves nothing and says nothing new needs no place in the audit log.
      if (change.audit.length > 0) await ledger.commit(change);
      else await store.commit({ writes: change.writes, preconditions: change.preconditions ?? [] });
    };
    if (wanted.length === 0) return await settleWith(this.#failed(before, reasonOf(answers)));
    try {
      await settleWith(await this.#moved(found.tenant, before, wanted, answers));
    } catch (error) {
      if (!(error instanceof SallyportError) || error.code !== "entry_limit") throw error;
      await settleWith(this.#failed(before, "the allowlist is full"));
    }
  }

  /** Somebody removed one of its entries from the list: the name goes with it, so that it does not come back. */
  async #wasTakenOff(tenant: TenantId, { entries, entriesUntil = "" }: NameRecord): Promise<boolean> {
    if (entries.length === 0 || Date.parse(entriesUntil) <= this.#options.clock.nowMs()) return false;
    const ids = entries.map(({ id }) => entryDocumentId(tenant, id));
    return (await this.#options.store.getMany(ENTRY_KIND, ids)).includes(undefined);
  }

  /** The networks to admit; of a family that gave no answer, those that it gave last. */
  #wantedOf(name: NameRecord, answers: readonly [FamilyAnswer, FamilyAnswer]): string[] {
    const [ipv4, ipv6] = answers.map((answer, index) => {
      if (answer === "none") return [];
      if (answer === "failed") return name.entries.map(({ cidr }) => cidr).filter(index === 0 ? isIpv4 : isIpv6);
      const admissible = answer.addresses.filter((address) => isAdmissible(address, name.allowPrivate));
      return admissible.map((address) => formatPrefix(networkOf(address)));
    });
    // Both families silent is a failure, not an answer.
    if (answers.every((answer) => answer === "failed" || answer === "none")) return [];
    return [...new Set([...(ipv4 ?? []), ...(ipv6 ?? [])])].slice(0, MOST_ADDRESSES);
  }

  #failed(before: NameRecord, error: string): Settled {
    const nowMs = this.#options.clock.nowMs();
    const failingSince = before.failingSince ?? new Date(nowMs).toISOString();
    const after = { ...before, failingSince, error, nextAt: new Date(nowMs + RETRY_SECONDS * 1000).toISOString() };
    const begins = before.failingSince === undefined || before.error !== error;
    if (begins) this.#options.log.warn({ hostname: before.hostname, reason: error }, "a name on an allowlist fails");
    return { after, parts: [], audit: begins ? [{ action: "name.failing", before, after }] : [] };
  }

  async #moved(
    tenant: Tenant,
    before: NameRecord,
    wanted: readonly string[],
    answers: readonly FamilyAnswer[],
  ): Promise<Settled> {
    const { store, entries, clock } = this.#options;
    const nowMs = clock.nowMs();
    const { error: _, failingSince, ...name } = before;
    const until = Math.min(nowMs + LAST_GOOD_MS, Date.parse(name.expiresAt ?? "9999-12-31T00:00:00Z"));
    const stay = name.entries.filter(({ cidr }) => wanted.includes(cidr));
    const added = wanted
      .filter((cidr) => !stay.some((entry) => entry.cidr === cidr))
      .map((cidr) => {
        const { label, createdBy, id: sourceId } = name;
        const expiresAt = new Date(until).toISOString();
        return adding(entries, tenant, { cidr, label, expiresAt }, { kind: "dns", createdBy, sourceId }, AUTHOR);
      });
    const gone = name.entries.filter((entry) => !stay.includes(entry)).map(({ id }) => id);
    // Entries that stay are written anew only when half of their time is over.
    const halfOver = Date.parse(name.entriesUntil ?? "") - nowMs < LAST_GOOD_MS / 2;
    const moves = added.length + gone.length > 0;
    const renewed = halfOver || moves ? await this.#renewed(tenant, stay, until) : [];
    const removed = gone.length === 0 ? [] : [(await removing(store, tenant, gone, AUTHOR)).part];
    const parts = [...added.map(({ part }) => part), ...renewed, ...removed];
    const after: NameRecord = {
      ...name,
      entries: [...stay, ...added.map(({ entry: { id, cidr } }) => ({ id, cidr }))],
      entriesUntil: parts.length > 0 ? new Date(until).toISOString() : (name.entriesUntil ?? ""),
      resolvedAt: new Date(nowMs).toISOString(),
      nextAt: new Date(nowMs + ttlOf(answers) * 1000).toISOString(),
    };
    const audit = [
      ...(failingSince === undefined ? [] : [{ action: "name.recovered", before, after }]),
      ...(moves ? [{ action: "name.moved", before, after }] : []),
    ];
    return { after, parts, audit };
  }

  async #renewed(tenant: Tenant, stay: NameRecord["entries"], until: number): Promise<readonly Part[]> {
    const ids = stay.map(({ id }) => id);
    const renewed = await renewing(this.#options.store, tenant, ids, new Date(until).toISOString(), AUTHOR);
    return renewed?.parts ?? [];
  }
}

interface Settled {
  readonly after: NameRecord;
  readonly parts: readonly Part[];
  readonly audit: readonly Omit<AuditInput, "actor">[];
}

function reasonOf(answers: readonly FamilyAnswer[]): string {
  if (answers.includes("failed")) return "DNS gave no answer";
  const none = answers.every((answer) => answer === "none");
  return none ? "the name has no address" : "the name has only addresses that may not be admitted";
}

function ttlOf(answers: readonly FamilyAnswer[]): number {
  if (answers.includes("failed")) return RETRY_SECONDS;
  const ttls = answers.flatMap((answer) => (typeof answer === "object" ? answer.ttlSeconds : []));
  return Math.max(LEAST_TTL_SECONDS, Math.min(MOST_TTL_SECONDS, ...ttls));
}

const isIpv6 = (cidr: string) => cidr.includes(":");
const isIpv4 = (cidr: string) => !isIpv6(cidr);
