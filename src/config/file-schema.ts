/** The one schema of the configuration file. `errorMessage` is what editors show, and what `load` reports. */
import Type, { type Static } from "typebox";
import { MailConfig, SmsConfig } from "../notify/config.ts";
import { durationSchema } from "../schema/duration.ts";
import { closed } from "../schema/parts.ts";
import { TenantDeclarationSchema } from "../schema/tenant.ts";
import { SIZE_PATTERN } from "./units.ts";

function integer(description: string, minimum: number, maximum: number, fallback: number) {
  const errorMessage = `must be a whole number from ${minimum} to ${maximum}`;
  return Type.Optional(Type.Integer({ description, minimum, maximum, default: fallback, errorMessage }));
}

const duration = (description: string, fallback: string) => Type.Optional(durationSchema(description, fallback));

function size(description: string, fallback: string) {
  const errorMessage = "must be a size such as 512B, 32KiB or 1MiB, or whole bytes";
  const forms = [Type.String({ pattern: SIZE_PATTERN }), Type.Integer({ minimum: 0 })];
  return Type.Optional(Type.Union(forms, { description, default: fallback, errorMessage }));
}

const endpointOptions = {
  minLength: 1,
  errorMessage: "must be an address and a port such as 127.0.0.1:8080 or [::1]:8080",
};
const path = (description: string) =>
  Type.String({ description, minLength: 1, errorMessage: "must be the path of a file or folder" });
const flag = (description: string) =>
  Type.Optional(Type.Boolean({ description, default: false, errorMessage: "must be true or false" }));

const TlsFilesSchema = Type.Object(
  {
    cert: path("PEM file: the certificate, then its chain."),
    key: path("PEM file: the private key, readable by this user only."),
    hosts: Type.Optional(
      Type.Array(Type.String({ minLength: 1 }), {
        description: "Server names (SNI) that it is for; default: the certificate's.",
        minItems: 1,
      }),
    ),
  },
  closed,
);

const ListenerSchema = Type.Object(
  {
    address: Type.String(endpointOptions),
    tls: Type.Optional(
      Type.Union([TlsFilesSchema, Type.Array(TlsFilesSchema, { minItems: 1 })], {
        description: "One certificate, or several to be chosen by server name.",
      }),
    ),
    proxyProtocol: flag("Demand a PROXY header (v1 or v2) from trusted proxies, and take nothing else."),
  },
  closed,
);

const EdgeSchema = Type.Object(
  {
    listen: Type.Optional(
      Type.Union(
        [
          Type.String(endpointOptions),
          Type.Array(Type.Union([Type.String(endpointOptions), ListenerSchema]), { minItems: 1 }),
        ],
        {
          description: "Where the internet, or the load balancer, comes in.",
          default: "127.0.0.1:8080",
          errorMessage: "must be an address and a port, or a list of {address, tls, proxyProtocol}",
        },
      ),
    ),
    workers: Type.Optional(
      Type.Union([Type.Literal("auto"), Type.Integer({ minimum: 0, maximum: 256 })], {
        description: "Edge processes; auto: one per processor; 0: everything in one process.",
        default: "auto",
        errorMessage: "must be auto or a whole number from 0 to 256",
      }),
    ),
    cpuAffinity: Type.Optional(
      Type.Union([Type.Literal("auto"), Type.Literal("off")], {
        description:
          "auto: each edge process has a processor of its own, and control the others, where there are enough.",
        default: "auto",
        errorMessage: "must be auto or off",
      }),
    ),
    trustedProxies: Type.Optional(
      Type.Array(Type.String(), {
        description: "Prefixes of the proxies whose X-Forwarded-For or PROXY header is believed. Never everything.",
        default: [],
        errorMessage: "must be a list of prefixes such as 10.0.0.0/24",
      }),
    ),
    healthListen: Type.Optional(
      Type.String({
        ...endpointOptions,
        description: "The edges' own healthz, readyz and metrics. Not for the public.",
      }),
    ),
    drain: duration("How long requests in flight may take to end when an edge stops.", "30s"),
    limits: Type.Optional(
      Type.Object(
        {
          headerSize: size("Request line and header fields together; above: 431.", "32KiB"),
          headerCount: integer("Header fields of a request; above: 431.", 1, 2000, 200),
          targetSize: size("Request target; above: 414.", "16KiB"),
          connections: integer("Open connections per worker.", 1, 1_000_000, 20_000),
          connectionsPerAddress: integer(
            "Open connections per worker and client address; 0: unlimited.",
            0,
            1_000_000,
            0,
          ),
        },
        closed,
      ),
    ),
    timeouts: Type.Optional(
      Type.Object(
        {
          headers: duration("Until a request's header fields are complete.", "15s"),
          requestIdle: duration("A request body makes no progress.", "60s"),
          keepAlive: duration("An idle connection waits for its next request.", "65s"),
          writeIdle: duration("The client reads nothing.", "60s"),
          connect: duration("Connecting to an upstream.", "5s"),
          responseHeaders: duration("Until an upstream's response begins.", "60s"),
          responseIdle: duration("A response body makes no progress.", "120s"),
          tunnelIdle: duration("Nothing passes a WebSocket in either direction.", "1h"),
        },
        closed,
      ),
    ),
    upstream: Type.Optional(
      Type.Object(
        {
          ca: Type.Optional(path("PEM file of authorities trusted for https upstreams, besides the system's.")),
          keepAlive: duration("An idle upstream connection is kept.", "30s"),
          maxConnections: integer("Connections per upstream and worker.", 1, 100_000, 256),
        },
        closed,
      ),
    ),
  },
  closed,
);

