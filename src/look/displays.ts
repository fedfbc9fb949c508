/** What a page shows rather than asks: notices, facts, steps, secrets, codes and tables that fold on a phone. */
import { type Html, html, type Interpolation, raw } from "./html.ts";

export type NoticeKind = "plain" | "good" | "warn" | "bad";

/** A message about what has just happened or must be known; `good` and `bad` ones are announced. */
export function notice(kind: NoticeKind, body: Interpolation): Html {
  const role = kind === "bad" ? raw` role="alert"` : kind === "good" && raw` role="status"`;
  return html`<div class="notice ${kind}"${role}>${body}</div>`;
}

/** Names and values that people read out or copy; a click selects a whole value. */
export function facts(items: readonly (readonly [name: string, value: string])[]): Html {
  return html`<dl class="fact">${items.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}

/** Where one stands in a sequence; on a phone only the present step is named. @param current counts from 0 */
export function steps(labels: readonly string[], current: number): Html {
  return html`<ol class="steps">${labels.map((label, index) => {
    const state = index === current ? raw` aria-current="step"` : index < current && raw` class="done"`;
    return html`<li${state}><span>${label}</span></li>`;
  })}</ol>`;
}

/** A secret to be typed over or copied, in groups of four. */
export function secret(value: string): Html {
  return html`<code class="secret">${value.replace(/(.{4})(?=.)/g, "$1 ")}</code>`;
}

/** Recovery codes; the print style sheet keeps them and leaves the rest of the page out. */
export function codeList(codes: readonly string[]): Html {
  return html`<ul class="codes">${codes.map((code) => html`<li><code>${code}</code></li>`)}</ul>`;
}

/** A table whose rows become blocks on a phone. The first column names the row; a column of actions has "" for a name. */
export function table(caption: string, columns: readonly string[], rows: readonly (readonly Interpolation[])[]): Html {
  // A table laid out as blocks loses its role in browsers; the explicit roles keep it.
  return html`<table role="table"><caption>${caption}</caption>
<thead role="rowgroup"><tr role="row">${columns.map(columnHeader)}</tr></thead>
<tbody role="rowgroup">${rows.map((cells) => html`<tr role="row">${cells.map((cell, index) => tableCell(columns[index], cell, index))}</tr>`)}</tbody></table>`;
}

function columnHeader(name: string): Html {
  return name === "" ? raw`<td role="cell"></td>` : html`<th role="columnheader" scope="col">${name}</th>`;
}

function tableCell(column: string | undefined, cell: Interpolation, index: number): Html {
  if (index === 0) return html`<th role="rowheader" scope="row">${cell}</th>`;
  return html`<td role="cell"${column !== undefined && column !== "" && html` data-label="${column}"`}>${cell}</td>`;
}
