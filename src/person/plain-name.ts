/** Names that people give: of themselves, of their factors. */
import { readPlainText, withoutHidden } from "../core/plain-text.ts";

const MAX_CHARACTERS = 60;

/** A user's name, as it is. @throws SallyportError `body_invalid` for what is no name */
export function readName(name: string): string {
  return readPlainText(name, MAX_CHARACTERS, "/name");
}

/**
 * What somebody calls their own factor, made fit to show: without what does not show, trimmed, at most
 * 60 characters; `undefined` when nothing is left.
 */
export function plainName(input: unknown): string | undefined {
  if (typeof input !== "string") return undefined;
  const characters = Array.from(withoutHidden(input.slice(0, 1024)).trim());
  return characters.length === 0 ? undefined : characters.slice(0, MAX_CHARACTERS).join("");
}
