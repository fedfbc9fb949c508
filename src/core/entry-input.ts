/** The rules of what somebody may ask to put on an allowlist: CIDR, label and expiry. */
import { formatPrefix, isBroad, parsePrefix } from "./address.ts";
import { type Issue, SallyportError } from "./errors.ts";
import { parseInstant } from "./instant.ts";
import { readPlainText } from "./plain-text.ts";

/** As asked for; `expiresAt` or `ttlSeconds`, or neither. */
export interface EntryInput {
  readonly cidr: string;
  readonly label?: string;
  readonly expiresAt?: string;
  readonly ttlSeconds?: number;
}

/** Checked and canonical. */
export interface EntryFacts {
  readonly cidr: string;
  readonly label: string;
  readonly expiresAt?: string;
  readonly broad: boolean;
}

export const MAX_LABEL = 200;
/** Ten years. What should last longer has a date, or no expiry. */
export const MAX_TTL_SECONDS = 10 * 365 * 86_400;
/** Edges hold expiries as 32 bits of seconds, which end in February 2106. */
const LATEST_MS = Date.UTC(2106, 0, 1);

/** @throws SallyportError `address_invalid`, `broad_prefix` or `body_invalid`, the issue at `at` + the field's name */
export function readEntryInput(input: EntryInput, nowMs: number, allowBroad: boolean, at = "/"): EntryFacts {
  const { cidr, broad } = readCidr(input.cidr, allowBroad, `${at}cidr`);
  const label = readLabel(input.label ?? "", `${at}label`);
  const expiresAt = readExpiry(input, nowMs, at);
  return { cidr, label, broad, ...(expiresAt === undefined ? {} : { expiresAt }) };
}

function readCidr(text: string, allowBroad: boolean, at: string): { cidr: string; broad: boolean } {
  try {
    const prefix = parsePrefix(text);
    const broad = isBroad(prefix);
    const cidr = formatPrefix(prefix);
    if (!broad || allowBroad) return { cidr, broad };
    const least = prefix.family === 4 ? "/8" : "/32";
    const beside = at.startsWith("/items/") ? ' beside "items"' : "";
    const hint = `narrow it, or state "allowBroad": true${beside}`;
    throw refused("broad_prefix", at, `${cidr} is broader than ${least}`, hint);
  } catch (error) {
    if (!(error instanceof SallyportError) || error.issues.length > 0) throw error;
    throw new SallyportError(error.code, error.message, { issues: [{ at, message: error.message }] });
  }
}

/** @throws SallyportError `body_invalid` */
export function readLabel(label: string, at: string): string {
  return readPlainText(label, MAX_LABEL, at);
}

/** @throws SallyportError `body_invalid` */
export function readExpiry(
  { expiresAt, ttlSeconds }: { readonly expiresAt?: string; readonly ttlSeconds?: number },
  nowMs: number,
  at: string,
): string | undefined {
  if (expiresAt === undefined && ttlSeconds === undefined) return undefined;
  if (expiresAt !== undefined && ttlSeconds !== undefined)
    throw refused("body_invalid", `${at}ttlSeconds`, "must not stand beside expiresAt", "write one of the two");
  const field = expiresAt === undefined ? `${at}ttlSeconds` : `${at}expiresAt`;
  const ms = expiresAt === undefined ? nowMs + (ttlSeconds ?? 0) * 1000 : parseInstant(expiresAt);
  if (ms === undefined)
    throw refused("body_invalid", field, "must be an RFC 3339 time", `write it as ${new Date(nowMs).toISOString()}`);
  if (!(ms > nowMs)) throw refused("body_invalid", field, "must be in the future");
  if (ms > LATEST_MS)
    throw refused("body_invalid", field, "must be before 2106", "leave it out for what does not expire");
  return new Date(ms).toISOString();
}

function refused(code: "broad_prefix" | "body_invalid", at: string, message: string, hint?: string): SallyportError {
  const issue: Issue = { at, message, ...(hint === undefined ? {} : { hint }) };
  return new SallyportError(code, `${at.replace(/^.*\//, "")} ${message}`, { issues: [issue] });
}
