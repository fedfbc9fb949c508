/** One node's control, composed: the store, what follows it, the feed to the edges, the pages and the admin API. */
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { type AdminApi, createAdminApi } from "../admin/api.ts";
import type { AdminDependencies } from "../admin/dependencies.ts";
import type { Config, DeclaredTenant, Secrets } from "../config/settings.ts";
import type { Clock } from "../core/clock.ts";
import { EntryRules } from "../core/entries.ts";
import { SallyportError } from "../core/errors.ts";
import type { TenantId } from "../core/ids.ts";
import { Keyring } from "../core/keyring.ts";
import type { Logger } from "../core/log.ts";
import { ActivityLog, OBSERVED_KINDS } from "../observe/activity.ts";
import { Ledger } from "../observe/ledger.ts";
import { createMetrics, type Metrics } from "../observe/metrics.ts";
import { productVersion } from "../observe/product-version.ts";
import { personRoutes } from "../pages/person-routes.ts";
import type { PlacePages } from "../pages/place-pages.ts";
import { placeRoutes } from "../pages/place-routes.ts";
import { startPages } from "../pages/server.ts";
import { WaysBack } from "../pages/way-back.ts";
import { FeedServer } from "../replica/server.ts";
import { openStore } from "../store/open.ts";
import { dnsLookup } from "../whitelist/dns-lookup.ts";
import { NameResolver } from "../whitelist/name-resolver.ts";
import { openWhitelist, WHITELIST_KINDS, type Whitelist } from "../whitelist/whitelist.ts";
import { startChore } from "./chore.ts";
import { Declaration } from "./declaration.ts";
import { explainRequest } from "./explainer.ts";
import { Fleet } from "./fleet.ts";
import { FollowedStore } from "./followed-store.ts";
import { LateStore } from "./late-store.ts";
import { nodeName } from "./node-name.ts";
import { NodePolicy } from "./node-policy.ts";
import { findOwnClinics } from "./own-clinics.ts";
import { PageTurns } from "./page-turns.ts";
import { NodePersonDoor, OWNED_KINDS } from "./person-door.ts";
import { saySealing } from "./sealing-node.ts";
import { writeSeen } from "./seen.ts";
import { sweepExpired } from "./sweep.ts";
import { Traffic } from "./traffic.ts";
import { directoryOf } from "./user-directory.ts";

const WRITE_CHECK_EVERY_MS = 5_000;
const SWEEP_EVERY_MS = 5_000;
const ACTIVITY_EVERY_MS = 5_000;
/** How long a page waits for the edges before it says that something is so. */
const PAGE_PATIENCE_MS = 1_000;

export interface ControlOptions {
  readonly config: Config;
  readonly secrets: Required<Secrets>;
  /** The folder for `feed.sock` and `pages.sock`, which only this user may enter. */
  readonly socketDir: string;
  /** Whether `sms.provider: console` may print codes: the demo alone. */
  readonly development: boolean;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface Control {
  readonly adminAddress: AddressInfo;
  /** Takes the tenants that a new configuration declares. @throws SallyportError `host_taken` */
  declare(tenants: readonly DeclaredTenant[]): Promise<void>;
  close(): Promise<void>;
}

/**
 * Resolves when the admin API listens. A store that is away does not keep control from starting: edges are
 * served from the snapshot on disk where there is one, and writes answer 503 until the store is back.
 * @throws when an address is taken, or the store is there but unusable
 */
export async function startControl(options: ControlOptions): Promise<Control> {
  const control = new RunningControl(options);
  try {
    await control.open();
  } catch (error) {
    await control.close();
    throw error;
  }
  return control;
}

class RunningControl implements Control {
  readonly #options: ControlOptions;
  readonly #node: string;
  readonly #late: LateStore;
  readonly #policy: NodePolicy;
  readonly #store: FollowedStore;
  readonly #feed: FeedServer;
  readonly #fleet: Fleet;
  readonly #ledger: Ledger;
  readonly #declaration: Declaration;
  readonly #keyring: Keyring;
  readonly #metrics: Metrics;
  readonly #activity: ActivityLog;
  readonly #closers: (() => Promise<unknown> | unknown)[] = [];
  #person: NodePersonDoor | undefined;
  #admin: AdminApi | undefined;

