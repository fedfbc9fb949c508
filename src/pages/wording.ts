/** Times and waits in words. */
import { type Html, html } from "../look/html.ts";
import type { Translate } from "../look/language.ts";
import type { Call } from "./route.ts";

/** How long to wait, rounded up. */
export function waitText(text: Translate, ms: number): string {
  const seconds = Math.max(1, Math.ceil(ms / 1000));
  if (seconds < 90) return text("wait.seconds", { count: seconds });
  const minutes = Math.ceil(seconds / 60);
  if (minutes < 90) return text("wait.minutes", { count: minutes });
  const hours = Math.ceil(minutes / 60);
  return hours < 48 ? text("wait.hours", { count: hours }) : text("wait.days", { count: Math.floor(hours / 24) });
}

const UNITS = [
  [86_400, "wait.days"],
  [3_600, "wait.hours"],
  [60, "wait.minutes"],
] as const;

/** How long something lasts, exactly, in the largest unit that divides it. */
export function durationText(text: Translate, seconds: number): string {
  const [size, key] = UNITS.find(([unit]) => seconds % unit === 0) ?? ([1, "wait.seconds"] as const);
  return text(key, { count: seconds / size });
}

/** Why nothing was done now. */
export function throttledText(text: Translate, waitMs: number): string {
  return text("form.throttled", { wait: waitText(text, waitMs) });
}

/** A moment, in UTC; `pages.js` puts it into the reader's own time zone. */
export function moment(call: Pick<Call, "lang">, time: number | string): Html {
  const date = new Date(time);
  const format = new Intl.DateTimeFormat(call.lang, { dateStyle: "medium", timeStyle: "short", timeZone: "UTC" });
  return html`<time datetime="${date.toISOString()}">${format.format(date)} UTC</time>`;
}
