/** What a loaded configuration is: complete, checked and immutable. Everybody receives only the part that concerns them. */
import type { Tenant } from "../core/tenant.ts";
import type { MailSettings, SmsLimits, SmsSettings } from "../notify/settings.ts";

/** PEM files. The certificate file holds the leaf first, then its chain. */
export interface TlsFiles {
  readonly cert: string;
  readonly key: string;
  /** The server names it is for; without them, those of the certificate. */
  readonly hosts?: readonly string[];
}

/** Where to listen: a numeric address and a port; port 0 takes any free one. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
  /** A socket that is already bound there, inherited from the supervisor. Never from the file. */
  readonly fd?: number;
}

export interface ListenerConfig extends Endpoint {
  /** Several per listener, chosen by server name (SNI). */
  readonly tls?: readonly TlsFiles[];
  /** Every connection must start with a PROXY header, and come from a trusted proxy. */
  readonly proxyProtocol: boolean;
}

export interface EdgeLimits {
  /** The request line and the header fields together; above: 431. */
  readonly headerBytes: number;
  readonly headerCount: number;
  /** The request target; above: 414. */
  readonly targetBytes: number;
  /** Per worker. */
  readonly connections: number;
  /** Per worker; 0: unlimited. */
  readonly connectionsPerAddress: number;
}

export interface EdgeTimeouts {
  readonly headersSeconds: number;
  /** A request body makes no progress. */
  readonly requestIdleSeconds: number;
  readonly keepAliveSeconds: number;
  /** The client reads nothing. */
  readonly writeIdleSeconds: number;
  readonly connectSeconds: number;
  readonly responseHeadersSeconds: number;
  readonly responseIdleSeconds: number;
  readonly tunnelIdleSeconds: number;
}

/** All that an edge process is told besides its sockets: nothing in it is secret. */
export interface EdgeConfig {
  readonly listen: readonly ListenerConfig[];
  /** Edge processes; 0: everything in one process. */
  readonly workers: number;
  /** Whether edge processes have processors of their own where there are enough. */
  readonly cpuAffinity: "auto" | "off";
  /** Canonical prefixes; never one that covers everything. */
  readonly trustedProxies: readonly string[];
  /** The edges' own health listener. */
  readonly healthListen?: Endpoint;
  /** How long requests in flight may take to end when an edge stops. */
  readonly drainSeconds: number;
  readonly limits: EdgeLimits;
  readonly timeouts: EdgeTimeouts;
  readonly upstream: {
    /** A PEM file of authorities trusted besides the system's. */
    readonly ca?: string;
    readonly keepAliveSeconds: number;
    /** Per upstream and worker. */
    readonly maxConnections: number;
  };
}

export interface AdminConfig extends Endpoint {
  readonly allowCleartext: boolean;
  readonly tls?: TlsFiles;
}

export interface StalenessConfig {
  /** How long the last known allowlists decide while the store is away. */
  readonly allowlistSeconds: number;
  /** How long a looked-up session is believed without asking again. */
  readonly sessionSeconds: number;
}

/** A tenant as the configuration file declares it; read-only in the API. */
export type DeclaredTenant = Omit<Tenant, "declared">;

export type LogLevel = "trace" | "debug" | "info" | "warn" | "error" | "fatal";

export interface Config {
  /** Absolute. */
  readonly dataDir: string;
  /** `url` may carry a password: it never reaches an edge or a log. */
  readonly store: { readonly url: string };
  /** How browsers reach a tenant's host: `https://{host}`, perhaps with a port. */
  readonly publicUrl: string;
  readonly edge: EdgeConfig;
  /** With the mail server's password, and with Twilio's token: like the store's URL they never reach an edge or a log. */
  readonly mail: MailSettings;
  readonly sms: SmsSettings & { readonly limits: SmsLimits };
  readonly admin: AdminConfig;
  readonly staleness: StalenessConfig;
  readonly limits: { readonly entriesPerTenant: number };
  readonly tenants: readonly DeclaredTenant[];
  readonly log: { readonly level: LogLevel };
}

/** What others know us by, settled into the parts of {@link Config} that speak to them. */
export interface Credentials {
  readonly smtpPassword?: string;
  readonly twilioAuthToken?: string;
}

/** Our own keys, staged apart from {@link Config}. */
export interface Secrets {
  /** The bootstrap key of the admin API, 32 characters or more. */
  readonly adminKey?: string;
  /** 32 bytes: seals what is secret in the store. */
  readonly secretKey?: Buffer;
  /** Keys of before a rotation: they open, and never seal. */
  readonly olderSecretKeys?: readonly Buffer[];
}