const AdminSchema = Type.Object(
  {
    listen: Type.Optional(
      Type.String({ ...endpointOptions, description: "Where the admin API listens.", default: "127.0.0.1:8081" }),
    ),
    allowCleartext: flag("Allow an address beyond loopback without TLS: only where the network is private."),
    tls: Type.Optional(
      Type.Object({ cert: TlsFilesSchema.properties.cert, key: TlsFilesSchema.properties.key }, closed),
    ),
  },
  closed,
);

const LEVELS = ["trace", "debug", "info", "warn", "error", "fatal"] as const;

export const FileSchema = Type.Object(
  {
    dataDir: Type.Optional(
      Type.String({
        description: "Folder for the store, keys and sockets; made with mode 0700.",
        default: "./data",
        minLength: 1,
        errorMessage: "must be the path of a folder",
      }),
    ),
    store: Type.Optional(
      Type.Object(
        {
          url: Type.Optional(
            Type.String({
              description:
                "sqlite: (in the data folder), sqlite:PATH, redis://, rediss://, redis+sentinel:// or redis+cluster://.",
              default: "sqlite:",
              minLength: 1,
              errorMessage: "must be a store's URL such as sqlite: or redis://127.0.0.1:6379/0",
            }),
          ),
        },
        closed,
      ),
    ),
    publicUrl: Type.Optional(
      Type.String({
        description: "How browsers reach a clinic's host, for links in mail; default: as the edge listens.",
        pattern: "^https?://\\{host\\}(:[1-9][0-9]{0,4})?$",
        examples: ["https://{host}"],
        errorMessage: "must be https://{host}, perhaps with a port: {host} stands for the clinic's own",
      }),
    ),
    edge: Type.Optional(EdgeSchema),
    mail: Type.Optional(MailConfig),
    sms: Type.Optional(SmsConfig),
    admin: Type.Optional(AdminSchema),
    staleness: Type.Optional(
      Type.Object(
        {
          allowlist: duration("How long the last known allowlists decide while the store is away.", "15m"),
          session: duration("How long a looked-up session is believed without asking again.", "30s"),
        },
        closed,
      ),
    ),
    limits: Type.Optional(
      Type.Object({ entriesPerTenant: integer("Allowlist entries of one tenant.", 1, 10_000_000, 100_000) }, closed),
    ),
    tenants: Type.Optional(
      Type.Array(TenantDeclarationSchema, {
        description: "Tenants declared here are read-only in the API.",
        default: [],
        errorMessage: "must be a list of tenants",
      }),
    ),
    log: Type.Optional(
      Type.Object(
        {
          level: Type.Optional(
            Type.Union(
              LEVELS.map((level) => Type.Literal(level)),
              { default: "info", errorMessage: `must be one of ${LEVELS.join(", ")}` },
            ),
          ),
        },
        closed,
      ),
    ),
  },
  { ...closed, title: "Sallyport's configuration" },
);

export type FileSettings = Static<typeof FileSchema>;
export type EdgeSettings = Static<typeof EdgeSchema>;
export type ListenerSettings = Static<typeof ListenerSchema>;
