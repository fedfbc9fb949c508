/** The portal's list of places: what is on it and why, and adding, renaming, extending and removing, with a way back. */
import { parseAddress, parsePrefix, prefixContains } from "../core/address.ts";
import type { EntryView } from "../core/entries.ts";
import type { AllowlistEntry } from "../core/entry.ts";
import { longestTtlSeconds } from "../core/entry-lifetime.ts";
import { SallyportError } from "../core/errors.ts";
import type { EntryId } from "../core/ids.ts";
import type { Tenant } from "../core/tenant.ts";
import { notice, table } from "../look/displays.ts";
import { button, checkbox, field, select } from "../look/forms.ts";
import { type Html, html } from "../look/html.ts";
import { isName } from "../whitelist/removals.ts";
import { maySelfAllow } from "../whitelist/self-allow.ts";
import { postForm } from "./page-form.ts";
import { offerForm } from "./place.ts";
import { placeAdvice } from "./place-advice.ts";
import type { PlacePages } from "./place-pages.ts";
import { errorOf, type OwnerCall, portalForm, portalView, showPortal } from "./portal-frame.ts";
import { nameRoutes, namesPanel } from "./portal-names.ts";
import { removePlace, undoNotice } from "./portal-removal.ts";
import { openRequests, requestRoutes, requestsPanel } from "./portal-requests.ts";
import { type Answer, pathTo, type Route } from "./route.ts";
import { actorOf } from "./visitor.ts";
import { moment } from "./wording.ts";

const SHOWN = 100;
const PAGE = 1000;
const DAY_SECONDS = 86_400;
/** Choices of how long a place stays, in days; "" stands for no end. */
const DAYS = ["30", "90", "365", ""] as const;

export function portalPlaceRoutes(pages: PlacePages): Route[] {
  return [
    portalView(pages, "portal", showPlaces),
    portalForm(pages, {
      path: "portal/add",
      fields: ["cidr", "label", "days"],
      view: showPlaces,
      work: add,
      advice: placeAdvice,
    }),
    portalForm(pages, { path: "portal/change", fields: ["id", "label", "days"], view: showPlaces, work: change }),
    portalForm(pages, { path: "portal/remove", fields: ["id", "confirm"], view: showPlaces, work: removePlace }),
    portalForm(pages, { path: "portal/restore", fields: ["id"], view: showPlaces, work: restore }),
    ...requestRoutes(pages, showPlaces),
    ...nameRoutes(pages, showPlaces),
  ];
}

async function showPlaces(call: OwnerCall, pages: PlacePages): Promise<Answer> {
  const { text } = call;
  const found = await search(call, pages);
  const names = await namesOf(call, pages, found.views);
  const { limits } = await pages.entries.tenantStands(call.visit.tenant.id);
  const rows = found.views.map((view) => placeRow(call, view, names, longestTtlSeconds(view.entry.kind, limits)));
  const columns = [
    text("portal.place"),
    text("portal.by"),
    text("portal.since"),
    text("portal.seen"),
    text("portal.until"),
    "",
  ];
  const list =
    rows.length === 0
      ? html`<h2>${text("portal.list")}</h2><p class="empty">${text(found.filtered ? "portal.noMatch" : "portal.noPlaces")}</p>`
      : table(text("portal.list"), columns, rows);
  const next =
    found.next === undefined
      ? false
      : html`<p class="actions"><a class="button secondary" href="${pathTo("portal", { ...filterOf(call), after: found.next })}">${text("portal.more")}</a></p>`;
  const body = html`${standing(call)}${await undoNotice(call, pages)}${requestsPanel(call, await openRequests(call, pages))}
<section class="panel">${searchForm(call)}${list}${next}</section>${addPanel(call)}${await namesPanel(call, pages)}`;
  return showPortal(call, { path: "portal", title: text("portal.places"), body });
}

/** Whether this place is on the list, and the offer to add it. */
function standing(call: OwnerCall): Html | false {
  const { visit, text, session, query } = call;
  if (visit.tenant.policy.network === "off") return notice("plain", text("account.placeFree"));
  if (visit.located) return html`<p class="quiet">${text("portal.here", { address: visit.address.text })}</p>`;
  if (query["later"] !== undefined) return false;
  if (!maySelfAllow(visit.tenant.policy, session.role)) return notice("warn", text("account.placeUnlisted"));
  return html`<section class="panel attention"><h2>${text("place.title")}</h2>${offerForm(call, "portal")}</section>`;
}

