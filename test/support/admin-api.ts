/** An admin API on a real port and a real store, for tests. */
import type { AddressInfo } from "node:net";
import type { Test } from "tap";
import { createAdminApi } from "../../src/admin/api.ts";
import type { AdminDependencies } from "../../src/admin/dependencies.ts";
import { directoryOf } from "../../src/control/user-directory.ts";
import { parsePrefix, prefixContains } from "../../src/core/address.ts";
import { type Clock, FixedClock } from "../../src/core/clock.ts";
import { EntryRules } from "../../src/core/entries.ts";
import { type AllowlistEntry, ENTRY_KIND } from "../../src/core/entry.ts";
import { SallyportError } from "../../src/core/errors.ts";
import { explain } from "../../src/core/explain.ts";
import { Keyring } from "../../src/core/keyring.ts";
import type { Store } from "../../src/core/store.ts";
import { TENANT_KIND, type Tenant } from "../../src/core/tenant.ts";
import { Outbox } from "../../src/notify/outbox.ts";
import { Ledger } from "../../src/observe/ledger.ts";
import { createMetrics } from "../../src/observe/metrics.ts";
import { openPersonDoor, type PersonDoor } from "../../src/person/door.ts";
import { PasswordHasher } from "../../src/person/password-hash.ts";
import { openStore } from "../../src/store/open.ts";
import { openWhitelist, type Whitelist } from "../../src/whitelist/whitelist.ts";
import { SMS_RULES } from "./person-door.ts";

export const ADMIN_KEY = "an-admin-key-of-more-than-32-characters";
export const START_MS = Date.parse("2030-01-01T00:00:00Z");
export const silent = { debug() {}, info() {}, warn() {}, error() {} };

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  readonly body: any;
}

export interface CallOptions {
  readonly key?: string | null;
  readonly headers?: Record<string, string>;
  /** Sent as JSON; `raw` as it is. */
  readonly json?: unknown;
  readonly raw?: string | Uint8Array<ArrayBuffer>;
}

export interface AdminFixture {
  readonly origin: string;
  readonly store: Store;
  readonly clock: Clock;
  readonly keyring: Keyring;
  readonly ledger: Ledger;
  readonly outbox: Outbox;
  readonly person: PersonDoor;
  readonly whitelist: Whitelist;
  call(method: string, path: string, options?: CallOptions): Promise<Reply>;
  /** A tenant with a host of its own. */
  tenant(id: string): Promise<Reply>;
  close(): Promise<void>;
}

export interface FixtureOptions {
  readonly store?: Store;
  readonly clock?: Clock;
  readonly chain?: string;
  readonly entriesPerTenant?: number;
  readonly dependencies?: Partial<AdminDependencies>;
}

/** Explains from the store, by the definition that the matcher is tested against. */
function explainFrom(store: Store): AdminDependencies["explain"] {
  return async (tenant, { address, method, path }) => {
    const document = await store.get(TENANT_KIND, tenant);
    if (document === undefined) throw new SallyportError("not_found", "there is no such tenant");
    const entries = await store.list({ kind: ENTRY_KIND, prefix: `${tenant}/`, limit: 1000 });
    const covering = entries
      .map(({ value }) => value as AllowlistEntry)
      .filter(({ cidr }) => prefixContains(parsePrefix(cidr), address));
    const facts = { policy: (document.value as Tenant).policy, address, method, entry: covering[0] };
    return explain(path === undefined ? facts : { ...facts, path });
  };
}

/** Ends with the test. */
export async function startAdminApi(t: Test, options: FixtureOptions = {}): Promise<AdminFixture> {
  const clock = options.clock ?? new FixedClock(START_MS);
  const store = options.store ?? (await openStore("sqlite::memory:", { clock }));
  const keyring = new Keyring([new Uint8Array(32).fill(7)]);
  const ledger = new Ledger({ store, keyring, chain: options.chain ?? "node-1", clock });
  const mail = { transport: "file", folder: "/nowhere", from: "gate@operator.example", senderName: "x" } as const;
  const outbox = new Outbox(mail, keyring);
  const siteOrigin = ({ hosts }: Pick<Tenant, "hosts">) => `https://${hosts[0]}`;
  const person = openPersonDoor({
    store,
    ledger,
    keyring,
    clock,
    outbox,
    smsProvider: undefined,
    smsRules: SMS_RULES,
    log: silent,
    hasher: new PasswordHasher({ memory: 8, passes: 1, parallelism: 1 }),
    siteOrigin,
  });
  const whitelist = openWhitelist({
    store,
    ledger,
    keyring,
    clock,
    entries: new EntryRules({ store, clock, entriesPerTenant: options.entriesPerTenant ?? 1000 }),
    outbox,
    users: directoryOf(person.users, store),
    siteOrigin,
  });
  const api = await createAdminApi(
    {
      store,
      ledger,
      keyring,
      clock,
      log: silent,
      metrics: createMetrics(),
      adminKey: ADMIN_KEY,
      limits: { entriesPerTenant: options.entriesPerTenant ?? 1000 },
      person,
      whitelist,
      siteOrigin,
      sendsMail: outbox.enabled,
      explain: explainFrom(store),
      edges: async () => [],
      waitApplied: async () => ({ applied: [], pending: [] }),
      readiness: () => ({ ready: true, checks: { store: { ok: true } } }),
      ...options.dependencies,
    },
    { host: "127.0.0.1", port: 0, version: "1.2.3" },
  );
  const origin = `http://127.0.0.1:${(api.server.address() as AddressInfo).port}`;
  const call: AdminFixture["call"] = (method, path, given) => request(origin, method, path, given);
  let closed = false;
  const close = async () => {
    if (closed) return;
    closed = true;
    await api.close();
    if (options.store === undefined) await store.close();
  };
  t.teardown(close);
  return {
    origin,
    store,
    clock,
    keyring,
    ledger,
    outbox,
    person,
    whitelist,
    call,
    tenant: (id) =>
      call("POST", "/v1/tenants", {
        json: { id, name: `Clinic ${id}`, hosts: [`${id}.example`], upstreams: ["http://127.0.0.1:9000"] },
      }),
    close,
  };
}

async function request(
  origin: string,
  method: string,
  path: string,
  { key = ADMIN_KEY, headers = {}, json, raw }: CallOptions = {},
): Promise<Reply> {
  const all = new Headers(headers);
  if (key !== null) all.set("authorization", `Bearer ${key}`);
  if (json !== undefined) all.set("content-type", "application/json");
  const body = json === undefined ? raw : JSON.stringify(json);
  const response = await fetch(origin + path, {
    method,
    headers: all,
    redirect: "manual",
    ...(body === undefined ? {} : { body }),
  });
  const text = await response.text();
  const isJson =
    /json/.test(response.headers.get("content-type") ?? "") &&
    !/ndjson/.test(response.headers.get("content-type") ?? "");
  return {
    status: response.status,
    headers: response.headers,
    text,
    body: isJson && text !== "" ? JSON.parse(text) : undefined,
  };
}
