/** Errors on the wire: RFC 9457 problem documents with a stable code, and nothing of the inside. */
import type { FastifyError, FastifyReply, FastifyRequest } from "fastify";
import { type ErrorCode, type Issue, retryAfterSeconds, SallyportError } from "../core/errors.ts";
import type { Logger } from "../core/log.ts";

/** The one table from codes to status. */
export const STATUS = {
  address_invalid: 422,
  body_invalid: 422,
  broad_prefix: 422,
  code_invalid: 400,
  config_invalid: 500,
  confirmation_required: 409,
  cursor_invalid: 422,
  delivery_failed: 502,
  email_invalid: 422,
  email_taken: 409,
  entry_limit: 422,
  forbidden: 403,
  host_taken: 409,
  idempotency_conflict: 422,
  import_invalid: 422,
  internal: 500,
  limit_reached: 429,
  lockout_refused: 409,
  method_not_allowed: 405,
  not_applied: 504,
  not_found: 404,
  not_ready: 503,
  number_invalid: 422,
  password_refused: 422,
  payload_too_large: 413,
  precondition_failed: 412,
  proof_required: 403,
  read_only: 409,
  request_malformed: 400,
  seal_invalid: 500,
  store_corrupt: 500,
  store_unavailable: 503,
  tenant_exists: 409,
  unauthorized: 401,
  unsupported_media_type: 415,
} as const satisfies Record<ErrorCode, number>;

/** What Fastify itself refuses, in our words. */
const FROM_FASTIFY: Readonly<Record<string, { code: ErrorCode; detail: string }>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: {
    code: "unsupported_media_type",
    detail: "this route does not take that content type",
  },
  FST_ERR_CTP_BODY_TOO_LARGE: { code: "payload_too_large", detail: "the body is larger than this route takes" },
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: {
    code: "request_malformed",
    detail: "the body is not as long as Content-Length says",
  },
  FST_ERR_BAD_URL: { code: "request_malformed", detail: "the path is not well-formed" },
};

/** Members that a problem has besides the standard ones. */
export interface ProblemExtras {
  readonly applied?: readonly string[];
  readonly pending?: readonly string[];
  readonly checks?: unknown;
}

export function sendProblem(
  reply: FastifyReply,
  code: ErrorCode,
  detail: string | undefined,
  issues: readonly Issue[] = [],
  extras: ProblemExtras = {},
) {
  const status = STATUS[code];
  const title = code.charAt(0).toUpperCase() + code.slice(1).replaceAll("_", " ");
  if (status === 401) void reply.header("www-authenticate", 'Bearer realm="sallyport"');
  if (status === 503) void reply.header("retry-after", "1");
  return reply
    .code(status)
    .header("content-type", "application/problem+json; charset=utf-8")
    .send({
      type: `urn:sallyport:error:${code}`,
      title,
      status,
      code,
      ...(detail === undefined ? {} : { detail }),
      requestId: reply.request.id,
      ...(issues.length === 0 ? {} : { issues: issues.map(toWire) }),
      ...extras,
    });
}

function toWire({ at, message, hint }: Issue) {
  const line = /^line (\d+)$/.exec(at)?.[1];
  return {
    ...(line === undefined ? { pointer: at } : { line: Number(line) }),
    message,
    ...(hint === undefined ? {} : { hint }),
  };
}

/** Answers any error: what was refused with why, a fault with the request's id alone. */
export function errorHandler(log: Logger) {
  return (error: unknown, request: FastifyRequest, reply: FastifyReply) => {
    const known = toKnown(error);
    if (known?.retryAfterMs !== undefined) void reply.header("retry-after", retryAfterSeconds(known.retryAfterMs));
    if (known !== undefined && STATUS[known.code] < 500)
      return sendProblem(reply, known.code, known.message, known.issues);
    log.error({ err: error, requestId: request.id, method: request.method, url: request.url }, "a request failed");
    return sendProblem(reply, known?.code ?? "internal", undefined);
  };
}

function toKnown(error: unknown): SallyportError | undefined {
  if (error instanceof SallyportError) return error;
  const { code, statusCode } = error as Partial<FastifyError>;
  const mapped = FROM_FASTIFY[code ?? ""];
  if (mapped !== undefined) return new SallyportError(mapped.code, mapped.detail);
  return statusCode === 400 ? new SallyportError("request_malformed", "the request is not well-formed") : undefined;
}
