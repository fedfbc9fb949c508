/** The one form in which a login's e-mail address is compared and stored. */
import { domainToASCII } from "node:url";
import { SallyportError } from "../core/errors.ts";

const LOCAL = /^[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/;
const DOMAIN = /^(?=.{1,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/**
 * Trimmed, lower case, the domain in ASCII (`xn--`). The local part is an ASCII dot-atom (RFC 5321), so that no
 * two spellings that look alike are two logins; quoted local parts and address literals are refused.
 * @returns `undefined` for anything else.
 */
export function normaliseEmail(input: unknown): string | undefined {
  if (typeof input !== "string" || input.length > 320) return undefined;
  const text = input.trim();
  const at = text.lastIndexOf("@");
  const local = text.slice(0, Math.max(at, 0));
  // Upper case is folded for ASCII alone: `toLowerCase` would turn the Kelvin sign into a k.
  if (local.length > 64 || /[^\x21-\x7e]/.test(local) || !LOCAL.test(local.toLowerCase())) return undefined;
  const domain = domainToASCII(text.slice(at + 1)).toLowerCase();
  return DOMAIN.test(domain) ? `${local.toLowerCase()}@${domain}` : undefined;
}

/** As {@link normaliseEmail}, but nothing is trimmed. @throws SallyportError `email_invalid` */
export function parseEmail(input: unknown): string {
  const email = typeof input === "string" && input === input.trim() ? normaliseEmail(input) : undefined;
  if (email === undefined) {
    throw new SallyportError("email_invalid", "write an e-mail address such as name@clinic.example");
  }
  return email;
}
