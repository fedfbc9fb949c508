/** How a shortcut is handed over: a link to drag, a file for each desktop, a QR code, lines for routers and scripts. */
import QRCode from "qrcode";
import { notice } from "../look/displays.ts";
import { type Html, html } from "../look/html.ts";
import { cronLine, curlLine } from "../whitelist/handover.ts";
import type { ShortcutRecord } from "../whitelist/shortcut-record.ts";
import { type Call, pathTo } from "./route.ts";

export interface Handover {
  readonly shortcut: ShortcutRecord;
  readonly url: string;
}

/** Where the pages of shortcuts are: a person's own, or all of the clinic's. */
export type ShortcutRoot = "shortcuts" | "portal/shortcuts";

const FILE_PATHS = { shortcuts: "shortcut-file", "portal/shortcuts": "portal/shortcut-file" } as const;

/** @param heading what the first panel begins with */
export async function handoverPanels(
  call: Call,
  root: ShortcutRoot,
  { shortcut, url }: Handover,
  heading?: Html,
): Promise<Html> {
  const { text, visit } = call;
  const tenant = visit.tenant.name;
  const picture = await QRCode.toDataURL(url, { margin: 0, scale: 6, errorCorrectionLevel: "L" });
  const file = (kind: string, label: string) =>
    html`<a class="button secondary" href="${pathTo(`${FILE_PATHS[root]}/${shortcut.id}.${kind}`)}" download>${label}</a>`;
  const copy = (value: string) =>
    html`<p><button class="button secondary" type="button" data-copy="${value}" data-copied="${text("form.copied")}" hidden>${text("recovery.copy")}</button></p>`;
  return html`<section class="panel">${heading}
<p>${text("shortcuts.how", { tenant })}</p>${notice("warn", text("shortcuts.secret"))}
<h2>${text("shortcuts.computer")}</h2><p>${text("shortcuts.drag")}</p>
<p class="actions"><a class="button" href="${url}" draggable="true">${text("shortcuts.name", { tenant })}</a></p>
<p>${text("shortcuts.files")}</p>
<p class="actions">${file("url", "Windows")}${file("webloc", "macOS")}${file("desktop", "Linux")}</p>
<p class="quiet">${text("shortcuts.icon", { tenant })} <a href="${pathTo("icon.png")}" download>${text("shortcuts.iconFile")}</a></p></section>
<section class="panel"><h2>${text("shortcuts.phone")}</h2><p>${text("shortcuts.scan")}</p>
<img class="qr" src="${picture}" width="208" height="208" alt="${text("shortcuts.picture")}"></section>
<section class="panel"><h2>${text("shortcuts.script")}</h2><p>${text("shortcuts.curl")}</p>
<code class="line">${curlLine({ url })}</code>${copy(curlLine({ url }))}
<p>${text("shortcuts.cron")}</p><code class="line">${cronLine({ url })}</code>
<p>${text("shortcuts.systemd")}</p>
<p class="actions">${file("service", "sallyport-whitelist.service")}${file("timer", "sallyport-whitelist.timer")}</p></section>
<p><a href="${pathTo(root)}">${text("shortcuts.back")}</a></p>`;
}
