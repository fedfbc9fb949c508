/** Reading one-time codes: what a person typed or pasted, and nothing else. */
import { SallyportError } from "../core/errors.ts";

const MAX_TYPED = 32;

/**
 * Exactly six ASCII digits; ASCII spaces between them are dropped, since apps and messages show groups.
 * Nothing is converted: arrays, objects, numbers, full-width digits and long text are refused unread.
 * @throws SallyportError `code_invalid`
 */
export function parseCode(input: unknown): string {
  if (typeof input === "string" && input.length <= MAX_TYPED) {
    const digits = input.replaceAll(" ", "");
    if (/^[0-9]{6}$/.test(digits)) return digits;
  }
  throw new SallyportError("code_invalid", "a code is six digits, such as 123 456");
}

/**
 * A recovery code without spaces and hyphens, in lower case, with the letters that look like digits read as such.
 * @throws SallyportError `code_invalid`
 */
export function parseRecoveryCode(input: unknown): string {
  if (typeof input === "string" && input.length <= 64 && /^[\x20-\x7e]*$/.test(input)) {
    const code = input.toLowerCase().replace(/[ -]/g, "").replaceAll("o", "0").replace(/[il]/g, "1");
    if (/^[0-9a-hjkmnp-tv-z]{16}$/.test(code)) return code;
  }
  throw new SallyportError(
    "code_invalid",
    "a recovery code is sixteen letters and digits, such as 3k7m-9pqr-2xyz-4abc",
  );
}
