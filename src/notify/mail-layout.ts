/** How a mail looks: plain text, and HTML that mail programs show in light and dark. */
import { accentPair } from "../look/colour.ts";
import { type Html, html, trustedMarkup } from "../look/html.ts";
import { translator } from "../look/language.ts";
import type { MailContent } from "./compose.ts";

export interface MailLook {
  readonly tenantName: string;
  readonly accent?: string | undefined;
}

/** Lines are left long: quoted-printable wraps them for transport, and the reader's program for the eye. */
export function layoutText(content: MailContent, { tenantName }: MailLook): string {
  const text = translator(content.lang);
  const blocks = [
    ...content.paragraphs,
    content.facts.map(([name, value]) => `${name}: ${value}`).join("\n"),
    content.action === undefined ? "" : `${content.action.label}:\n${content.action.link}`,
    content.warning ?? "",
    `-- \n${text("mail.footer", { tenant: tenantName })}`,
  ];
  return `${blocks.filter((block) => block !== "").join("\n\n")}\n`;
}

/** No picture and nothing to load, so that opening the mail tells nobody that it was opened. */
export function layoutHtml(content: MailContent, look: MailLook): string {
  const text = translator(content.lang);
  const { facts, action, warning } = content;
  return html`<!doctype html>
<html lang="${content.lang}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<title>${content.subject}</title>
${styles(look.accent)}
</head>
<body>
<div class="mail">
<p class="name">${look.tenantName}</p>
<div class="panel">
${content.paragraphs.map((paragraph) => html`<p>${paragraph}</p>`)}
${facts.length > 0 && html`<table class="facts" role="presentation">${facts.map(([name, value]) => html`<tr><td class="quiet">${name}</td><td><b>${value}</b></td></tr>`)}</table>`}
${
  action &&
  html`<p class="act"><a class="button" href="${action.link}">${action.label}</a></p>
<p class="quiet small">${text("mail.copyLink")}<br><span class="link">${action.link}</span></p>`
}
${warning !== undefined && html`<p>${warning}</p>`}
</div>
<p class="quiet small">${text("mail.footer", { tenant: look.tenantName })}</p>
</div>
</body>
</html>
`.toString();
}

function styles(accent: string | undefined): Html {
  const { light, dark } = accentPair(accent);
  return trustedMarkup(`<style>
:root { color-scheme: light dark; supported-color-schemes: light dark; }
body { margin: 0; padding: 0; background: #edf2f1; color: #14211f; font: 16px/1.55 -apple-system, "Segoe UI", Roboto, Arial, sans-serif; }
.mail { max-width: 560px; margin: 0 auto; padding: 24px 16px; }
.name { margin: 0 0 12px; font-size: 17px; font-weight: bold; }
.panel { padding: 24px; border: 1px solid #cbd6d3; border-radius: 10px; background: #ffffff; }
p { margin: 0 0 16px; }
.panel > p:last-child { margin-bottom: 0; }
.act { margin: 24px 0; }
.button { display: inline-block; padding: 12px 20px; border-radius: 6px; background: ${light}; color: #ffffff !important; font-weight: bold; text-decoration: none; }
.quiet { color: #4d5d5a; }
.small { font-size: 14px; }
.mail > .small { margin: 16px 0 0; }
.link { word-break: break-all; }
.facts { margin: 0 0 16px; border-collapse: collapse; }
.facts td { padding: 4px 16px 4px 0; vertical-align: top; text-align: left; }
@media (prefers-color-scheme: dark) {
body { background: #0f1615 !important; color: #e7eeec !important; }
.panel { background: #1a2422 !important; border-color: #33413e !important; }
.quiet { color: #a3b4b0 !important; }
.button { background: ${dark} !important; color: #0f1615 !important; }
}
</style>`);
}
