/** The admin API's types, generated from /openapi.json by generate-types.ts; not to be edited. */
// biome-ignore-all format: generated

export type Tenant = {
  /** Lower-case letters, digits and hyphens, as in a DNS label; never changes. */
  readonly id: string;
  /** The clinic's name, as its staff know it; shown on pages and in the authenticator app. */
  readonly name: string;
  /** DNS names that belong to this tenant alone. */
  readonly hosts: readonly (string)[];
  /** Origins such as http://10.0.0.5:9000, all serving the same application. */
  readonly upstreams: readonly (string)[];
  readonly policy: {
    /** The location door; observe only logs and counts. */
    readonly network: "enforce" | "observe" | "off";
    /** The person door. */
    readonly secondFactor: "required" | "off";
    /** any: an allowlisted location or a verified session is enough. */
    readonly combine: "all" | "any";
    /** none: the application behind has its own password. */
    readonly firstFactor: "password" | "none";
    /** The factors that people may enrol and prove themselves by; sms only beside a stronger one. Without one that was proven, a session ends at once. */
    readonly factors: readonly ("totp" | "passkey" | "sms")[];
    readonly session: {
      /** Without a request, the session ends. */
      readonly idle?: string | number;
      /** The session ends, whatever happens. */
      readonly max?: string | number;
      /** A remembered device skips the factor; 0: never. */
      readonly rememberDevice?: string | number;
    };
    /** Who may add the place they stand in. */
    readonly selfAllow: "owner" | "user" | "nobody";
    /** Exact paths that need neither door. */
    readonly exempt: readonly ({
      readonly path: string;
      readonly methods: readonly ("GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE" | "OPTIONS")[];
    })[];
    /** Origins, besides the tenant's own, whose pages may open a WebSocket. */
    readonly webSocketOrigins: readonly (string)[];
    /** What opening a shortcut takes. */
    readonly shortcut: "click" | "auto" | "factor-on-new-network";
  };
  readonly branding: {
    readonly accent?: string;
    readonly logo?: string;
    readonly supportEmail?: string;
    readonly supportPhone?: string;
  };
  /** Hosts of this tenant with addresses of one family alone: one click enrols both. */
  readonly altHosts?: {
    readonly ipv4?: string;
    readonly ipv6?: string;
  };
  readonly limits?: {
    /** Allowlist entries, where fewer than limits.entriesPerTenant of the configuration. */
    readonly entries?: number;
    /** How long a link can be used. */
    readonly linkTtl?: {
      /** Where nothing is asked for. */
      readonly default?: string | number;
      /** The most that may be asked for. */
      readonly max?: string | number;
    };
    /** How many places one link can admit. */
    readonly linkUses?: {
      readonly default?: number;
      readonly max?: number;
    };
    /** How long a place that a link admitted stays admitted. */
    readonly linkEntryTtl?: {
      /** Where nothing is asked for. */
      readonly default?: string | number;
      /** The most that may be asked for. */
      readonly max?: string | number;
    };
    /** How long a place that a person added stays admitted. */
    readonly selfEntryTtl?: {
      /** Where nothing is asked for. */
      readonly default?: string | number;
      /** The most that may be asked for. */
      readonly max?: string | number;
    };
    /** A shortcut ends when it is not used for so long, its entry with it. */
    readonly shortcutIdle?: {
      /** Where nothing is asked for. */
      readonly default?: string | number;
      /** The most that may be asked for. */
      readonly max?: string | number;
    };
  };
  /** own: the gate sends no links and requests by e-mail; the portal backend does. */
  readonly mail?: "gateway" | "own";
  /** Only where it is declared in the configuration file, and read-only here. */
  readonly declared?: true;
  readonly revision: number;
};

export type Entry = {
  readonly id: string;
  /** Canonical. */
  readonly cidr: string;
  readonly label: string;
  readonly kind: "static" | "link" | "shortcut" | "self" | "dns";
  /** key:{id}, user:{id}, link:{id}, shortcut:{id}, config or break-glass. */
  readonly createdBy: string;
  readonly createdAt: string;
  readonly expiresAt?: string;
  /** The link, shortcut or name that it came from. */
  readonly sourceId?: string;
  /** When it last admitted somebody, to the minute. */
  readonly lastSeenAt?: string;
  readonly revision: number;
};

export type Difference = {
  readonly dryRun: boolean;
  readonly added: readonly ({
    readonly id: string;
    /** Canonical. */
    readonly cidr: string;
    readonly label: string;
    readonly kind: "static" | "link" | "shortcut" | "self" | "dns";
    /** key:{id}, user:{id}, link:{id}, shortcut:{id}, config or break-glass. */
    readonly createdBy: string;
    readonly createdAt: string;
    readonly expiresAt?: string;
    /** The link, shortcut or name that it came from. */
    readonly sourceId?: string;
    /** In a dry run: the present one of an entry that is there. After a replacement, what was added or changed has the answer's. */
    readonly revision?: number;
  })[];
  readonly removed: readonly ({
    readonly id: string;
    /** Canonical. */
    readonly cidr: string;
    readonly label: string;
    readonly kind: "static" | "link" | "shortcut" | "self" | "dns";
    /** key:{id}, user:{id}, link:{id}, shortcut:{id}, config or break-glass. */
    readonly createdBy: string;
    readonly createdAt: string;
    readonly expiresAt?: string;
    /** The link, shortcut or name that it came from. */
    readonly sourceId?: string;
    /** In a dry run: the present one of an entry that is there. After a replacement, what was added or changed has the answer's. */
    readonly revision?: number;
  })[];
  readonly changed: readonly ({
    readonly id: string;
    /** Canonical. */
    readonly cidr: string;
    readonly label: string;
    readonly kind: "static" | "link" | "shortcut" | "self" | "dns";
    /** key:{id}, user:{id}, link:{id}, shortcut:{id}, config or break-glass. */
    readonly createdBy: string;
    readonly createdAt: string;
    readonly expiresAt?: string;
    /** The link, shortcut or name that it came from. */
    readonly sourceId?: string;
    /** In a dry run: the present one of an entry that is there. After a replacement, what was added or changed has the answer's. */
    readonly revision?: number;
  })[];
  readonly unchanged: number;
  readonly counts: {
    readonly added: number;
    readonly removed: number;
    readonly changed: number;
  };
  /** Not all of the differences are listed; counts has their numbers. */
  readonly truncated: boolean;
  /** In a dry run: the list itself would be refused with this code, the first that applies. */
  readonly refusedBy?: "lockout_refused" | "confirmation_required" | "entry_limit";
  /** Of the list as a whole. */
  readonly revision: number;
};

