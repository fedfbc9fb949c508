/** The demo's letter box: shows who got a mail, what about, and the link that it brings. */
import { readdirSync, readFileSync, watch } from "node:fs";
import { join } from "node:path";

/** Shows the mails that are in the folder and those that come, until it is closed. */
export function showMails(folder: string, print: (text: string) => void): { close(): void } {
  const shown = new Set<string>();
  const look = (): void => {
    for (const file of readdirSync(folder).sort()) {
      if (!file.endsWith(".eml") || shown.has(file)) continue;
      shown.add(file);
      print(describeMail(readFileSync(join(folder, file), "utf8")));
    }
  };
  const watcher = watch(folder, look);
  look();
  return watcher;
}

/** One of our own mails: plain text comes first in it, as quoted-printable or as it is. */
function describeMail(mail: string): string {
  const unfolded = mail.replace(/\r\n[ \t]+/g, " ");
  const field = (name: string): string => new RegExp(`^${name}: (.*)$`, "m").exec(unfolded)?.[1]?.trim() ?? "";
  const text = mail.replace(/=\r\n/g, "").replaceAll("=3D", "=");
  const link = /https?:\/\/\S+\/\.sallyport\/\S+/.exec(text)?.[0];
  return `  ✉ ${field("To")}: ${decodeWords(field("Subject"))}${link === undefined ? "" : `\n    ${link}`}\n`;
}

/** Encoded words (RFC 2047), both forms. */
function decodeWords(text: string): string {
  return text
    .replace(/\?=\s+=\?/g, "?==?")
    .replace(/=\?utf-8\?([qb])\?([^?]*)\?=/gi, (_, form: string, word: string) =>
      form.toLowerCase() === "b"
        ? Buffer.from(word, "base64").toString()
        : decodeURIComponent(word.replaceAll("_", " ").replaceAll("%", "%25").replaceAll("=", "%")),
    );
}
