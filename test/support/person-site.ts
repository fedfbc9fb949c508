/** A clinic behind both doors, with real parts: store, follower, pages, edge, mail and text messages on loopback, and an application that says who came. */
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decodeJwt } from "jose";
import type { Test } from "tap";
import type { TlsFiles } from "../../src/config/settings.ts";
import { systemClock } from "../../src/core/clock.ts";
import { syncDeclaredTenants } from "../../src/core/declared-tenants.ts";
import type { CanonicalHost, TenantId } from "../../src/core/ids.ts";
import { Keyring } from "../../src/core/keyring.ts";
import type { Store } from "../../src/core/store.ts";
import { type Branding, DEFAULT_POLICY, type Policy, type Tenant } from "../../src/core/tenant.ts";
import { startEdge } from "../../src/edge/edge.ts";
import { SessionDirectory } from "../../src/edge/sessions.ts";
import { Tally } from "../../src/edge/tally.ts";
import { openMailTransport } from "../../src/notify/mail-transport.ts";
import { openSmsProvider } from "../../src/notify/open-sms.ts";
import { Outbox } from "../../src/notify/outbox.ts";
import { OutboxWorker } from "../../src/notify/outbox-worker.ts";
import { Ledger } from "../../src/observe/ledger.ts";
import { personRoutes } from "../../src/pages/person-routes.ts";
import type { Route } from "../../src/pages/route.ts";
import { type PagesOptions, startPages } from "../../src/pages/server.ts";
import { WaysBack } from "../../src/pages/way-back.ts";
import { openPersonDoor, type PersonDoor } from "../../src/person/door.ts";
import { PasswordHasher } from "../../src/person/password-hash.ts";
import { Follower } from "../../src/replica/follower.ts";
import { PolicyReplica } from "../../src/replica/policy.ts";
import { openStore } from "../../src/store/open.ts";
import { TIMEOUTS } from "./forward-edge.ts";
import { API, CHEAP, SMS_RULES } from "./person-door.ts";
import { SILENT } from "./silent-log.ts";
import { type SmtpServer, startSmtp } from "./smtp.ts";
import { ACCOUNT_SID, AUTH_TOKEN, startTwilio, type TwilioServer } from "./twilio.ts";

export interface PersonSiteOptions {
  readonly policy?: Partial<Policy>;
  readonly branding?: Branding;
  /** Browsers take every name under `localhost` for a secure context, on which passkeys work without TLS. */
  readonly host?: string;
  readonly tls?: TlsFiles;
  /** How often a network may ask; as often as it likes unless the test says otherwise. */
  readonly takeTurn?: PagesOptions["takeTurn"];
}

export interface PersonSite {
  /** As a browser sees it. */
  readonly origin: string;
  readonly tenant: Tenant;
  readonly door: PersonDoor;
  readonly store: Store;
  readonly routes: readonly Route[];
  readonly keyring: Keyring;
  readonly mails: SmtpServer;
  readonly texts: TwilioServer;
  /** Takes control away, as if its process had ended. */
  stopPages(): Promise<void>;
}

const LIMITS = { headerBytes: 32_768, headerCount: 200, targetBytes: 16_384, connections: 1_000 };
const SESSION_SECONDS = 30;

