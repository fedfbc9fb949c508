/** The template escapes by where a value stands, and refuses to build what cannot be made safe. */
import fc from "fast-check";
import t from "tap";
import { escapeHtml, type Html, html, raw } from "../../src/look/html.ts";

const HOSTILE = `"><script>alert('1')</script>&\``;

t.test("text and quoted attributes are escaped", async (t) => {
  t.equal(
    html`<p title="${HOSTILE}">${HOSTILE}</p>`.toString(),
    `<p title="${escapeHtml(HOSTILE)}">${escapeHtml(HOSTILE)}</p>`,
  );
  t.notMatch(escapeHtml(HOSTILE), /[<>"'`]/);
});

t.test("nested templates go in once, arrays one after the other, nothing for false and undefined", async (t) => {
  const items = ["a&b", "c"].map((item) => html`<li>${item}</li>`);
  t.equal(html`<ul>${items}</ul>${false}${undefined}${null}${0}`.toString(), "<ul><li>a&amp;b</li><li>c</li></ul>0");
});

t.test("whatever the text, it reads back unchanged and opens no tag", async () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      const markup = html`<b>${text}</b>`.toString().slice(3, -4);
      const back = markup
        .replace(
          /&(lt|gt|quot|#39|#96);/g,
          (_, name: string) => ({ lt: "<", gt: ">", quot: '"', "#39": "'", "#96": "`" })[name] ?? "",
        )
        .replaceAll("&amp;", "&");
      return back === text && !/[<>"'`]/.test(markup);
    }),
  );
});

t.test("a URL keeps to this host and to schemes that run nothing", async (t) => {
  const link = (url: string): string => html`<a href="${url}">x</a>`.toString();
  for (const url of [
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "java\nscript:alert(1)",
    "data:text/html,x",
    "//evil",
    "/\\evil",
    "\\\\evil",
    "/\t/evil",
    "vbscript:x",
    " javascript:x",
    "evil:x",
  ]) {
    t.equal(link(url), `<a href="#">x</a>`, JSON.stringify(url));
  }
  for (const url of [
    "/.sallyport/sign-in",
    "#content",
    "",
    "?page=2",
    "https://clinic.example/a",
    "mailto:a@b.example",
    "tel:+441",
    "otpauth://totp/x",
  ]) {
    t.equal(link(url), `<a href="${url}">x</a>`, url);
  }
  t.equal(html`<form action="${"https:evil"}"></form>`.toString(), `<form action="#"></form>`);
  t.equal(html`<a href="${""}${"javascript:alert(1)"}">x</a>`.toString(), `<a href="#">x</a>`, "behind an empty value");
  t.equal(
    html`<a ${html`href="${"javascript:alert(1)"}"`}>x</a>`.toString(),
    `<a href="#">x</a>`,
    "in nested attributes",
  );
  const logo = "data:image/png;base64,AAAA";
  t.equal(html`<img src="${logo}">`.toString(), `<img src="${logo}">`);
  t.equal(html`<img src="${"data:text/html;base64,AAAA"}">`.toString(), `<img src="#">`);
});

t.test("what no escaping makes safe is refused when the template is first used", async (t) => {
  const value = "x";
  const refused: Record<string, () => Html> = {
    "unquoted attribute": () => html`<p class=${value}>`,
    "tag name": () => html`<${value}>`,
    "attribute name": () => html`<p data-${value}="1">`,
    "event handler": () => html`<p onclick="${value}">`,
    "event handler in nested attributes": () => html`onclick="${value}"`,
    "style attribute": () => html`<p style="${value}">`,
    script: () => html`<script>${value}</script>`,
    style: () => html`<style>${value}</style>`,
    comment: () => html`<!-- ${value} -->`,
    "text as attributes": () => html`<p ${"onclick=alert(1)"}>`,
  };
  for (const [name, make] of Object.entries(refused)) t.throws(make, TypeError, name);
  t.throws(() => Reflect.apply(raw, undefined, [["a", "b"], value]), TypeError, "raw with a value");
});
