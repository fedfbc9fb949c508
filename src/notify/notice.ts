/** What people are told by e-mail. */

/**
 * One thing to tell. Times are milliseconds since 1970. A `link` carries a token or leads to a page of the
 * tenant's host; it is for the mail alone, and never stored unsealed.
 */
export type Notice =
  | { readonly kind: "invite"; readonly link: string; readonly expiresAtMs: number }
  | { readonly kind: "password-reset"; readonly link: string; readonly expiresAtMs: number }
  | { readonly kind: "password-changed" }
  /** Goes to the earlier address and to the new one, `login`. */
  | { readonly kind: "email-changed"; readonly login: string }
  | { readonly kind: "factor-added" | "factor-removed"; readonly factor: string; readonly name: string }
  | { readonly kind: "factors-reset" }
  | { readonly kind: "recovery-code-used"; readonly left: number }
  | { readonly kind: "recovery-codes-renewed" }
  | { readonly kind: "locked" }
  | { readonly kind: "new-place"; readonly address: string; readonly userAgent: string }
  | { readonly kind: "shared-login"; readonly login: string; readonly addresses: readonly string[] }
  | { readonly kind: "whitelist-link"; readonly link: string; readonly expiresAtMs: number; readonly label: string }
  | {
      readonly kind: "access-request";
      readonly address: string;
      readonly reference: string;
      readonly from: string;
      readonly link: string;
    };

export type NoticeKind = Notice["kind"];