export type ImportResult = {
  /** How many entries were added. */
  readonly imported: number;
  readonly revision: number;
};

export type Name = {
  readonly id: string;
  readonly hostname: string;
  readonly label: string;
  readonly kind: "dns";
  /** key:{id} or user:{id}. */
  readonly createdBy: string;
  readonly createdAt: string;
  readonly expiresAt?: string;
  readonly allowPrivate: boolean;
  /** What it points to now: one entry for each network. */
  readonly entries: readonly ({
    readonly id: string;
    readonly cidr: string;
  })[];
  /** Until then they last if no answer comes. */
  readonly entriesUntil?: string;
  readonly state: "pending" | "good" | "failing";
  /** The last good answer. */
  readonly resolvedAt?: string;
  readonly failingSince?: string;
  readonly error?: string;
  /** When it is asked for next. */
  readonly nextAt: string;
  readonly revision: number;
};

export type Link = {
  readonly id: string;
  readonly label: string;
  readonly recipient?: string;
  /** key:{id} or user:{id}. */
  readonly createdBy: string;
  readonly createdAt: string;
  /** Until then it can be used. */
  readonly expiresAt: string;
  readonly maxUses: number;
  readonly entryTtlSeconds: number;
  /** Canonical. */
  readonly allowedNetwork?: string;
  /** How many networks it admitted. */
  readonly useCount: number;
  readonly lastUsedAt?: string;
  readonly revision: number;
};

export type LinkWithUses = {
  readonly id: string;
  readonly label: string;
  readonly recipient?: string;
  /** key:{id} or user:{id}. */
  readonly createdBy: string;
  readonly createdAt: string;
  /** Until then it can be used. */
  readonly expiresAt: string;
  readonly maxUses: number;
  readonly entryTtlSeconds: number;
  /** Canonical. */
  readonly allowedNetwork?: string;
  /** How many networks it admitted. */
  readonly useCount: number;
  readonly lastUsedAt?: string;
  /** The latest first. */
  readonly uses: readonly ({
    readonly id: string;
    /** What was admitted. */
    readonly cidr: string;
    /** From where it was used last. */
    readonly address: string;
    readonly userAgent: string;
    readonly firstAt: string;
    readonly lastAt: string;
    /** How often; more than once from one network is one use. */
    readonly clicks: number;
    /** The allowlist entry. */
    readonly entry: string;
    /** The address of the other family, admitted in the same click. */
    readonly companion?: {
      readonly entry: string;
      readonly cidr: string;
      readonly address: string;
    };
    /** What it admitted was taken back before its time, by whatever way; the link admits this network no more. */
    readonly removedAt?: string;
  })[];
  readonly revision: number;
};

export type NewLink = {
  readonly id: string;
  readonly label: string;
  readonly recipient?: string;
  /** key:{id} or user:{id}. */
  readonly createdBy: string;
  readonly createdAt: string;
  /** Until then it can be used. */
  readonly expiresAt: string;
  readonly maxUses: number;
  readonly entryTtlSeconds: number;
  /** Canonical. */
  readonly allowedNetwork?: string;
  /** How many networks it admitted. */
  readonly useCount: number;
  readonly lastUsedAt?: string;
  /** Opens the page of one click that lets whoever has it in; shown this once. */
  readonly url: string;
  /** The gate sends it to the recipient. */
  readonly mailed: boolean;
  readonly revision: number;
};

export type Shortcut = {
  readonly id: string;
  readonly label: string;
  readonly user?: string;
  /** key:{id} or user:{id}. */
  readonly createdBy: string;
  readonly createdAt: string;
  readonly idleSeconds: number;
  /** When it ends unless it is used. */
  readonly expiresAt: string;
  readonly runs: number;
  /** When and from where it ran last. */
  readonly lastRun?: {
    readonly at: string;
    readonly address: string;
    readonly cidr: string;
    readonly userAgent: string;
  };
  /** The entries that it holds now: one for each address family. */
  readonly entries: readonly (string)[];
  readonly revision: number;
};

export type NewShortcut = {
  readonly id: string;
  readonly label: string;
  readonly user?: string;
  /** key:{id} or user:{id}. */
  readonly createdBy: string;
  readonly createdAt: string;
  readonly idleSeconds: number;
  /** When it ends unless it is used. */
  readonly expiresAt: string;
  readonly runs: number;
  /** When and from where it ran last. */
  readonly lastRun?: {
    readonly at: string;
    readonly address: string;
    readonly cidr: string;
    readonly userAgent: string;
  };
  /** The entries that it holds now: one for each address family. */
  readonly entries: readonly (string)[];
  /** Runs it, by its page or by a POST; shown this once. */
  readonly url: string;
  readonly revision: number;
};

