/** What names and labels may hold: all that shows, as it was written. */
import t from "tap";
import { SallyportError } from "../../src/core/errors.ts";
import { readPlainText } from "../../src/core/plain-text.ts";

function faultOf(text: string) {
  try {
    readPlainText(text, 20, "/label");
    return undefined;
  } catch (error) {
    return error instanceof SallyportError ? error.issues[0] : undefined;
  }
}

t.test("as it was written, emoji that are joined included", (t) => {
  const joined = [
    "\u{1F469}\u200D\u2695\uFE0F desk",
    "\u{1F469}\u{1F3FD}\u200D\u2695\uFE0F",
    "\u{1F3F3}\uFE0F\u200D\u{1F308}",
  ];
  for (const text of ["", " Réception 1 ", "受付", "x".repeat(20), ...joined])
    t.equal(readPlainText(text, 20, "/label"), text);
  t.end();
});

t.test("what does not show is named", (t) => {
  const hidden = {
    "a\u200Db": "U+200D",
    "\u200D\u{1F469}": "U+200D",
    "a\u202Eb": "U+202E",
    "a\nb": "U+000A",
    "a\u2028b": "U+2028",
    "\u{E0067}": "U+E0067",
  };
  for (const [text, code] of Object.entries(hidden)) {
    t.match(faultOf(text), { at: "/label", message: /printable/, hint: `leave out ${code}, which does not show` });
  }
  t.match(faultOf("x".repeat(21)), { message: "must be at most 20 printable characters" });
  for (const text of [" ", "\u3000\u3000", "\u00A0 "])
    t.match(faultOf(text), { message: "must not be of blanks alone" });
  t.end();
});
