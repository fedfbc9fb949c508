/** The portal's activity: a chart, who was blocked (to be let in under a name), who was let in, what changed. */
import type { AuditRecord } from "../core/audit.ts";
import type { TenantId } from "../core/ids.ts";
import { table } from "../look/displays.ts";
import { button } from "../look/forms.ts";
import { type Html, html } from "../look/html.ts";
import { type BlockedPlace, readActivity, readBlockedPlaces } from "../observe/activity.ts";
import { readAudit } from "../observe/audit-log.ts";
import { planAdmission } from "../whitelist/admission.ts";
import { type Names, type Sentence, sentenceOf } from "./activity-words.ts";
import { trafficChart } from "./chart.ts";
import { foldFailures, isFailedSignIn } from "./failed-sign-ins.ts";
import { postForm } from "./page-form.ts";
import type { PlacePages } from "./place-pages.ts";
import { type OwnerCall, portalForm, portalView, showPortal } from "./portal-frame.ts";
import { isListed } from "./portal-people.ts";
import { placeText } from "./portal-places.ts";
import { type Answer, pathTo, type Route } from "./route.ts";
import { actorOf } from "./visitor.ts";
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
/** How long a place stays that is admitted here. */
const ADMIT_DAYS = 90;

export function portalActivityRoutes(pages: PlacePages): Route[] {
  return [
    portalView(pages, "portal/activity", show),
    portalForm(pages, { path: "portal/activity/admit", fields: ["cidr", "label"], view: show, work: admit }),
  ];
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
<section class="panel">${await blockedTable(call, pages, places.slice(0, PLACES), by)}</section>
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

async function blockedTable(
  call: OwnerCall,
  pages: PlacePages,
  places: readonly BlockedPlace[],
  by: "blocked" | "observed",
): Promise<Html> {
  const { text } = call;
  const title = text(by === "observed" ? "activity.wouldBlock" : "activity.blockedTitle");
  if (places.length === 0) return html`<h2>${title}</h2><p class="empty">${text("activity.nobody")}</p>`;
  const columns = [text("account.place"), text("activity.last"), text("activity.requests"), text("page.reference"), ""];
  const listed = await Promise.all(places.map(({ address }) => isListed(call, pages, address)));
  const rows = places.map((place, index) => [
    html`<span class="mono">${place.address}</span>`,
    moment(call, place.lastAtMs),
    String(place[by]),
    html`<span class="mono">${place.lastReference}</span>`,
    listed[index]
      ? html`<span class="quiet">${text("activity.listed")}</span>`
      : admitForm(call, place.cidr, `admit-${index}`),
  ]);
  return html`${table(title, columns, rows)}<p class="quiet">${text("activity.blockedHint")}</p>`;
}

function admitForm(call: OwnerCall, cidr: string, id: string): Html {
  const { text } = call;
  const what = html`<span class="visually-hidden"> ${placeText(cidr)}</span>`;
  const label = html`<div class="field"><label for="${id}">${text("portal.label")}</label><input id="${id}" name="label" required maxlength="80" autocomplete="off"></div>`;
  const stays = text("activity.admitFor", { time: text("wait.days", { count: ADMIT_DAYS }) });
  const form = postForm(call, { path: "portal/activity/admit", hidden: { cidr } }, html`${label}${button(stays)}`);
  return html`<div class="row-actions"><details class="inline"><summary>${text("activity.admit")}${what}</summary>${form}</details></div>`;
}

async function admit(call: OwnerCall, { entries, store, whitelist }: PlacePages): Promise<string> {
  const { visit, form, session } = call;
  const { cidr = "", label = "" } = form;
  const input = { cidr, label: label.trim(), ttlSeconds: ADMIT_DAYS * 86_400 };
  const origin = { kind: "static", createdBy: `user:${session.user}` } as const;
  const author = { actor: actorOf(call, session) };
  const added = await whitelist.manage(() => planAdmission({ entries, store }, visit.tenant.id, input, origin, author));
  return pathTo("portal/activity", { done: added === undefined ? "listed" : "added" });
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
