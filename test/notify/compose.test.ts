/** Mail texts: complete in each language, plain and HTML saying the same, nothing hostile taking effect. */
import t from "tap";
import { LANGUAGES, type Language } from "../../src/look/language.ts";
import { compose } from "../../src/notify/compose.ts";
import { layoutHtml, layoutText } from "../../src/notify/mail-layout.ts";
import type { Notice } from "../../src/notify/notice.ts";

const LINK = "https://happyfeet.example/.sallyport/reset/t0ken";
const expiresAtMs = Date.UTC(2026, 10, 22, 9, 30);

const NOTICES: readonly Notice[] = [
  { kind: "invite", link: LINK, expiresAtMs },
  { kind: "password-reset", link: LINK, expiresAtMs },
  { kind: "password-changed" },
  { kind: "email-changed", login: "sam@happyfeet.example" },
  { kind: "factor-added", factor: "totp", name: "Phone" },
  { kind: "factor-removed", factor: "passkey", name: "" },
  { kind: "factors-reset" },
  { kind: "recovery-code-used", left: 1 },
  { kind: "recovery-codes-renewed" },
  { kind: "locked" },
  { kind: "new-place", address: "203.0.113.7", userAgent: "Mozilla/5.0 (Windows NT 10.0; rv:140.0) Firefox/140.0" },
  { kind: "shared-login", login: "desk@happyfeet.example", addresses: ["203.0.113.7", "2001:db8::1"] },
  { kind: "whitelist-link", link: LINK, expiresAtMs, label: "Branch office" },
  { kind: "access-request", address: "203.0.113.7", reference: "k7q2m9xa", from: "Sam", link: LINK },
];

const look = { tenantName: "Happy Feet Podiatry", accent: "#ffd400" };
const composed = (notice: Notice, lang: Language) =>
  compose(notice, { tenantName: look.tenantName, recipientName: "Sam", lang, nowMs: Date.UTC(2026, 10, 21) });

t.test("every notice in every language: subject with the clinic, same content in text and HTML", async (t) => {
  for (const lang of LANGUAGES) {
    for (const notice of NOTICES) {
      const content = composed(notice, lang);
      const [text, html] = [layoutText(content, look), layoutHtml(content, look)];
      const label = `${notice.kind} ${lang}`;
      t.match(content.subject, "Happy Feet Podiatry", label);
      t.notMatch(`${content.subject}${text}${html}`, /\{\w+\}(?! *\{)|undefined|\[object/, label);
      for (const part of [...content.paragraphs, ...content.facts.flat(), content.warning ?? ""]) {
        t.ok(text.includes(part) && html.includes(part), `${label}: ${part}`);
      }
      if ("link" in notice) t.ok(text.includes(`\n${LINK}\n`) && html.includes(`href="${LINK}"`), `${label}: the link`);
      t.notMatch(html, /<img|<script|src=|url\(/, `${label}: nothing to load`);
    }
  }
});

t.test("counts, times and names", async (t) => {
  const used = (left: number): string => composed({ kind: "recovery-code-used", left }, "en-GB").paragraphs.join(" ");
  t.match(used(1), "You have one recovery code left.");
  t.match(used(0), "You have 0 recovery codes left.");
  t.match(composed(NOTICES[0] as Notice, "nl").paragraphs.join(" "), "22 november 2026 om 09:30:00 UTC");
  t.match(composed(NOTICES[4] as Notice, "nl").facts.flat(), ["Inlogstap", "Authenticator-app (Phone)"]);
});

t.test("hostile values stay text", async (t) => {
  const hostile = `</p><script>alert(1)</script>"`;
  const notice: Notice = {
    kind: "access-request",
    address: hostile,
    reference: hostile,
    from: hostile,
    link: "javascript:alert(1)",
  };
  const html = layoutHtml(composed(notice, "en-GB"), { tenantName: hostile, accent: "red}</style>" });
  t.notMatch(html, /<script|href="javascript|red}/);
});
