/** A mark that a browser has signed in here before: it opens nothing, but keeps strangers' failures apart from its own. */
import { randomBytes } from "node:crypto";
import { digest, type TenantId } from "../core/ids.ts";
import type { Keyring } from "../core/keyring.ts";

/** How many people of one computer are remembered. */
const MAX_LOGINS = 10;

interface KnownBrowser {
  readonly nonce: string;
  /** Digests of the e-mails that completed a sign-in from it, newest first. */
  readonly logins: readonly string[];
}

const context = (tenant: TenantId) => `known-browser/${tenant}`;

/** The browser's own name for failures of this login; `undefined` when it never completed a sign-in with it. */
export function knownBrowserOf(keyring: Keyring, tenant: TenantId, mark: string | undefined, email: string) {
  const known = open(keyring, tenant, mark);
  return known?.logins.includes(digest(email)) === true ? known.nonce : undefined;
}

/** The cookie value after a completed sign-in: the present mark with this login added. Sealed, so that none can be made up. */
export function markKnownBrowser(keyring: Keyring, tenant: TenantId, mark: string | undefined, email: string): string {
  const known = open(keyring, tenant, mark) ?? { nonce: randomBytes(9).toString("base64url"), logins: [] };
  const login = digest(email);
  const logins = [login, ...known.logins.filter((other) => other !== login)].slice(0, MAX_LOGINS);
  return keyring.seal(JSON.stringify({ nonce: known.nonce, logins }), context(tenant));
}

function open(keyring: Keyring, tenant: TenantId, mark: string | undefined): KnownBrowser | undefined {
  if (mark === undefined || mark.length > 2048) return undefined;
  try {
    return JSON.parse(keyring.open(mark, context(tenant)).toString()) as KnownBrowser;
  } catch {
    // A mark of another tenant, an old key or somebody's invention: the browser counts as a stranger.
    return undefined;
  }
}
