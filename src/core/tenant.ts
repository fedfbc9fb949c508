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
};

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
  /** Declared in the configuration file and therefore read-only in the API. */
  readonly declared: boolean;
}

/** Documents that concern tenants, and how their ids are built. */
export const TENANT_KIND = "tenant";
/** `host/{canonical host}` → `{tenant}`; its existence is what keeps a host with one tenant. */
export const HOST_KIND = "host";
