/** Whitelist links on the portal: made, sent, copied; who used them and from where; revoked, or "not us". */
import { describeBrowser } from "../look/browsers.ts";
import { notice, table } from "../look/displays.ts";
import { button } from "../look/forms.ts";
import { type Html, html } from "../look/html.ts";
import type { LinkRecord, LinkUse } from "../whitelist/link-record.ts";
import { postForm } from "./page-form.ts";
import type { PlacePages } from "./place-pages.ts";
import { detailList, type OwnerCall, portalForm, portalView, showPortal } from "./portal-frame.ts";
import { LINK_FIELDS, linkAdvice, linkForm, readLinkForm } from "./portal-link-form.ts";
import { placeText } from "./portal-places.ts";
import { takeOrAsk } from "./portal-removal.ts";
import { type Answer, pathTo, type Route } from "./route.ts";
import { actorOf } from "./visitor.ts";
import { durationText, moment } from "./wording.ts";

const MOST = 200;

export function portalLinkRoutes(pages: PlacePages): Route[] {
  return [
    portalView(pages, "portal/links", showLinks),
    portalView(pages, "portal/links/:token", (call) => showLink(call, pages, call.token)),
    portalForm(pages, {
      path: "portal/links",
      fields: LINK_FIELDS,
      view: showLinks,
      work: create,
      advice: linkAdvice,
    }),
    portalForm(pages, { path: "portal/links/remove", fields: ["id", "confirm"], view: showLinks, work: remove }),
    portalForm(pages, {
      path: "portal/links/not-us",
      fields: ["id", "use", "confirm"],
      view: showLinks,
      work: takeBack,
    }),
  ];
}

async function showLinks(call: OwnerCall, pages: PlacePages): Promise<Answer> {
  const { text, visit, nowMs } = call;
  const views = await pages.whitelist.links.list(visit.tenant.id, MOST);
  const live = views.map(({ link }) => link).filter((link) => Date.parse(link.expiresAt) > nowMs || link.uses > 0);
  const columns = [text("links.for"), text("links.used"), text("links.until"), text("links.placeStays"), ""];
  const rows = live.toReversed().map((link) => linkRow(call, link));
  const list =
    rows.length === 0
      ? html`<h2>${text("links.list")}</h2><p class="empty">${text("links.none")}</p>`
      : table(text("links.list"), columns, rows);
  const body = html`${await linkForm(call, pages)}<section class="panel">${list}</section>`;
  return showPortal(call, { path: "portal/links", title: text("portal.links"), body });
}

function linkRow(call: OwnerCall, link: LinkRecord) {
  const { text, nowMs } = call;
  const { id, label, recipient, uses, maxUses, expiresAt, entryTtlSeconds, allowedNetwork } = link;
  const name = label === "" ? (recipient ?? text("portal.unnamed")) : label;
  const ended = Date.parse(expiresAt) <= nowMs;
  return [
    html`<a href="${pathTo(`portal/links/${id}`)}">${name}</a>${recipient !== undefined && recipient !== name && html`<span class="under">${recipient}</span>`}${allowedNetwork !== undefined && html`<span class="under">${text("links.onlyFrom", { network: placeText(allowedNetwork) })}</span>`}`,
    text("links.usesOf", { uses, max: maxUses }),
    ended ? html`<span class="quiet">${text("links.ended")}</span>` : moment(call, expiresAt),
    durationText(text, entryTtlSeconds),
    removeForm(call, id, name),
  ];
}

function removeForm(call: OwnerCall, id: string, name: string): Html {
  return postForm(
    call,
    { path: "portal/links/remove", hidden: { id } },
    html`<button class="link-button" type="submit">${call.text("links.revoke")}<span class="visually-hidden"> ${name}</span></button>`,
  );
}

async function create(call: OwnerCall, { whitelist }: PlacePages): Promise<string> {
  const input = readLinkForm(call);
  const author = { actor: actorOf(call, call.session) };
  const made = await whitelist.manage(() => whitelist.links.planCreate(call.visit.tenant.id, input, author));
  return pathTo(`portal/links/${made.link.id}`, made.mailed ? { done: "sent" } : {});
}

