/** The list of cases in `docs/` names tests that there are, and none of its numbers is missing. */
import { existsSync, readFileSync } from "node:fs";
import t from "tap";

const ROOT = new URL("../../", import.meta.url);

t.test("docs/cases.md", async (t) => {
  const rows = [...readFileSync(new URL("docs/cases.md", ROOT), "utf8").matchAll(/^\| (\d+) \|.*$/gm)];
  t.strictSame(
    rows.map(([, number]) => Number(number)),
    Array.from({ length: rows.length }, (_, index) => index + 1),
  );
  t.ok(rows.length > 37);
  for (const [row, number] of rows) {
    const files = [...row.matchAll(/`(test\/[^`]+\.ts)`/g)].map(([, file = ""]) => file);
    t.ok(files.length > 0, `case ${number} is shown by a test`);
    for (const file of files) t.ok(existsSync(new URL(file, ROOT)), file);
  }
});
