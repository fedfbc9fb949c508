/** Names for requests: one for each that is forwarded, and a short one that a person can read out. */
import { randomBytes, randomInt } from "node:crypto";

const DIGITS = "0123456789abcdefghjkmnpqrstvwxyz";
const REFERENCE_LENGTH = 8;

/** Unlike those of other processes and nodes with a probability that suffices for logs; not secret, not predictable from outside. */
export class RequestIds {
  readonly #prefix = randomBytes(6).toString("base64url");
  #sequence = 0;

  /** Hot path: one small string. */
  next(): string {
    this.#sequence += 1;
    return `${this.#prefix}.${this.#sequence.toString(36)}`;
  }
}

/** Eight Crockford base-32 digits (40 random bits), as refusals show them. */
export function newReference(): string {
  let text = "";
  for (let left = REFERENCE_LENGTH; left > 0; left--) text += DIGITS[randomInt(DIGITS.length)];
  return text;
}
