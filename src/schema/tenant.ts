/** A tenant on the wire: its shape, the rules of each field, and the way to the core's form and back. */
import Type, { type Static } from "typebox";
import { type Issue, SallyportError } from "../core/errors.ts";
import type { TenantId } from "../core/ids.ts";
import { type Branding, DEFAULT_POLICY, type Policy, type Tenant } from "../core/tenant.ts";
import { durationSchema, durationSeconds, formatDuration } from "./duration.ts";
import { Shape } from "./issues.ts";
import { closed } from "./parts.ts";
import { limitsToWire, parseLimits, TenantLimitsSchema } from "./tenant-limits.ts";
import { parseAltHosts, parseHosts, parseUpstreams, policyIssues } from "./tenant-rules.ts";

/** A choice among words, in OpenAPI as in editors an `enum`. */
function choice<const Word extends string>(words: readonly Word[], description: string) {
  return Type.Enum<Word[]>([...words], {
    description,
    default: words[0],
    errorMessage: `must be one of ${words.join(", ")}`,
  });
}

/** No control, format, surrogate, private or unassigned character: what is shown cannot be spoofed. */
const PRINTABLE = "^[^\\p{C}\\p{Zl}\\p{Zp}]*$";

const NameSchema = Type.String({
  description: "The clinic's name, as its staff know it; shown on pages and in the authenticator app.",
  minLength: 1,
  maxLength: 100,
  pattern: PRINTABLE,
  errorMessage: "must be 1 to 100 printable characters",
});

export const TenantIdSchema = Type.String({
  description: "Lower-case letters, digits and hyphens, as in a DNS label; never changes.",
  pattern: "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$",
  errorMessage: "must be 1 to 63 lower-case letters, digits and hyphens, not starting or ending with a hyphen",
});

const SessionSchema = Type.Object(
  {
    idle: Type.Optional(durationSchema("Without a request, the session ends.", "60m")),
    max: Type.Optional(durationSchema("The session ends, whatever happens.", "12h")),
    rememberDevice: Type.Optional(durationSchema("A remembered device skips the factor; 0: never.", 0)),
  },
  closed,
);

const ExemptionSchema = Type.Object(
  {
    path: Type.String({
      maxLength: 1024,
      pattern: '^/[!-"$->@-~]*$',
      errorMessage: "must be a path that starts with /, in printable ASCII, without ? or #",
    }),
    methods: Type.Array(Type.Enum(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]), {
      minItems: 1,
      uniqueItems: true,
      errorMessage: "must be one or more of GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS",
    }),
  },
  closed,
);

const PolicySchema = Type.Object(
  {
    network: Type.Optional(choice(["enforce", "observe", "off"], "The location door; observe only logs and counts.")),
    secondFactor: Type.Optional(choice(["required", "off"], "The person door.")),
    combine: Type.Optional(choice(["all", "any"], "any: an allowlisted location or a verified session is enough.")),
    firstFactor: Type.Optional(choice(["password", "none"], "none: the application behind has its own password.")),
    factors: Type.Optional(
      Type.Array(Type.Enum(["totp", "passkey", "sms"]), {
        description:
          "The factors that people may enrol and prove themselves by; sms only beside a stronger one. Without one that was proven, a session ends at once.",
        minItems: 1,
        uniqueItems: true,
        default: DEFAULT_POLICY.factors,
        errorMessage: "must be one or more of totp, passkey, sms",
      }),
    ),
    session: Type.Optional(SessionSchema),
    selfAllow: Type.Optional(choice(["owner", "user", "nobody"], "Who may add the place they stand in.")),
    exempt: Type.Optional(
      Type.Array(ExemptionSchema, { description: "Exact paths that need neither door.", maxItems: 100, default: [] }),
    ),
    webSocketOrigins: Type.Optional(
      Type.Array(Type.String({ maxLength: 300 }), {
        description: "Origins, besides the tenant's own, whose pages may open a WebSocket.",
        maxItems: 100,
        default: [],
      }),
    ),
    shortcut: Type.Optional(choice(["click", "auto", "factor-on-new-network"], "What opening a shortcut takes.")),
  },
  closed,
);

