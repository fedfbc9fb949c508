/** Form parts with their labels, hints and errors tied together for assistive technology. */
import { type Html, html, raw } from "./html.ts";
import type { Translate } from "./language.ts";

export interface FieldOptions {
  /** Name and element id; unique on the page. */
  readonly name: string;
  readonly label: string;
  readonly type?: "text" | "email" | "password" | "tel" | "number" | "search" | "date";
  readonly value?: string | undefined;
  readonly hint?: string | undefined;
  /** What is wrong and what to do; shown above the input and announced with it. */
  readonly error?: string | undefined;
  readonly required?: boolean;
  /** Further attributes, as in `` html`autocomplete="email" autofocus` ``. */
  readonly attributes?: Html;
}

/** A labelled input. */
export function field(options: FieldOptions): Html {
  const { name, hint, error, value, attributes } = options;
  return html`<div class="field"><label for="${name}">${options.label}</label>${notes(name, hint, error)}
<input id="${name}" name="${name}" type="${options.type ?? "text"}"${value !== undefined && html` value="${value}"`}${describe(name, hint, error)}${options.required !== false && raw` required`} ${attributes}></div>`;
}

export type CodeFieldOptions = Pick<FieldOptions, "name" | "label" | "hint" | "error"> & {
  /** Where the code is the only thing that the page asks for. */
  readonly autofocus?: boolean;
};

/** The input for a one-time code: number keypad, filled in by the phone, pasted with or without spaces. */
export function codeField({ autofocus = false, ...options }: CodeFieldOptions): Html {
  const attributes = html`class="code" inputmode="numeric" autocomplete="one-time-code" autocapitalize="off" spellcheck="false" maxlength="16" ${autofocus && raw`autofocus`}`;
  return field({ ...options, attributes });
}

export interface Choice {
  readonly value: string;
  readonly label: string;
  readonly hint?: string | undefined;
}

export interface SelectOptions extends Pick<FieldOptions, "name" | "label" | "hint" | "error"> {
  /** Unique on the page; the name where absent. */
  readonly id?: string;
  readonly items: readonly Pick<Choice, "value" | "label">[];
  readonly chosen: string | undefined;
}

/** A labelled list of which one is chosen. */
export function select({ name, id = name, label, hint, error, items, chosen }: SelectOptions): Html {
  return html`<div class="field"><label for="${id}">${label}</label>${notes(id, hint, error)}
<select id="${id}" name="${name}"${describe(id, hint, error)}>${items.map(
    (item) => html`<option value="${item.value}"${item.value === chosen && raw` selected`}>${item.label}</option>`,
  )}</select></div>`;
}

/** A group of radio buttons. */
export function choices(name: string, legend: string, items: readonly Choice[], chosen: string | undefined): Html {
  return html`<fieldset><legend>${legend}</legend>${items.map(
    ({ value, label, hint }) =>
      html`<label class="choice"><input type="radio" name="${name}" value="${value}"${value === chosen && raw` checked`} required><span>${label}${hint && html`<small>${hint}</small>`}</span></label>`,
  )}</fieldset>`;
}

/** One tick box; an unticked one is not sent. */
export function checkbox(name: string, label: string, checked = false): Html {
  return html`<label class="choice"><input type="checkbox" name="${name}" value="yes"${checked && raw` checked`}><span>${label}</span></label>`;
}

export interface ButtonOptions {
  readonly kind?: "primary" | "secondary" | "danger";
  /** Sent with the form, so that one form can have several ways to be sent. */
  readonly name?: string;
  readonly value?: string;
}

/** A submit button. */
export function button(label: string, { kind = "primary", name, value }: ButtonOptions = {}): Html {
  return html`<button class="button ${kind}" type="submit"${name !== undefined && html` name="${name}" value="${value ?? ""}"`}>${label}</button>`;
}

/** One mistake; `field` is the name of the input to jump to, absent for one that belongs to none. */
export interface FormError {
  readonly field?: string;
  readonly message: string;
}

/** The list of what to correct, first in the form and announced on load; nothing when there is nothing. */
export function errorSummary(text: Translate, errors: readonly FormError[]): Html | false {
  if (errors.length === 0) return false;
  return html`<div class="notice bad" role="alert"><h2>${text("form.problem", { count: errors.length })}</h2><ul>${errors.map(
    ({ field: name, message }) =>
      html`<li>${name === undefined ? message : html`<a href="#${name}">${message}</a>`}</li>`,
  )}</ul></div>`;
}

function notes(name: string, hint: string | undefined, error: string | undefined): Html {
  return html`${hint !== undefined && html`<p class="hint" id="${name}-hint">${hint}</p>`}${
    error !== undefined && html`<p class="error" id="${name}-error">${error}</p>`
  }`;
}

function describe(name: string, hint: string | undefined, error: string | undefined): Html {
  const ids = [hint !== undefined && `${name}-hint`, error !== undefined && `${name}-error`].filter(Boolean).join(" ");
  return html`${ids !== "" && html` aria-describedby="${ids}"`}${error !== undefined && raw` aria-invalid="true"`}`;
}
