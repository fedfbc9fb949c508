/** Who gets a page and who a document for programs. */
import t from "tap";
import { acceptsHtml } from "../../src/core/accept.ts";

t.test("Accept", (t) => {
  const yes = ["text/html", "TEXT/HTML", "application/json, text/html;q=0.1", "text/html;level=1"];
  const no = [undefined, "", "*/*", "text/*", "text/html;q=0", "text/html; q=0.000", "application/json", "text/htmlx"];
  for (const accept of yes) t.equal(acceptsHtml(accept), true, accept);
  for (const accept of no) t.equal(acceptsHtml(accept), false, accept ?? "absent");
  t.end();
});