export type AccessRequest = {
  readonly id: string;
  readonly address: string;
  /** What an approval admits. */
  readonly cidr: string;
  readonly userAgent: string;
  /** Who they say they are; nothing proves it. */
  readonly from: string;
  readonly note: string;
  /** Of the block page. */
  readonly reference?: string;
  readonly firstAt: string;
  readonly lastAt: string;
  /** How often it was asked. */
  readonly count: number;
  readonly state: "open" | "approved" | "dismissed";
  readonly decidedAt?: string;
  /** key:{id} or user:{id}. */
  readonly decidedBy?: string;
  /** The allowlist entry that the approval made. */
  readonly entry?: string;
  readonly revision: number;
};

export type Denial = {
  /** What the page showed. */
  readonly reference: string;
  readonly at: string;
  readonly address: string;
  readonly method: string;
  /** Without query and tokens. */
  readonly path: string;
  /** observed: let pass only because the tenant observes. */
  readonly reason: string;
};

export type PlacesReport = {
  readonly days: number;
  /** Those with the most first. */
  readonly items: readonly ({
    /** What would have to be admitted. */
    readonly cidr: string;
    /** The latest. */
    readonly address: string;
    /** Requests; at least so many. */
    readonly count: number;
    readonly firstAt: string;
    readonly lastAt: string;
    readonly lastReference: string;
    readonly lastPath: string;
  })[];
  /** How many places there are; items may be fewer. */
  readonly total: number;
};

export type ActivityReport = {
  /** The oldest first, today last. */
  readonly items: readonly ({
    /** In UTC. */
    readonly day: string;
    readonly admitted: number;
    readonly blocked: number;
    /** Sent to the sign-in. */
    readonly signIn: number;
    /** Of those admitted: only because the tenant observes. */
    readonly observed: number;
  })[];
};

export type User = {
  readonly id: string;
  readonly email: string;
  readonly name?: string;
  /** owner: may manage the tenant's users and allowlist on the portal. */
  readonly role: "owner" | "user";
  readonly state: "invited" | "active" | "disabled" | "locked";
  readonly factors: readonly ({
    readonly id: string;
    readonly kind: "totp" | "sms" | "passkey" | "recovery";
    readonly name: string;
    readonly createdAt: string;
    readonly lastUsedAt?: string;
  })[];
  readonly signIn: {
    readonly possible: boolean;
    /** Why this person cannot sign in. */
    readonly reasons: readonly ("disabled" | "locked" | "waiting" | "no-password" | "no-usable-factor" | "not-enrolled")[];
    /** Failed attempts with this login that no sign-in from there has followed yet. */
    readonly failures?: {
      readonly count: number;
      readonly since?: string;
      /** Before it, whoever failed like that is not judged. */
      readonly waitUntil?: string;
    };
  };
  readonly createdAt: string;
  readonly lastSignInAt?: string;
  /** Of what is managed here; factors, locks and sign-ins do not move it. */
  readonly revision: number;
};

export type Invitation = {
  /** For the person alone: whoever has it sets the password. */
  readonly link: string;
  readonly expiresAt: string;
  /** Whether it goes to them by mail; otherwise deliver it. */
  readonly mailed: boolean;
};

export type SignInTicket = {
  /** Send the person's browser there, on the tenant's first host. Good once. */
  readonly url: string;
  /** For /.sallyport/ticket/{token} on another of its hosts. */
  readonly token: string;
  readonly expiresAt: string;
};

export type Session = {
  readonly id: string;
  /** The user's id. */
  readonly user: string;
  readonly email: string;
  /** How the person signed in (RFC 8176). */
  readonly amr: readonly (string)[];
  readonly createdAt: string;
  /** Its last request, to some seconds. */
  readonly lastSeenAt: string;
  /** Where it began. */
  readonly address: string;
  /** The browser in which it began. */
  readonly userAgent: string;
  /** Ends then at the latest; when idle, before. */
  readonly expiresAt: string;
};

export type Mail = {
  readonly id: string;
  /** What it tells. */
  readonly notice: string;
  /** Masked. */
  readonly to: string;
  /** dead: given up; it can be tried again. */
  readonly state: "queued" | "sent" | "dead";
  readonly attempts: number;
  readonly lastError?: string;
  readonly createdAt: string;
  /** When it is tried next. */
  readonly dueAt?: string;
  /** When it was sent or given up. */
  readonly settledAt?: string;
  /** After that its link is of no use. */
  readonly expiresAt: string;
};

export type Key = {
  readonly id: string;
  readonly label: string;
  /** The one tenant that it is for; every tenant without. */
  readonly tenant?: string;
  /** read: GET alone. write: everything within its scope. */
  readonly access: "read" | "write";
  readonly createdBy: string;
  readonly createdAt: string;
  readonly expiresAt?: string;
  readonly lastUsedAt?: string;
  readonly revision: number;
};

export type NewKey = {
  readonly id: string;
  readonly label: string;
  /** The one tenant that it is for; every tenant without. */
  readonly tenant?: string;
  /** read: GET alone. write: everything within its scope. */
  readonly access: "read" | "write";
  readonly createdBy: string;
  readonly createdAt: string;
  readonly expiresAt?: string;
  readonly lastUsedAt?: string;
  readonly revision: number;
  /** Shown this once. Send it as Authorization: Bearer. */
  readonly token: string;
};

export type AuditRecord = {
  /** The node that wrote it. */
  readonly chain: string;
  /** 1, 2, 3 … within the chain. */
  readonly seq: number;
  readonly at: string;
  readonly action: string;
  readonly tenant?: string;
  readonly actor: {
    readonly kind: "key" | "user" | "link" | "shortcut" | "system" | "cli";
    readonly id: string;
    readonly address?: string;
  };
  readonly requestId?: string;
  readonly target?: string;
  readonly before?: unknown;
  readonly after?: unknown;
  readonly prevHash: string;
  /** SHA-256, in hex, of the record's canonical JSON without this field. */
  readonly hash: string;
};

