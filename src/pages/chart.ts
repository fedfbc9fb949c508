/** A small chart of admitted and blocked requests per day: inline SVG without styles of its own, and the figures as a table. */
import { type Html, html } from "../look/html.ts";
import type { DayOfActivity } from "../observe/activity.ts";
import type { Call } from "./route.ts";

const HEIGHT = 130;
const SLOT = 26;
const BAR = 10;
const BASE = HEIGHT - 20;

/** Where a clinic only observes, what would have been blocked counts as blocked. */
export function trafficChart(call: Call, activity: readonly DayOfActivity[]): Html {
  const days = activity.map(({ day, admitted, blocked, observed }) => {
    return { day, admitted: admitted - observed, blocked: blocked + observed };
  });
  const { text, lang } = call;
  const most = Math.max(1, ...days.flatMap(({ admitted, blocked }) => [admitted, blocked]));
  const date = new Intl.DateTimeFormat(lang, { day: "numeric", timeZone: "UTC" });
  const long = new Intl.DateTimeFormat(lang, { dateStyle: "medium", timeZone: "UTC" });
  const number = new Intl.NumberFormat(lang);
  const width = days.length * SLOT;
  const bar = (x: number, count: number, kind: "admitted" | "blocked") => {
    // What happened at all is seen, however little it was.
    const height = count === 0 ? 0 : Math.max(2, Math.round((count / most) * (BASE - 16)));
    return html`<rect class="${kind}" x="${x}" y="${BASE - height}" width="${BAR}" height="${height}" rx="1.5"/>`;
  };
  const bars = days.map(({ day, admitted, blocked }, index) => {
    const x = index * SLOT + 2;
    return html`${bar(x, admitted, "admitted")}${bar(x + BAR + 2, blocked, "blocked")}<text x="${x + BAR + 1}" y="${HEIGHT - 4}" text-anchor="middle">${date.format(new Date(day))}</text>`;
  });
  const rows = days.map(
    ({ day, admitted, blocked }) =>
      html`<tr role="row"><th role="rowheader" scope="row">${long.format(new Date(day))}</th><td role="cell" data-label="${text("activity.admitted")}">${number.format(admitted)}</td><td role="cell" data-label="${text("activity.blocked")}">${number.format(blocked)}</td></tr>`,
  );
  return html`<figure class="chart"><figcaption><h2>${text("activity.chart")}</h2><p class="legend"><span class="admitted">${text("activity.admitted")}</span><span class="blocked">${text("activity.blocked")}</span></p></figcaption>
<svg viewBox="0 0 ${width} ${HEIGHT}" role="img" aria-label="${text("activity.chart")}" preserveAspectRatio="xMidYMid meet"><line class="axis" x1="0" y1="${BASE}" x2="${width}" y2="${BASE}"/><text x="0" y="10">${number.format(most)}</text>${bars}</svg>
<details><summary>${text("activity.figures")}</summary><table role="table"><thead role="rowgroup"><tr role="row"><th role="columnheader" scope="col">${text("activity.day")}</th><th role="columnheader" scope="col">${text("activity.admitted")}</th><th role="columnheader" scope="col">${text("activity.blocked")}</th></tr></thead><tbody role="rowgroup">${rows}</tbody></table></details></figure>`;
}
