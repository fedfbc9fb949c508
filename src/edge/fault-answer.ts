/** What a client gets when its request could not be carried to the upstream: a small page, or problem+json (RFC 9457). */
import type { IncomingMessage, ServerResponse } from "node:http";
import { negotiateLanguage } from "../look/language.ts";
import { renderErrorPage, renderUnavailablePage } from "../look/refusals.ts";
import type { TenantPolicy } from "../replica/policy.ts";

/** Everything that may go wrong behind the gate, with the status that says so. */
const FAULTS = {
  "bad-request": [400, "The request's framing is not acceptable"],
  "too-large": [413, "The request's body is too large"],
  "bad-gateway": [502, "The application did not answer properly"],
  unavailable: [503, "Try again shortly"],
  timeout: [504, "The application took too long to answer"],
} as const satisfies Record<string, readonly [number, string]>;

export type Fault = keyof typeof FAULTS;

const RETRY_AFTER_SECONDS = "5";

export interface FaultContext {
  readonly tenant: Pick<TenantPolicy, "name" | "branding">;
  readonly requestId: string;
}

/** Answers, if nothing was answered yet; otherwise the connection breaks, so that the client sees that it lacks the rest. */
export function answerFault(req: IncomingMessage, res: ServerResponse, fault: Fault, context: FaultContext): void {
  if (res.headersSent) {
    res.destroy();
    return;
  }
  const [status, title] = FAULTS[fault];
  const rendered = acceptsHtml(req) ? page(status, req, context) : problem(status, title, context.requestId);
  // The rest of an unread request body would be taken for the next request, or have to be read for nothing.
  const connection = req.complete ? {} : { connection: "close" };
  res.writeHead(status, { ...rendered.headers, ...connection, "content-length": String(rendered.body.length) });
  res.end(req.method === "HEAD" ? undefined : rendered.body);
}

interface Rendered {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

function page(status: number, req: IncomingMessage, { tenant, requestId }: FaultContext): Rendered {
  const options = { reference: requestId, lang: negotiateLanguage(req.headers["accept-language"]), tenant };
  return status === 503 ? renderUnavailablePage(options) : renderErrorPage(status, options);
}

function problem(status: number, title: string, requestId: string): Rendered {
  return {
    headers: {
      "content-type": "application/problem+json",
      "cache-control": "no-store",
      ...(status === 503 ? { "retry-after": RETRY_AFTER_SECONDS } : {}),
    },
    body: Buffer.from(JSON.stringify({ type: "about:blank", title, status, requestId })),
  };
}

function acceptsHtml(req: IncomingMessage): boolean {
  return req.headers.accept?.includes("text/html") ?? false;
}