export type ChainHead = {
  /** The node that writes it. */
  readonly chain: string;
  /** The seq of the chain's last record. */
  readonly length: number;
  /** The hash of the chain's last record. */
  readonly hash: string;
  /** Whether the head's seal opens with the installation's key. */
  readonly genuine: boolean;
};

export type Explanation = {
  readonly verdict: "allow" | "deny";
  /** pages: the gate's own answer, from any place; refused: the target is no door's to judge. */
  readonly outcome: "forward" | "blocked" | "sign-in" | "pages" | "refused";
  readonly reason: string;
  /** What the client would get; 200 stands for the upstream's answer, or the page's. */
  readonly status: number;
  /** network: observe lets pass what enforce would block. */
  readonly wouldBlock: boolean;
  /** The most specific live entry that covers the address. */
  readonly entry: {
    readonly id: string;
    readonly cidr: string;
    readonly label: string;
    readonly expiresAt?: string;
  } | null;
  /** Every step that led to the verdict, in order. */
  readonly steps: readonly ({
    readonly step: string;
    readonly result: "pass" | "stop" | "skip";
    readonly detail: string;
  })[];
};

export type Edge = {
  /** {node}/{worker} */
  readonly id: string;
  readonly node: string;
  readonly pid: number;
  /** The store's revision that it has applied. */
  readonly revision: number;
  /** How long its latest change took to be applied. */
  readonly lagMs: number;
  readonly connectedAt: string;
};

export type Readiness = {
  readonly ready: boolean;
  readonly checks: Readonly<Record<string, {
    readonly ok: boolean;
    readonly detail?: string;
  }>>;
};

export type Problem = {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  /** Stable: switch on this. */
  readonly code: "address_invalid" | "body_invalid" | "broad_prefix" | "code_invalid" | "config_invalid" | "confirmation_required" | "cursor_invalid" | "delivery_failed" | "email_invalid" | "email_taken" | "entry_limit" | "forbidden" | "host_taken" | "idempotency_conflict" | "import_invalid" | "internal" | "limit_reached" | "lockout_refused" | "method_not_allowed" | "not_applied" | "not_found" | "not_ready" | "number_invalid" | "password_refused" | "payload_too_large" | "precondition_failed" | "proof_required" | "read_only" | "request_malformed" | "seal_invalid" | "store_corrupt" | "store_unavailable" | "tenant_exists" | "unauthorized" | "unsupported_media_type";
  readonly detail?: string;
  /** Also in the log and the audit log. */
  readonly requestId: string;
  readonly issues?: readonly ({
    /** JSON pointer into the body, or /name of a query parameter. */
    readonly pointer?: string;
    /** Of an imported text, from 1. */
    readonly line?: number;
    readonly message: string;
    /** What to write instead. */
    readonly hint?: string;
  })[];
  /** not_applied: edges that have applied the change. */
  readonly applied?: readonly (string)[];
  /** not_applied: live edges that have not. */
  readonly pending?: readonly (string)[];
  /** not_ready: what is not. */
  readonly checks?: unknown;
};

