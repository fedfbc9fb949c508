/** What names and labels may hold: all that shows, as it was written. */
import t from "tap";
import { SallyportError } from "../../src/core/errors.ts";
import { readPlainText, withoutHidden } from "../../src/core/plain-text.ts";

function faultOf(text: string) {
  try {
    readPlainText(text, 20, "/label");
    return undefined;
  } catch (error) {
    return error instanceof SallyportError ? error.issues[0] : undefined;
  }
}

t.test("as it was written, joined letters, emoji and flags included", (t) => {
  const joined = [
    "\u0DC1\u0DCA\u200D\u0DBB\u0DD3",
    "\u0639\u0644\u06CC\u200C\u0631\u0636\u0627",
    "\u0995\u09CD\u200C\u09B7",
    "\u09B0\u200D\u09CD\u09AF",
    "1\uFE0F\u20E3 \u2665\uFE0E",
    "\u{1F3F4}\u{E0067}\u{E0062}\u{E0065}\u{E006E}\u{E0067}\u{E007F} desk",
    "\u{1F469}\u200D\u2695\uFE0F desk",
    "\u{1F469}\u{1F3FD}\u200D\u2695\uFE0F",
    "\u{1F3F3}\uFE0F\u200D\u{1F308}",
  ];
  for (const text of ["", " Réception 1 ", "受付", "x".repeat(20), ...joined]) {
    t.equal(readPlainText(text, 20, "/label"), text);
    t.equal(withoutHidden(text), text);
  }
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
    "Ann\u200E": "U+200E",
    "An\u00ADn": "U+00AD",
    "\u0639\u200C\u200C\u0631": "U+200C",
    "\u0639\u200C": "U+200C",
    "e\u0301\u200Dn": "U+200D",
    // Scripts that nothing joins.
    "\u53D7\u200D\u4ED8": "U+200D",
    "\u53D7\u200C\u4ED8": "U+200C",
    "\u05D0\u200C\u05D1": "U+200C",
    "\u0E01\u200D\u0E02": "U+200D",
    "\uAC00\u200D\uAC01": "U+200D",
    // Joined or not, it looks the same.
    "\u0639\u200D\u0644": "U+200D",
    "\u0915\u200C\u0916": "U+200C",
    "\u0915\u200D\u0916": "U+200D",
    "An\u034Fn": "U+034F",
    "\u115F\u1161": "U+115F",
    "\u1780\u17B5": "U+17B5",
    "\u1820\u180B": "U+180B",
    "a\uFE00": "U+FE00",
    "a\uFE0F": "U+FE0F",
    "1\uFE0F": "U+FE0F",
    "\u{1F469}\uFE0F\uFE0F": "U+FE0F",
    "\u3164": "U+3164",
    "a\uFFA0": "U+FFA0",
    "\u53D7\u{E0100}": "U+E0100",
    "\u{1F3F4}\u{E0067}\u{E0062}": "U+E0067",
    "\u{1F3F4}\u{E0067}\u{E0062}\u{E0065}\u{E007F}\u{E0065}": "U+E0065",
  };
  for (const [text, code] of Object.entries(hidden)) {
    const message = `must not hold a character that does not show (${code})`;
    t.strictSame(faultOf(text), { at: "/label", message, hint: "leave it out" });
    t.equal(faultOf(withoutHidden(text)), undefined, code);
  }
  t.match(faultOf("x".repeat(21)), { message: "must be at most 20 characters" });
  for (const text of [" ", "\u3000\u3000", "\u00A0 ", "\u2800"])
    t.match(faultOf(text), { message: "must not be of blanks alone" });
  t.end();
});
