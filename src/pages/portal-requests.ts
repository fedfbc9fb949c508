/** Who asks to be let in, on the portal: approved or dismissed with a click. */
import { describeBrowser } from "../look/browsers.ts";
import { button } from "../look/forms.ts";
import { type Html, html } from "../look/html.ts";
import type { AccessRequest } from "../whitelist/requests.ts";
import { postForm } from "./page-form.ts";
import type { PlacePages } from "./place-pages.ts";
import { type OwnerCall, portalForm, type View } from "./portal-frame.ts";
import { pathTo, type Route } from "./route.ts";
import { actorOf } from "./visitor.ts";
import { moment } from "./wording.ts";

const MOST = 200;

export async function openRequests({ visit }: OwnerCall, { whitelist }: PlacePages): Promise<AccessRequest[]> {
  const views = await whitelist.requests.list(visit.tenant.id, MOST);
  const open = views.map(({ request }) => request).filter(({ state }) => state === "open");
  return open.toSorted((one, other) => (one.lastAt < other.lastAt ? 1 : -1));
}

export function requestRoutes(pages: PlacePages, view: View): Route[] {
  return [
    portalForm(pages, {
      path: "portal/approve",
      fields: ["id", "label"],
      view,
      work: async (call, { whitelist }) => {
        const { visit, form, session } = call;
        const label = form["label"]?.trim();
        const author = { actor: actorOf(call, session) };
        const approval = label ? { label } : {};
        await whitelist.manage(() =>
          whitelist.requests.planApprove(visit.tenant.id, form["id"] ?? "", approval, author),
        );
        return pathTo("portal", { done: "added" });
      },
    }),
    portalForm(pages, {
      path: "portal/dismiss",
      fields: ["id"],
      view,
      work: async (call, { whitelist }) => {
        const author = { actor: actorOf(call, call.session) };
        await whitelist.manage(() =>
          whitelist.requests.planDismiss(call.visit.tenant.id, call.form["id"] ?? "", author),
        );
        return pathTo("portal", { done: "dismissed" });
      },
    }),
  ];
}

/** Nothing when nobody asks. */
export function requestsPanel(call: OwnerCall, requests: readonly AccessRequest[]): Html | false {
  const { text } = call;
  return (
    requests.length > 0 &&
    html`<section class="panel attention"><h2>${text("requests.title", { count: requests.length })}</h2>
<p>${text("requests.why")}</p><ul class="cards">${requests.map((request) => html`<li>${requestCard(call, request)}</li>`)}</ul></section>`
  );
}

function requestCard(
  call: OwnerCall,
  { id, address, from, note, reference, lastAt, userAgent, count }: AccessRequest,
): Html {
  const { text } = call;
  const label = html`<div class="field"><label for="label-${id}">${text("portal.label")}</label><input id="label-${id}" name="label" value="${from}" maxlength="80" autocomplete="off"></div>`;
  return html`<h3>${from}</h3>${note !== "" && html`<blockquote>${note}</blockquote>`}
<p class="quiet"><span class="mono">${address}</span> · ${describeBrowser(text, userAgent)} · ${moment(call, lastAt)}${count > 1 && ` · ${text("requests.times", { count })}`}${reference !== undefined && html` · ${text("page.reference")} <span class="mono">${reference}</span>`}</p>
<div class="decide">${postForm(call, { path: "portal/approve", hidden: { id } }, html`${label}${button(text("requests.approve"))}`)}${postForm(
    call,
    { path: "portal/dismiss", hidden: { id } },
    button(text("requests.dismiss"), { kind: "secondary" }),
  )}</div>`;
}
