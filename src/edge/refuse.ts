/** How a refused client is answered: the block page, a redirect to the sign-in, or problem+json (RFC 9457). */
import { type IncomingMessage, type ServerResponse, STATUS_CODES } from "node:http";
import { acceptsHtml } from "../core/accept.ts";
import { negotiateLanguage } from "../look/language.ts";
import {
  type RenderedPage,
  renderBlockPage,
  renderErrorPage,
  renderUnavailablePage,
  renderUnknownHostPage,
} from "../look/refusals.ts";
import { contentSecurityPolicy, securityHeaders } from "../look/security-headers.ts";
import type { ClientRequest } from "./client-message.ts";
import { linesOf } from "./header-rules.ts";
import { REFUSALS, type Refusal, type RefusalCode } from "./refusals.ts";

const SIGN_IN = "/.sallyport/sign-in";
const RETRY_AFTER_SECONDS = "10";
const SECURITY_HEADERS = securityHeaders(contentSecurityPolicy({}));
/** Every method but those refused; a 405 names them (RFC 9110 section 15.5.6). */
const ALLOW = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";
/** A body up to this is read and dropped, so that the connection can go on. */
const DISCARDED_BYTES = 65_536;
/** How long a bigger one is read and dropped after the answer: closing at once could destroy the answer on its way. */
const LINGER_MS = 1_000;

type Fields = Readonly<Record<string, string>>;

interface Answer {
  readonly status: number;
  readonly headers: Fields;
  readonly body: Buffer;
}

const EMPTY = Buffer.alloc(0);

/** Answers a refused request and leaves its connection in a state that nothing can be smuggled through. */
export function refuse(req: IncomingMessage, res: ServerResponse, refusal: Refusal, reference: string): void {
  const { status, headers, body } = answerTo(req, refusal, reference);
  // Where the framing is in doubt there is no telling what the body is.
  const lingers = refusal.code !== "request_invalid" && hasLongBody(req);
  const closes = lingers || REFUSALS[refusal.code].closes;
  res.writeHead(status, {
    ...headers,
    "content-length": String(body.length),
    ...(closes && { connection: "close" }),
  });
  if (lingers) linger(req, res, body);
  else res.end(body);
}

/** A whole answer as bytes, for a socket that has no `ServerResponse` (any more). The connection ends with it. */
export function rawRefusal(code: RefusalCode): string {
  const { status, headers, body } = problem(code);
  const date = new Date().toUTCString();
  const fields = { date, ...headers, "content-length": String(body.length), connection: "close" };
  const lines = linesOf(Object.entries(fields).flat());
  return `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? "unknown"}\r\n${lines}\r\n${body.toString()}`;
}

function answerTo(req: IncomingMessage, refusal: Refusal, reference: string): Answer {
  const { code } = refusal;
  const html = acceptsHtml(req.headers.accept);
  if (code === "no_session" && isNavigation(req)) return redirect();
  if (code === "no_session" || !html) return problem(code, refusal, reference);
  return page(refusal, reference, req);
}

function page({ code, tenant, address }: Refusal, reference: string, req: IncomingMessage): RenderedPage {
  const lang = negotiateLanguage(req.headers["accept-language"]);
  if (code === "not_on_allowlist" && tenant !== undefined && address !== undefined) {
    const { name: tenantName, branding, policy } = tenant;
    const canSelfAllow = policy.selfAllow !== "nobody";
    return renderBlockPage({ tenantName, branding, address: address.text, reference, lang, canSelfAllow });
  }
  const { status } = REFUSALS[code];
  if (status === 421) return renderUnknownHostPage({ reference, lang });
  if (status === 503) return renderUnavailablePage({ reference, lang, tenant });
  const rendered = renderErrorPage(status, { reference, lang, tenant });
  return status === 405 ? { ...rendered, headers: { ...rendered.headers, allow: ALLOW } } : rendered;
}

/** Where control, which remembers the way back, cannot be asked. */
function redirect(): Answer {
  return { status: 303, headers: { ...SECURITY_HEADERS, location: SIGN_IN }, body: EMPTY };
}

function problem(code: RefusalCode, refusal?: Refusal, reference?: string): Answer {
  const { status, title } = REFUSALS[code];
  // The caller's own address helps to get it onto the list; it says nothing about the list.
  const address = code === "not_on_allowlist" ? refusal?.address?.text : undefined;
  return {
    status,
    headers: { ...SECURITY_HEADERS, "content-type": "application/problem+json", ...fieldsOf(status) },
    body: Buffer.from(JSON.stringify({ type: `urn:sallyport:error:${code}`, title, status, code, address, reference })),
  };
}

/** What a status demands beside its body (RFC 9110 sections 11.6.1, 15.5.6, 10.2.3). */
function fieldsOf(status: number): Fields {
  if (status === 401) return { "www-authenticate": 'Cookie realm="sallyport"' };
  if (status === 405) return { allow: ALLOW };
  if (status === 503) return { "retry-after": RETRY_AFTER_SECONDS };
  return {};
}

/** Whether a browser goes to a page, rather than a script asking for something. */
export function isNavigation({ method, headers }: ClientRequest): boolean {
  return (method === "GET" || method === "HEAD") && acceptsHtml(headers.accept);
}

/** Whether more of a body may come than is read for the connection's sake. With `Expect`, none has been asked for. */
function hasLongBody({ headers }: IncomingMessage): boolean {
  if (headers.expect !== undefined) return false;
  if (headers["transfer-encoding"] !== undefined) return true;
  return Number(headers["content-length"] ?? 0) > DISCARDED_BYTES;
}

function linger(req: IncomingMessage, res: ServerResponse, body: Buffer): void {
  res.flushHeaders();
  if (body.length > 0) res.write(body);
  const end = () => res.end();
  const timer = setTimeout(end, LINGER_MS);
  req.once("end", end).resume();
  res.once("close", () => clearTimeout(timer));
}
