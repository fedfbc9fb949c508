/** The scripts, read once at start: what works without them stays; they add passkeys, countdowns and copying. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type Asset, hashedAsset, STYLESHEET } from "../look/stylesheet.ts";

const JAVASCRIPT = "text/javascript; charset=utf-8";

/** Countdown, copy, print, local times, sending on. */
export const PAGE_SCRIPT: Asset = ownScript("pages.js");
const COMPANION_SCRIPT: Asset = ownScript("companion.js");
const PORTAL_SCRIPT: Asset = ownScript("portal.js");
const PASSKEY_SCRIPT: Asset = ownScript("passkey.js");
/** The library's own bundle, unchanged; it puts itself on `globalThis`. */
const WEBAUTHN_SCRIPT: Asset = hashedAsset("webauthn.js", JAVASCRIPT, readFileSync(webauthnBundle()));

/** The scripts of a page with a passkey form, in the order that they run. */
export const PASSKEY_SCRIPTS: readonly string[] = [WEBAUTHN_SCRIPT, PASSKEY_SCRIPT, PAGE_SCRIPT].map(
  ({ path }) => path,
);

/** The scripts of the portal's pages. */
export const PORTAL_SCRIPTS: readonly string[] = [PAGE_SCRIPT, PORTAL_SCRIPT].map(({ path }) => path);
/** The scripts of a page that enrols the visitor's other address too. */
export const COMPANION_SCRIPTS: readonly string[] = [PAGE_SCRIPT, COMPANION_SCRIPT].map(({ path }) => path);

export const ASSETS: readonly Asset[] = [
  STYLESHEET,
  PAGE_SCRIPT,
  COMPANION_SCRIPT,
  PORTAL_SCRIPT,
  PASSKEY_SCRIPT,
  WEBAUTHN_SCRIPT,
];

function ownScript(name: string): Asset {
  return hashedAsset(name, JAVASCRIPT, readFileSync(new URL(`scripts/${name}`, import.meta.url)));
}

/** The package exports its modules alone; the bundle lies beside them. */
function webauthnBundle(): string {
  const entry = import.meta.resolve("@simplewebauthn/browser");
  return fileURLToPath(new URL("../dist/bundle/index.umd.min.js", entry));
}
