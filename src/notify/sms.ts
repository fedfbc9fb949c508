/** The port for codes by text message. */
import type { Language } from "../look/language.ts";
import { DeliveryError } from "./delivery-error.ts";

/** Sends what it is given: the codes are our own. */
export interface TextProvider {
  readonly mode: "text";
  /**
   * Sends at most once; nothing here repeats by itself, as the providers know no idempotency key.
   * @param to E.164, confirmed by its owner. @throws DeliveryError, `unknown` when it may have been sent: then
   *   only the person may ask for another.
   */
  send(to: string, body: string): Promise<void>;
}

/** `gone`: expired, used, or never there. */
export type VerifyResult = "approved" | "wrong" | "gone";

/** Makes, sends and checks the codes itself. */
export interface VerifyProvider {
  readonly mode: "verify";
  /** @returns the verification's id, for {@link check}. @throws DeliveryError as {@link TextProvider.send} */
  start(to: string, lang: Language): Promise<string>;
  /** @throws DeliveryError; `limited` after too many wrong codes */
  check(verificationId: string, code: string): Promise<VerifyResult>;
}

export type SmsProvider = TextProvider | VerifyProvider;

/** The last check before a number leaves the house. @throws DeliveryError `refused` */
export function checkNumber(to: string): void {
  if (!/^\+[1-9][0-9]{6,14}$/.test(to)) throw new DeliveryError("refused", "number");
}
