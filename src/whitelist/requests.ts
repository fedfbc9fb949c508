/** Access requests: somebody at a blocked place asks to be let in, and an owner decides. */
import type { Author, Plan } from "../core/audit.ts";
import { carryOut, type Expectation, expectRevision } from "../core/change.ts";
import { at } from "../core/entries.ts";
import type { AllowlistEntry } from "../core/entry.ts";
import { readLabel } from "../core/entry-input.ts";
import { SallyportError } from "../core/errors.ts";
import type { EntryId, TenantId } from "../core/ids.ts";
import { takeAll } from "../core/rate-limits.ts";
import type { RateLimit, StoredDocument, Write } from "../core/store.ts";
import type { Tenant } from "../core/tenant.ts";
import { loadTenant } from "../core/tenant-lookup.ts";
import type { WhitelistOptions } from "./dependencies.ts";
import { adding, joined } from "./entry-parts.ts";
import { limitsOf, within } from "./lifetime.ts";
import { browserOf, cidrOf, networkId, type Place } from "./place.ts";

/** `{tenant}/{request}` → {@link AccessRequest}; one for each network. Quiet. */
export const REQUEST_KIND = "accessrequest";
const KEEP_MS = 14 * 86_400_000;

/** Times are ISO 8601 in UTC. */
export interface AccessRequest {
  readonly id: string;
  readonly address: string;
  /** What an approval admits. */
  readonly cidr: string;
  readonly userAgent: string;
  /** Who they say they are; nothing proves it. */
  readonly from: string;
  readonly note: string;
  /** Of the block page, for whoever looks it up. */
  readonly reference?: string;
  readonly firstAt: string;
  readonly lastAt: string;
  /** How often it was asked. */
  readonly count: number;
  readonly state: "open" | "approved" | "dismissed";
  readonly decidedAt?: string;
  readonly decidedBy?: string;
  readonly entry?: EntryId;
}

export interface Asking {
  readonly from?: string;
  readonly note?: string;
  readonly reference?: string;
}

export interface Approval {
  readonly label?: string;
  readonly ttlSeconds?: number;
}

export interface RequestView {
  readonly request: AccessRequest;
  readonly revision: number;
}

const PER_NETWORK: RateLimit = { burst: 3, periodMs: 3_600_000 };
const PER_TENANT: RateLimit = { burst: 30, periodMs: 3_600_000 };
/** Owners are told of the first few within an hour; the portal shows all. */
const MAILS: RateLimit = { burst: 4, periodMs: 3_600_000 };
const LONGEST = { from: 100, note: 500, reference: 32 };
const MOST_OWNERS = 20;

export class Requests {
  readonly #options: WhitelistOptions;

  constructor(options: WhitelistOptions) {
    this.#options = options;
  }

