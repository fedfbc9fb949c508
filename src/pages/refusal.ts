/** How the pages refuse: a page for whoever reads one, `application/problem+json` (RFC 9457) for programs. */
import { STATUS_CODES } from "node:http";
import type { FastifyReply, FastifyRequest } from "fastify";
import { acceptsHtml } from "../core/accept.ts";
import { type ErrorCode, retryAfterSeconds } from "../core/errors.ts";
import { negotiateLanguage } from "../look/language.ts";
import type { PageTenant } from "../look/page.ts";
import { renderBusyNetworkPage, renderErrorPage, renderUnavailablePage } from "../look/refusals.ts";
import { contentSecurityPolicy, securityHeaders } from "../look/security-headers.ts";

const SECURITY_HEADERS = securityHeaders(contentSecurityPolicy({}));

/** Where no rule gave a code of its own. */
const CODES: Readonly<Record<number, ErrorCode>> = {
  400: "request_malformed",
  403: "forbidden",
  404: "not_found",
  405: "method_not_allowed",
  429: "limit_reached",
  503: "store_unavailable",
};

export interface PageRefusal {
  readonly status: number;
  readonly code?: ErrorCode;
  /** After this it may be asked again. */
  readonly waitMs?: number | undefined;
  /** It is the network that asks too often, and nobody on it need have done so. */
  readonly ofNetwork?: boolean;
}

export function sendRefusal(
  request: FastifyRequest,
  reply: FastifyReply,
  refusal: PageRefusal,
  tenant: PageTenant | undefined,
): FastifyReply {
  const { headers } = request;
  const reference = String(headers["sallyport-request-id"] ?? request.id);
  if (acceptsHtml(headers.accept)) {
    // What a form was sent to cannot be asked for by a link.
    const repeatable = request.method === "GET" || request.method === "HEAD";
    const lang = negotiateLanguage(headers["accept-language"]);
    const rendered = render(refusal, { lang, reference, repeatable, tenant });
    reply.code(rendered.status).headers(rendered.headers);
    return withRetry(reply, refusal).send(rendered.body);
  }
  const { status, code = CODES[status] ?? "internal" } = refusal;
  const problem = { type: `urn:sallyport:error:${code}`, title: STATUS_CODES[status], status, code, reference };
  reply.code(status).headers(SECURITY_HEADERS).header("content-type", "application/problem+json");
  return withRetry(reply, refusal).send(Buffer.from(JSON.stringify(problem)));
}

function render(
  { status, waitMs = 0, ofNetwork = false }: PageRefusal,
  options: Parameters<typeof renderUnavailablePage>[0],
) {
  if (ofNetwork) return renderBusyNetworkPage(options, Number(retryAfterSeconds(waitMs)));
  return status === 503 ? renderUnavailablePage(options) : renderErrorPage(status, options);
}

function withRetry(reply: FastifyReply, { waitMs }: PageRefusal): FastifyReply {
  return waitMs === undefined ? reply : reply.header("retry-after", retryAfterSeconds(waitMs));
}
