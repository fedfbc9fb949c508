/** The one error base class and the closed list of codes. A denial is a returned verdict; an error is a fault or refused input. */

/**
 * Every code that an error can carry. `docs/errors.md` explains each one; a test compares the two.
 * Codes are stable: a client may switch on them.
 */
export const ERROR_CODES = [
  "address_invalid",
  "body_invalid",
  "broad_prefix",
  "code_invalid",
  "config_invalid",
  "confirmation_required",
  "cursor_invalid",
  "delivery_failed",
  "email_invalid",
  "email_taken",
  "entry_limit",
  "forbidden",
  "host_taken",
  "idempotency_conflict",
  "import_invalid",
  "internal",
  "limit_reached",
  "lockout_refused",
  "method_not_allowed",
  "not_applied",
  "not_found",
  "not_ready",
  "number_invalid",
  "password_refused",
  "payload_too_large",
  "precondition_failed",
  "proof_required",
  "read_only",
  "request_malformed",
  "seal_invalid",
  "store_corrupt",
  "store_unavailable",
  "tenant_exists",
  "unauthorized",
  "unsupported_media_type",
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];

/** One thing that is wrong with an input: where (a JSON pointer, a line, a key path) and what to write instead. */
export interface Issue {
  readonly at: string;
  readonly message: string;
  readonly hint?: string;
}

export interface SallyportErrorOptions {
  readonly cause?: unknown;
  readonly issues?: readonly Issue[];
  /** When the same may be asked again; for what is refused only now. */
  readonly retryAfterMs?: number;
}

/** The base of everything that Sallyport throws on purpose. `message` is safe to show to the caller; `cause` is not. */
export class SallyportError extends Error {
  readonly code: ErrorCode;
  readonly issues: readonly Issue[];
  readonly retryAfterMs: number | undefined;
  constructor(code: ErrorCode, message: string, options: SallyportErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.code = code;
    this.issues = options.issues ?? [];
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** `Retry-After` (RFC 9110, 10.2.3): whole seconds, never 0. */
export function retryAfterSeconds(ms: number): string {
  return String(Math.max(1, Math.ceil(ms / 1000)));
}

/** A commit's precondition did not hold: somebody else wrote first. Nothing was written. */
export class ConflictError extends SallyportError {
  /** The document whose revision differed. */
  readonly kind: string;
  readonly id: string;
  constructor(kind: string, id: string) {
    super("precondition_failed", `${kind} "${id}" has changed since it was read; read it again and repeat the change`);
    this.kind = kind;
    this.id = id;
  }
}

/**
 * The store cannot be reached or did not answer in time. A commit that fails so may or may not have been
 * carried out; repeating it with the same idempotency key is safe.
 */
export class StoreUnavailableError extends SallyportError {
  constructor(message: string, cause?: unknown) {
    super("store_unavailable", message, { cause });
  }
}

/** There is no store where one was looked for, and none was to be made. */
export class StoreAbsentError extends SallyportError {
  constructor(where: string) {
    super("config_invalid", `there is no store: ${where}`);
  }
}

/** What is looked for, or `undefined` where it is `not_found`. */
export async function unlessMissing<Found>(finding: Promise<Found>): Promise<Found | undefined> {
  try {
    return await finding;
  } catch (error) {
    if (error instanceof SallyportError && error.code === "not_found") return undefined;
    throw error;
  }
}
