/** Where a browser goes after signing in: never to another host, judged by what browsers make of it. */
import fc from "fast-check";
import t from "tap";
import { requireWayBack, wayBackPath } from "../../src/person/way-back.ts";

const HOSTILE = [
  "//evil.example",
  "///evil.example",
  "https:evil.example",
  "https://evil.example/",
  "/\\evil.example",
  "\\\\evil.example",
  "/%5cevil.example",
  "%5cevil.example",
  "/%2fevil.example",
  "/%2Fevil.example",
  "/a/..//evil.example",
  "/.//evil.example",
  "/%2e%2e//evil.example",
  "/x\r\nSet-Cookie: a=b",
  "/x%0d%0aSet-Cookie:%20a=b",
  "/\t/evil.example",
  "\t//evil.example",
  " //evil.example",
  "/\u2028/evil",
  "/ｅvil",
  "javascript:alert(1)",
  "data:text/html,x",
  "evil.example",
  "?x=//evil",
  "",
  "/.sallyport/sign-in",
  "/.sallyport/sign-out",
  "/.SALLYPORT/sign-out",
  "/.sallyport/invite/token",
  "/.sallyport/allowed",
  "/.sallyport",
  "/a/../.sallyport/sign-out",
  `/${"a".repeat(3000)}`,
];

t.test("hostile ways back lead to the start", async (t) => {
  const inputs = [...HOSTILE, undefined, null, 7, ["/x"], { toString: () => "/x" }];
  for (const [index, input] of inputs.entries()) t.equal(wayBackPath(input), "/", `number ${index}`);
  for (const [index, input] of [...HOSTILE, "/a#fragment"].entries())
    t.throws(() => requireWayBack(input), { code: "body_invalid" }, `number ${index}`);
});

t.test("ordinary ones are kept", async (t) => {
  const kept = [
    "/",
    "/patients?id=7&tab=notes",
    "/a/b/c.html",
    "/search?q=a%2Fb%20c",
    "/d?next=//x",
    "/a//b",
    "/files/a%2Fb",
    "/.sallyport/account",
    // A shortcut that asks for the factor at a new place leads through the sign-in; its GET changes nothing.
    "/.sallyport/allow/token",
  ];
  for (const path of kept) {
    t.equal(wayBackPath(path), path);
    t.equal(requireWayBack(path), path);
  }
  t.equal(wayBackPath("/a#fragment"), "/a", "a fragment is the browser's own");
});

t.test("whatever goes in, a browser stays on the host", async () => {
  const pieces = fc.constantFrom(
    "/",
    "\\",
    ".",
    "..",
    "%2f",
    "%5c",
    "%2e",
    "%0d",
    "\t",
    "\r\n",
    ":",
    "@",
    "?",
    "#",
    "evil.example",
    "https",
    "//",
    "a",
    " ",
  );
  const input = fc.oneof(
    fc.string(),
    fc.array(pieces, { maxLength: 10 }).map((parts) => parts.join("")),
    fc.webUrl(),
  );
  fc.assert(
    fc.property(input, (text) => {
      const path = wayBackPath(text);
      const url = new URL(path, "https://clinic.example/.sallyport/verify");
      return (
        url.origin === "https://clinic.example" &&
        path.startsWith("/") &&
        !path.startsWith("//") &&
        /^[\x21-\x7e]*$/.test(path)
      );
    }),
    { numRuns: 5000 },
  );
});