type PolicyInput = Static<typeof PolicySchema>;

const BrandingSchema = Type.Object(
  {
    accent: Type.Optional(
      Type.String({ pattern: "^#[0-9a-fA-F]{6}$", errorMessage: "must be a colour such as #0b6e4f" }),
    ),
    logo: Type.Optional(
      Type.String({
        maxLength: 90_000,
        pattern: "^data:image/(png|svg\\+xml|jpeg|webp);base64,[A-Za-z0-9+/]+={0,2}$",
        errorMessage: "must be a data:image/(png|svg+xml|jpeg|webp);base64, URL of at most 64 KiB",
      }),
    ),
    supportEmail: Type.Optional(
      Type.String({ maxLength: 254, pattern: "^[!-?A-~]+@[A-Za-z0-9.-]+$", errorMessage: "must be an e-mail address" }),
    ),
    supportPhone: Type.Optional(
      Type.String({ maxLength: 40, pattern: "^[+0-9][0-9 ()./-]*$", errorMessage: "must be a telephone number" }),
    ),
  },
  closed,
);

const fields = {
  name: NameSchema,
  hosts: Type.Array(Type.String({ minLength: 1, maxLength: 260 }), {
    description: "DNS names that belong to this tenant alone.",
    minItems: 1,
    maxItems: 100,
    errorMessage: "must be a list of one or more host names",
  }),
  upstreams: Type.Array(Type.String({ minLength: 1, maxLength: 300 }), {
    description: "Origins such as http://10.0.0.5:9000, all serving the same application.",
    minItems: 1,
    maxItems: 100,
    errorMessage: "must be a list of one or more origins such as http://10.0.0.5:9000",
  }),
};

const HostSchema = Type.String({ minLength: 1, maxLength: 260, errorMessage: "must be one of hosts" });

const optionalFields = {
  altHosts: Type.Optional(
    Type.Object(
      { ipv4: Type.Optional(HostSchema), ipv6: Type.Optional(HostSchema) },
      { ...closed, description: "Hosts of this tenant with addresses of one family alone: one click enrols both." },
    ),
  ),
  limits: Type.Optional(TenantLimitsSchema),
  mail: Type.Optional(
    choice(["gateway", "own"], "own: the gate sends no links and requests by e-mail; the portal backend does."),
  ),
};

/** What creates a tenant, by API and in the configuration file alike. */
export const TenantDeclarationSchema = Type.Object(
  {
    id: TenantIdSchema,
    ...fields,
    policy: Type.Optional(PolicySchema),
    branding: Type.Optional(BrandingSchema),
    ...optionalFields,
  },
  closed,
);
export type TenantDeclaration = Static<typeof TenantDeclarationSchema>;

export const TenantSchema = Type.Object(
  {
    id: TenantIdSchema,
    ...fields,
    policy: Type.Required(PolicySchema),
    branding: BrandingSchema,
    ...optionalFields,
    declared: Type.Optional(
      Type.Literal(true, { description: "Only where it is declared in the configuration file, and read-only here." }),
    ),
    revision: Type.Integer({ minimum: 0 }),
  },
  { ...closed, $id: "Tenant" },
);
export type TenantWire = TenantDeclaration & { declared?: true; revision: number };

const declaration = new Shape<TenantDeclaration>(TenantDeclarationSchema);

/**
 * A tenant from a declaration of any source, with defaults filled in and hosts and upstreams canonical.
 * @param present the tenant that it changes: what that one has already stands, whatever today's rules say of it
 * @throws SallyportError `body_invalid` with every mistake
 */
