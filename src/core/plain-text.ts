/** Text that somebody gives and others read: names and labels. What does not show could make one look like another. */
import { type Issue, SallyportError } from "./errors.ts";

/** Control, format, surrogate, private and unassigned characters, and the separators of lines and paragraphs. */
const HIDDEN = /[\p{C}\p{Zl}\p{Zp}]/u;
/** A zero-width joiner between pictographs, which makes one of them (Unicode TR 51, 1.4.4). */
const JOINS = /(?<=\p{Extended_Pictographic}(?:\p{M}|\p{Emoji_Modifier})*)\u200D(?=\p{Extended_Pictographic})/gu;

/**
 * The text as it is: nothing is trimmed or taken away.
 * @param most characters
 * @throws SallyportError `body_invalid` for what does not show, is of blanks alone, or is too long
 */
export function readPlainText(text: string, most: number, at: string): string {
  const hidden = HIDDEN.exec(text.replace(JOINS, ""))?.[0];
  if (hidden !== undefined || [...text].length > most) {
    const code = hidden?.codePointAt(0)?.toString(16).toUpperCase().padStart(4, "0");
    const hint = code === undefined ? undefined : `leave out U+${code}, which does not show`;
    throw refused(at, `must be at most ${most} printable characters`, hint);
  }
  if (text !== "" && text.trim() === "") throw refused(at, "must not be of blanks alone", "leave it out");
  return text;
}

function refused(at: string, message: string, hint: string | undefined): SallyportError {
  const issue: Issue = { at, message, ...(hint === undefined ? {} : { hint }) };
  return new SallyportError("body_invalid", `${at.replace(/^.*\//, "")} ${message}`, { issues: [issue] });
}
