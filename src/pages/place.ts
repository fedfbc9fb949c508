/** The place where a signed-in person stands: offered once they arrive from one that is not on the list. */
import { withoutHidden } from "../core/plain-text.ts";
import { facts } from "../look/displays.ts";
import { button, field } from "../look/forms.ts";
import { type Html, html } from "../look/html.ts";
import type { LiveSession } from "../person/session-record.ts";
import { maySelfAllow } from "../whitelist/self-allow.ts";
import { doorHead } from "./door-head.ts";
import { postForm } from "./page-form.ts";
import type { PlacePages } from "./place-pages.ts";
import { type Answer, type Call, pathTo, type Route, redirectTo, showPage } from "./route.ts";
import { requireProof, withSession } from "./visitor.ts";

export function placeOfferRoutes(pages: PlacePages): Route[] {
  return [
    { method: "GET", path: "place", handle: (call) => withSession(call, pages, (session) => show(call, session)) },
    { method: "POST", path: "place", fields: ["label", "then"], handle: (call) => add(call, pages) },
  ];
}

function show(call: Call, session: LiveSession): Answer {
  const { visit, text } = call;
  if (visit.located) return redirectTo("/");
  const may = maySelfAllow(visit.tenant.policy, session.role);
  const body = html`<section class="panel">${doorHead(call, "open")}<h1>${text("place.title")}</h1>
${may ? offerForm(call) : html`<p>${text("place.notYou", { tenant: visit.tenant.name })}</p>${facts([[text("page.address"), visit.address.text]])}<p class="actions"><a class="button" href="${pathTo("ask")}">${text("ask.open")}</a></p>`}</section>`;
  return showPage({ title: text("place.title"), body });
}

/** "Yes, add it / Not now", for the page of arrival and for the portal. @param then `portal`: stay there */
export function offerForm(call: Call, then?: "portal"): Html {
  const { text, visit } = call;
  const label = field({
    name: "label",
    label: text("place.label"),
    hint: text("place.labelHint"),
    required: false,
    attributes: html`maxlength="80" autocomplete="off"`,
  });
  const later = then === undefined ? pathTo("account") : pathTo("portal", { later: "1" });
  const no = html`<a class="button secondary" href="${later}">${text("place.notNow")}</a>`;
  const hidden = then === undefined ? {} : { then };
  return html`<p>${text("place.offer", { address: visit.address.text, tenant: visit.tenant.name })}</p>
${postForm(call, { path: "place", hidden }, html`${label}<p class="actions">${button(text("place.add"))}${no}</p>`)}`;
}

async function add(call: Call, pages: PlacePages): Promise<Answer> {
  const { visit, form } = call;
  return await withSession(call, pages, async (session) => {
    // A remembered device must not bring its new place in by itself.
    if (session.amr.includes("device")) requireProof(call, session);
    const label = withoutHidden(form["label"] ?? "").trim();
    await pages.whitelist.selfAllow.admit(visit.tenant.id, visit, session, label ? { label } : {});
    await pages.inForce();
    return redirectTo(form["then"] === "portal" ? pathTo("portal", { done: "added" }) : "/");
  });
}
