/** The clinic's icon as files that desktops take for a shortcut: its logo where that is a PNG, or our mark. */
import { readFileSync } from "node:fs";
import type { Branding } from "../core/tenant.ts";
import { ROOT, type Route } from "./route.ts";

export const ICON_PATH: string = `${ROOT}/icon.ico`;

const MARK = readFileSync(new URL("../look/mark.png", import.meta.url));
const PNG_LOGO = /^data:image\/png;base64,/;

export const ICON_ROUTES: readonly Route[] = [
  {
    method: "GET",
    path: "icon.ico",
    handle: ({ visit }) => {
      const body = icoOf(logoOf(visit.tenant.branding) ?? MARK);
      return { kind: "file", status: 200, contentType: "image/vnd.microsoft.icon", body };
    },
  },
  {
    method: "GET",
    path: "icon.png",
    handle: ({ visit: { tenant } }) => {
      const body = logoOf(tenant.branding) ?? MARK;
      return { kind: "file", status: 200, contentType: "image/png", body, name: `${tenant.id}.png` };
    },
  },
];

/** Icons are square, and of 256 pixels at most. */
function logoOf({ logo }: Branding): Buffer | undefined {
  if (logo === undefined || !PNG_LOGO.test(logo)) return undefined;
  const png = Buffer.from(logo.replace(PNG_LOGO, ""), "base64");
  if (png.length < 24) return undefined;
  const [width, height] = [png.readUInt32BE(16), png.readUInt32BE(20)];
  return width === height && width > 0 && width <= 256 ? png : undefined;
}

/** One PNG in an ICO file, as Windows reads it since Vista. */
function icoOf(png: Buffer): Buffer {
  const header = Buffer.alloc(22);
  header.writeUInt16LE(1, 2);
  header.writeUInt16LE(1, 4);
  // 256 is written as 0.
  header[6] = png.readUInt32BE(16) & 255;
  header[7] = png.readUInt32BE(20) & 255;
  header.writeUInt16LE(1, 10);
  header.writeUInt16LE(32, 12);
  header.writeUInt32LE(png.length, 14);
  header.writeUInt32LE(header.length, 18);
  return Buffer.concat([header, png]);
}
