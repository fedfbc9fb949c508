/** Where a browser goes after signing in: a path of the same host, whatever was asked for. */
import { SallyportError } from "../core/errors.ts";

/** Printable ASCII without space, quotes, backslash and angle brackets: nothing that a browser rewrites on the way. */
const PLAIN = /^\/[\x21\x23-\x26\x28-\x3b\x3d\x3f-\x5b\x5d-\x7e]*$/;
/** A second slash or backslash at the start, encoded or not; or a control character, encoded, anywhere. */
const HIDDEN = /^\/(?:\/|%2f|%5c)|%(?:[01][0-9a-f]|7f)/i;
const MAX_LENGTH = 2048;

/**
 * The path (with its query) when it can only lead to the same host, otherwise `/`. Refused are `//host`,
 * `/\host` and their encoded forms, anything with a scheme, control characters, paths that a browser would write
 * otherwise (dot segments), and our own pages but those that people sign in for.
 */
export function wayBackPath(input: unknown): string {
  return localPath(input) ?? "/";
}

/**
 * The same path, for a program that can be told what it got wrong; a fragment, which would be lost, is refused too.
 * @throws SallyportError `body_invalid`
 */
export function requireWayBack(input: string): string {
  const path = input.includes("#") ? undefined : localPath(input);
  if (path !== undefined) return path;
  const message = "must be a path on the tenant's own host";
  const hint =
    "write it as a browser would, such as /diary?day=1: one slash at the start, in ASCII, without dot segments or a fragment, and no page of the gate but account, portal or shortcuts";
  throw new SallyportError("body_invalid", `path ${message}`, { issues: [{ at: "/path", message, hint }] });
}

function localPath(input: unknown): string | undefined {
  if (typeof input !== "string" || input.length > MAX_LENGTH || !PLAIN.test(input)) return undefined;
  const path = input.split(/[?#]/, 1)[0] ?? "/";
  if (HIDDEN.test(path)) return undefined;
  const resolved = new URL(input, "https://host.invalid");
  if (resolved.origin !== "https://host.invalid" || resolved.pathname !== path) return undefined;
  if (/^\/\.sallyport(?:\/|$)/i.test(path) && !/^\/\.sallyport\/(?:account|portal|allow|shortcuts)(?:\/|$)/.test(path))
    return undefined;
  return resolved.pathname + resolved.search;
}
