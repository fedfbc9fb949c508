/** The catalogues agree, and the language asked for is the one given. */
import t from "tap";
import { LANGUAGES, negotiateLanguage, translator } from "../../src/look/language.ts";
import { EN_GB } from "../../src/look/texts.en-GB.ts";
import { NL } from "../../src/look/texts.nl.ts";

const forms = (text: unknown): string[] =>
  typeof text === "string" ? [text] : Object.values(text as Record<string, string>);
const placeholders = (texts: readonly string[]): Set<string> =>
  new Set(texts.flatMap((text) => text.match(/\{\w+\}/g) ?? []));

t.test("every language has the same keys and placeholders, and no markup", async (t) => {
  t.same(new Set(Object.keys(NL)), new Set(Object.keys(EN_GB)));
  for (const [key, english] of Object.entries(EN_GB)) {
    const dutch: unknown = Reflect.get(NL, key);
    t.same(placeholders(forms(dutch)), placeholders(forms(english)), key);
    t.equal(typeof dutch, typeof english, key);
    for (const text of [...forms(english), ...forms(dutch)]) t.notMatch(text, /<[a-z/]|&[a-z]+;/, key);
  }
});

t.test("values are filled in, counts choose the form", async (t) => {
  t.match(translator("en-GB")("block.ask", { tenant: "A & B" }), /^Ask A & B to /);
  t.equal(translator("en-GB")("form.problem", { count: 1 }), "There is a problem");
  t.equal(translator("nl")("form.problem", { count: 3 }), "Er zijn 3 problemen");
});

t.test("Accept-Language", async (t) => {
  const cases: [string | undefined, string][] = [
    [undefined, "en-GB"],
    ["", "en-GB"],
    ["nl", "nl"],
    ["nl-BE,nl;q=0.9,en;q=0.8", "nl"],
    ["en;q=0.5, nl;q=0.9", "nl"],
    ["fr, de;q=0.9", "en-GB"],
    ["fr, nl;q=0.3, en;q=0.2", "nl"],
    ["nl;q=0", "en-GB"],
    ["*", "en-GB"],
    ["NL", "nl"],
    ["nl;q=2", "en-GB"],
    [`${"x".repeat(2000)},nl`, "en-GB"],
    ["nlx, nl\u0000", "en-GB"],
  ];
  for (const [field, expected] of cases)
    t.equal(negotiateLanguage(field), expected, JSON.stringify(field)?.slice(0, 40));
  for (const language of LANGUAGES) t.equal(negotiateLanguage(language), language);
});