  constructor(options: ControlOptions) {
    const { config, secrets, socketDir, clock, log } = options;
    const shared = !config.store.url.startsWith("sqlite:");
    const node = nodeName(config.dataDir);
    this.#node = node;
    this.#options = options;
    this.#late = new LateStore(() => openStore(config.store.url, { clock, log }), log);
    this.#keyring = new Keyring([secrets.secretKey, ...secrets.olderSecretKeys]);
    this.#metrics = createMetrics();
    this.#policy = new NodePolicy({
      store: this.#late,
      keyring: this.#keyring,
      dataDir: config.dataDir,
      keepSnapshot: shared,
      staleAfterMs: config.staleness.allowlistSeconds * 1000,
      clock,
      log,
    });
    this.#store = new FollowedStore(this.#late, this.#policy.follower, log);
    this.#ledger = new Ledger({ store: this.#store, keyring: this.#keyring, chain: node, clock });
    const { follower } = this.#policy;
    const declaring = { store: this.#store, ledger: this.#ledger, follower, log };
    this.#declaration = new Declaration(declaring, config.tenants);
    this.#activity = new ActivityLog(this.#store, node);
    const activity = this.#activity;
    const traffic = new Traffic({ store: this.#store, metrics: this.#metrics, activity, clock, log });
    this.#feed = new FeedServer({
      socketPath: join(socketDir, "feed.sock"),
      node,
      follower: this.#policy.follower,
      clock,
      log,
      onTally: (edge, tally) => traffic.take(edge, tally),
      onSeen: (seen) => void writeSeen(this.#store, seen, log),
      lookupSession: (tenant, hash) => this.#door.lookupSession(tenant, hash),
      onSessionUse: (use) => this.#door.noteUse(use),
    });
    const { workers } = config.edge;
    this.#fleet = new Fleet({
      store: this.#store,
      shared,
      feed: this.#feed,
      node,
      workers: Math.max(1, workers),
      clock,
      log,
    });
  }

  async open(): Promise<void> {
    await this.#late.start();
    this.#closers.push(() => this.#late.close());
    await this.#policy.follower.start();
    this.#closers.push(() => this.#policy.follower.close());
    const { clock, log } = this.#options;
    this.#closers.push(startChore(SWEEP_EVERY_MS, () => sweepExpired(this.#store), log));
    this.#closers.push(startChore(WRITE_CHECK_EVERY_MS, () => this.#store.checkWrites(), log));
    this.#closers.push(startChore(ACTIVITY_EVERY_MS, () => this.#activity.flush(clock.nowMs()), log));
    this.#closers.push(() => this.#declaration.close());
    await this.#declaration.start();
    const sealing = { store: this.#store, node: this.#node, keyring: this.#keyring, clock, log };
    this.#closers.push(await saySealing(sealing));
    const person = await this.#openPersonDoor();
    await this.#feed.listen();
    this.#closers.push(() => this.#feed.close());
    this.#fleet.start();
    this.#closers.push(() => this.#fleet.close());
    const entries = new EntryRules({
      store: this.#store,
      clock: this.#options.clock,
      ...this.#options.config.limits,
    });
    const whitelist = this.#openWhitelist(person, entries);
    await this.#openPages(person, whitelist, entries);
    await this.#openAdmin(person, whitelist);
  }

  get adminAddress(): AddressInfo {
    const address = this.#admin?.server.address();
    if (address === null || address === undefined || typeof address === "string")
      throw new Error("control is not open");
    return address;
  }

  declare(tenants: readonly DeclaredTenant[]): Promise<void> {
    return this.#declaration.declare(tenants);
  }

  async close(): Promise<void> {
    for (const close of this.#closers.reverse()) await close();
    this.#closers.length = 0;
    this.#policy.closeSnapshot();
  }

  get #door(): NodePersonDoor {
    if (this.#person === undefined) throw new SallyportError("not_ready", "control is not open");
    return this.#person;
  }

  /** Closes after the feed, which reports the last uses of sessions. */
  async #openPersonDoor(): Promise<NodePersonDoor> {
    const { config, development, clock, log } = this.#options;
    const { mail, sms, publicUrl } = config;
    const person = await NodePersonDoor.open({
      store: this.#store,
      ledger: this.#ledger,
      keyring: this.#keyring,
      replica: this.#policy.replica,
      mail,
      sms,
      publicUrl,
      development,
      clock,
      log,
    });
    this.#person = person;
    this.#closers.push(() => person.close());
    return person;
  }

  async #openPages(door: NodePersonDoor, whitelist: Whitelist, entries: EntryRules): Promise<void> {
    const { rules: person, textMessages } = door;
    const { socketDir, clock, log } = this.#options;
    const pagesOf = { person, textMessages, waysBack: new WaysBack(this.#keyring, clock) };
    const store = this.#store;
    const { replica } = this.#policy;
    const places: PlacePages = {
      ...pagesOf,
      whitelist,
      entries,
      store,
      sendsMail: door.outbox.enabled,
      inForce: async () => {
        await this.#fleet.waitApplied((await store.head()).revision, PAGE_PATIENCE_MS);
      },
      explain: this.#explainer(door),
      clinicsOf: (session, address) => findOwnClinics(store, replica.tenants(), session, address, clock.nowMs()),
    };
    const turns = new PageTurns(clock, () => this.#metrics.pageRefusal());
    const pages = await startPages({
      socketPath: join(socketDir, "pages.sock"),
      tenant: (id) => this.#policy.replica.tenant(id),
      routes: [...personRoutes(pagesOf), ...placeRoutes(places)],
      keyring: this.#keyring,
      clock,
      log,
      takeTurn: (tenant, address) => turns.take(tenant, address),
    });
    this.#closers.push(() => pages.close());
  }

  async #openAdmin(person: NodePersonDoor, whitelist: Whitelist): Promise<void> {
    const { config, secrets, clock, log } = this.#options;
    this.#admin = await createAdminApi(
      {
        store: this.#store,
        ledger: this.#ledger,
        keyring: this.#keyring,
        clock,
        log,
        metrics: this.#metrics,
        adminKey: secrets.adminKey,
        limits: config.limits,
        ownedKinds: [...OWNED_KINDS, ...OBSERVED_KINDS, ...WHITELIST_KINDS],
        person: person.rules,
        whitelist,
        siteOrigin: person.siteOrigin,
        sendsMail: person.outbox.enabled,
        explain: this.#explainer(person),
        edges: () => this.#fleet.edges(),
        waitApplied: (revision, timeoutMs) => this.#fleet.waitApplied(revision, timeoutMs),
        readiness: () => this.#policy.readiness(this.#feed.listeningEdges, this.#store.refusesWrites),
      },
      { ...config.admin, version: productVersion() },
    );
    this.#closers.push(() => this.#admin?.close());
  }

  #explainer(door: NodePersonDoor): AdminDependencies["explain"] {
    const { follower, replica } = this.#policy;
    const person = (tenant: TenantId, who: string) => door.explain(tenant, who);
    const explainer = { store: this.#store, follower, replica, clock: this.#options.clock, person };
    return (tenant, request) => explainRequest(explainer, tenant, request);
  }

  #openWhitelist({ rules, outbox, siteOrigin }: NodePersonDoor, entries: EntryRules): Whitelist {
    const { clock, log } = this.#options;
    const users = directoryOf(rules.users, this.#store);
    const [store, ledger, keyring] = [this.#store, this.#ledger, this.#keyring];
    const options = { store, ledger, keyring, clock, entries, outbox, users, siteOrigin };
    const whitelist = openWhitelist(options);
    const onFailing = (count: number) => this.#metrics.namesFailing(count);
    const resolver = new NameResolver({ ...options, names: whitelist.names, dns: dnsLookup(), log, onFailing });
    resolver.start();
    this.#closers.push(() => resolver.stop());
    return whitelist;
  }
}