/** One page of what the search asks for, in the order of its making. */
async function search(call: OwnerCall, { entries }: PlacePages) {
  const { query, visit } = call;
  const fits = filterFor(call);
  const filtered = (query["q"] ?? "").trim() !== "" || query["never"] === "yes";
  const views: EntryView[] = [];
  const from = query["after"] ?? "";
  for (let after = isEntryId(from) ? from : undefined; ; ) {
    const page = await entries.list(visit.tenant.id, PAGE, after);
    views.push(...page.filter(fits));
    if (views.length > SHOWN) return { views: views.slice(0, SHOWN), next: views[SHOWN - 1]?.entry.id, filtered };
    if (page.length < PAGE) return { views, next: undefined, filtered };
    after = page.at(-1)?.entry.id;
  }
}

function isEntryId(text: string): text is EntryId {
  return /^e[0-9a-z]{13}$/.test(text);
}

/** By name, by what is written of the address, and by an address that the place covers. */
function filterFor({ query, nowMs }: OwnerCall): (view: EntryView) => boolean {
  const wanted = (query["q"] ?? "").trim().toLowerCase();
  const address = parseAddress(wanted);
  return ({ entry: { cidr, label, expiresAt }, lastSeenAt }) => {
    if (expiresAt !== undefined && Date.parse(expiresAt) <= nowMs) return false;
    if (query["never"] === "yes" && lastSeenAt !== undefined) return false;
    if (address !== undefined && prefixContains(parsePrefix(cidr), address)) return true;
    return `${label} ${cidr}`.toLowerCase().includes(wanted);
  };
}

function filterOf({ query }: OwnerCall) {
  return { q: query["q"] || undefined, never: query["never"] };
}

function searchForm(call: OwnerCall): Html {
  const { text, query } = call;
  const field = html`<div class="field"><label for="q">${text("portal.search")}</label><input id="q" name="q" type="search" value="${query["q"] ?? ""}" placeholder="${text("portal.searchHint")}" autocomplete="off"></div>`;
  return html`<form method="get" action="${pathTo("portal")}" role="search" class="bar">${field}${checkbox("never", text("portal.never"), query["never"] === "yes")}${button(text("portal.find"), { kind: "secondary" })}</form>`;
}

/** @param mostSeconds that it may last from now */
function placeRow(
  call: OwnerCall,
  { entry, lastSeenAt }: EntryView,
  names: ReadonlyMap<string, string>,
  mostSeconds: number,
) {
  const { text, visit } = call;
  const here = prefixContains(parsePrefix(entry.cidr), visit.address);
  return [
    html`${entry.label === "" ? text("portal.unnamed") : entry.label}${here && html` <strong class="tag">${text("portal.hereTag")}</strong>`}<span class="under mono">${placeText(entry.cidr)}</span>`,
    broughtBy(call, entry, names.get(entry.createdBy) ?? text("portal.byOther")),
    moment(call, entry.createdAt),
    lastSeenAt === undefined ? html`<span class="quiet">${text("portal.neverSeen")}</span>` : moment(call, lastSeenAt),
    entry.expiresAt === undefined ? text("portal.noEnd") : moment(call, entry.expiresAt),
    rowActions(call, entry, mostSeconds),
  ];
}

/** An approved request is the place's own doing and somebody's decision. */
function broughtBy({ text }: OwnerCall, { kind, sourceId }: AllowlistEntry, name: string): Html {
  const asked = kind === "self" && sourceId !== undefined;
  return html`${text(asked ? "portal.kind.request" : `portal.kind.${kind}`)}<span class="under">${asked ? text("portal.approvedBy", { name }) : name}</span>`;
}

/** A single address without its prefix length, which says nothing to most people. */
export function placeText(cidr: string): string {
  return cidr.replace(/\/(?:32$|128$)/, "");
}

/** What a name brought is the name's: it is named and removed as a whole. */
function rowActions(call: OwnerCall, { id, label, cidr, kind }: AllowlistEntry, mostSeconds: number): Html {
  const { text } = call;
  const what = html`<span class="visually-hidden"> ${label === "" ? placeText(cidr) : label}</span>`;
  const edit = html`<div class="field"><label for="label-${id}">${text("portal.label")}</label><input id="label-${id}" name="label" value="${label}" maxlength="80" autocomplete="off"></div>${daysField(call, `days-${id}`, true, mostSeconds)}${button(text("account.save"), { kind: "secondary" })}`;
  const change = html`<details class="inline"><summary>${text("portal.edit")}${what}</summary>${postForm(call, { path: "portal/change", hidden: { id } }, edit)}</details>`;
  return html`<div class="row-actions">${kind !== "dns" && change}${postForm(
    call,
    { path: "portal/remove", hidden: { id } },
    html`<button class="link-button" type="submit">${text(kind === "dns" ? "names.remove" : "account.remove")}${what}</button>`,
  )}</div>`;
}

