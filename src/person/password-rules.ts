/** Which passwords may be chosen (NIST SP 800-63B-4, section 3.1.1): long enough, and not one that guessers try. */
import { readFileSync } from "node:fs";
import { SallyportError } from "../core/errors.ts";

const MIN_LENGTH = 12;
const MAX_LENGTH = 256;

/** What an attacker who knows the clinic would try first. */
export interface PasswordContext {
  readonly email: string;
  readonly name?: string | undefined;
  readonly tenantName: string;
  readonly hosts: readonly string[];
}

const COMMON: ReadonlySet<string> = new Set(
  readFileSync(new URL("./common-passwords.txt", import.meta.url), "utf8")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#")),
);

/** Substitutions that guessing programs undo. */
const LOOKALIKES: Readonly<Record<string, string>> = {
  "0": "o",
  "1": "i",
  "3": "e",
  "4": "a",
  "5": "s",
  "7": "t",
  "8": "b",
  "@": "a",
  $: "s",
  "!": "i",
};

/**
 * One password, one form: NFC, so that the same keys typed on another system are the same bytes. Nothing is
 * trimmed or cut. @returns `undefined` for what cannot be a password (no text, or longer than 256 code points).
 */
export function normalisePassword(input: unknown): string | undefined {
  if (typeof input !== "string" || input.length > MAX_LENGTH * 2) return undefined;
  const password = input.normalize("NFC");
  return Array.from(password).length <= MAX_LENGTH ? password : undefined;
}

/**
 * The normalised password if it may be chosen: 12 to 256 code points of any kind, and not in the list of common
 * passwords, a repetition, a run along the keyboard, or made of the person's or the clinic's own names, with or
 * without the usual decoration. There are no composition rules.
 * @throws SallyportError `password_refused`, saying why
 */
export function checkNewPassword(input: unknown, context: PasswordContext): string {
  const password = normalisePassword(input);
  if (password === undefined) refuse(`use at most ${MAX_LENGTH} characters`);
  if (Array.from(password).length < MIN_LENGTH) {
    refuse(`use at least ${MIN_LENGTH} characters; a few unrelated words make a good one`);
  }
  if (isPredictable(password)) refuse("this password is among the first that are guessed; choose another");
  if (isOwnName(password, context)) refuse("do not build the password from your own or the clinic's name or e-mail");
  return password;
}

function refuse(message: string): never {
  throw new SallyportError("password_refused", message);
}

function isPredictable(password: string): boolean {
  const lower = password.toLowerCase();
  return variants(lower).some((text) => COMMON.has(text) || isRepetition(text) || isRun(text) || isCommonPair(text));
}

/** The password as such, without decoration, and with lookalikes undone. */
function variants(lower: string): string[] {
  const bare = lower.replace(/[^\p{L}]+$/u, "").replace(/^[^\p{L}]+/u, "");
  const plain = Array.from(lower, (character) => LOOKALIKES[character] ?? character).join("");
  const plainBare = Array.from(bare, (character) => LOOKALIKES[character] ?? character).join("");
  return [...new Set([lower, bare, plain, plainBare, plainBare.replace(/[^\p{L}]/gu, "")])];
}

/** `abcabcabcabc`, `aaaaaaaaaaaa`, `passwordpassword`: one unit of up to a third, or a common one twice. */
function isRepetition(text: string): boolean {
  const unit = /^(.+?)\1+$/u.exec(text)?.[1];
  if (unit === undefined) return false;
  return unit.length * 3 <= text.length || COMMON.has(unit);
}

const ROWS = [
  "abcdefghijklmnopqrstuvwxyz",
  "01234567890123456789",
  "1234567890-=",
  "qwertyuiop[]",
  "asdfghjkl;'",
  "zxcvbnm,./",
].flatMap((row) => [row, Array.from(row).reverse().join("")]);

/** Made of at most four runs along the alphabet or a keyboard row: `qwertyasdfgh`, `abcdef123456`. */
function isRun(text: string): boolean {
  let runs = 0;
  for (let at = 0; at < text.length; runs++) {
    let length = 1;
    while (at + length < text.length && ROWS.some((row) => row.includes(text.slice(at, at + length + 1)))) length++;
    if (length < 3) return false;
    at += length;
  }
  return runs > 0 && runs <= 4;
}

/** Two common passwords set together, such as `welcomesunshine`; three or more words are a passphrase. */
function isCommonPair(text: string): boolean {
  for (let at = 4; at <= text.length - 4; at++) {
    if (COMMON.has(text.slice(0, at)) && COMMON.has(text.slice(at))) return true;
  }
  return false;
}

/** Whether little is left of the password once the names that belong to the person and the clinic are taken out. */
function isOwnName(password: string, context: PasswordContext): boolean {
  const { email, name = "", tenantName, hosts } = context;
  const words = [email, email.split("@")[0] ?? "", name, tenantName, ...hosts, "sallyport"]
    .flatMap((text) => [text, ...text.split(/[^\p{L}\p{N}]+/u)])
    .map((text) => text.toLowerCase().replace(/[^\p{L}\p{N}]/gu, ""))
    .filter((text) => text.length >= 4)
    .sort((one, other) => other.length - one.length);
  return variants(password.toLowerCase()).some((variant) => {
    let rest = variant.replace(/[^\p{L}\p{N}]/gu, "");
    const before = rest.length;
    for (const word of words) rest = rest.replaceAll(word, "");
    const letters = rest.replace(/[^\p{L}]/gu, "");
    return rest.length < before && letters.length < 4;
  });
}