/** By method and path; `params`, `query` and `body` where there are any. */
export interface Operations {
  /** Whether the process answers */
  "GET /healthz": {
    readonly answer: {
      readonly status: "ok";
    };
  };
  /** Whether the node can do its work */
  "GET /readyz": {
    readonly answer: Readiness;
  };
  /** Create a tenant */
  "POST /v1/tenants": {
    readonly query?: {
      readonly wait?: "applied";
      readonly timeoutMs?: number;
    };
    readonly body: {
      /** Lower-case letters, digits and hyphens, as in a DNS label; never changes. */
      readonly id: string;
      /** The clinic's name, as its staff know it; shown on pages and in the authenticator app. */
      readonly name: string;
      /** DNS names that belong to this tenant alone. */
      readonly hosts: readonly (string)[];
      /** Origins such as http://10.0.0.5:9000, all serving the same application. */
      readonly upstreams: readonly (string)[];
      readonly policy?: {
        /** The location door; observe only logs and counts. */
        readonly network?: "enforce" | "observe" | "off";
        /** The person door. */
        readonly secondFactor?: "required" | "off";
        /** any: an allowlisted location or a verified session is enough. */
        readonly combine?: "all" | "any";
        /** none: the application behind has its own password. */
        readonly firstFactor?: "password" | "none";
        /** The factors that people may enrol and prove themselves by; sms only beside a stronger one. Without one that was proven, a session ends at once. */
        readonly factors?: readonly ("totp" | "passkey" | "sms")[];
        readonly session?: {
          /** Without a request, the session ends. */
          readonly idle?: string | number;
          /** The session ends, whatever happens. */
          readonly max?: string | number;
          /** A remembered device skips the factor; 0: never. */
          readonly rememberDevice?: string | number;
        };
        /** Who may add the place they stand in. */
        readonly selfAllow?: "owner" | "user" | "nobody";
        /** Exact paths that need neither door. */
        readonly exempt?: readonly ({
          readonly path: string;
          readonly methods: readonly ("GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE" | "OPTIONS")[];
        })[];
        /** Origins, besides the tenant's own, whose pages may open a WebSocket. */
        readonly webSocketOrigins?: readonly (string)[];
        /** What opening a shortcut takes. */
        readonly shortcut?: "click" | "auto" | "factor-on-new-network";
      };
      readonly branding?: {
        readonly accent?: string;
        readonly logo?: string;
        readonly supportEmail?: string;
        readonly supportPhone?: string;
      };
      /** Hosts of this tenant with addresses of one family alone: one click enrols both. */
      readonly altHosts?: {
        readonly ipv4?: string;
        readonly ipv6?: string;
      };
      readonly limits?: {
        /** Allowlist entries, where fewer than limits.entriesPerTenant of the configuration. */
        readonly entries?: number;
        /** How long a link can be used. */
        readonly linkTtl?: {
          /** Where nothing is asked for. */
          readonly default?: string | number;
          /** The most that may be asked for. */
          readonly max?: string | number;
        };
        /** How many places one link can admit. */
        readonly linkUses?: {
          readonly default?: number;
          readonly max?: number;
        };
        /** How long a place that a link admitted stays admitted. */
        readonly linkEntryTtl?: {
          /** Where nothing is asked for. */
          readonly default?: string | number;
          /** The most that may be asked for. */
          readonly max?: string | number;
        };
        /** How long a place that a person added stays admitted. */
        readonly selfEntryTtl?: {
          /** Where nothing is asked for. */
          readonly default?: string | number;
          /** The most that may be asked for. */
          readonly max?: string | number;
        };
        /** A shortcut ends when it is not used for so long, its entry with it. */
        readonly shortcutIdle?: {
          /** Where nothing is asked for. */
          readonly default?: string | number;
          /** The most that may be asked for. */
          readonly max?: string | number;
        };
      };
      /** own: the gate sends no links and requests by e-mail; the portal backend does. */
      readonly mail?: "gateway" | "own";
    };
    readonly answer: Tenant;
  };
  /** List tenants, by id */
  "GET /v1/tenants": {
    readonly query?: {
      readonly limit?: number;
      readonly cursor?: string;
    };
    readonly answer: {
      readonly items: readonly (Tenant)[];
      /** The cursor of the next page. */
      readonly next?: string;
    };
  };
  /** Read a tenant */
  "GET /v1/tenants/{tenant}": {
    readonly params: {
      readonly tenant: string;
    };
    readonly answer: Tenant;
  };
  /** Change a tenant */
  "PATCH /v1/tenants/{tenant}": {
    readonly params: {
      readonly tenant: string;
    };
    readonly query?: {
      readonly force?: boolean;
      readonly wait?: "applied";
      readonly timeoutMs?: number;
    };
    readonly body: Readonly<Record<string, unknown>>;
    readonly answer: Tenant;
  };
  /** Delete a tenant and all that it owns */
  "DELETE /v1/tenants/{tenant}": {
    readonly params: {
      readonly tenant: string;
    };
    readonly query?: {
      readonly wait?: "applied";
      readonly timeoutMs?: number;
    };
    readonly answer: undefined;
  };
  /** Add an address, a prefix or a DNS name */
  "POST /v1/tenants/{tenant}/allowlist": {
    readonly params: {
      readonly tenant: string;
    };
    readonly query?: {
      readonly wait?: "applied";
      readonly timeoutMs?: number;
    };
    readonly body: {
      /** A CIDR prefix or a single address, spelt strictly: no leading zeros, no host bits, no short forms. */
      readonly cidr?: string;
      /** What people call the place; printable, at most 200 characters. */
      readonly label?: string;
      /** RFC 3339, in the future. */
      readonly expiresAt?: string;
      /** Seconds from now, in place of expiresAt. */
      readonly ttlSeconds?: number;
      /** A DNS name in place of cidr: all its addresses, followed at its TTL. */
      readonly hostname?: string;
      /** Follows from cidr or hostname, and must agree where it is stated. */
      readonly kind?: "static" | "dns";
      /** Admits a prefix shorter than /8 (IPv4) or /32 (IPv6). Audited. */
      readonly allowBroad?: boolean;
      /** With hostname: private and loopback answers count too. */
      readonly allowPrivate?: boolean;
    };
    readonly answer: Entry | Name;
  };
  /** List entries, in the order of their creation */
  "GET /v1/tenants/{tenant}/allowlist": {
    readonly params: {
      readonly tenant: string;
    };
    readonly query?: {
      readonly limit?: number;
      readonly cursor?: string;
    };
    readonly answer: {
      readonly items: readonly (Entry)[];
      /** The cursor of the next page. */
      readonly next?: string;
    };
  };
  /** Replace the whole allowlist, atomically */
  "PUT /v1/tenants/{tenant}/allowlist": {
    readonly params: {
      readonly tenant: string;
    };
    readonly query?: {
      readonly dryRun?: boolean;
      readonly confirm?: boolean;
      readonly force?: boolean;
      readonly wait?: "applied";
      readonly timeoutMs?: number;
    };
    readonly body: {
      readonly items: readonly ({
        /** A CIDR prefix or a single address, spelt strictly: no leading zeros, no host bits, no short forms. */
        readonly cidr: string;
        /** What people call the place; printable, at most 200 characters. */
        readonly label?: string;
        /** RFC 3339, in the future. */
        readonly expiresAt?: string;
        /** Seconds from now, in place of expiresAt. */
        readonly ttlSeconds?: number;
      })[];
      /** Admits a prefix shorter than /8 (IPv4) or /32 (IPv6). Audited. */
      readonly allowBroad?: boolean;
    };
    readonly answer: Difference;
  };
  /** Read an entry */
  "GET /v1/tenants/{tenant}/allowlist/{entry}": {
    readonly params: {
      readonly tenant: string;
      readonly entry: string;
    };
    readonly answer: Entry | Name;
  };
  /** Rename an entry, or change when it expires */
  "PATCH /v1/tenants/{tenant}/allowlist/{entry}": {
    readonly params: {
      readonly tenant: string;
      readonly entry: string;
    };
    readonly query?: {
      readonly confirm?: boolean;
      readonly force?: boolean;
      readonly wait?: "applied";
      readonly timeoutMs?: number;
    };
    readonly body: {
      /** What people call the place; printable, at most 200 characters. */
      readonly label?: string;
      /** null: no longer expires. An entry of another kind than static always ends: within its tenant's cap, or (dns) with its name. */
      readonly expiresAt?: string | null;
      /** Seconds from now, in place of expiresAt. */
      readonly ttlSeconds?: number;
    };
    readonly answer: Entry;
  };
  /** Remove an entry or a DNS name */
  "DELETE /v1/tenants/{tenant}/allowlist/{entry}": {
    readonly params: {
      readonly tenant: string;
      readonly entry: string;
    };
    readonly query?: {
      readonly confirm?: boolean;
      readonly force?: boolean;
      readonly wait?: "applied";
      readonly timeoutMs?: number;
    };
    readonly answer: undefined;
  };
  /** The allowlist as CSV, as the import reads it */
  "GET /v1/tenants/{tenant}/allowlist/export": {
    readonly params: {
      readonly tenant: string;
    };
    readonly answer: string;
  };
  /** List the DNS names on the allowlist, in the order of their making */
  "GET /v1/tenants/{tenant}/names": {
    readonly params: {
      readonly tenant: string;
    };
    readonly query?: {
      readonly limit?: number;
      readonly cursor?: string;
    };
    readonly answer: {
      readonly items: readonly (Name)[];
      /** The cursor of the next page. */
      readonly next?: string;
    };
  };
  /** Make a whitelist link */
  "POST /v1/tenants/{tenant}/links": {
    readonly params: {
      readonly tenant: string;
    };
    readonly query?: {
      readonly wait?: "applied";
      readonly timeoutMs?: number;
    };
    readonly body: {
      /** What people call the place or person; the entries have it too. */
      readonly label?: string;
      /** Where the gate sends it by e-mail, unless the tenant's mail is own. */
      readonly recipient?: string;
      /** How long it can be used; limits.linkTtl has default and cap. */
      readonly ttlSeconds?: number;
      /** How many networks it admits; limits.linkUses has default and cap. */
      readonly maxUses?: number;
      /** How long what it admits stays admitted; limits.linkEntryTtl has default and cap. */
      readonly entryTtlSeconds?: number;
      /** A CIDR prefix from which it must be used. */
      readonly allowedNetwork?: string;
    };
    readonly answer: NewLink;
  };
  /** List links, in the order of their making */
  "GET /v1/tenants/{tenant}/links": {
    readonly params: {
      readonly tenant: string;
    };
    readonly query?: {
      readonly limit?: number;
      readonly cursor?: string;
    };
    readonly answer: {
      readonly items: readonly (Link)[];
      /** The cursor of the next page. */
      readonly next?: string;
    };
  };
  /** Read a link, with every use: when, from where, by which browser */
  "GET /v1/tenants/{tenant}/links/{link}": {
    readonly params: {
      readonly tenant: string;
      readonly link: string;
    };
    readonly answer: LinkWithUses;
  };
  /** Revoke a link and remove every entry that it admitted */
  "DELETE /v1/tenants/{tenant}/links/{link}": {
    readonly params: {
      readonly tenant: string;
      readonly link: string;
    };
    readonly query?: {
      readonly confirm?: boolean;
      readonly force?: boolean;
      readonly wait?: "applied";
      readonly timeoutMs?: number;
    };
    readonly answer: undefined;
  };
  /** "Not us": remove what one use admitted; the link admits that network no more */
  "DELETE /v1/tenants/{tenant}/links/{link}/uses/{use}": {
    readonly params: {
      readonly tenant: string;
      readonly link: string;
      readonly use: string;
    };
    readonly query?: {
      readonly confirm?: boolean;
      readonly wait?: "applied";
      readonly timeoutMs?: number;
    };
    readonly answer: undefined;
  };
  /** Make a shortcut for one device */
  "POST /v1/tenants/{tenant}/shortcuts": {
    readonly params: {
      readonly tenant: string;
    };
    readonly query?: {
      readonly wait?: "applied";
      readonly timeoutMs?: number;
    };
    readonly body: {
      /** The id of the user whose it is; it ends with them. */
      readonly user?: string;
      /** The device, as people call it; by default the user's name. */
      readonly label?: string;
      /** It ends when it is not used for so long; limits.shortcutIdle has default and cap. */
      readonly idleSeconds?: number;
    };
    readonly answer: NewShortcut;
  };
  /** List shortcuts, in the order of their making */
  "GET /v1/tenants/{tenant}/shortcuts": {
    readonly params: {
      readonly tenant: string;
    };
    readonly query?: {
      readonly limit?: number;
      readonly cursor?: string;
    };
    readonly answer: {
      readonly items: readonly (Shortcut)[];
      /** The cursor of the next page. */
      readonly next?: string;
    };
  };
  /** Read a shortcut: when and from where it ran last */
  "GET /v1/tenants/{tenant}/shortcuts/{shortcut}": {
    readonly params: {
      readonly tenant: string;
      readonly shortcut: string;
    };
    readonly answer: Shortcut;
  };
  /** Revoke a shortcut and remove its entry */
  "DELETE /v1/tenants/{tenant}/shortcuts/{shortcut}": {
    readonly params: {
      readonly tenant: string;
      readonly shortcut: string;
    };
    readonly query?: {
      readonly confirm?: boolean;
      readonly force?: boolean;
      readonly wait?: "applied";
      readonly timeoutMs?: number;
    };
    readonly answer: undefined;
  };
  /** List access requests, one for each network that asked within the last fourteen days */
  "GET /v1/tenants/{tenant}/requests": {
    readonly params: {
      readonly tenant: string;
    };
    readonly query?: {
      readonly limit?: number;
      readonly cursor?: string;
    };
    readonly answer: {
      readonly items: readonly (AccessRequest)[];
      /** The cursor of the next page. */
      readonly next?: string;
    };
  };
  /** Admit the network that asked */
  "POST /v1/tenants/{tenant}/requests/{request}/approve": {
    readonly params: {
      readonly tenant: string;
      readonly request: string;
    };
    readonly query?: {
      readonly wait?: "applied";
      readonly timeoutMs?: number;
    };
    readonly body: {
      /** By default, who they say they are. */
      readonly label?: string;
      /** How long the place stays admitted; limits.selfEntryTtl has default and cap. */
      readonly ttlSeconds?: number;
    };
    readonly answer: Entry;
  };
  /** Turn a request down; asking again from that network tells nobody */
  "POST /v1/tenants/{tenant}/requests/{request}/dismiss": {
    readonly params: {
      readonly tenant: string;
      readonly request: string;
    };
    readonly query?: {
      readonly wait?: "applied";
      readonly timeoutMs?: number;
    };
    readonly answer: undefined;
  };
  /** List requests that were turned away, the newest first */
  "GET /v1/tenants/{tenant}/denials": {
    readonly params: {
      readonly tenant: string;
    };
    readonly query?: {
      readonly limit?: number;
      readonly cursor?: string;
    };
    readonly answer: {
      readonly items: readonly (Denial)[];
      /** The cursor of the next page. */
      readonly next?: string;
    };
  };
  /** Look up the reference that a page showed */
  "GET /v1/tenants/{tenant}/denials/{reference}": {
    readonly params: {
      readonly tenant: string;
      readonly reference: string;
    };
    readonly answer: Denial;
  };
  /** Who would have been blocked while the tenant observes, by place */
  "GET /v1/tenants/{tenant}/report/observed": {
    readonly params: {
      readonly tenant: string;
    };
    readonly query?: {
      readonly days?: number;
    };
    readonly answer: PlacesReport;
  };
  /** Who was blocked, by place */
  "GET /v1/tenants/{tenant}/report/blocked": {
    readonly params: {
      readonly tenant: string;
    };
    readonly query?: {
      readonly days?: number;
    };
    readonly answer: PlacesReport;
  };
  /** How many requests were admitted and blocked, by day */
  "GET /v1/tenants/{tenant}/report/activity": {
    readonly params: {
      readonly tenant: string;
    };
    readonly query?: {
      readonly days?: number;
    };
    readonly answer: ActivityReport;
  };
  /** Create a user */
  "POST /v1/tenants/{tenant}/users": {
    readonly params: {
      readonly tenant: string;
    };
    readonly query?: {
      readonly wait?: "applied";
      readonly timeoutMs?: number;
    };
    readonly body: {
      /** The login; unique within the tenant. */
      readonly email: string;
      /** How the person is addressed. Kept as sent; what does not show is refused. */
      readonly name?: string;
      /** owner: may manage the tenant's users and allowlist on the portal. */
      readonly role?: "owner" | "user";
      /** By the same rules as a person's own choice. Without it the user is invited. */
      readonly password?: string;
    };
    readonly answer: User;
  };
  /** List users, in the order of their creation */
  "GET /v1/tenants/{tenant}/users": {
    readonly params: {
      readonly tenant: string;
    };
    readonly query?: {
      readonly email?: string;
      readonly limit?: number;
      readonly cursor?: string;
    };
    readonly answer: {
      readonly items: readonly (User)[];
      /** The cursor of the next page. */
      readonly next?: string;
    };
  };
  /** Read a user, and why they cannot sign in if they cannot */
  "GET /v1/tenants/{tenant}/users/{user}": {
    readonly params: {
      readonly tenant: string;
      readonly user: string;
    };
    readonly answer: User;
  };
  /** Change, disable or enable a user */
  "PATCH /v1/tenants/{tenant}/users/{user}": {
    readonly params: {
      readonly tenant: string;
      readonly user: string;
    };
    readonly query?: {
      readonly confirm?: boolean;
      readonly force?: boolean;
      readonly wait?: "applied";
      readonly timeoutMs?: number;
    };
    readonly body: {
      /** The login; unique within the tenant. */
      readonly email?: string;
      /** null takes it away. */
      readonly name?: string | null;
      /** owner: may manage the tenant's users and allowlist on the portal. */
      readonly role?: "owner" | "user";
      /** disabled ends every session. active gives access back, and lifts a lock. */
      readonly state?: "active" | "disabled";
    };
    readonly answer: User;
  };
  /** Delete a user with everything that proves them, their shortcuts and, with `combine: any`, the places that they added themselves */
  "DELETE /v1/tenants/{tenant}/users/{user}": {
    readonly params: {
      readonly tenant: string;
      readonly user: string;
    };
    readonly query?: {
      readonly confirm?: boolean;
      readonly force?: boolean;
      readonly wait?: "applied";
      readonly timeoutMs?: number;
    };
    readonly answer: undefined;
  };
  /** Invite a user to set a password and a second factor */
  "POST /v1/tenants/{tenant}/users/{user}/invite": {
    readonly params: {
      readonly tenant: string;
      readonly user: string;
    };
    readonly query?: {
      readonly wait?: "applied";
      readonly timeoutMs?: number;
    };
    readonly answer: Invitation;
  };
  /** Take all factors and recovery codes away; the next sign-in enrols anew */
  "POST /v1/tenants/{tenant}/users/{user}/reset-factors": {
    readonly params: {
      readonly tenant: string;
      readonly user: string;
    };
    readonly query?: {
      readonly wait?: "applied";
      readonly timeoutMs?: number;
    };
    readonly answer: User;
  };
  /** Lift the lock and the delays after failed sign-ins */
  "POST /v1/tenants/{tenant}/users/{user}/unlock": {
    readonly params: {
      readonly tenant: string;
      readonly user: string;
    };
    readonly query?: {
      readonly wait?: "applied";
      readonly timeoutMs?: number;
    };
    readonly answer: User;
  };
  /** Hand a browser over that the portal has identified */
  "POST /v1/tenants/{tenant}/users/{user}/sign-in-ticket": {
    readonly params: {
      readonly tenant: string;
      readonly user: string;
    };
    readonly query?: {
      readonly wait?: "applied";
      readonly timeoutMs?: number;
    };
    readonly body: {
      /** Where the browser goes afterwards, on the tenant's host. Default /. */
      readonly path?: string;
    } | null;
    readonly answer: SignInTicket;
  };
  /** Sign a user out everywhere, and forget their remembered devices */
  "DELETE /v1/tenants/{tenant}/users/{user}/sessions": {
    readonly params: {
      readonly tenant: string;
      readonly user: string;
    };
    readonly query?: {
      readonly wait?: "applied";
      readonly timeoutMs?: number;
    };
    readonly answer: undefined;
  };
  /** List live sessions */
  "GET /v1/tenants/{tenant}/sessions": {
    readonly params: {
      readonly tenant: string;
    };
    readonly query?: {
      readonly user?: string;
      readonly limit?: number;
      readonly cursor?: string;
    };
    readonly answer: {
      readonly items: readonly (Session)[];
      /** The cursor of the next page. */
      readonly next?: string;
    };
  };
  /** End a session, with its requests, WebSockets and downloads on every edge */
  "DELETE /v1/tenants/{tenant}/sessions/{session}": {
    readonly params: {
      readonly tenant: string;
      readonly session: string;
    };
    readonly query?: {
      readonly wait?: "applied";
      readonly timeoutMs?: number;
    };
    readonly answer: undefined;
  };
  /** List mail: first what waits, then what was sent or given up in the last seven days */
  "GET /v1/tenants/{tenant}/outbox": {
    readonly params: {
      readonly tenant: string;
    };
    readonly query?: {
      readonly limit?: number;
      readonly cursor?: string;
    };
    readonly answer: {
      readonly items: readonly (Mail)[];
      /** The cursor of the next page. */
      readonly next?: string;
    };
  };
  /** Try mail again that was given up */
  "POST /v1/tenants/{tenant}/outbox/{mail}/retry": {
    readonly params: {
      readonly tenant: string;
      readonly mail: string;
    };
    readonly query?: {
      readonly wait?: "applied";
      readonly timeoutMs?: number;
    };
    readonly answer: undefined;
  };
  /** Make a key; its token is shown this once */
  "POST /v1/keys": {
    readonly query?: {
      readonly wait?: "applied";
      readonly timeoutMs?: number;
    };
    readonly body: {
      readonly label?: string;
      /** Lower-case letters, digits and hyphens, as in a DNS label; never changes. */
      readonly tenant?: string;
      /** read: GET alone. write: everything within its scope. */
      readonly access: "read" | "write";
      /** RFC 3339, in the future. */
      readonly expiresAt?: string;
      /** Seconds from now, in place of expiresAt. */
      readonly ttlSeconds?: number;
    };
    readonly answer: NewKey;
  };
  /** List keys, without their tokens */
  "GET /v1/keys": {
    readonly query?: {
      readonly limit?: number;
      readonly cursor?: string;
    };
    readonly answer: {
      readonly items: readonly (Key)[];
      /** The cursor of the next page. */
      readonly next?: string;
    };
  };
  /** Read a key, without its token */
  "GET /v1/keys/{key}": {
    readonly params: {
      readonly key: string;
    };
    readonly answer: Key;
  };
  /** Revoke a key, everywhere at once */
  "DELETE /v1/keys/{key}": {
    readonly params: {
      readonly key: string;
    };
    readonly query?: {
      readonly wait?: "applied";
      readonly timeoutMs?: number;
    };
    readonly answer: undefined;
  };
  /** List audit records, newest first */
  "GET /v1/audit": {
    readonly query?: {
      readonly tenant?: string;
      readonly action?: string;
      readonly since?: string;
      readonly until?: string;
      readonly limit?: number;
      readonly cursor?: string;
    };
    readonly answer: {
      readonly items: readonly (AuditRecord)[];
      /** The cursor of the next page. */
      readonly next?: string;
    };
  };
  /** All audit records, newest first, as JSON lines */
  "GET /v1/audit/export": {
    readonly query?: {
      readonly tenant?: string;
      readonly action?: string;
      readonly since?: string;
      readonly until?: string;
    };
    readonly answer: string;
  };
  /** Where each chain of the audit log ends, to verify an export against */
  "GET /v1/audit/heads": {
    readonly answer: {
      readonly items: readonly (ChainHead)[];
    };
  };
  /** Changes as they happen (server-sent events) */
  "GET /v1/events": {
    readonly query?: {
      readonly tenant?: string;
    };
    readonly answer: string;
  };
  /** Why a request is admitted or blocked */
  "GET /v1/tenants/{tenant}/explain": {
    readonly params: {
      readonly tenant: string;
    };
    readonly query?: {
      readonly ip: string;
      readonly user?: string;
      readonly path?: string;
      readonly method?: "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE" | "OPTIONS";
    };
    readonly answer: Explanation;
  };
  /** Every live edge of all nodes, and what it has applied */
  "GET /v1/edges": {
    readonly answer: {
      readonly items: readonly (Edge)[];
    };
  };
  /** Metrics in the Prometheus text format */
  "GET /metrics": {
    readonly answer: string;
  };
  /** Add many entries, all or nothing */
  "POST /v1/tenants/{tenant}/allowlist/import": {
    readonly params: {
      readonly tenant: string;
    };
    readonly query?: {
      readonly allowBroad?: boolean;
      readonly wait?: "applied";
      readonly timeoutMs?: number;
    };
    readonly body: string;
    readonly answer: ImportResult;
  };
}