/** Starts it; it ends with the test. The person door is shut, the location door is off unless the policy says otherwise. */
export async function startPersonSite(t: Test, options: PersonSiteOptions = {}): Promise<PersonSite> {
  const folder = mkdtempSync(join(tmpdir(), "sallyport-"));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const clock = systemClock;
  const log = SILENT;
  const store = await openStore(`sqlite:${join(folder, "site.db")}`, { clock, log });
  t.teardown(() => store.close());
  const keyring = new Keyring([new Uint8Array(32).fill(9)]);
  const ledger = new Ledger({ store, keyring, chain: "site", clock });
  const replica = new PolicyReplica(900_000);
  const follower = new Follower({ store, replica, clock, log });
  await follower.start();
  t.teardown(() => follower.close());
  const application = await startApplication(t);
  const tenant = tenantOf(options, application);
  await syncDeclaredTenants(store, ledger, [tenant]);
  await follower.reached((await store.head()).revision);

  const [mails, texts] = [await startSmtp(t), await startTwilio(t)];
  const settings = {
    transport: "smtp",
    from: "gate@sallyport.example",
    senderName: "{tenant}",
    smtp: { host: "127.0.0.1", port: mails.port, security: "none" },
  } as const;
  const outbox = new Outbox(settings, keyring);
  const transport = await openMailTransport(settings);
  if (transport === undefined) throw new Error("mail is off");
  const worker = new OutboxWorker({ store, outbox, transport, clock, log });
  worker.start();
  t.teardown(() => worker.stop());
  const smsProvider = await openSmsProvider(
    {
      provider: "twilio",
      twilio: { accountSid: ACCOUNT_SID, authToken: AUTH_TOKEN, baseUrl: texts.baseUrl, timeoutMs: 5_000 },
      sender: { from: "+447700900999" },
    },
    { development: false },
  );
  let origin = "";
  const hasher = new PasswordHasher(CHEAP);
  const door = openPersonDoor({
    ...{ store, ledger, keyring, clock, log, outbox, smsProvider, hasher },
    smsRules: SMS_RULES,
    siteOrigin: () => origin,
  });
  t.teardown(() => door.settle());

  const pagesSocket = join(folder, "pages.sock");
  const routes = personRoutes({ person: door, textMessages: true, waysBack: new WaysBack(keyring, clock) });
  const findTenant = (id: TenantId) => replica.tenant(id);
  const takeTurn = options.takeTurn ?? (() => 0);
  const pages = await startPages({
    socketPath: pagesSocket,
    tenant: findTenant,
    routes,
    keyring,
    clock,
    log,
    takeTurn,
  });
  t.teardown(() => pages.close());
  const host = tenant.hosts[0] as CanonicalHost;
  const sessions = new SessionDirectory({
    lookup: async (_tenant, hash) => {
      const session = await door.sessions.lookup(tenant, hash);
      if (session === undefined) return undefined;
      const { token, untilMs } = await door.assertions.forSession(session, host);
      return { ...session, assertion: token, assertionUntilMs: untilMs };
    },
    clock,
    log,
    leaseMs: SESSION_SECONDS * 1000,
    capacity: 1_000,
  });
  const edge = await startEdge({
    config: {
      listen: [
        {
          host: "127.0.0.1",
          port: 0,
          proxyProtocol: false,
          ...(options.tls === undefined ? {} : { tls: [options.tls] }),
        },
      ],
      workers: 0,
      cpuAffinity: "off",
      trustedProxies: [],
      drainSeconds: 1,
      limits: { ...LIMITS, connectionsPerAddress: 0 },
      timeouts: TIMEOUTS,
      upstream: { keepAliveSeconds: 30, maxConnections: 64 },
    },
    staleness: { allowlistSeconds: 900, sessionSeconds: SESSION_SECONDS },
    replica,
    pagesSocket,
    tally: new Tally(),
    sessions,
    clock,
    log,
  });
  t.teardown(() => edge.close());
  origin = `${options.tls === undefined ? "http" : "https"}://${host}:${edge.addresses[0]?.port}`;
  const stopPages = async (): Promise<void> => {
    await pages.close();
  };
  return { origin, tenant, door, store, routes, keyring, mails, texts, stopPages };
}

/** A user without a password, invited by mail. @returns the link in that mail */
export async function invite(site: PersonSite, email: string): Promise<string> {
  const user = await site.door.users.create(site.tenant, { email, role: "owner" }, API);
  return (await site.door.invitations.invite(site.tenant, user.id, API)).link;
}

function tenantOf(
  { policy, branding = {}, host = "happyfeet.localhost" }: PersonSiteOptions,
  upstream: string,
): Tenant {
  return {
    id: "happy-feet" as TenantId,
    name: "Happy Feet Podiatry",
    hosts: [host as CanonicalHost],
    upstreams: [upstream],
    policy: { ...DEFAULT_POLICY, network: "off", ...policy },
    branding,
    declared: true,
  };
}

/** Says who came: what the assertion states, and the cookies that reached it. */
async function startApplication(t: Test): Promise<string> {
  const server = createServer((request, response) => {
    const assertion = String(request.headers["sallyport-assertion"] ?? "");
    const who = assertion === "" ? {} : decodeJwt(assertion);
    const body = `<title>Patients</title><pre>${JSON.stringify({ path: request.url, cookie: request.headers.cookie, ...who })}</pre>`;
    response.writeHead(200, { "content-type": "text/html" }).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.teardown(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
