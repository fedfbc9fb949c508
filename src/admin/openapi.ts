/** The API's own description: OpenAPI 3.1 at `/openapi.json`, to be browsed at `/docs`. */
import fastifySwagger from "@fastify/swagger";
import fastifySwaggerUi from "@fastify/swagger-ui";
import { AccessRequestSchema } from "../schema/access-request.ts";
import { ActivityReportSchema, DenialSchema, PlacesReportSchema } from "../schema/activity.ts";
import { AuditRecordSchema, ChainHeadSchema } from "../schema/audit.ts";
import { DifferenceSchema, EntrySchema, ImportResultSchema } from "../schema/entry.ts";
import { KeySchema, NewKeySchema } from "../schema/key.ts";
import { LinkSchema, LinkWithUsesSchema, NewLinkSchema } from "../schema/link.ts";
import { NameSchema } from "../schema/name.ts";
import { EdgeSchema, ExplanationSchema, ReadinessSchema } from "../schema/operations.ts";
import { MailSchema } from "../schema/outbox.ts";
import { ProblemSchema } from "../schema/problem.ts";
import { SessionSchema } from "../schema/session.ts";
import { NewShortcutSchema, ShortcutSchema } from "../schema/shortcut.ts";
import { TenantSchema } from "../schema/tenant.ts";
import { InvitationSchema, SignInTicketSchema, UserSchema } from "../schema/user.ts";
import type { Api } from "./routes.ts";

const COMPONENTS = [
  TenantSchema,
  EntrySchema,
  DifferenceSchema,
  ImportResultSchema,
  NameSchema,
  LinkSchema,
  LinkWithUsesSchema,
  NewLinkSchema,
  ShortcutSchema,
  NewShortcutSchema,
  AccessRequestSchema,
  DenialSchema,
  PlacesReportSchema,
  ActivityReportSchema,
  UserSchema,
  InvitationSchema,
  SignInTicketSchema,
  SessionSchema,
  MailSchema,
  KeySchema,
  NewKeySchema,
  AuditRecordSchema,
  ChainHeadSchema,
  ExplanationSchema,
  EdgeSchema,
  ReadinessSchema,
  ProblemSchema,
];

/** Nothing from anywhere else; the style attributes are the browser's page's own. */
const DOCS_CSP =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** Must be awaited before routes are added, since it gathers them as they come. */
export async function describeApi(api: Api, version: string): Promise<void> {
  for (const schema of COMPONENTS) api.addSchema(schema);
  await api.register(fastifySwagger, {
    openapi: {
      openapi: "3.1.0",
      info: {
        title: "Sallyport admin API",
        version,
        description: "Errors are RFC 9457 problem documents with a stable code.",
        license: { name: "MIT", identifier: "MIT" },
      },
      servers: [{ url: "/" }],
      components: {
        securitySchemes: {
          key: { type: "http", scheme: "bearer", description: "A key of /v1/keys, or SALLYPORT_ADMIN_KEY." },
        },
      },
      security: [{ key: [] }],
    },
    refResolver: {
      buildLocalReference: (json, _base, _fragment, index) =>
        typeof json["$id"] === "string" ? json["$id"] : `def-${index}`,
    },
  });
  await api.register(fastifySwaggerUi, {
    routePrefix: "/docs",
    staticCSP: DOCS_CSP,
    uiConfig: { url: "/openapi.json", persistAuthorization: false, validatorUrl: null } as object,
    logLevel: "warn",
  });
}

/** Made once, when all routes are there. */
export function openapiRoute(api: Api): void {
  let text: string | undefined;
  api.get("/openapi.json", { schema: { hide: true } }, async (_request, reply) => {
    text ??= JSON.stringify(problemsAsProblems(api.swagger()));
    return reply.header("content-type", "application/json; charset=utf-8").send(text);
  });
}

/** Errors have their own media type, and words meant for our own messages do not belong in the description. */
function problemsAsProblems(document: unknown): unknown {
  if (Array.isArray(document)) return document.map(problemsAsProblems);
  if (typeof document !== "object" || document === null) return document;
  const entries = Object.entries(document).filter(([key]) => key !== "errorMessage");
  return Object.fromEntries(
    entries.map(([key, value]) => [key, key === "content" ? mediaOf(value) : problemsAsProblems(value)]),
  );
}

function mediaOf(content: unknown): unknown {
  const [media] = Object.values(content as Record<string, { schema?: { $ref?: string } }>);
  const isProblem = media?.schema?.$ref === "#/components/schemas/Problem";
  return isProblem ? { "application/problem+json": media } : problemsAsProblems(content);
}
