/** What a tenant is, and the defaults of its policy. Shapes on the wire: `src/schema/tenant.ts`. */
import type { CanonicalHost, TenantId } from "./ids.ts";

export type Factor = "totp" | "passkey" | "sms";

/** A request that needs neither door: this path exactly (no query, no decoding) with one of these methods. */
export interface Exemption {
  readonly path: string;
  readonly methods: readonly string[];
}

export interface SessionPolicy {
  /** Seconds without a request until a session ends. */
  readonly idleSeconds: number;
  /** Seconds until a session ends whatever happens. */
  readonly maxSeconds: number;
  /** Seconds that a remembered device skips the factor; 0: never. */
  readonly rememberDeviceSeconds: number;
}

export interface Policy {
  readonly network: "enforce" | "observe" | "off";
  readonly secondFactor: "required" | "off";
  readonly combine: "all" | "any";
  readonly firstFactor: "password" | "none";
  readonly factors: readonly Factor[];
  readonly session: SessionPolicy;
  readonly selfAllow: "owner" | "user" | "nobody";
  readonly exempt: readonly Exemption[];
  /** Origins, besides the tenant's own hosts, whose pages may open a WebSocket. */
  readonly webSocketOrigins: readonly string[];
  /** What opening a shortcut takes: a click, nothing more (`auto`), or the second factor where the network is new. */
  readonly shortcut: "click" | "auto" | "factor-on-new-network";
}

export const DEFAULT_POLICY: Policy = {
  network: "enforce",
  secondFactor: "required",
  combine: "all",
  firstFactor: "password",
  factors: ["totp", "passkey", "sms"],
  session: { idleSeconds: 60 * 60, maxSeconds: 12 * 60 * 60, rememberDeviceSeconds: 0 },
  selfAllow: "owner",
  exempt: [],
  webSocketOrigins: [],
  shortcut: "click",
};

/** What is taken where nothing is asked for, and the most that may be asked for. */
export interface Allowance {
  readonly default: number;
  readonly max: number;
}

/** How long what comes by itself may last, in seconds, and how much of it there may be. */
export interface TenantLimits {
  /** Allowlist entries, where fewer than the installation allows. */
  readonly entries?: number;
  readonly linkTtl: Allowance;
  readonly linkUses: Allowance;
  readonly linkEntryTtl: Allowance;
  readonly selfEntryTtl: Allowance;
  /** A shortcut ends when it is not used for so long, and its entry with it. */
  readonly shortcutIdle: Allowance;
}

const DAY = 86_400;
export const DEFAULT_LIMITS: TenantLimits = {
  linkTtl: { default: 7 * DAY, max: 90 * DAY },
  linkUses: { default: 1, max: 100 },
  linkEntryTtl: { default: 90 * DAY, max: 365 * DAY },
  selfEntryTtl: { default: 90 * DAY, max: 365 * DAY },
  shortcutIdle: { default: 90 * DAY, max: 365 * DAY },
};

/** Hosts of the tenant that have addresses of one family alone, by which a page reaches a visitor's other address. */
export interface AltHosts {
  readonly ipv4?: CanonicalHost;
  readonly ipv6?: CanonicalHost;
}

/** How the tenant's pages look; texts are plain, never HTML. */
export interface Branding {
  /** `#rrggbb`. */
  readonly accent?: string;
  /** A `data:image/png|svg+xml|jpeg|webp;base64,` URL of at most 64 KiB, so that no page loads from a third party. */
  readonly logo?: string;
  readonly supportEmail?: string;
  readonly supportPhone?: string;
}

export interface Tenant {
  readonly id: TenantId;
  readonly name: string;
  readonly hosts: readonly CanonicalHost[];
  /** Origins (`http://host:port` or `https://host:port`), all serving the same application. */
  readonly upstreams: readonly string[];
  readonly policy: Policy;
  readonly branding: Branding;
  readonly altHosts?: AltHosts;
  /** Absent: {@link DEFAULT_LIMITS}. */
  readonly limits?: TenantLimits;
  /** Who writes to people: the gate (where absent), or the operator's own portal. */
  readonly mail?: "gateway" | "own";
  /** Declared in the configuration file and therefore read-only in the API. */
  readonly declared: boolean;
}

/** Documents that concern tenants, and how their ids are built. */
export const TENANT_KIND = "tenant";
/** `host/{canonical host}` → `{tenant}`; its existence is what keeps a host with one tenant. */
export const HOST_KIND = "host";
