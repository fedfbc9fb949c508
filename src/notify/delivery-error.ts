/** Why a mail or a text message was not delivered, in terms of what may be done about it. */
import { SallyportError } from "../core/errors.ts";

/**
 * `refused`: never works as it is (no such mailbox, a landline, a number that opted out).
 * `limited`: not sent, too many in a row; wait.
 * `not-sent`: not sent; trying again later is safe.
 * `unknown`: the answer did not come; it may have been sent, so that a repeat may be a double.
 */
export type DeliveryOutcome = "refused" | "limited" | "not-sent" | "unknown";

/**
 * Carries no cause on purpose: a provider's error repeats the recipient, the text and at times the credentials.
 * `detail` is a protocol and a code (`smtp 550`, `twilio 21211`), fit for logs.
 */
export class DeliveryError extends SallyportError {
  readonly outcome: DeliveryOutcome;
  readonly detail: string;
  constructor(outcome: DeliveryOutcome, detail: string) {
    super("delivery_failed", `the message was not delivered (${detail})`);
    this.outcome = outcome;
    this.detail = detail;
  }
}