function daysField({ text, form }: OwnerCall, id: string, keeps: boolean, mostSeconds = Infinity): Html {
  const fitting = DAYS.filter((value) => (value === "" ? Infinity : Number(value) * DAY_SECONDS) <= mostSeconds);
  const items = fitting.map((value) => {
    return { value, label: value === "" ? text("portal.noEnd") : text("wait.days", { count: Number(value) }) };
  });
  const keep = { value: "keep", label: text("portal.keepsEnd") };
  return select({
    name: "days",
    id,
    label: text("portal.stays"),
    items: keeps ? [keep, ...items] : items,
    chosen: keeps ? "keep" : (form["days"] ?? ""),
  });
}

function addPanel(call: OwnerCall): Html {
  const { text, form } = call;
  const cidr = field({
    name: "cidr",
    label: text("portal.address"),
    hint: text("portal.addressHint"),
    value: form["cidr"],
    error: errorOf(call, "cidr"),
    attributes: html`class="mono" autocomplete="off" spellcheck="false" maxlength="60"`,
  });
  const label = field({
    name: "label",
    label: text("portal.label"),
    hint: text("place.labelHint"),
    value: form["label"],
    error: errorOf(call, "label"),
    required: false,
    attributes: html`maxlength="80" autocomplete="off"`,
  });
  return html`<section class="panel"><h2>${text("portal.addTitle")}</h2><p>${text("portal.addWhy")}</p>
${postForm(call, { path: "portal/add" }, html`<div class="columns">${cidr}${label}${daysField(call, "days", false)}</div><p class="actions">${button(text("portal.add"))}</p>`)}</section>`;
}

/** @throws SallyportError `body_invalid` for what is no choice: a slip must not make a place stay for ever */
function secondsOf(days: string): number {
  if (DAYS.some((choice) => choice === days)) return Number(days) * DAY_SECONDS;
  throw new SallyportError("body_invalid", "days is not one of the choices");
}

async function add(call: OwnerCall, { entries, whitelist }: PlacePages): Promise<string> {
  const { visit, form, session } = call;
  const actor = actorOf(call, session);
  const { cidr = "", label = "", days = "" } = form;
  const ttl = days === "" ? {} : { ttlSeconds: secondsOf(days) };
  const input = { cidr: cidr.trim(), label: label.trim(), ...ttl };
  const origin = { kind: "static", createdBy: `user:${session.user}` } as const;
  await whitelist.manage(() => entries.planCreate(visit.tenant.id, input, origin, { actor }));
  return pathTo("portal", { done: "added" });
}

async function change(call: OwnerCall, { whitelist }: PlacePages): Promise<string> {
  const { visit, form, session } = call;
  const { id = "", label = "", days = "keep" } = form;
  const lasts = days === "keep" ? {} : days === "" ? { expiresAt: null } : { ttlSeconds: secondsOf(days) };
  const author = { actor: actorOf(call, session) };
  const asked = { label: label.trim(), ...lasts };
  await whitelist.manage(() => whitelist.removals.planChange(visit.tenant.id, id, asked, author));
  return pathTo("portal", { done: "changed" });
}

async function restore(call: OwnerCall, { whitelist }: PlacePages): Promise<string> {
  const { visit, form, session } = call;
  const author = { actor: actorOf(call, session) };
  const restored = await whitelist.manage(() => whitelist.planRestore(visit.tenant.id, form["id"] ?? "", author));
  return pathTo("portal", { done: isName(restored) ? "following" : "restored" });
}

/** Who and what brought the entries, in words. */
async function namesOf({ visit, text }: OwnerCall, pages: PlacePages, views: readonly EntryView[]) {
  const names = new Map([["config", text("portal.byOperator")]]);
  for (const by of new Set(views.map(({ entry }) => entry.createdBy))) {
    const [kind = "", id = ""] = by.split(":", 2);
    if (kind === "key") names.set(by, text("portal.byOperator"));
    const name = await BRINGERS[kind]?.(pages, visit.tenant, id).catch(() => undefined);
    if (name !== undefined && name !== "") names.set(by, name);
  }
  return names;
}

type Named = (pages: PlacePages, tenant: Tenant, id: string) => Promise<string | undefined>;
const BRINGERS: Readonly<Record<string, Named>> = {
  user: async ({ person }, tenant, id) => {
    const user = await person.users.find(tenant, id);
    return user?.name ?? user?.email;
  },
  link: async ({ whitelist }, tenant, id) => (await whitelist.links.read(tenant.id, id)).link.label,
  shortcut: async ({ whitelist }, tenant, id) => (await whitelist.shortcuts.read(tenant.id, id)).shortcut.label,
};
