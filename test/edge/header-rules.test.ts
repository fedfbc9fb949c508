/** Header rules held against a slow restatement of them, over generated fields. */
import fc from "fast-check";
import t from "tap";
import { parseAddress } from "../../src/core/address.ts";
import { setsOurCookie, withoutOurCookies } from "../../src/core/cookies.ts";
import type { CanonicalHost } from "../../src/core/ids.ts";
import { announcedTrailers, passedTrailers, requestRule } from "../../src/edge/header-rules.ts";
import { RequestHead } from "../../src/edge/request-head.ts";
import { ResponseHead } from "../../src/edge/response-head.ts";

const OURS = ["host", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "sallyport-assertion"];

const spelling = (name: string) =>
  fc
    .array(fc.boolean(), { minLength: name.length, maxLength: name.length })
    .map((upper) => [...name].map((char, index) => (upper[index] ? char.toUpperCase() : char)).join(""));
const notable = fc
  .constantFrom(
    ...OURS,
    ...["connection", "keep-alive", "te", "trailer", "upgrade", "proxy-authorization", "forwarded", "x-real-ip"],
    ...[
      "x_forwarded_for",
      "x-forwarded-user",
      "sallyport-tenant",
      "sallyport_tenant",
      "x-original-url",
      "x.y",
      "cf-connecting-ip",
    ],
    ...["accept", "authorization", "x-app", "content-type", "user-agent", "range"],
  )
  .chain(spelling);
const token = fc.stringMatching(/^[a-zA-Z][a-zA-Z0-9_.!-]{0,12}$/);
const name = fc.oneof(notable, token);
const value = fc.stringMatching(/^[a-zA-Z0-9=;:/ "]{0,20}$/);
const nominating = fc.array(name, { maxLength: 3 }).map((names) => ["Connection", names.join(", ")] as const);
const fieldsArbitrary = fc.array(fc.oneof({ weight: 6, arbitrary: fc.tuple(name, value) }, nominating), {
  maxLength: 20,
});

/** The rules as one reads them: what a client may say to an application. */
function passes(lower: string): boolean {
  if (!/^[a-z0-9-]+$/.test(lower) || /^(sallyport|x-forwarded|x-original|x-auth-request)-/.test(lower)) return false;
  return requestRule(lower) === "pass";
}

t.test(
  "requests: what passes, passes unchanged and in order; ours are there once, whatever the client says",
  async (t) => {
    const address = parseAddress("2001:db8::7");
    if (address === undefined) throw new Error("not an address");
    const facts = { host: "happyfeet.example" as CanonicalHost, address, tls: true, assertion: "the.assertion" };
    fc.assert(
      fc.property(fieldsArbitrary, (fields) => {
        const sent = pairs(new RequestHead(fields.flat()).forUpstream(facts));
        const nominated = fields
          .filter(([each]) => each.toLowerCase() === "connection")
          .flatMap(([, tokens]) =>
            tokens
              .toLowerCase()
              .split(",")
              .map((each) => each.trim()),
          )
          .filter((each) => !["", "close", "keep-alive", "te", "upgrade"].includes(each));
        const expected = fields.filter(
          ([each]) => passes(each.toLowerCase()) && !nominated.includes(each.toLowerCase()),
        );
        const ours = sent.slice(sent.length - 5);
        const te = sent.filter(([each]) => each === "TE").length;
        t.same(
          sent.slice(0, sent.length - 5).filter(([each]) => each !== "TE"),
          expected,
          { diagnostic: false },
        );
        t.ok(te <= fields.length);
        t.same(ours, [
          ["Host", "happyfeet.example"],
          ["X-Forwarded-For", "2001:db8::7"],
          ["X-Forwarded-Proto", "https"],
          ["X-Forwarded-Host", "happyfeet.example"],
          ["Sallyport-Assertion", "the.assertion"],
        ]);
      }),
      { numRuns: 300 },
    );
  },
);

t.test("responses: nothing of the connection, nothing in our name", async (t) => {
  fc.assert(
    fc.property(fieldsArbitrary, (fields) => {
      const head = new ResponseHead(200, "OK", fields.flat(), false);
      for (const [each] of pairs(head.fields)) {
        t.notMatch(each, /^(connection|keep-alive|transfer-encoding|te|trailer|upgrade|sallyport-.*)$/i);
      }
    }),
    { numRuns: 200 },
  );
});

t.test("cookies: ours go, the others stay as they are, byte for byte", async (t) => {
  t.equal(withoutOurCookies('a=b; c="d; e";f=%20'), 'a=b; c="d; e";f=%20');
  t.equal(withoutOurCookies("__Host-sallyport=x"), undefined);
  t.equal(withoutOurCookies("a=b; __Host-sallyport=x; c=d"), "a=b; c=d");
  t.equal(withoutOurCookies("__Host-sallyport=x; a=b"), "a=b");
  t.equal(withoutOurCookies("a=b;__HOST-Sallyport=x;c=d;sallyport.device=y"), "a=b;c=d");
  t.equal(withoutOurCookies("mysallyport=x; a=sallyport"), "mysallyport=x; a=sallyport");
  t.equal(withoutOurCookies("\tsallyport=x; =sallyport=y"), undefined);
  const other = fc.stringMatching(/^[a-r]{1,5}=[^;\s]{0,8}$/);
  fc.assert(
    fc.property(fc.array(other, { minLength: 1, maxLength: 5 }), fc.nat(5), (cookies, at) => {
      const mixed = [...cookies.slice(0, at), "__Host-sallyport=secret", ...cookies.slice(at)];
      return withoutOurCookies(mixed.join("; ")) === cookies.join("; ");
    }),
  );
  for (const planted of [
    "sallyport=x",
    "__Host-sallyport=x; Secure",
    " sallyport=x",
    "=sallyport=x",
    "__HOST-SALLYPORT=x",
  ]) {
    t.ok(setsOurCookie(planted), planted);
  }
  t.notOk(setsOurCookie("app=sallyport"));
});

t.test("trailers: only those that change nothing about the message", async (t) => {
  const raw = ["X-Sum", "1", "Host", "a", "content-length", "1", "AUTHORIZATION", "a", "X_Y", "1", "Set-Cookie", "a"];
  t.same(passedTrailers([...raw, "Server-Timing", "x"]), [
    ["X-Sum", "1"],
    ["Server-Timing", "x"],
  ]);
  t.equal(announcedTrailers("X-Sum, Host,Transfer-Encoding , ,Sallyport-Tenant, expires, X-B"), "X-Sum, X-B");
});

t.test("a name never seen before costs no memory once many have been seen", async (t) => {
  for (let index = 0; index < 5_000; index++) t.equal(requestRule(`X-Random-${index}`), "pass");
  t.equal(requestRule("x-FORWARDED-for"), "drop", "and the rules still hold");
});

function pairs(fields: readonly string[]): [string, string][] {
  const result: [string, string][] = [];
  for (let index = 0; index < fields.length; index += 2) result.push([fields[index] ?? "", fields[index + 1] ?? ""]);
  return result;
}
