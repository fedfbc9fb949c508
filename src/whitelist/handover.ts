/** The forms in which a shortcut is handed over: files for three desktops, and lines for routers and scripts. */
import { createHash } from "node:crypto";

export interface Handover {
  /** The clinic's name. */
  readonly name: string;
  /** The shortcut's address. */
  readonly url: string;
  /** The clinic's icon, where the system takes one by address. */
  readonly icon?: string;
}

export interface Download {
  readonly fileName: string;
  readonly contentType: string;
  readonly content: string;
}

/** Windows: an Internet shortcut. */
export function windowsShortcut({ name, url, icon }: Handover): Download {
  const lines = [
    "[InternetShortcut]",
    `URL=${url}`,
    ...(icon === undefined ? [] : [`IconFile=${icon}`, "IconIndex=0"]),
  ];
  return {
    fileName: `${fileNameOf(name)}.url`,
    contentType: "application/internet-shortcut",
    content: `${lines.join("\r\n")}\r\n`,
  };
}

/** macOS: a property list, which has no place for an icon. */
export function macShortcut({ name, url }: Handover): Download {
  const content = `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
\t<key>URL</key>
\t<string>${escapeXml(url)}</string>
</dict>
</plist>
`;
  return { fileName: `${fileNameOf(name)}.webloc`, contentType: "application/xml", content };
}

/**
 * Linux: a desktop entry (freedesktop.org, version 1.5) of type Link. Its icon is a name in the icon theme or an
 * absolute path, and a download knows neither a path on the device nor a theme with the clinic in it: the person
 * chooses the clinic's own in the file's properties.
 */
export function linuxShortcut({ name, url }: Handover): Download {
  const lines = [
    "[Desktop Entry]",
    "Version=1.5",
    "Type=Link",
    `Name=${titleOf(name)}`,
    "Icon=web-browser",
    `URL=${url}`,
  ];
  return {
    fileName: `${fileNameOf(name)}.desktop`,
    contentType: "application/x-desktop",
    content: `${lines.join("\n")}\n`,
  };
}

/** Runs it from a shell; fails, saying so, when the gate refuses. */
export function curlLine({ url }: Pick<Handover, "url">): string {
  return `curl --fail --silent --show-error --max-time 20 --retry 3 --request POST ${quoteShell(url)}`;
}

/**
 * A line for a crontab: every ten minutes, since nothing tells a script that its address has changed. At which of
 * the ten depends on the shortcut, so that the devices of a clinic do not all come at once.
 */
export function cronLine(handover: Pick<Handover, "url">): string {
  const first = createHash("sha256").update(handover.url).digest().readUInt32BE() % 10;
  return `${first}-59/10 * * * * ${curlLine(handover).replaceAll("%", "\\%")} --output /dev/null`;
}

/** A service and its timer for systemd, as two files. */
export function systemdUnits({ name, url }: Handover): readonly Download[] {
  const title = titleOf(name).replaceAll("%", "%%");
  const command = `/usr/bin/${curlLine({ url }).replaceAll("%", "%%")} --output /dev/null`;
  const service = ["[Unit]", `Description=${title}`, "", "[Service]", "Type=oneshot", `ExecStart=${command}`];
  const timer = [
    ...["[Unit]", `Description=${title}`, "", "[Timer]", "OnBootSec=30", "OnUnitActiveSec=10min"],
    ...["RandomizedDelaySec=60", "", "[Install]", "WantedBy=timers.target"],
  ];
  const contentType = "text/plain";
  return [
    { fileName: "sallyport-whitelist.service", contentType, content: `${service.join("\n")}\n` },
    { fileName: "sallyport-whitelist.timer", contentType, content: `${timer.join("\n")}\n` },
  ];
}

/** As the shortcut is called wherever it has a name. */
function titleOf(name: string): string {
  const plain = oneLine(name);
  return plain === "" ? "Whitelist me" : `Whitelist me - ${plain}`;
}

/** A name that every file system takes, and that no header field or path can be made of. */
function fileNameOf(name: string): string {
  const clean = oneLine(name)
    .replace(/[<>:"/\\|?*%;]+/g, " ")
    .replace(/\s+/g, " ")
    .replace(/^[. ]+|[. ]+$/g, "");
  // By code points: half a surrogate pair cannot be sent in a header field.
  const plain = [...clean].slice(0, 60).join("");
  return titleOf(plain);
}

function oneLine(text: string): string {
  return text.replace(/[\p{C}\p{Zl}\p{Zp}\\]+/gu, " ").trim();
}

function escapeXml(text: string): string {
  const escapes: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
  return text.replace(/[&<>"]/g, (each) => escapes[each] ?? each);
}

function quoteShell(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
