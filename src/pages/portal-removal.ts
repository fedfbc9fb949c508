/** Taking places and names off the list: whoever would shut themselves out by it is asked first. */
import { SallyportError } from "../core/errors.ts";
import { notice } from "../look/displays.ts";
import { button } from "../look/forms.ts";
import { html } from "../look/html.ts";
import { isName } from "../whitelist/removals.ts";
import { postForm } from "./page-form.ts";
import type { PlacePages } from "./place-pages.ts";
import { type OwnerCall, showPortal } from "./portal-frame.ts";
import { type Answer, pathTo } from "./route.ts";
import { actorOf } from "./visitor.ts";

const PATH = "portal/remove";

/** What has the form's `id`. The place where the owner stands goes only once they have sent `confirm`, too. */
export async function removeOrAsk(call: OwnerCall, { whitelist }: PlacePages): Promise<string | Answer> {
  const { visit, form, session } = call;
  const { id = "", confirm } = form;
  const author = { actor: actorOf(call, session) };
  const onBehalfOf = confirm === "yes" ? undefined : visit.address;
  try {
    const removed = await whitelist.manage(() => whitelist.removals.plan(visit.tenant.id, id, author, { onBehalfOf }));
    return pathTo("portal", { [isName(removed) ? "unfollowed" : "removed"]: removed.id });
  } catch (error) {
    if (!(error instanceof SallyportError) || error.code !== "confirmation_required") throw error;
    return showConfirmation(call, id);
  }
}

function showConfirmation(call: OwnerCall, id: string): Answer {
  const { text, visit } = call;
  const confirm = postForm(
    call,
    { path: PATH, hidden: { id, confirm: "yes" } },
    html`<p class="actions">${button(text("portal.removeHere"), { kind: "danger" })}<a class="button" href="${pathTo("portal")}">${text("portal.keep")}</a></p>`,
  );
  const body = html`<section class="panel">${notice("warn", text("portal.hereWarning", { address: visit.address.text }))}${confirm}</section>`;
  return showPortal(call, { path: "portal", title: text("portal.hereTitle"), body, status: 409 });
}
