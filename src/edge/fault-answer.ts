/** What a client gets when its request could not be carried to the upstream: a small page, or problem+json (RFC 9457). */

import { acceptsHtml } from "../core/accept.ts";
import { negotiateLanguage } from "../look/language.ts";
import { type RenderedPage, renderErrorPage, renderUnavailablePage } from "../look/refusals.ts";
import { contentSecurityPolicy, securityHeaders } from "../look/security-headers.ts";
import type { ClientRequest, ClientResponse } from "./client-message.ts";
import type { ForwardTenant, Lane } from "./forward-order.ts";

/** Everything that may go wrong behind the gate, with the status that says so. `close`: more of the body may come. */
export const FAULTS = {
  request_invalid: { status: 400, title: "The request is not well-formed", close: true },
  form_too_large: { status: 400, title: "The body is larger than any form of these pages", close: true },
  bad_gateway: { status: 502, title: "The application did not answer properly", close: false },
  unavailable: { status: 503, title: "Try again shortly", close: false },
  gateway_timeout: { status: 504, title: "The application took too long to answer", close: false },
} as const;

/** The `code` of the problem; stable. */
export type Fault = keyof typeof FAULTS;

const SECURITY_HEADERS = securityHeaders(contentSecurityPolicy({}));
const RETRY_AFTER_SECONDS = "5";

export interface FaultContext {
  readonly tenant: Pick<ForwardTenant, "name" | "branding">;
  readonly requestId: string;
}

interface FaultSource {
  readonly tenant: Pick<ForwardTenant, "id">;
  readonly requestId: string;
}

const TIMEOUTS: ReadonlySet<string> = new Set(["EDGE_CONNECT_TIMEOUT", "EDGE_TIMEOUT", "ETIMEDOUT"]);

/** Logs an error on the way to an upstream. @returns what it means to the client */
export function noteFault(error: Error, { requestId, tenant }: FaultSource, { log, unreachable }: Lane): Fault {
  const code = codeOf(error);
  log.warn({ requestId, tenant: tenant.id, code }, "an upstream did not answer properly");
  if (unreachable === "unavailable") return unreachable;
  if (TIMEOUTS.has(code)) return "gateway_timeout";
  return code === "EDGE_BUSY" ? "unavailable" : "bad_gateway";
}

/** The error's code, or its name where it has none. */
export function codeOf(error: Error): string {
  return "code" in error && typeof error.code === "string" ? error.code : error.name;
}

/** Answers, if nothing was answered yet; otherwise the connection breaks, so that the client sees that it lacks the rest. */
export function answerFault(req: ClientRequest, res: ClientResponse, fault: Fault, context: FaultContext): void {
  if (res.headersSent) {
    res.destroy();
    return;
  }
  const { headers, body } = acceptsHtml(req.headers.accept) ? page(req, fault, context) : problem(fault, context);
  const { status, close } = FAULTS[fault];
  const fields = { ...headers, "content-length": String(body.length), ...(close && { connection: "close" }) };
  res.writeHead(status, undefined, fields).end(body);
}

function page(req: ClientRequest, fault: Fault, { tenant, requestId }: FaultContext): RenderedPage {
  const options = { reference: requestId, lang: negotiateLanguage(req.headers["accept-language"]), tenant };
  return fault === "unavailable" ? renderUnavailablePage(options) : renderErrorPage(FAULTS[fault].status, options);
}

function problem(code: Fault, { requestId }: FaultContext): Pick<RenderedPage, "headers" | "body"> {
  const { status, title } = FAULTS[code];
  const type = { "content-type": "application/problem+json" };
  return {
    headers: { ...SECURITY_HEADERS, ...type, ...(code === "unavailable" && { "retry-after": RETRY_AFTER_SECONDS }) },
    body: Buffer.from(
      JSON.stringify({ type: `urn:sallyport:error:${code}`, title, status, code, reference: requestId }),
    ),
  };
}
