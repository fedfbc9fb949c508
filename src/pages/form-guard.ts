/** Keeps other sites from posting our forms: where the post came from, and a proof that only our own page holds. */
import { createHmac, timingSafeEqual } from "node:crypto";
import { isSecret } from "../core/ids.ts";
import type { Keyring } from "../core/keyring.ts";
import type { Visit } from "../person/visit.ts";
import type { RequestFields } from "./request-facts.ts";

/** The field of every form, and of every JSON body, that holds its proof. */
export const PROOF_FIELD = "proof";

/**
 * Whether the browser says that this host's own page posts, or says nothing. `same-site` is another site: any
 * host beside ours may be somebody else's. With `no-referrer` browsers send `Origin: null` for our own forms
 * too (Fetch, "append a request Origin header"), so that `null` says nothing.
 */
export function isFromThisOrigin(fields: RequestFields, origin: string): boolean {
  const { "sec-fetch-site": site, origin: named } = fields;
  if (site !== undefined && site !== "same-origin" && site !== "none") return false;
  return named === undefined || named === "null" || named === origin;
}

/** Whether nothing speaks of a browser, which names the origin of every post (Fetch, "append a request Origin header"). */
export function isFromProgram({ "sec-fetch-site": site, origin }: RequestFields): boolean {
  return site === undefined && origin === undefined;
}

/** The origin that posts, where it is another host of the same tenant, under the same scheme and port. */
export function siblingOrigin({ origin: named }: RequestFields, { origin, host, tenant }: Visit): string | undefined {
  if (typeof named !== "string" || named === origin) return undefined;
  return tenant.hosts.some((other) => origin.replace(`//${host}`, () => `//${other}`) === named) ? named : undefined;
}

/**
 * The proof is an HMAC over the tenant, the browser's cookie and the path that the form posts to: another
 * site can neither read it nor make it, and the cookie, which is `SameSite`, does not come with its posts.
 */
export class FormGuard {
  readonly #keys: readonly Uint8Array[];

  constructor(keyring: Pick<Keyring, "deriveKeys">) {
    this.#keys = keyring.deriveKeys("page-forms");
  }

  /** @param browser a sound browser secret */
  proofFor(visit: Visit, browser: string, path: string): string {
    return macOf(this.#keys[0] ?? new Uint8Array(), visit, browser, path);
  }

  /** Whether the proof was made for this browser and path, with a key of today or of before a rotation. */
  accepts(visit: Visit, path: string, proof: unknown): boolean {
    const { browser } = visit.cookies;
    if (!isSecret(browser) || typeof proof !== "string") return false;
    const given = Buffer.from(proof);
    return this.#keys.some((key) => {
      const right = Buffer.from(macOf(key, visit, browser, path));
      return right.length === given.length && timingSafeEqual(right, given);
    });
  }
}

function macOf(key: Uint8Array, visit: Visit, browser: string, path: string): string {
  return createHmac("sha256", key).update(`${visit.tenant.id}\n${browser}\n${path}`).digest("base64url");
}