  /**
   * Asks from a place. Asking again from the same network changes the one request; what an owner has dismissed
   * stays so, and nobody is told.
   * @returns how long to wait; 0 when it was taken
   */
  async ask(id: TenantId, place: Place, asking: Asking): Promise<number> {
    const { store, ledger } = this.#options;
    const network = networkId(cidrOf(place));
    const waitMs = await takeAll(store, [
      [`ask/${id}/${network}`, PER_NETWORK],
      [`ask/${id}`, PER_TENANT],
    ]);
    if (waitMs > 0) return waitMs;
    const { allowed: tells } = await store.take(`ask/${id}/mail`, MAILS);
    await carryOut(ledger, async () => (await this.#planAsk(id, place, asking, tells)) ?? { result: 0, revision: 0 });
    return 0;
  }

  async #planAsk(id: TenantId, place: Place, asking: Asking, tells: boolean): Promise<Plan<number> | undefined> {
    const { store, clock } = this.#options;
    const { tenant, standing } = await loadTenant(store, id);
    const cidr = cidrOf(place);
    const requestId = `req_${networkId(cidr)}`;
    const document = await store.get(REQUEST_KIND, `${id}/${requestId}`);
    const before = document === undefined ? undefined : requestOf(document);
    if (before?.state === "dismissed") return undefined;
    const now = new Date(clock.nowMs()).toISOString();
    const known = before?.state === "open" ? before : undefined;
    const reference = plain(asking.reference, "reference");
    const after: AccessRequest = {
      id: requestId,
      address: place.address.text,
      cidr,
      userAgent: browserOf(place),
      from: plain(asking.from, "from"),
      note: plain(asking.note, "note"),
      ...(reference === "" ? {} : { reference }),
      firstAt: known?.firstAt ?? now,
      lastAt: now,
      count: (known?.count ?? 0) + 1,
      state: "open",
    };
    const actor = { kind: "system", id: "visitor", address: place.address.text } as const;
    const mail = tells && known === undefined ? await this.#mails(tenant, after) : [];
    return {
      result: 0,
      change: {
        writes: [this.#write(id, after), ...mail],
        preconditions: [standing, { kind: REQUEST_KIND, id: `${id}/${requestId}`, revision: document?.revision ?? 0 }],
        audit: [{ action: "request.made", tenant: id, actor, target: requestId, after }],
      },
    };
  }

  /** In the order of their networks' names. */
  async list(tenant: TenantId, limit: number, after?: string): Promise<RequestView[]> {
    const prefix = `${tenant}/`;
    const last = after === undefined ? undefined : prefix + after;
    const found = await this.#options.store.list({ kind: REQUEST_KIND, prefix, limit, after: last });
    return found.map((document) => ({ request: requestOf(document), revision: document.revision }));
  }

  /** Admits the network that asked. @throws SallyportError `not_found`, `body_invalid`, `entry_limit` */
  async planApprove(
    id: TenantId,
    request: string,
    approval: Approval,
    author: Author,
    expected?: Expectation,
  ): Promise<Plan<AllowlistEntry>> {
    const { store, entries, clock } = this.#options;
    const { tenant, standing } = await loadTenant(store, id);
    const { document, before } = await this.#undecided(id, request, expected);
    const ttlSeconds = within(limitsOf(tenant).selfEntryTtl, approval.ttlSeconds, "ttlSeconds");
    const wanted = {
      cidr: before.cidr,
      label: readLabel(approval.label ?? before.from, "/label"),
      expiresAt: new Date(clock.nowMs() + ttlSeconds * 1000).toISOString(),
    };
    const origin = { kind: "self", createdBy: `${author.actor.kind}:${author.actor.id}`, sourceId: request } as const;
    const { entry, part } = adding(entries, tenant, wanted, origin, author);
    const after = this.#decided(before, "approved", author, entry.id);
    return {
      result: entry,
      relieve: () => entries.recount(id),
      change: joined(entries, tenant, [part], {
        writes: [this.#write(id, after)],
        preconditions: [standing, at(document)],
        audit: [{ action: "request.approved", tenant: id, ...author, target: request, before, after }],
      }),
    };
  }

  /** Turns the request down: asking again from that network tells nobody. @throws SallyportError `not_found` */
  async planDismiss(
    id: TenantId,
    request: string,
    author: Author,
    expected?: Expectation,
  ): Promise<Plan<AccessRequest>> {
    const { document, before } = await this.#undecided(id, request, expected);
    const after = this.#decided(before, "dismissed", author);
    return {
      result: after,
      change: {
        writes: [this.#write(id, after)],
        preconditions: [at(document)],
        audit: [{ action: "request.dismissed", tenant: id, ...author, target: request, before, after }],
      },
    };
  }

  /** An open request, or one that was dismissed: that can be thought over, an approval is taken back on the list. */
  async #undecided(tenant: TenantId, id: string, expected: Expectation) {
    const known = /^req_[0-9a-z]{13}$/.test(id);
    const document = known ? await this.#options.store.get(REQUEST_KIND, `${tenant}/${id}`) : undefined;
    const before = document === undefined ? undefined : requestOf(document);
    if (document === undefined || before === undefined || before.state === "approved")
      throw new SallyportError("not_found", "there is no such request to decide");
    expectRevision(expected, document);
    return { document, before };
  }

  #decided(before: AccessRequest, state: "approved" | "dismissed", { actor }: Author, entry?: EntryId): AccessRequest {
    const decidedAt = new Date(this.#options.clock.nowMs()).toISOString();
    const decidedBy = `${actor.kind}:${actor.id}`;
    return { ...before, state, decidedAt, decidedBy, ...(entry === undefined ? {} : { entry }) };
  }

  #write(tenant: TenantId, request: AccessRequest): Write {
    const expiresAtMs = this.#options.clock.nowMs() + KEEP_MS;
    return { kind: REQUEST_KIND, id: `${tenant}/${request.id}`, value: request, expiresAtMs, quiet: true };
  }

  async #mails(tenant: Tenant, { address, from, reference = "" }: AccessRequest): Promise<Write[]> {
    const { outbox, users, clock, siteOrigin } = this.#options;
    if (tenant.mail === "own") return [];
    const link = `${siteOrigin(tenant)}/.sallyport/portal`;
    const owners = (await users.owners(tenant)).filter(({ disabled }) => !disabled).slice(0, MOST_OWNERS);
    return owners.flatMap((owner) =>
      outbox.write(tenant, owner, { kind: "access-request", address, reference, from, link }, clock.nowMs()),
    );
  }
}

/** One line of what a stranger wrote: nothing in it ends a line or turns its direction. */
function plain(text: string | undefined, field: keyof typeof LONGEST): string {
  const line = (text ?? "").replace(/[\p{C}\p{Zl}\p{Zp}]+/gu, " ").trim();
  return [...line].slice(0, LONGEST[field]).join("");
}

function requestOf({ value }: StoredDocument): AccessRequest {
  return value as AccessRequest;
}
