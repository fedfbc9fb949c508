/** Text that somebody gives and others read: names and labels. What does not show could make one look like another. */
import { type Issue, SallyportError } from "./errors.ts";

/** Letters of the scripts that are written joined: where two are not, it shows. */
const CURSIVE = String.raw`[\p{L}&&[\p{sc=Arabic}\p{sc=Syriac}\p{sc=Mandaic}\p{sc=Mongolian}\p{sc=Nko}\p{sc=Adlam}\p{sc=Rohg}]]`;
/** The signs by which consonants of Indian scripts and Sinhala join, and the letters. */
const VIRAMA = String.raw`[\u094D\u09CD\u0A4D\u0ACD\u0B4D\u0BCD\u0C4D\u0CCD\u0D4D\u0DCA]`;
const INDIC = String.raw`[\p{L}&&[\p{sc=Deva}\p{sc=Beng}\p{sc=Guru}\p{sc=Gujr}\p{sc=Orya}\p{sc=Taml}\p{sc=Telu}\p{sc=Knda}\p{sc=Mlym}\p{sc=Sinh}]]`;
/** What shows although its characters do not by themselves. */
const SHOWN = [
  // How words are spelt in Persian, Sinhala and many more (Unicode 23.2).
  String.raw`(?<=${CURSIVE}\p{M}*)\u200C(?=${CURSIVE})`,
  String.raw`(?<=${VIRAMA})[\u200C\u200D](?=${INDIC})`,
  String.raw`(?<=${INDIC}\p{M}*)\u200D(?=${VIRAMA})`,
  // Pictographs joined to one (Unicode TR 51, 1.4.4), as a picture or as text (1.4.3), and digits as keys (1.4.5).
  String.raw`(?<=\p{Extended_Pictographic}(?:\p{M}|\p{Emoji_Modifier})*)\u200D(?=\p{Extended_Pictographic})`,
  String.raw`(?<=\p{Extended_Pictographic})[\uFE0E\uFE0F]`,
  String.raw`(?<=[0-9#*])\uFE0F(?=\u20E3)`,
  // The flag of a part of a country, in tag characters (Unicode TR 51, 1.4.6).
  String.raw`(?<=\u{1F3F4})[\u{E0030}-\u{E0039}\u{E0061}-\u{E007A}]{3,6}\u{E007F}`,
].join("|");
/** The others: control, format, surrogate, private and unassigned ones, separators of lines, fillers and selectors. */
const HIDDEN = new RegExp(String.raw`(?<shown>${SHOWN})|[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]`, "gv");
/** White space, and the empty pattern of Braille. */
const BLANKS = /^[\s\u2800]+$/;

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
  if (BLANKS.test(text)) throw refused(at, "must not be of blanks alone", "leave it out");
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
