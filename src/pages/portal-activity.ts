/** The portal's activity: a chart, who was blocked (with one click to admit), who was let in, what changed. */
import type { AuditRecord } from "../core/audit.ts";
import type { TenantId } from "../core/ids.ts";
import { table } from "../look/displays.ts";
import { type Html, html } from "../look/html.ts";
import { type BlockedPlace, readActivity, readBlockedPlaces } from "../observe/activity.ts";
import { readAudit } from "../observe/audit-log.ts";
import { type Names, type Sentence, sentenceOf } from "./activity-words.ts";
import { trafficChart } from "./chart.ts";
import { foldFailures, isFailedSignIn } from "./failed-sign-ins.ts";
import { postForm } from "./page-form.ts";
import type { PlacePages } from "./place-pages.ts";
import { type OwnerCall, portalView, showPortal } from "./portal-frame.ts";
import { placeText } from "./portal-places.ts";
import type { Answer, Route } from "./route.ts";
import { moment } from "./wording.ts";

const RECORDS = 60;
/** Records looked at for those. */
const READ = 1000;
/** With the failed sign-ins among them. */
const MOST_READ = 5 * READ;
const PLACES = 30;
const CHART_DAYS = 14;
const BLOCKED_DAYS = 7;
const MOST = 500;

export function portalActivityRoutes(pages: PlacePages): Route[] {
  return [portalView(pages, "portal/activity", show)];
}

async function show(call: OwnerCall, pages: PlacePages): Promise<Answer> {
  const { text, visit } = call;
  const { id } = visit.tenant;
  const by = visit.tenant.policy.network === "observe" ? "observed" : "blocked";
  const days = await readActivity(pages.store, id, CHART_DAYS, call.nowMs);
  const places = await readBlockedPlaces(pages.store, id, by, BLOCKED_DAYS, call.nowMs);
  const [told, names] = [await newest(pages, id), await namesOf(call, pages)];
  const sentences = told.flatMap((record) => {
    const sentence = sentenceOf(text, record, names);
    return sentence === undefined ? [] : [{ record, sentence }];
  });
  const group = (wanted: Sentence["group"]) =>
    sentences.filter(({ sentence }) => sentence.group === wanted).slice(0, RECORDS);
  const body = html`<section class="panel">${trafficChart(call, days)}</section>
<section class="panel">${blockedTable(call, places.slice(0, PLACES), by)}</section>
<section class="panel"><h2>${text("activity.in")}</h2>${timeline(call, group("in"))}</section>
<section class="panel"><h2>${text("activity.changes")}</h2>${timeline(call, group("changes"))}</section>`;
  return showPortal(call, { path: "portal/activity", title: text("portal.activity"), body });
}

async function newest({ store }: PlacePages, tenant: TenantId): Promise<AuditRecord[]> {
  const records: AuditRecord[] = [];
  let others = 0;
  for await (const { record } of readAudit(store, { tenant })) {
    // Whoever guesses passwords pushes nothing else out of sight.
    if (!isFailedSignIn(record)) others += 1;
    if (records.push(record) >= MOST_READ || others >= READ) break;
  }
  return foldFailures(records);
}

function blockedTable(call: OwnerCall, places: readonly BlockedPlace[], by: "blocked" | "observed"): Html {
  const { text } = call;
  const title = text(by === "observed" ? "activity.wouldBlock" : "activity.blockedTitle");
  if (places.length === 0) return html`<h2>${title}</h2><p class="empty">${text("activity.nobody")}</p>`;
  const columns = [text("account.place"), text("activity.last"), text("activity.requests"), text("page.reference"), ""];
  const rows = places.map((place) => [
    html`<span class="mono">${place.address}</span>`,
    moment(call, place.lastAtMs),
    String(place[by]),
    html`<span class="mono">${place.lastReference}</span>`,
    admitForm(call, place.cidr),
  ]);
  return html`${table(title, columns, rows)}<p class="quiet">${text("activity.blockedHint")}</p>`;
}

function admitForm(call: OwnerCall, cidr: string): Html {
  return postForm(
    call,
    { path: "portal/add", hidden: { cidr, label: "", days: "90" } },
    html`<button class="link-button" type="submit">${call.text("activity.admit")}<span class="visually-hidden"> ${placeText(cidr)}</span></button>`,
  );
}

function timeline(call: OwnerCall, items: readonly { record: AuditRecord; sentence: Sentence }[]): Html {
  const { text } = call;
  if (items.length === 0) return html`<p class="empty">${text("activity.nothing")}</p>`;
  return html`<ol class="timeline">${items.map(
    ({ record, sentence }) =>
      html`<li><p>${sentence.text}</p><p class="quiet">${moment(call, record.at)}${sentence.by !== undefined && ` · ${sentence.by}`}${record.actor.address !== undefined && record.actor.kind !== "key" && html` · <span class="mono">${record.actor.address}</span>`}</p></li>`,
  )}</ol>`;
}

async function namesOf({ visit }: OwnerCall, { person, whitelist }: PlacePages): Promise<Names> {
  const { tenant } = visit;
  const users = await person.users.list(tenant, { limit: MOST });
  const links = await whitelist.links.list(tenant.id, MOST);
  const shortcuts = await whitelist.shortcuts.list(tenant.id, MOST);
  const names = new Map([
    ...users.map(({ id, name, email }) => [id, name ?? email] as const),
    ...links.map(({ link }) => [link.id, link.label] as const),
    ...shortcuts.map(({ shortcut }) => [shortcut.id, shortcut.label] as const),
  ]);
  return (id) => names.get(id) || undefined;
}
