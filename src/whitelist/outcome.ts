/** What opening a link or shortcut shows, and what confirming it brings: all that its page has to know. */
import type { AllowlistEntry } from "../core/entry.ts";

/** How a page goes on: by one click, by itself (a POST of its script), or after a sign-in with the second factor. */
export type Confirmation = "click" | "auto" | "sign-in";

/** For whatever reason: expired, used up, deleted, of another tenant, a bit changed. */
interface Gone {
  readonly kind: "gone";
  /** Of a genuine token: a link is told apart from nothing. */
  readonly source?: "shortcut";
}

export type Opened =
  | Gone
  /** A link outside the network that it was made for. */
  | { readonly kind: "elsewhere" }
  | { readonly kind: "open"; readonly source: "link" | "shortcut"; readonly label: string; readonly by: Confirmation };

/** A request of the page, to a host that the visitor reaches from an address of the other family: `POST`, no cookies. */
export interface Companion {
  /** The family that it would enrol. */
  readonly family: 4 | 6;
  readonly url: string;
}

export type Used =
  | Gone
  | { readonly kind: "elsewhere" }
  | { readonly kind: "limited"; readonly retryAfterMs: number }
  /** The allowlist holds as many entries as it may. */
  | { readonly kind: "full" }
  /** The person of the shortcut must sign in first, with the second factor. */
  | { readonly kind: "sign-in" }
  | {
      readonly kind: "admitted";
      readonly source: "link" | "shortcut";
      readonly entry: AllowlistEntry;
      readonly companion?: Companion;
    };
