/** Text that somebody gives and others read: names and labels. What does not show could make one look like another. */
import { type Issue, SallyportError } from "./errors.ts";

/** What a joiner may stand beside: letters and vowel signs of the scripts that have joined and unjoined forms. */
const JOINED = String.raw`[[\p{L}\p{M}]--[\p{sc=Latin}\p{sc=Greek}\p{sc=Cyrillic}\p{sc=Common}\p{sc=Inherited}]]`;
/** What shows although its characters do not by themselves. */
const SHOWN = [
  // How words are spelt in Persian, Sinhala and many more (Unicode 23.2).
  String.raw`(?<=${JOINED}\p{M}*)[\u200C\u200D](?=${JOINED})`,
  // Pictographs joined to one (Unicode TR 51, 1.4.4).
  String.raw`(?<=\p{Extended_Pictographic}(?:\p{M}|\p{Emoji_Modifier})*)\u200D(?=\p{Extended_Pictographic})`,
  // The flag of a part of a country, in tag characters (Unicode TR 51, 1.4.6).
  String.raw`(?<=\u{1F3F4})[\u{E0030}-\u{E0039}\u{E0061}-\u{E007A}]{3,6}\u{E007F}`,
].join("|");
/** The others: control, format, surrogate, private and unassigned ones, and the separators of lines and paragraphs. */
const HIDDEN = new RegExp(String.raw`(?<shown>${SHOWN})|[\p{C}\p{Zl}\p{Zp}]`, "gv");

/**
 * The text as it is: nothing is trimmed or taken away.
 * @param most characters
 * @throws SallyportError `body_invalid` for what does not show, is of blanks alone, or is too long
 */
export function readPlainText(text: string, most: number, at: string): string {
  for (const [hidden, shown] of text.matchAll(HIDDEN)) {
    if (shown !== undefined) continue;
    const code = hidden.codePointAt(0)?.toString(16).toUpperCase().padStart(4, "0");
    throw refused(at, `must not hold a character that does not show (U+${code})`, "leave it out");
  }
  if ([...text].length > most) throw refused(at, `must be at most ${most} characters`);
  if (text !== "" && text.trim() === "") throw refused(at, "must not be of blanks alone", "leave it out");
  return text;
}

/** The text without what does not show, as it comes along when somebody pastes: then {@link readPlainText} takes it. */
export function withoutHidden(text: string): string {
  return text.replace(HIDDEN, (_, shown: string | undefined) => shown ?? "");
}

function refused(at: string, message: string, hint?: string): SallyportError {
  const issue: Issue = { at, message, ...(hint === undefined ? {} : { hint }) };
  return new SallyportError("body_invalid", `${at.replace(/^.*\//, "")} ${message}`, { issues: [issue] });
}
