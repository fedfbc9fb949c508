/** Taking over a browser that the clinic's portal has identified: its ticket is good for one post within a minute. */
import { button } from "../look/forms.ts";
import { html } from "../look/html.ts";
import { PAGE_SCRIPT } from "./assets.ts";
import { doorHead } from "./door-head.ts";
import { afterOutcome } from "./outcome.ts";
import { postForm } from "./page-form.ts";
import type { PersonPages } from "./person-pages.ts";
import { type Call, type Route, showPage } from "./route.ts";

export function ticketRoutes({ person }: PersonPages): Route[] {
  return [
    { method: "GET", path: "ticket/:token", handle: showTicket },
    {
      method: "POST",
      path: "ticket/:token",
      handle: async (call) => {
        const accepted = await person.invitations.redeemTicket(call.visit, call.token);
        return afterOutcome(call, accepted, accepted.browser === undefined ? {} : { browser: accepted.browser });
      },
    },
  ];
}

/** Looks at nothing: whether the ticket is good shows when it is posted, by a click or by the page's own script. */
function showTicket(call: Call) {
  const { text, token, visit } = call;
  const body = html`<section class="panel">${doorHead(call)}<h1>${text("ticket.title")}</h1>
<p>${text("ticket.why", { tenant: visit.tenant.name })}</p>
${postForm(call, { path: `ticket/${token}`, attributes: html`data-send-on="yes"` }, html`<p class="actions">${button(text("form.continue"))}</p>`)}</section>`;
  return showPage({ title: text("ticket.title"), body, scripts: [PAGE_SCRIPT.path] });
}
