/** The edge's pages: complete in themselves, safe with hostile values, cheap. */
import { createHash } from "node:crypto";
import t from "tap";
import { LANGUAGES } from "../../src/look/language.ts";
import {
  type BlockPageOptions,
  type RenderedPage,
  renderBlockPage,
  renderErrorPage,
  renderUnavailablePage,
  renderUnknownHostPage,
} from "../../src/look/refusals.ts";

const BLOCK: BlockPageOptions = {
  tenantName: "Happy Feet Podiatry",
  branding: { accent: "#7b2d8b", supportEmail: "desk@happyfeet.example", supportPhone: "+44 20 7946 0000" },
  address: "203.0.113.7",
  reference: "k7q2m9xa",
  lang: "en-GB",
  canSelfAllow: true,
};

const text = (page: RenderedPage): string => page.body.toString();

t.test("the block page states the address, the reference and the way out", async (t) => {
  const page = renderBlockPage(BLOCK);
  t.equal(page.status, 403);
  for (const part of [
    "<dd>203.0.113.7</dd>",
    "<dd>k7q2m9xa</dd>",
    'href="/.sallyport/sign-in"',
    'href="tel:+442079460000"',
  ]) {
    t.match(text(page), part);
  }
  t.match(text(page), "mailto:desk@happyfeet.example?subject=Please%20add%20a%20place%3A%20203.0.113.7&amp;body=");
  t.notMatch(text(renderBlockPage({ ...BLOCK, canSelfAllow: false })), "sign-in");
  t.notMatch(text(renderBlockPage({ ...BLOCK, branding: {} })), "mailto:");
});

t.test("one tenant's page never shows in another's place", async (t) => {
  const branding = {};
  t.match(text(renderBlockPage({ ...BLOCK, branding, tenantName: "One" })), "One can only be reached");
  t.match(text(renderBlockPage({ ...BLOCK, branding, tenantName: "Two" })), "Two can only be reached");
  t.match(text(renderBlockPage({ ...BLOCK, branding, address: "2001:db8::1" })), "<dd>2001:db8::1</dd>");
  t.match(text(renderBlockPage({ ...BLOCK, branding, lang: "nl" })), 'lang="nl"');
});

t.test("hostile values stay text", async (t) => {
  const hostile = `"><script>alert(1)</script>`;
  const page = renderBlockPage({
    ...BLOCK,
    tenantName: hostile,
    branding: { accent: "red;}", logo: `javascript:${hostile}`, supportEmail: `a@b${hostile}`, supportPhone: hostile },
    address: hostile,
    reference: hostile,
  });
  t.notMatch(text(page), /<script|<img src="(?!#")/);
});

t.test(
  "every page is whole: no script, nothing loaded, styles allowed by their hash, every placeholder filled",
  async (t) => {
    for (const lang of LANGUAGES) {
      const options = { reference: "k7q2m9xa", lang };
      const pages = [
        renderBlockPage({ ...BLOCK, lang }),
        renderUnavailablePage(options),
        renderUnknownHostPage(options),
        ...[400, 403, 404, 418, 429, 500, 502, 504, 507].map((status) => renderErrorPage(status, options)),
      ];
      for (const page of pages) {
        const html = text(page);
        const policy = page.headers["content-security-policy"] ?? "";
        t.notMatch(
          html,
          /<script|<link rel="stylesheet"|url\(|@import|[\u{e000}\u{e001}]|\{\w+\}|undefined/u,
          `${lang} ${page.status}`,
        );
        t.match(html, "k7q2m9xa");
        for (const [, style = ""] of html.matchAll(/<style>(.*?)<\/style>/gs)) {
          t.match(policy, `'sha256-${createHash("sha256").update(style).digest("base64")}'`);
        }
        t.notMatch(policy, /unsafe|script-src/);
        t.equal(page.headers["cache-control"], "no-store");
        t.equal(page.headers["referrer-policy"], "no-referrer");
      }
    }
  },
);

t.test("statuses, and when to come back", async (t) => {
  const options = { reference: "r", lang: "en-GB" } as const;
  t.equal(renderUnavailablePage(options).status, 503);
  t.equal(renderUnavailablePage(options).headers["retry-after"], "10");
  t.equal(renderUnknownHostPage(options).status, 421);
  t.equal(renderErrorPage(507, options).status, 507);
  t.equal(renderErrorPage(502, options).headers["retry-after"], undefined);
  t.match(text(renderErrorPage(418, options)), "cannot be understood");
});

t.test("a large logo is left out, a small one is inline", async (t) => {
  const logo = (size: number): string => `data:image/png;base64,${"A".repeat(size)}`;
  t.match(text(renderBlockPage({ ...BLOCK, branding: { logo: logo(400) } })), "<img src=");
  t.ok(renderBlockPage({ ...BLOCK, branding: { logo: logo(40_000) } }).body.length < 16_000);
});

t.test("rendering is cheap under attack", async (t) => {
  const rounds = 2000;
  let best = Number.POSITIVE_INFINITY;
  for (let attempt = 0; attempt < 5; attempt++) {
    const start = process.hrtime.bigint();
    for (let round = 0; round < rounds; round++) renderBlockPage(BLOCK);
    best = Math.min(best, Number(process.hrtime.bigint() - start) / rounds / 1000);
  }
  t.ok(best < 30, `${best.toFixed(1)} µs a page`);
});
