/** Sending a code by text message, as the pages show it: what became of it, and the button for another. */
import { notice } from "../look/displays.ts";
import { type Html, html } from "../look/html.ts";
import { postForm } from "./page-form.ts";
import type { Call } from "./route.ts";

const SENDINGS = ["sent", "limit", "country", "unavailable"] as const;
export type Sending = (typeof SENDINGS)[number];

/** After how long the button may be pressed again; the limits that count are the rules'. */
const RESEND_SECONDS = 30;

/** What became of the last message, as it stands in the address of the page that follows; proof of nothing. */
export function sendingOf(text: string | undefined): Sending | undefined {
  return SENDINGS.find((sending) => sending === text);
}

export function sendingNotice({ text }: Call, sending: Sending | undefined, number: string): Html | false {
  if (sending === undefined) return false;
  return notice(sending === "sent" ? "good" : "warn", text(`sms.${sending}`, { number }));
}

export interface ResendOptions {
  readonly path: string;
  readonly hidden: Readonly<Record<string, string | undefined>>;
  /** Nothing was sent yet. */
  readonly first: boolean;
  readonly sending: Sending | undefined;
}

export function resendForm(call: Call, { path, hidden, first, sending }: ResendOptions): Html {
  const { text } = call;
  const wait = sending === "sent" && html`data-wait-seconds="${RESEND_SECONDS}"`;
  const label = text(first ? "sms.sendCode" : "sms.resend");
  return postForm(
    call,
    { path, hidden },
    html`<p class="actions"><button class="button ${first ? "primary" : "secondary"}" type="submit" ${wait}>${label}</button></p>`,
  );
}