async function showLink(call: OwnerCall, { whitelist }: PlacePages, id: string): Promise<Answer> {
  const { text, visit, nowMs } = call;
  const { tenant } = visit;
  const { link, uses } = await whitelist.links.read(tenant.id, id);
  const works = Date.parse(link.expiresAt) > nowMs && link.uses < link.maxUses;
  const url = await whitelist.links.urlOf(tenant, link);
  const name = link.label === "" ? text("portal.unnamed") : link.label;
  const address = html`<p>${text("links.hand")}</p><code class="line">${url}</code>
<p class="actions"><button class="button" type="button" data-copy="${url}" data-copied="${text("form.copied")}" hidden>${text("links.copy")}</button></p>`;
  const body = html`<section class="panel"><h2>${name}</h2>
${works ? address : notice("plain", text("links.spent"))}
${detailList([
  [text("links.used"), text("links.usesOf", { uses: link.uses, max: link.maxUses })],
  ...(link.recipient === undefined ? [] : [[text("links.recipient"), link.recipient] as const]),
  [text("links.until"), moment(call, link.expiresAt)],
  [text("links.placeStays"), durationText(text, link.entryTtlSeconds)],
  ...(link.allowedNetwork === undefined
    ? []
    : [[text("links.network"), html`<span class="mono">${placeText(link.allowedNetwork)}</span>`] as const]),
])}
${postForm(call, { path: "portal/links/remove", hidden: { id } }, html`<p class="quiet">${text("links.revokeWhy")}</p><p class="actions">${button(text("links.revoke"), { kind: "danger" })}</p>`)}</section>
<section class="panel">${usesTable(call, id, uses)}</section>
<p><a href="${pathTo("portal/links")}">${text("links.back")}</a></p>`;
  return showPortal(call, { path: "portal/links", title: text("portal.links"), body });
}

function usesTable(call: OwnerCall, id: string, uses: readonly LinkUse[]): Html {
  const { text } = call;
  if (uses.length === 0) return html`<h2>${text("links.uses")}</h2><p class="empty">${text("links.unused")}</p>`;
  const columns = [text("portal.place"), text("links.when"), text("account.browser"), ""];
  const rows = uses.map((use) => [
    html`<span class="mono">${placeText(use.cidr)}</span>${use.companion !== undefined && html`<span class="under mono">${placeText(use.companion.cidr)}</span>`}`,
    moment(call, use.lastAt),
    describeBrowser(text, use.userAgent),
    use.removedAt === undefined
      ? postForm(
          call,
          { path: "portal/links/not-us", hidden: { id, use: use.id } },
          html`<button class="link-button" type="submit">${text("links.notUs")}<span class="visually-hidden"> ${use.cidr}</span></button>`,
        )
      : html`<span class="quiet">${text("links.takenBack")}</span>`,
  ]);
  return html`${table(text("links.uses"), columns, rows)}<p class="quiet">${text("links.notUsWhy")}</p>`;
}

async function remove(call: OwnerCall, pages: PlacePages): Promise<string | Answer> {
  const { visit, form, text, session } = call;
  const author = { actor: actorOf(call, session) };
  return await takeOrAsk(call, pages, {
    path: "portal/links/remove",
    page: "portal/links",
    warning: "portal.hereLink",
    go: text("links.revokeHere"),
    plan: () => pages.whitelist.links.planDelete(visit.tenant.id, form["id"] ?? "", author),
    done: () => pathTo("portal/links", { done: "ended" }),
  });
}

async function takeBack(call: OwnerCall, pages: PlacePages): Promise<string | Answer> {
  const { visit, form, text, session } = call;
  const { id = "", use = "" } = form;
  const author = { actor: actorOf(call, session) };
  return await takeOrAsk(call, pages, {
    path: "portal/links/not-us",
    page: "portal/links",
    warning: "portal.hereWarning",
    go: text("portal.removeHere"),
    // A stranger is put out whatever that costs.
    force: true,
    plan: () => pages.whitelist.links.planRemoveUse(visit.tenant.id, id, use, author),
    done: () => pathTo(`portal/links/${id}`, { done: "removed" }),
  });
}
