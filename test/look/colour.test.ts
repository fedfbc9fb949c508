/** Whatever accent a tenant chooses, links and buttons stay readable. */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import t from "tap";
import { accentPair, contrastRatio, DARK_GROUND, DEFAULT_ACCENT, LIGHT_GROUND } from "../../src/look/colour.ts";

t.test("contrast as WCAG defines it", async (t) => {
  t.equal(contrastRatio("#000000", "#ffffff"), 21);
  t.equal(contrastRatio("#777777", "#ffffff").toFixed(2), "4.48");
});

t.test("every accent reaches 4.5:1 on the grounds and under the text of its buttons", async () => {
  const colour = fc.nat(0xffffff).map((bits) => `#${bits.toString(16).padStart(6, "0")}`);
  fc.assert(
    fc.property(colour, (accent) => {
      const { light, dark } = accentPair(accent);
      const grounds = [
        contrastRatio(light, LIGHT_GROUND),
        contrastRatio(light, "#ffffff"),
        contrastRatio(dark, DARK_GROUND),
        contrastRatio(dark, "#0f1615"),
      ];
      return grounds.every((ratio) => ratio >= 4.5);
    }),
  );
});

t.test("a readable accent is left as it is, and junk gives our own", async (t) => {
  t.equal(accentPair("#1c5d57").light, "#1c5d57");
  t.same(accentPair("red;}body{display:none"), accentPair(DEFAULT_ACCENT));
  t.same(accentPair(undefined), accentPair(DEFAULT_ACCENT));
});

t.test("the style sheet has the colours that were reckoned with", async (t) => {
  const css = readFileSync(new URL("../../src/look/base.css", import.meta.url), "utf8");
  const [light = "", dark = ""] = css.split("@media (prefers-color-scheme: dark)");
  const value = (block: string, name: string): string => new RegExp(`--${name}: (#[0-9a-f]{6})`).exec(block)?.[1] ?? "";
  t.equal(value(light, "ground"), LIGHT_GROUND);
  t.equal(value(dark, "surface"), DARK_GROUND);
  t.equal(value(light, "accent"), DEFAULT_ACCENT);
  for (const [name, block] of Object.entries({ light, dark })) {
    for (const text of ["ink", "muted", "accent", "bad", "good", "warn"]) {
      for (const ground of ["ground", "surface", "sunk"]) {
        t.ok(contrastRatio(value(block, text), value(block, ground)) >= 4.5, `${name}: ${text} on ${ground}`);
      }
    }
    for (const kind of ["bad", "good", "warn"]) {
      t.ok(contrastRatio(value(block, kind), value(block, `${kind}-ground`)) >= 4.5, `${name}: ${kind} on its ground`);
    }
    t.ok(contrastRatio(value(block, "edge"), value(block, "surface")) >= 3, `${name}: the edge of a field`);
  }
});