export function parseTenantInput(input: unknown, present?: Tenant): Omit<Tenant, "declared"> {
  const { id, name, upstreams, policy, branding, altHosts, limits, mail, ...given } = declaration.parse(
    input,
    "the tenant",
  );
  const issues: Issue[] = [];
  const hosts = parseHosts(given.hosts, issues, present?.hosts);
  const tenant = {
    id: id as TenantId,
    name,
    hosts,
    upstreams: parseUpstreams(upstreams, issues, present?.upstreams),
    policy: parsePolicy(policy ?? {}, issues, present?.policy),
    branding: (branding ?? {}) as Branding,
    altHosts: parseAltHosts(altHosts ?? {}, hosts, issues),
    limits: parseLimits(limits ?? {}, issues),
    mail: mail ?? "gateway",
  } as const;
  if (issues.length > 0) throw new SallyportError("body_invalid", "the tenant is not as it must be", { issues });
  return tenant;
}

/** A declaration of which what does not fit the shape was left out: in a list, `undefined` stands in its place. */
export interface FittingTenant {
  readonly id?: string;
  readonly hosts?: readonly (string | undefined)[];
  readonly upstreams?: readonly (string | undefined)[];
  readonly policy?: object;
  readonly altHosts?: { readonly ipv4?: string; readonly ipv6?: string };
  readonly limits?: object;
}

/** Whether nothing had to be left out. */
export function isComplete(input: FittingTenant): input is TenantDeclaration {
  return declaration.admits(input);
}

/** What the rules find in the rest of a declaration, so that its mistakes are told with those of its shape. */
export function examineFitting({ hosts, upstreams, policy, altHosts, limits }: FittingTenant) {
  const issues: Issue[] = [];
  const known = parseHosts(hosts ?? [], issues);
  parseUpstreams(upstreams ?? [], issues);
  parsePolicy((policy ?? {}) as PolicyInput, issues);
  if (hosts?.every((host) => host !== undefined)) parseAltHosts(altHosts ?? {}, known, issues);
  parseLimits((limits ?? {}) as TenantDeclaration["limits"] & object, issues);
  return { hosts: known, issues };
}

function parsePolicy(input: PolicyInput, issues: Issue[], known?: Policy): Policy {
  const { session, ...rest } = input;
  const seconds = (value: string | number | undefined, fallback: number) =>
    value === undefined ? fallback : durationSeconds(value);
  const policy: Policy = {
    ...DEFAULT_POLICY,
    ...rest,
    session: {
      idleSeconds: seconds(session?.idle, DEFAULT_POLICY.session.idleSeconds),
      maxSeconds: seconds(session?.max, DEFAULT_POLICY.session.maxSeconds),
      rememberDeviceSeconds: seconds(session?.rememberDevice, DEFAULT_POLICY.session.rememberDeviceSeconds),
    },
  };
  issues.push(...policyIssues(policy, known));
  return policy;
}

/** The declaration that {@link parseTenantInput} turns back into the same tenant. */
export function tenantToDeclaration(tenant: Omit<Tenant, "declared">): TenantDeclaration {
  const { session, ...policy } = tenant.policy;
  return structuredClone({
    id: tenant.id,
    name: tenant.name,
    hosts: tenant.hosts,
    upstreams: tenant.upstreams,
    policy: {
      ...policy,
      session: {
        idle: formatDuration(session.idleSeconds),
        max: formatDuration(session.maxSeconds),
        rememberDevice: formatDuration(session.rememberDeviceSeconds),
      },
    },
    branding: tenant.branding,
    altHosts: tenant.altHosts ?? {},
    limits: limitsToWire(tenant.limits),
    mail: tenant.mail ?? "gateway",
  }) as unknown as TenantDeclaration;
}

/** Without its revision, what the API made can be given back to it as it is. */
export function tenantToWire(tenant: Tenant, revision: number): TenantWire {
  return { ...tenantToDeclaration(tenant), ...(tenant.declared ? { declared: true } : {}), revision };
}
