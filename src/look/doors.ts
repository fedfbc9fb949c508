/** The two doors, shown on the way in: which one is open, which one you stand before. */
import { type Html, html, raw } from "./html.ts";
import type { TextKey, Translate } from "./language.ts";

/** `here`: the visitor stands before it. `shut`: it has just refused. `later`: its turn has not come. */
export type DoorState = "here" | "open" | "shut" | "later";

const SHUT_DOOR = raw`<svg viewBox="0 0 24 32" fill="none" stroke="currentColor" stroke-width="2" stroke-linejoin="round" aria-hidden="true"><path d="M1 31h22M4 31V10a8 8 0 0 1 16 0v21"/><path d="M6.5 31V10a5.5 5.5 0 0 1 11 0v21zM15 19.5a1.25 1.25 0 1 0-2.5 0 1.25 1.25 0 0 0 2.5 0z" fill="currentColor" fill-rule="evenodd" stroke="none"/></svg>`;
const OPEN_DOOR = raw`<svg viewBox="0 0 24 32" fill="none" stroke="currentColor" stroke-width="2" stroke-linejoin="round" aria-hidden="true"><path d="M1 31h22M4 31V10a8 8 0 0 1 16 0v21"/><path d="M5 31V9.5l6.5 4.5V29z" fill="currentColor" stroke="none"/></svg>`;

const STATE_TEXT = {
  here: "doors.here",
  open: "doors.open",
  shut: "doors.shut",
  later: "doors.later",
} as const satisfies Record<DoorState, TextKey>;

/** A list of the two doors and their states, for the head of a panel. */
export function doors(text: Translate, place: DoorState, person: DoorState): Html {
  return html`<ol class="doors" aria-label="${text("doors.label")}">${door(text, "doors.place", place)}${door(text, "doors.person", person)}</ol>`;
}

function door(text: Translate, name: "doors.place" | "doors.person", state: DoorState): Html {
  return html`<li class="${state}"${state === "here" && raw` aria-current="step"`}>${state === "open" ? OPEN_DOOR : SHUT_DOOR}<span><strong>${text(name)}</strong>${text(STATE_TEXT[state])}</span></li>`;
}
